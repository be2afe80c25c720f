"""Claim 20: do coders and testers who pay each other agree on what is worth nothing?

Dimensions: S seeds.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mgptn.experiments.claims.collusion.figure import draw_course
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results, accepted_answers, wrong_answers
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.config.arms import GREEDY, SELECTED, SHUFFLED, TEMPERATURES
from mgptn.experiments.passing.collusion import measure
from mgptn.experiments.passing.idle import idle_share
from mgptn.experiments.passing.kinds import PROGRAMS, of_kind
from mgptn.experiments.running.grid import Cell
from mgptn.population.measures.answer_errors import errors_by_temperature
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

SIDES = {SELECTED: "peers", SHUFFLED: "a coin"}
OUTSIDE = {"none": "no seat outside", "a-seat": "a seat outside"}
TOLD = {
    "program_error": "programs wrong",
    "test_error": "tests wrong",
    "special": "programs special to what is shown",
    "trivial": "tests that copy what is shown",
    "unfailable": "tests that nobody's program fails",
    "impossible": "tests that nobody's program passes",
    "valid": "valid tests",
    "worth": "mutants killed by valid ones",
}
"""Measure of `passing.collusion` → how the page calls it."""


def analyse(results: Results) -> Finding:
    """Idle tests and what is accepted wrongly, beside the coin's; and all that is measured."""
    idle: list[Number] = []
    accepted: list[Number] = []
    measured: list[Number] = []
    curves: dict[str, tuple[float, ...]] = {}
    last: dict[tuple[str, str], Floats] = {}
    taken: dict[str, Floats] = {}
    for outside in results.values("outside"):
        cells = results.of(outside=outside)
        for side, told in SIDES.items():
            name = f"{OUTSIDE[outside]}, {told}"
            courses = np.array(
                [[idle_share(one.outcomes) for one in results.generations(c, side)] for c in cells]
            )
            last[outside, side] = courses[:, -1]
            curves[name] = tuple(float(_column(one).mean()) for one in courses.T)
            idle.append(share(f"{name}: idle tests, last generation", _column(courses[:, -1])))
            measured += _measured(results, cells, side, name)
        taken[outside] = np.array([_wrong_among_accepted(_last(results, c)) for c in cells])
        accepted.append(share(OUTSIDE[outside], _column(taken[outside])))
    decisive = [
        _paired(
            "no seat outside: idle tests, less a coin's",
            last["none", SELECTED],
            last["none", SHUFFLED],
        ),
        _paired(
            "wrong among accepted programs, no seat outside less a seat",
            taken["none"],
            taken["a-seat"],
        ),
    ]
    further = _paired(
        "a seat outside: idle tests, less a coin's",
        last["a-seat", SELECTED],
        last["a-seat", SHUFFLED],
    )
    alone = np.array([_likeliest(results, cell) for cell in results.of(outside="none")])
    return Finding.by(
        "collusion",
        decisive,
        # All must be shown, so that the largest counts.
        p=worst(one.p_above(0.0) for one in decisive),
        numbers={
            "Tests that copy what is shown, or that nobody fails": (*idle, further),
            "Wrong among accepted programs, last generation": tuple(accepted),
            "The founders' likeliest answers, last generation": (
                share("programs wrong", _column(alone)),
            ),
            "What is measured by references": tuple(measured),
        },
        caveats=CAVEATS,
        curves=curves,
    )


CAVEATS = (
    "Who writes a test of a program is not paid for it: testers are paid for the tests that they "
    "are asked for, of mutants that the task draws. Where both were paid by one verdict there "
    "would be more to collude for.",
    "Programs of two words can hardly be special to four cases, which is one way to collude that "
    "is closed here.",
    "Three lessons come before the last generation is asked: what takes more does not show.",
    "Idle is measured against the programs of the same generation: where they err alike, a test "
    "that all pass may be wrong.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Idle tests by generation."""
    return draw_course(finding.curves, path)


def _column(values: Floats) -> Floats:
    """Of seeds as clusters of one, those without a value left out."""
    known = values[~np.isnan(values)]
    return known[:, None] if known.size else np.full((1, 1), np.nan)


def _paired(name: str, one: Floats, other: Floats) -> Number:
    """The mean difference of the seeds that have both."""
    return estimate(name, _column(one - other), span=DIFFERENCE)


def _last(results: Results, cell: Cell, side: str = SELECTED) -> Generation:
    return list(results.generations(cell, side))[-1]


def _measured(results: Results, cells: Sequence[Cell], side: str, name: str) -> list[Number]:
    """What `passing.collusion` measures of the first and the last generation."""
    found = []
    for place, end in ((0, "first"), (-1, "last")):
        said = [
            measure(list(results.generations(c, side))[place].outcomes, c.config.task.size or 2)
            for c in cells
        ]
        for what, told in TOLD.items():
            values = np.array([getattr(one, what) for one in said])
            found.append(share(f"{name}, {end}: {told}", _column(values)))
    return found


def _wrong_among_accepted(generation: Generation) -> float:
    """NaN where no program is accepted."""
    of = of_kind(generation, PROGRAMS)
    taken, wrong = accepted_answers(generation)[of], wrong_answers(generation)[of]
    return float((taken * wrong).sum() / taken.sum()) if taken.any() else float("nan")


def _likeliest(results: Results, cell: Cell) -> float:
    """Error of the founders' likeliest programs in the last generation."""
    alone = _last(results, cell, GREEDY)
    errors = errors_by_temperature(alone, TEMPERATURES)[of_kind(alone, PROGRAMS), 0]
    return float(errors.mean())
