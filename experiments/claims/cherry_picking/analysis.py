"""Claim 4: does picking answers end where policy gradient does, and where p·e^(r/T)/Z is?

Dimensions: S seeds, Q problems of a task, n answers that can be given to one.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl

from mgptn.experiments.claims.cherry_picking.figure import draw_cherry_picking
from mgptn.experiments.claims.cherry_picking.measures import (
    BETWEEN,
    GRADIENT,
    ONE_ROUND,
    PLAIN,
    ROUNDS,
    SYNTHETIC,
    measure_answers,
    measure_context,
    measure_endpoints,
    measure_samples,
    measure_sharpened,
)
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.claims.method.statistics import first_over_second, second
from mgptn.population.records.arrays import Floats

MEASURES = {
    "answers": measure_answers,
    "samples": measure_samples,
    "endpoints": measure_endpoints,
    "sharpened": measure_sharpened,
    "context": measure_context,
}
NEAR = 0.05
"""Total variation within which an endpoint is p·e^(r/T)/Z."""

MOVED = "share of the move that no selection makes"
POWER = 2.0
TOLD = {
    GRADIENT: "policy gradient",
    PLAIN: "policy gradient, plain",
    ONE_ROUND: "picked in one round",
    ROUNDS: "picked in four rounds",
    BETWEEN: "one round from four",
}


def analyse(results: Results) -> Finding:
    """Distances of endpoints, of temperatures, and of what a context does."""
    endpoints = results.measured("endpoints")
    plain: list[Number] = []
    ends: list[Number] = []
    for task in _tasks(endpoints):
        for method, told in TOLD.items():
            data = _worst(endpoints, task, method)
            found = share(f"{task}: {told}, TV", data)
            (plain if method == PLAIN else ends).append(found)
    sharpened, checks = results.measured("sharpened"), _checks(results)
    limits, apart, differing = [], [], []
    for task in _tasks(sharpened):
        rows = sharpened.filter((pl.col("task") == task) & (pl.col("way") == "tokens"))
        at = _clusters(rows.filter(pl.col("power") == POWER), "apart")
        limits.append(share(f"{task}: tokens' from answers' temperature, TV", at))
        limit = _clusters(rows.filter(pl.col("power").is_infinite()), "apart")
        limits.append(share(f"{task}: greedy answer is not the likeliest, share", limit))
        if task != SYNTHETIC:
            apart.append(at)
            differing.append(limit)
    every = [
        share(f"the model's tasks together: {told}", np.concatenate(of, axis=1))
        for told, of in (
            ("tokens' from answers' temperature, TV", apart),
            ("greedy answer is not the likeliest, share", differing),
        )
    ]
    moved = _in_context(results)
    in_context = [one for one in moved if one.name.endswith(MOVED)]
    return Finding.by(
        "cherry-picking",
        [*ends, *every, *checks, *in_context],
        # All must be shown, so that the largest counts.
        p=worst(one.p_below(NEAR) for one in ends),
        numbers={
            "Plain policy gradient, total variation from p·e^(r/T)/Z": tuple(plain),
            "Temperatures of tokens and of answers": tuple(limits),
            "Right answers, by what is done to p": tuple(_gold(results)),
            "After a context of right examples": tuple(n for n in moved if n not in in_context),
        },
        caveats=CAVEATS,
        curves=_curves(endpoints, sharpened),
    )


CAVEATS = (
    "Policy gradient is exact, over a table of logits, and starts from p: what a network's shared "
    "weights or sampled gradients add is not in it. It follows the natural gradient; the plain one "
    "has the same maximum, but so many steps of L-BFGS may stop short of it where the right "
    "answers are rare, as the numbers show.",
    "That picking has this endpoint is arithmetic for an infinite population; what is measured is "
    "that populations of this size, and a gradient's path from a real p, get there. An answer that "
    "nobody has sampled cannot be picked, whatever its reward.",
    "Answers have two to four characters, so that all can be enumerated.",
    "A context of right examples is what cherry-picking leaves behind in this project's runs; "
    "there the model moves by inference, and need not go where selection would.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Distance by size of the population, and right answers by divergence from p."""
    return draw_cherry_picking(finding, path)


def _tasks(table: pl.DataFrame) -> list[str]:
    return list(table["task"].unique(maintain_order=True))


