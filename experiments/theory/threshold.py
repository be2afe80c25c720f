"""`mgptn theory threshold`: the error threshold, exactly, nearly, and in finite populations."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.theory.closed_forms import Band, Values, check_whole
from mgptn.population.draws.streams import stream
from mgptn.population.theory.finite_quasispecies import (
    class_mutation,
    mean_distance,
    simulate_classes,
)
from mgptn.population.theory.quasispecies import (
    error_threshold,
    hamming_stationary,
    quasispecies_stationary,
)

POPULATIONS = 20
"""Populations of each size at each error rate."""

LEAST_GENERATIONS = 400
LEAST_THRESHOLD = 0.002
"""Sites forget in about 1/(2μ) generations, so that a lower threshold would take too many."""

SCALE = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0)
"""Error rates that are simulated, in units of the threshold."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The error threshold of the single peak: exactly, nearly, and in finite populations.

    Attributes
    ----------
    threshold
        μ_c = 1 − σ^(−1/L).
    generations
        Of each simulated population; the first half is left out of means.
    error_rates
        float64 [E], μ.
    exact, nearly
        float64 [E], the master's share in an infinite population: exactly, and without back
        mutation, (σ(1−μ)^L − 1)/(σ − 1).
    masters, distances
        For each size a band of float64 [E], over populations: the master's share, and the mean
        distance from it over L.
    """

    superiority: float
    length: int
    threshold: float
    generations: int
    error_rates: Values
    exact: Values
    nearly: Values
    masters: dict[int, Band]
    distances: dict[int, Band]


def compare_threshold(
    superiority: float, length: int, sizes: tuple[int, ...], seed: int
) -> Threshold:
    """Solve for the stationary cloud on both sides of the threshold, and simulate populations.

    Raises
    ------
    ConfigError
        If an option is outside its range.
    """
    if not 1.0 < superiority <= 1e6:
        raise ConfigError(f"--superiority: expected above 1, up to 1e6, got {superiority}")
    check_whole("length", length, 1, 200)
    if not sizes:
        raise ConfigError("--sizes: expected at least one size, got none")
    for size in sizes:
        check_whole("sizes", size, 1, 10**9)
    check_whole("seed", seed, 0)
    critical = error_threshold(superiority, length)
    if critical < LEAST_THRESHOLD:
        raise ConfigError(
            f"--superiority, --length: expected an error threshold of at least {LEAST_THRESHOLD}, "
            f"got {critical:.3g} of {superiority:g} and {length}"
        )
    rates = np.array([x * critical for x in SCALE if x * critical <= 0.5])
    generations = max(LEAST_GENERATIONS, math.ceil(8.0 / critical))
    masters, distances = {}, {}
    for size in dict.fromkeys(sizes):
        shares, far = np.empty((2, rates.size, POPULATIONS))
        for i, rate in enumerate(rates):
            rng = stream(seed, "error threshold", size, i)
            counts = simulate_classes(
                superiority, length, float(rate), size, generations, POPULATIONS, rng
            )[generations // 2 :]
            shares[i] = counts[..., 0].mean(axis=0) / size
            far[i] = mean_distance(counts).mean(axis=0)
        masters[size], distances[size] = _mean_band(shares), _mean_band(far)
    return Threshold(
        superiority=superiority,
        length=length,
        threshold=critical,
        generations=generations,
        error_rates=rates,
        exact=np.array([hamming_stationary(superiority, length, float(r)).master for r in rates]),
        nearly=nearly_stationary(superiority, length, rates),
        masters=masters,
        distances=distances,
    )


def nearly_stationary(superiority: float, length: int, error_rates: Values) -> Values:
    """The master's share without back mutation, (σ(1−μ)^L − 1)/(σ − 1) and not below zero."""
    grown = superiority * (1.0 - error_rates) ** length
    return np.asarray(np.maximum(grown - 1.0, 0.0) / (superiority - 1.0), dtype=np.float64)


def infinite_distance(superiority: float, length: int, error_rate: float) -> float:
    """Mean distance from the master over L in the stationary cloud of an infinite population."""
    fitness = np.ones(length + 1)
    fitness[0] = superiority
    cloud = quasispecies_stationary(class_mutation(length, error_rate), fitness).distribution
    return float(cloud @ np.arange(length + 1) / length)


def _mean_band(samples: Values) -> Band:
    """Mean over the last axis, with Student's interval."""
    count = samples.shape[-1]
    middle = samples.mean(axis=-1)
    half = t.ppf(0.975, count - 1) * samples.std(axis=-1, ddof=1) / math.sqrt(count)
    return Band(middle, middle - half, middle + half)
