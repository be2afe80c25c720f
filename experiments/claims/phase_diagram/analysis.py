"""Claim 7: where in (n, m, T) does a population reach any larger one, and is that region convex?

Dimensions: S seeds, D rows of means.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from mgptn.experiments.claims.method.finding import INTERVALS, Finding
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share, short
from mgptn.experiments.claims.method.statistics import (
    first,
    first_less_second,
    first_over_second,
    second,
)
from mgptn.experiments.claims.phase_diagram.bend import bends, by_refits, refits
from mgptn.experiments.claims.phase_diagram.boundary import (
    Boundary,
    Integers,
    Successes,
    convexity,
    fit_boundary,
)
from mgptn.experiments.claims.phase_diagram.figure import draw_planes
from mgptn.experiments.claims.phase_diagram.numbers import (
    FACTORS_GROUP,
    beyond_best,
    called,
    compute,
    curves,
    factors,
    founders_alone,
    graders,
    others,
)
from mgptn.experiments.claims.phase_diagram.planes import PLANE, Ladder, Planes, counted, margin
from mgptn.experiments.claims.phase_diagram.scripted_plane import ScriptedPlane
from mgptn.population.draws.streams import stream
from mgptn.population.records.arrays import Floats

COMPUTE = "FLOPs of a run over those of the costliest vote above it"
SHARES = "Amplified, share of runs"
BOUNDARIES = "Boundary: m at which success is as likely as failure (undefined: beyond all tried)"

REFITS = 100
"""Data sets drawn from a fit, of which its intervals are."""

Step = TypeVar("Step", int, str)


def analyse(results: Results) -> Finding:
    """Amplification by cell, its boundary, what lies inside it, and the shape of it."""
    planes = Planes(results)
    ladders = [Ladder.of(planes, task) for task in planes.tasks]
    judges, scripted = graders(results, planes), ScriptedPlane(results)
    tests = {
        **{f"{one.task}, log₁₀ parameters": _by_parameters(planes, one) for one in ladders},
        "all tasks, ln Λ₁": _by_ratio(ladders, judges),
        "scripted agents, ln Λ₁": scripted.successes("scripted"),
    }
    shapes = {
        name: convexity(of, stream(0, "claims", "phase-diagram", place), draws=100)
        for place, (name, of) in enumerate(tests.items())
    }
    again = {
        name: refits(
            of, shapes[name].monotone, stream(0, "claims", "phase-boundary", place), REFITS
        )
        for place, (name, of) in enumerate(tests.items())
    }
    bent = {
        name: bends(name, of, shapes[name], again[name], stream(0, "claims", "phase-bend", place))
        for place, (name, of) in enumerate(tests.items())
    }
    shares = _shares(ladders)
    inside, closure = _inside(planes, ladders), _closure(ladders)
    deviation = scripted.deviation(shapes["scripted agents, ln Λ₁"].monotone)
    places = [place for one in ladders for place in one.amplified]
    return Finding.by(
        "phase-diagram",
        [shares[0], inside, closure, *(bend for bend, _ in bent.values()), deviation],
        p=shares[0].p_above(0.0),
        numbers={
            SHARES: shares[1:],
            BOUNDARIES: _boundaries(tests, {n: of.monotone for n, of in shapes.items()}, again),
            "Convexity": tuple(number for _, beside in bent.values() for number in beside),
            "Error of the collective less that of its lowest bar": tuple(
                estimate(called(place), planes.margins(place), margin, DIFFERENCE)
                for place in places
            ),
            FACTORS_GROUP: factors(planes),
            "Graders: ln Λ, J, correlation of errors, number they are worth": tuple(
                judges.values()
            ),
            "Temperatures and other selectors: error less that of the lowest bar": others(
                results, planes
            ),
            "What evolution adds to the best graded of as many founders": beyond_best(
                planes, ladders
            ),
            "The founders alone": founders_alone(results, planes),
            COMPUTE: compute(results, planes, ladders),
            "Scripted agents": scripted.numbers(),
        },
        caveats=_caveats(len(planes.rungs)),
        curves={
            **curves(planes, ladders),
            **{f"boundary, {name}": tuple(of.monotone.sizes) for name, of in shapes.items()},
            **scripted.curves(),
        },
        intervals=f"{INTERVALS}; of boundaries and bends by refitting data drawn from the fit",
    )


def _caveats(rungs: int) -> tuple[str, ...]:
    return (
        "The collective speaks through its best graded answer, the unselected one through its "
        "commonest: amplification here is judging against voting, and one round of judging without "
        "any evolution may do as much; what evolution adds to that is told apart.",
        "Compute is told, not matched: a bar is one round of answers; a population has several, "
        "and grades. What a whole run takes of its costliest bar's FLOPs is given for every m.",
        f"{rungs} rungs are {rungs} positions: what is convex between them cannot be seen, and a "
        "rung that never amplifies bounds nothing.",
        "Copies with empty contexts are one grader, whatever m is: for them m is a number of "
        "answers.",
        "Success is of a seed, on a few dozen problems; a tie with a bar counts as success.",
    )


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """The planes, their boundaries, and what moves them."""
    return draw_planes(results, finding, path)


def _shares(ladders: list[Ladder]) -> tuple[Number, ...]:
    """Shares of amplified runs: less the twins', and by task and rung."""
    both = _both(ladders)
    numbers = [
        estimate("clones less random-selector twins", both, first_less_second, DIFFERENCE),
        share("clones", both, first),
        share("random-selector twins", both, second),
    ]
    numbers += [
        share(f"{one.task}, {rung}", _both([one], rung), first)
        for one in ladders
        for rung in one.rungs
    ]
    return tuple(numbers)