def _worst(endpoints: pl.DataFrame, task: str, method: str) -> Floats:
    """The largest distance over rewards and T in each problem, largest populations, [S, Q]."""
    rows = endpoints.filter((pl.col("task") == task) & (pl.col("method") == method))
    rows = rows.filter(pl.col("size") == pl.col("size").max())
    return _clusters(rows.group_by("seed", "problem").agg(pl.col("distance").max()), "distance")


def _clusters(rows: pl.DataFrame, column: str) -> Floats:
    """A column as float64 [S, Q]; rows are one for each seed and problem."""
    ordered = rows.sort("seed", "problem")
    return np.asarray(
        ordered[column].to_numpy().reshape(ordered["seed"].n_unique(), -1), dtype=np.float64
    )


def _checks(results: Results) -> list[Number]:
    """Distance of the host's samples from p, less that of as many draws from p."""
    samples = results.measured("samples").with_columns(off=pl.col("distance") - pl.col("expected"))
    return [
        estimate(
            f"{task}: TV of the host's samples, less of draws from p",
            _clusters(samples.filter(pl.col("task") == task), "off"),
            span=DIFFERENCE,
        )
        for task in _tasks(samples)
    ]


def _gold(results: Results) -> list[Number]:
    """Probability of a right answer, at one strength of each way."""
    sharpened, found = results.measured("sharpened"), []
    shown = (
        ("answers", 1.0, "p itself"),
        ("picked by verdict", 0.2, "picked by verdict, T .2"),
        ("picked by grade", 0.2, "picked by the model's grade, T .2"),
        ("answers", POWER, "p^α, α 2"),
        ("tokens", POWER, "tokens at temperature 1/2"),
        ("answers", math.inf, "likeliest answer"),
        ("tokens", math.inf, "greedy answer"),
    )
    for task in _tasks(sharpened):
        for way, power, told in shown:
            rows = sharpened.filter(
                (pl.col("task") == task) & (pl.col("way") == way) & (pl.col("power") == power)
            )
            if len(rows):
                found.append(share(f"{task}: {told}", _clusters(rows, "gold")))
    return found


def _in_context(results: Results) -> list[Number]:
    """How far a context moves p, and how far that is from the nearest selection of p."""
    context, found = results.measured("context"), []
    for task in _tasks(context):
        rows = context.filter(pl.col("task") == task)
        moved = _clusters(rows, "moved")
        left = np.stack([moved, _clusters(rows, "left")], axis=-1)
        found += [
            share(f"{task}: TV from p", moved),
            share(f"{task}: TV from the nearest p·e^(r/T)", left, second),
            share(f"{task}: {MOVED}", left[..., ::-1], first_over_second),
        ]
    return found


def _curves(endpoints: pl.DataFrame, sharpened: pl.DataFrame) -> dict[str, tuple[float, ...]]:
    """For the figure: distance by population's size; right answers by divergence."""
    curves: dict[str, tuple[float, ...]] = {}
    for task in _tasks(endpoints):
        for method in (ONE_ROUND, ROUNDS, GRADIENT, PLAIN):
            rows = endpoints.filter((pl.col("task") == task) & (pl.col("method") == method))
            by = "size" if method in (ONE_ROUND, ROUNDS) else "method"
            worst = rows.group_by("seed", "problem", by).agg(pl.col("distance").max())
            means = worst.group_by(by).agg(pl.col("distance").mean()).sort(by)
            if method == ONE_ROUND:
                curves[f"{task}, sizes"] = tuple(means["size"].cast(pl.Float64))
            curves[f"{task}, {method}"] = tuple(means["distance"])
    for task in _tasks(sharpened):
        for way in sharpened["way"].unique(maintain_order=True):
            of_task = sharpened.filter(pl.col("task") == task)
            untouched = (pl.col("way") == "answers") & (pl.col("power") == 1.0)
            rows = of_task.filter((pl.col("way") == way) | untouched)
            means = rows.group_by("way", "power").agg(pl.col("divergence", "gold").mean())
            means = means.sort("divergence")
            curves[f"{task}, {way}: KL"] = tuple(means["divergence"])
            curves[f"{task}, {way}: right"] = tuple(means["gold"])
    return curves
