"""Claim 5: do clouds of genomes stand, and fall, where Eigen's theory says?

Dimensions: S seeds, P populations, E error rates in units of the predicted threshold.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import Number, Span, estimate
from mgptn.experiments.claims.method.statistics import first
from mgptn.experiments.claims.quasispecies.figure import draw_clouds
from mgptn.experiments.claims.quasispecies.measures import (
    NEUTRAL,
    SELECTED,
    measure_accuracy,
    measure_clouds,
    measure_peaks,
    measure_predicted,
)
from mgptn.population.intervals.spread import Statistic
from mgptn.population.records.arrays import Floats
from mgptn.population.theory.quasispecies import error_threshold

MEASURES = {
    "peaks": measure_peaks,
    "accuracy": measure_accuracy,
    "predicted": measure_predicted,
    "clouds": measure_clouds,
}
LEAST, MOST = 0.95, 1.05
"""Of a measured threshold over the predicted one."""

HALF = 0.5
"""Of the threshold, where the cloud is looked at."""


def analyse(results: Results) -> Finding:
    """Thresholds by size, on peaks and on the model's landscape."""
    curves: dict[str, tuple[float, ...]] = {}
    peaks, decisive = _peaks(results, curves)
    ladder, further = _ladder(results, curves)
    threshold = further[0]
    return Finding.by(
        "quasispecies",
        [*decisive, *further],
        p=max(threshold.p_above(LEAST), threshold.p_below(MOST)),
        numbers={
            "Single peak: thresholds over 1 − σ^(−1/L)": tuple(peaks),
            "gpt-3's landscape of contexts": tuple(ladder),
            "What the landscape is": tuple(_landscape(results)),
        },
        caveats=CAVEATS,
        curves=curves,
    )