def _both(ladders: list[Ladder], rung: str | None = None) -> Floats:
    """Shares of places where a seed is amplified, and its twin, float64 [S, 1, 2]."""
    shares = [
        np.mean(
            [seeds for of in sides for place, seeds in of.items() if rung in (None, place.rung)],
            axis=0,
        )
        for sides in ([one.amplified for one in ladders], [one.twin for one in ladders])
    ]
    return np.stack(shares, axis=-1)[:, None]


def _by_parameters(planes: Planes, ladder: Ladder, left_out: int | None = None) -> Successes:
    """A task's plane over log₁₀ of parameters, without one of the seeds if asked."""
    return counted(
        [planes.log_parameters(rung) for rung in ladder.rungs],
        list(ladder.sizes),
        [
            [_without(ladder.amplified[place], left_out) for place in ladder.along(rung)]
            for rung in ladder.rungs
        ],
    )


def _without(seeds: Integers, one: int | None) -> Integers:
    return seeds if one is None else np.delete(seeds, one)


def _by_ratio(ladders: list[Ladder], judges: dict[tuple[str, str, str, str], Number]) -> Successes:
    """The planes of all tasks as one over ln Λ of single graders."""
    positions: dict[float, list[Integers]] = {}
    for ladder in ladders:
        for rung in ladder.rungs:
            ratio = judges[PLANE, ladder.task, rung, "ln Λ"].value
            # Positions must differ: two graders that tell nothing apart stand side by side.
            while ratio in positions:
                ratio += 1e-3
            positions[ratio] = [ladder.amplified[place] for place in ladder.along(rung)]
    return counted(list(positions), list(ladders[0].sizes), list(positions.values()))


def _inside(planes: Planes, ladders: list[Ladder]) -> Number:
    """Share of amplified runs among those well inside the boundary that other seeds give."""
    seeds = ladders[0].seeds
    counts = np.zeros((seeds, 1, 2))
    for ladder in ladders:
        for seed in range(seeds):
            # A single seed has no others: it stands inside its own boundary.
            found = _by_parameters(planes, ladder, left_out=seed if seeds > 1 else None)
            sizes = dict(zip(ladder.rungs, fit_boundary(found, convex=False).sizes, strict=True))
            for place, amplified in ladder.amplified.items():
                if place.size >= 2 * sizes[place.rung]:
                    counts[seed, 0] += amplified[seed], 1
    return share("amplified inside the other seeds' boundary", counts, first_over_second)


def _closure(ladders: list[Ladder]) -> Number:
    """Of amplified runs, the share of those one step up in m, or in n, that are amplified too."""
    counts = np.zeros((ladders[0].seeds, 1, 2))
    for ladder in ladders:
        for place, before in ladder.amplified.items():
            for up in (
                replace(place, size=_next(ladder.sizes, place.size)),
                replace(place, rung=_next(ladder.rungs, place.rung)),
            ):
                if up != place:
                    counts[:, 0, 0] += before * ladder.amplified[up]
                    counts[:, 0, 1] += before
    return share("still amplified one step up", counts, first_over_second)


def _next(steps: tuple[Step, ...], one: Step) -> Step:
    """The step after one; of the last, itself."""
    return steps[min(steps.index(one) + 1, len(steps) - 1)]


def _boundaries(
    tests: dict[str, Successes], fits: dict[str, Boundary], again: dict[str, list[Boundary]]
) -> tuple[Number, ...]:
    """Fitted boundaries, with intervals by refitting data drawn from the fit."""
    numbers = []
    for name, found in tests.items():
        drawn = np.array([one.sizes for one in again[name]])
        for place, position in enumerate(found.positions):
            told = f"{name} = {short(float(position))}"
            trials = int(found.trials.max())
            size = float(fits[name].sizes[place])
            numbers.append(by_refits(told, size, drawn[:, place], trials))
    return tuple(numbers)
