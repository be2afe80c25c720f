"""Clouds of bits against W = Q·diag(f), thresholds by hand, and claim 5's verdict."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from mgptn.experiments.claims.method.finding import DECIDES
from mgptn.experiments.claims.quasispecies.analysis import _drift, analyse, crossing
from mgptn.experiments.claims.quasispecies.measures import (
    NEUTRAL,
    SELECTED,
    Landscape,
    bit_mutation,
    bits_of,
    evolve,
    expected_fitness,
    half_loss,
    stationary,
)
from mgptn.population.draws.streams import stream
from mgptn.population.theory.finite_quasispecies import class_mutation
from mgptn.population.theory.quasispecies import error_threshold, hamming_stationary
from tests.measured import measured


def smooth(length: int, steepness: float = 1.0) -> Landscape:
    """Accuracy that grows with the number of set bits."""
    accuracy = 0.2 + 0.6 * (bits_of(length).sum(axis=1) / length) ** steepness
    return Landscape(accuracy, expected_fitness(accuracy, 8, 0.1))


def test_mutation_of_genomes_is_that_of_classes() -> None:
    whole, ones = bit_mutation(5, 0.07), bits_of(5).sum(axis=1)
    classes = class_mutation(5, 0.07)
    for start in (0, 0b00101, 0b11111):
        spread = np.bincount(5 - ones, weights=whole[:, start], minlength=6)
        np.testing.assert_allclose(spread, classes[:, 5 - ones[start]], rtol=1e-12)


def test_the_cloud_on_a_peak_is_the_exact_one() -> None:
    peak = np.where(np.arange(64) == 63, 10.0, 1.0)
    cloud = stationary(Landscape(peak / 10.0, peak), 0.1)
    assert cloud[63] == pytest.approx(hamming_stationary(10.0, 6, 0.1).master, rel=1e-9)


@pytest.mark.parametrize(("answered", "temperature"), [(8, 0.1), (3, 0.5)])
def test_expected_fitness_is_the_sum_over_scores(answered: int, temperature: float) -> None:
    right = np.arange(answered + 1)
    for accuracy in (0.0, 0.3, 1.0):
        weights = np.exp(right / answered / temperature)
        plain = binom.pmf(right, answered, accuracy) @ weights
        found = expected_fitness(np.array([accuracy]), answered, temperature)[0]
        assert found == pytest.approx(plain, rel=1e-12)


def test_half_loss_is_where_half_is_lost() -> None:
    landscape = smooth(5)
    rate = half_loss(landscape)
    assert landscape.excess(stationary(landscape, rate)) == pytest.approx(0.5, abs=1e-3)
    assert half_loss(landscape, 0.75) < rate < half_loss(landscape, 0.25)
    assert landscape.excess(np.full(32, 1 / 32)) == pytest.approx(0.0)


@pytest.mark.parametrize("rate", [0.03, 0.12])
def test_large_populations_have_the_exact_cloud(rate: float) -> None:
    """Mean accuracy of six populations of 4,000. False alarm: under 1e-6, by nine deviations."""
    landscape = smooth(5, 2.0)
    runs = [
        evolve(landscape.accuracy, 5, rate, 4000, 120, 8, 0.1, stream(i, "evolve", repr(rate)))
        for i in range(6)
    ]
    found = np.array([landscape.excess(shares.mean(axis=0)) for shares in runs])
    exact = landscape.excess(stationary(landscape, rate))
    assert abs(found.mean() - exact) < 9.0 * found.std(ddof=1) / math.sqrt(6.0) + 0.004
    assert found.std() < 0.02


def test_random_parents_forget_the_best() -> None:
    landscape = smooth(4)
    shares = evolve(landscape.accuracy, 4, 0.1, 2000, 200, 8, math.inf, stream(0, "neutral"))
    assert abs(landscape.excess(shares.mean(axis=0))) < 0.1
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_a_crossing_by_hand() -> None:
    factors = np.array([0.5, 1.0, 1.5])
    assert crossing(factors, np.array([1.0, 0.6, 0.2])) == pytest.approx(1.125)
    assert math.isnan(crossing(factors, np.array([0.9, 0.8, 0.7])))
    assert math.isnan(crossing(factors, np.array([0.4, 0.3, 0.2])))


def test_the_drifts_slope_is_found_where_it_was_put_in() -> None:
    """Thresholds with σQ = 1 + 3·N^−1/2."""
    length, superiority, sizes = 20, 10.0, np.array([100.0, 1000.0, 10_000.0])
    factors = np.linspace(0.2, 1.2, 2001)
    faithful = (1.0 + 3.0 / np.sqrt(sizes)) / superiority
    at = (1.0 - faithful ** (1.0 / length)) / error_threshold(superiority, length)
    kept = 1.0 / (1.0 + np.exp((factors[:, None] - at) / 1e-3))
    slope = _drift(factors, sizes, length, superiority)(kept[None])
    assert slope[0] == pytest.approx(-0.5, abs=0.01)


def tables(peak: float, cloud: float, genomes: float) -> dict[str, pl.DataFrame]:
    """Populations that lose the master, and half the accuracy, at these factors."""
    factors, rng = np.round(np.arange(0.5, 1.55, 0.05), 2), stream(0, "tables")
    rows: dict[str, list[dict]] = {"peaks": [], "clouds": [], "predicted": []}
    for seed in range(8):
        for population in range(12):
            at = {"seed": seed, "population": population}
            luck = float(rng.normal(0.0, 0.004))
            for factor in factors.tolist():
                for size, threshold in ((100, 0.8 * peak), (10_000, peak)):
                    kept = factor < threshold + 5 * luck
                    landscape = {"length": 20, "superiority": 10.0, "size": size}
                    shares = {"kept": kept, "share": 0.3 + luck, "exact": 0.3}
                    rows["peaks"].append({**at, **landscape, "factor": factor, **shares})
                for size, selector in ((32, SELECTED), (256, SELECTED), (256, NEUTRAL)):
                    left = 0.5 - (factor - cloud - luck) if selector == SELECTED else 0.01
                    which = {"size": size, "selector": selector, "factor": factor}
                    rows["clouds"].append(
                        {**at, **which, "excess": left, "genomes": genomes + luck}
                    )
        for factor in factors.tolist():
            names = ("quarter", "three_quarters", "single_peak", "all_right", "all_wrong")
            told = dict.fromkeys((*names, "evenly", "genomes", "excess"), 0.5)
            half = {"threshold": 0.1, "other_half": 0.1}
            rows["predicted"].append({"seed": seed, "factor": factor, **half, **told})
    return {name: pl.DataFrame(given) for name, given in rows.items()}


@pytest.mark.parametrize(
    ("numbers", "verdict", "why"),
    [
        ((1.0, 1.0, 5.0), "holds", "N 256: threshold over predicted"),
        ((0.9, 1.0, 5.0), "fails", "L 20, σ 10.0, N 10000: threshold"),
        ((1.0, 1.1, 5.0), "fails", "N 256: threshold over predicted 1.1"),
        ((1.0, 1.0, 1.5), "fails", "genomes 1.50"),
    ],
)
def test_the_verdict_follows_the_tables(
    numbers: tuple[float, ...], verdict: str, why: str, tmp_path: Path
) -> None:
    found = analyse(measured(tmp_path, tables(*numbers)))
    assert found.verdict == verdict, found.why
    assert any(why in sentence for sentence in found.why), found.why
    assert (found.p < 0.05) == (numbers[1] == 1.0)
    rise = found.number(DECIDES, "L 20, σ 10.0: threshold of N 10000 less of N 100")
    assert rise.value == pytest.approx(0.2 * numbers[0], abs=0.05)