CAVEATS = (
    "Where the single peak has a threshold, gpt-3's landscape has a slope: accuracy falls with "
    "every wrong example, and the cloud is lost by degrees. The error rate at which half is lost "
    "is well defined on both, but it is a transition on the first alone, as the rates at which "
    "three quarters and one quarter are left say.",
    "Fitness is how well the model answers after a context; contexts are of one task, eight "
    "examples, one trained seed. That they are copied with errors is put in here: what copies "
    "contexts in this project's other runs does not flip answers.",
    "A master is lost after a fixed number of generations: above the threshold a large population "
    "takes longer to lose it, and below it a small one need not lose it at once.",
    "Error rates stand on a grid, a fortieth of the threshold apart near it: where all populations "
    "keep the master at one rate and lose it at the next, the threshold is put halfway.",
    "The threshold's shift falls as N^−1/2 for large N (Nowak & Schuster 1989); the slopes are "
    "over those sizes alone whose threshold lies below the infinite population's.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Masters kept and accuracy kept, by error rate and size."""
    return draw_clouds(finding, path)


def crossing(factors: Floats, curve: Floats, level: float = 0.5) -> float:
    """Where a falling curve first falls below a level, between its points; NaN where it does not.

    Parameters
    ----------
    factors, curve
        float64 [E], factors ascending.
    """
    below = np.flatnonzero(curve < level)
    if not below.size or below[0] == 0:
        return math.nan
    i = int(below[0])
    share = (curve[i - 1] - level) / (curve[i - 1] - curve[i])
    return float(factors[i - 1] + share * (factors[i] - factors[i - 1]))


def _peaks(
    results: Results, curves: dict[str, tuple[float, ...]]
) -> tuple[list[Number], list[Number]]:
    table, numbers, decisive = results.measured("peaks"), [], []
    for (length, superiority), rows in table.group_by("length", "superiority", maintain_order=True):
        name = f"L {length}, σ {superiority}"
        factors = _factors(rows)
        sizes = sorted(rows["size"].unique())
        kept = np.stack([_curves_of(rows.filter(size=size), "kept") for size in sizes], -1)
        thresholds = [
            estimate(
                f"{name}, N {size}: threshold",
                kept[..., i],
                _crossing_of(factors),
                _grid(factors),
            )
            for i, size in enumerate(sizes)
        ]
        largest = rows.filter(size=sizes[-1], factor=HALF)
        share = _curves_of(largest.with_columns(of=pl.col("share") / pl.col("exact")), "of")
        told = f"{name}, N {sizes[-1]}: master's share over exact"
        cloud = estimate(told, share, first)
        ends = kept[..., [0, -1]]
        rise = estimate(
            f"{name}: threshold of N {sizes[-1]} less of N {sizes[0]}",
            ends,
            _rise(factors),
            (factors[0] - factors[-1], factors[-1] - factors[0]),
        )
        slope = estimate(
            f"{name}: slope of ln(σQ − 1) by ln N",
            kept,
            _drift(factors, np.array(sizes), int(str(length)), float(str(superiority))),
        )
        numbers += [*thresholds[:-1], slope]
        decisive += [thresholds[-1], cloud, rise]
        for i, size in enumerate(sizes):
            curves[f"{name}, N {size}"] = tuple(kept[..., i].mean(axis=(0, 1)))
        curves[f"{name}, factors"] = tuple(factors)
    return numbers, decisive


def _ladder(
    results: Results, curves: dict[str, tuple[float, ...]]
) -> tuple[list[Number], list[Number]]:
    clouds, numbers = results.measured("clouds"), []
    factors = _factors(clouds)
    sizes = sorted(clouds["size"].unique())
    selected = clouds.filter(selector=SELECTED)
    for size in sizes:
        data = _curves_of(selected.filter(size=size), "excess")
        told = f"gpt-3, N {size}: threshold over predicted"
        found = estimate(told, data, _crossing_of(factors), _grid(factors))
        numbers.append(found)
        curves[f"gpt-3, N {size}"] = tuple(data.mean(axis=(0, 1)))
    numbers.pop()
    largest = selected.filter(size=sizes[-1])
    numbers.append(
        estimate(
            f"N {sizes[-1]}: threshold over that of the answered problems' landscape",
            _rescaled(results, data, factors),
            _crossing_of(factors),
        )
    )
    half, without = largest.filter(factor=HALF), clouds.filter(selector=NEUTRAL, factor=HALF)
    at = f"gpt-3, N {sizes[-1]}, half the threshold"
    genomes = estimate(f"{at}: genomes", _curves_of(half, "genomes"), first)
    numbers += [
        estimate(f"{at}: share of the added accuracy", _curves_of(half, "excess"), first),
        estimate(f"{at}, random parents: the same", _curves_of(without, "excess"), first),
    ]
    predicted = results.measured("predicted").group_by("factor").agg(pl.col("excess").mean())
    curves["gpt-3, factors"] = tuple(factors)
    curves["gpt-3, predicted"] = tuple(predicted.sort("factor")["excess"])
    curves["gpt-3, random parents"] = tuple(
        _curves_of(clouds.filter(selector=NEUTRAL), "excess").mean(axis=(0, 1))
    )
    return numbers, [found, genomes]


def _landscape(results: Results) -> list[Number]:
    """What W says of the measured landscape, by seed."""
    table = results.measured("predicted").filter(factor=HALF).sort("seed")
    told = {
        "threshold": "predicted threshold, errors per bit",
        "other_half": "of the landscape of the other half of the problems",
        "three_quarters": "error rate at which three quarters are left",
        "quarter": "error rate at which one quarter is left",
        "single_peak": "1 − σ^(−1/L), σ the best's fitness over the median",
        "genomes": "genomes in the exact cloud, half the threshold",
        "all_right": "accuracy after all right examples",
        "all_wrong": "accuracy after all wrong examples",
        "evenly": "accuracy after evenly drawn examples",
    }
    return [estimate(name, table[column].to_numpy()[:, None]) for column, name in told.items()]


def _rescaled(results: Results, data: Floats, factors: Floats) -> Floats:
    """Curves, [S, P, E], by error rates in units of the threshold of the answered half."""
    table = results.measured("predicted").filter(factor=HALF).sort("seed")
    scale = (table["other_half"] / table["threshold"]).to_numpy()
    return np.array(
        [
            [np.interp(factors * one, factors, curve) for curve in curves]
            for one, curves in zip(scale, data, strict=True)
        ]
    )


def _factors(rows: pl.DataFrame) -> Floats:
    return np.asarray(rows["factor"].unique().sort().to_numpy(), dtype=np.float64)


def _curves_of(rows: pl.DataFrame, column: str) -> Floats:
    """A column as float64 [S, P, E]."""
    ordered = rows.sort("seed", "population", "factor")
    values = ordered[column].cast(pl.Float64).to_numpy()
    shape = (ordered["seed"].n_unique(), ordered["population"].n_unique(), -1)
    return np.asarray(values.reshape(shape), dtype=np.float64)


def _crossings(factors: Floats, means: Floats) -> Floats:
    return np.array([crossing(factors, curve) for curve in means])


def _grid(factors: Floats) -> Span:
    """Where a threshold can lie."""
    return float(factors[0]), float(factors[-1])


def _crossing_of(factors: Floats) -> Statistic:
    return lambda means: _crossings(factors, means)


def _rise(factors: Floats) -> Statistic:
    return lambda means: _crossings(factors, means[..., 1]) - _crossings(factors, means[..., 0])


def _drift(factors: Floats, sizes: Floats, length: int, superiority: float) -> Statistic:
    """Slope of ln(σQ − 1) at the threshold against ln N, over sizes whose threshold is lower."""
    critical = error_threshold(superiority, length)

    def slope(means: Floats) -> Floats:
        found = []
        for sample in means:
            rates = critical * _crossings(factors, sample.T)
            surplus = superiority * (1.0 - rates) ** length - 1.0
            known = surplus > 0.0
            if known.sum() < 2:
                found.append(math.nan)
                continue
            found.append(np.polyfit(np.log(sizes[known]), np.log(surplus[known]), 1)[0])
        return np.array(found)

    return slope
