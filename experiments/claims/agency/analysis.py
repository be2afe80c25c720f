"""Claim: selection gives answers a sharp upper level set, to which a kicked population returns.

Dimensions: S seeds, Q problems.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from mgptn.experiments.claims.agency.figure import draw_levels
from mgptn.experiments.claims.agency.measures import (
    CONTEXTS,
    FOUNDERS,
    WEIGHTS,
    measure_kicks,
    measure_levels,
)
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import ANY, Number, estimate, share
from mgptn.experiments.claims.method.statistics import first_less_second
from mgptn.population.records.arrays import Floats

MEASURES = {"levels": measure_levels, "kicks": measure_kicks}
PEERS, COIN = "peers", "coin"
COLD, NEUTRAL = "0.02", "inf"
"""Selection temperatures that are compared."""

COOL = "0.5"
"""Sampling temperature of the founders that are the cheaper control."""

SELECTED, DRIFT = "peers", "T ∞"
"""What kicked populations are continued under, beside the coin."""


def analyse(results: Results) -> Finding:
    """Gaps by arm, and how much of a level set comes back, by kick and by selector."""
    levels, kicks = results.measured("levels"), results.measured("kicks")
    cold = _last(levels, PEERS, COLD, "gap")
    gaps = [
        _beyond(f"edge: gap under peers, beyond {told}", cold, _last(levels, *which, "gap"))
        for told, which in (
            ("the founders'", (FOUNDERS, "1.0")),
            ("a coin's", (COIN, "")),
            ("that at T ∞", (PEERS, NEUTRAL)),
            (f"that of founders at sampling temperature {COOL}", (FOUNDERS, COOL)),
        )
    ]
    sizes = {kind: sorted(kicks.filter(kind=kind)["size"].unique()) for kind in (CONTEXTS, WEIGHTS)}
    noise = sizes[WEIGHTS]
    decisive = [
        estimate("sharp: gap under peers", cold),
        *gaps,
        _more_back(
            "contexts: back from the largest kick under peers, beyond a coin",
            _kicked(kicks, CONTEXTS, sizes[CONTEXTS][-1], SELECTED),
            _kicked(kicks, CONTEXTS, sizes[CONTEXTS][-1], COIN),
        ),
        _more_back(
            "weights: back from the middle kick under peers, beyond T ∞",
            _kicked(kicks, WEIGHTS, noise[len(noise) // 2], SELECTED),
            _kicked(kicks, WEIGHTS, noise[len(noise) // 2], DRIFT),
        ),
        _more_back(
            "basin: back from the smallest kick of weights, beyond the largest",
            _kicked(kicks, WEIGHTS, noise[0], SELECTED),
            _kicked(kicks, WEIGHTS, noise[-1], SELECTED),
        ),
    ]
    return Finding.by(
        "agency",
        decisive,
        p=worst(one.p_above(0.0) for one in gaps),
        numbers={
            "Gap at the edge, nats": _each(levels, "gap"),
            "Answers in the level set": _each(levels, "size"),
            "Probability of right answers": tuple(
                share(name, values) for name, values in _by_arm(levels, "right")
            ),
            "Back of what a kick took": tuple(
                _back(f"{kind} {size:g}, {by}", kicks, kind, size, by)
                for kind, kicked in sizes.items()
                for size in kicked
                for by in kicks["by"].unique(maintain_order=True)
            ),
            "Probability of the level set after the kick": tuple(
                share(f"{kind} {size:g}", _kicked(kicks, kind, size, SELECTED)[..., 1])
                for kind, kicked in sizes.items()
                for size in kicked
            ),
        },
        caveats=CAVEATS,
        curves=_curves(levels, kicks, sizes),
    )


CAVEATS = (
    "One model of 1.1 million parameters and one task; what selection can sharpen here is what the "
    "corpus's careless writers blurred, and a lower sampling temperature does that at no cost.",
    "The set holds .9, so that where the likeliest answer has less it runs into a long tail of "
    "careless writers' answers: there is a cliff after the first answer before any selection, and "
    "the edge comes to lie at it only where that answer has .9.",
    "A sharp edge and a return are signs of a goal and no proof of one: a thermostat has both.",
    "Contexts are renewed by what is accepted in each generation, so that wrong examples are "
    "forgotten in two whatever accepts; what is asked is where the population goes then. A coin's "
    "own level set is another: of small kicks less than nothing is back under it.",
    "Noise is not mutated away: members that it hurt least are replicated, and contexts make up "
    "for some of the rest.",
    "The mean over members is looked at: one that all share and one that they disagree about may "
    "be equally blurred.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Gaps and sizes by generation, and what comes back by kick."""
    return draw_levels(finding, path)


