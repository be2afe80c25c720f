"""Claim 19: do coders and testers, who learn what passes what, come to err less?

Dimensions: S seeds, Q questions of a kind, C columns of errors.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np

from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results, accepted_answers, wrong_answers
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.claims.mutual_code_and_tests.figure import draw_errors
from mgptn.experiments.config.arms import GREEDY, SELECTED, SHUFFLED, TEMPERATURES, UNSELECTED
from mgptn.experiments.passing.kinds import PROGRAMS, TESTS, by_seeds, of_kind
from mgptn.experiments.running.grid import Cell
from mgptn.population.intervals.spread import Statistic
from mgptn.population.measures.answer_errors import errors_by_temperature, majority_errors
from mgptn.population.records.arrays import Floats

COLUMNS = (
    "peers",
    "without learning",
    "a coin",
    "the likeliest answer",
    "vote of the peers",
    "the founders' vote",
    "any founder right",
    "peers, first generation",
    "without learning, first generation",
)
(OWN, WITHOUT, COIN, LIKELIEST, VOTE, FOUNDERS_VOTE, ANY, *_) = range(len(COLUMNS))
LESS = {
    "error less without learning": (OWN, WITHOUT),
    "error less a coin's": (OWN, COIN),
    "error less the likeliest answer's": (OWN, LIKELIEST),
    "error of the vote less the founders' vote": (VOTE, FOUNDERS_VOTE),
}
"""What decides → the columns whose difference it is."""

ERRORS = "Errors of the last generation"
OUTSIDE = {"none": "no seat outside", "a-seat": "a seat outside"}


def analyse(results: Results) -> Finding:
    """Errors of peers beside their controls', of programs and of tests."""
    decisive: list[Number] = []
    errors: list[Number] = []
    taken: list[Number] = []
    for outside in results.values("outside"):
        for kind in (PROGRAMS, TESTS):
            name = f"{OUTSIDE[outside]}, {kind}"
            cells = results.of(outside=outside)
            data = by_seeds([_errors(results, cell, kind) for cell in cells])
            errors += [
                share(f"{name}: {what}", data, _at(place)) for place, what in enumerate(COLUMNS)
            ]
            decisive += [
                estimate(f"{name}: {what}", data, _difference(one, other), DIFFERENCE)
                for what, (one, other) in LESS.items()
            ]
            accepted = by_seeds([_accepted(results, cell, kind) for cell in cells])
            taken += [
                share(f"{name}: accepted", accepted, _at(0)),
                share(f"{name}: wrong among them", accepted, _wrong_among),
                share(f"{name}: wrong among a coin's", accepted, _wrong_among_coins),
            ]
    return Finding.by(
        "mutual-code-and-tests",
        decisive,
        # All must be shown, so that the largest counts.
        p=worst(one.p_below(0.0) for one in decisive),
        numbers={ERRORS: tuple(errors), "What is learned, of all generations": tuple(taken)},
        caveats=CAVEATS,
    )


CAVEATS = (
    "Programs of two words, and founders who write most of them rightly: there is little to gain "
    "in programs, and tests are what is hard.",
    "Two lessons come before the last generation is asked. That nothing is gained by then says "
    "nothing of twenty.",
    "Half of what is learned are training problems, rightly answered: gold of training, which "
    "the coin's twin has too, and founders without learning do not.",
    "The vote costs no more than what the population answers anyway; what grading and learning "
    "cost beside it is on top.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Errors of every column, programs and tests, a panel each."""
    return draw_errors(finding.numbers[ERRORS], path)


def _errors(results: Results, cell: Cell, kind: str) -> Floats:
    """Of each question of a kind in the last generation, float64 [Q, C]."""
    first = {side: next(results.generations(cell, side)) for side in (SELECTED, UNSELECTED)}
    last = {
        side: list(results.generations(cell, side))[-1]
        for side in (SELECTED, UNSELECTED, SHUFFLED, GREEDY)
    }
    of = of_kind(last[SELECTED], kind)
    wrong = {side: wrong_answers(one) for side, one in last.items()}
    begun = [wrong_answers(one)[of_kind(one, kind)].mean() for one in first.values()]
    columns = [
        wrong[SELECTED].mean(axis=1)[of],
        wrong[UNSELECTED].mean(axis=1)[of],
        wrong[SHUFFLED].mean(axis=1)[of],
        errors_by_temperature(last[GREEDY], TEMPERATURES)[of, 0],
        majority_errors(last[SELECTED])[of],
        majority_errors(last[UNSELECTED])[of],
        wrong[UNSELECTED].min(axis=1)[of],
        *(np.full(of.sum(), mean) for mean in begun),
    ]
    return np.stack(columns, axis=-1)


def _accepted(results: Results, cell: Cell, kind: str) -> Floats:
    """Of each question in all generations, shares accepted, and wrong and accepted, [Q, 4].

    Of the run itself, then of the coin's twin.
    """
    rows = []
    for pair in zip(results.generations(cell), results.generations(cell, SHUFFLED), strict=True):
        columns = []
        for one in pair:
            of, taken, wrong = of_kind(one, kind), accepted_answers(one), wrong_answers(one)
            columns += [taken.mean(axis=1)[of], (taken * wrong).mean(axis=1)[of]]
        rows.append(np.stack(columns, axis=-1))
    return np.concatenate(rows)


def _at(place: int) -> Statistic:
    return lambda means: np.asarray(means[:, place])


def _difference(one: int, other: int) -> Statistic:
    return lambda means: np.asarray(means[:, one] - means[:, other])


def _wrong_among(means: Floats) -> Floats:
    return np.asarray(means[:, 1] / np.where(means[:, 0] > 0.0, means[:, 0], np.nan))


def _wrong_among_coins(means: Floats) -> Floats:
    return _wrong_among(means[:, 2:])