def _values(rows: pl.DataFrame, column: str) -> Floats:
    """float64 [S, Q]."""
    ordered = rows.sort("seed", "problem")
    return np.asarray(ordered[column].to_numpy().reshape(ordered["seed"].n_unique(), -1))


def _last(levels: pl.DataFrame, arm: str, at: str, column: str) -> Floats:
    """Of the last generation."""
    rows = levels.filter(arm=arm, at=at)
    return _values(rows.filter(generation=rows["generation"].max()), column)


def _beyond(name: str, own: Floats, other: Floats) -> Number:
    return estimate(name, np.stack([own, other], -1), first_less_second, ANY)


def _arms(levels: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Arm, its temperature, and what both are called, in the table's order."""
    pairs = levels.select("arm", "at").unique(maintain_order=True).rows()
    return [(arm, at, told(arm, at)) for arm, at in pairs]


def told(arm: str, at: str) -> str:
    """An arm in words."""
    if arm == FOUNDERS:
        return f"founders, sampling temperature {at}"
    return f"{arm}, T {at.replace('inf', '∞')}" if at else arm


def _by_arm(levels: pl.DataFrame, column: str) -> list[tuple[str, Floats]]:
    return [(name, _last(levels, arm, at, column)) for arm, at, name in _arms(levels)]


def _each(levels: pl.DataFrame, column: str) -> tuple[Number, ...]:
    return tuple(estimate(name, values) for name, values in _by_arm(levels, column))


def _kicked(kicks: pl.DataFrame, kind: str, size: float, by: str) -> Floats:
    """Probability of the level set before the kick, after it, and in the end, float64 [S, Q, 3]."""
    rows = kicks.filter(kind=kind, size=size, by=by)
    return np.stack([_values(rows, column) for column in ("before", "kicked", "after")], -1)


def returned(means: Floats) -> Floats:
    """(after − kicked) / (before − kicked) of means of before, kicked and after, [D, 3]."""
    taken = means[:, 0] - means[:, 1]
    return np.asarray((means[:, 2] - means[:, 1]) / np.where(taken > 0.0, taken, np.nan))


def _back(name: str, kicks: pl.DataFrame, kind: str, size: float, by: str) -> Number:
    return estimate(name, _kicked(kicks, kind, size, by), returned)


def _more_back(name: str, one: Floats, other: Floats) -> Number:
    """How much more is back of one kick than of another."""
    both = np.concatenate([one, other], -1)
    return estimate(name, both, lambda m: returned(m[:, :3]) - returned(m[:, 3:]))


def _curves(
    levels: pl.DataFrame, kicks: pl.DataFrame, sizes: dict[str, list[float]]
) -> dict[str, tuple[float, ...]]:
    """Means by generation, and what comes back by kick."""
    curves: dict[str, tuple[float, ...]] = {}
    for arm, at, name in _arms(levels):
        rows = levels.filter(arm=arm, at=at).group_by("generation")
        means = rows.agg(pl.col("gap", "size").mean()).sort("generation")
        for column in ("gap", "size"):
            curves[f"{column}: {name}"] = tuple(means[column].to_list())
    for kind, kicked in sizes.items():
        curves[f"kicks: {kind}"] = tuple(kicked)
        for by in kicks["by"].unique(maintain_order=True):
            held = [_kicked(kicks, kind, size, by).mean(axis=(0, 1)) for size in kicked]
            for place, column in enumerate(("before", "kicked", "after")):
                curves[f"{column}: {kind}, {by}"] = tuple(float(mean[place]) for mean in held)
    return curves
