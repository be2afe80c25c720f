"""Claim 18: does what programs do tell more of which is right than how they are written?

Dimensions: S seeds, Q questions for programs, M agents, W ways of choosing.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.claims.tests_beat_votes.choosing import (
    by_cases_shown,
    by_results,
    by_tests,
    by_text,
    right_of,
)
from mgptn.experiments.claims.tests_beat_votes.figure import draw_ways
from mgptn.experiments.config.arms import GREEDY, TEMPERATURES
from mgptn.experiments.passing.kinds import asks_for_programs, by_seeds
from mgptn.population.measures.answer_errors import errors_by_temperature
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation
from mgptn.population.records.turns import CRITIQUE
from mgptn.protocols.tasks.programs.both import CodeAndTests

SIZES = MANY, FEW, *_ = 18, 6, 12, 4, 2
"""Answers that a choice is made of; fewer where there are fewer agents."""

ONE, LIKELIEST, SHOWN, ANY = range(4)
WAYS = ("one answer", "the likeliest answer", "by the cases shown", "any of them right")
CHOICES = ("text", "results", "tests")
RIGHT = "Share of questions of which the chosen program is right"


def analyse(results: Results) -> Finding:
    """Each way of choosing, of many answers and of few, by words of the shortest program."""
    numbers: dict[str, tuple[Number, ...]] = {}
    decisive: list[Number] = []
    shares: list[Number] = []
    further: list[Number] = []
    for words in results.values("words"):
        data = _data(results, words)
        name = f"{words} words"
        chosen = {way: len(WAYS) + place for place, way in enumerate(CHOICES)}
        shares += [share(f"{name}: {way}", data, partial(_column, i)) for i, way in enumerate(WAYS)]
        for i, of in enumerate(SIZES):
            shares += [
                share(f"{name}: {of} by {way}", data, partial(_column, place + i * len(CHOICES)))
                for way, place in chosen.items()
            ]
        for way in ("results", "tests"):
            for told, other in (("by text", chosen["text"]), ("the likeliest answer", LIKELIEST)):
                decisive.append(
                    _less(f"{name}: right by {way}, less {told}", data, chosen[way], other)
                )
            told = f"{name}: right by {way}, less by the cases shown"
            further.append(_less(told, data, chosen[way], SHOWN))
            few = {choice: place + len(CHOICES) for choice, place in chosen.items()}
            told = f"{name}: right by {way}, less by text, of {FEW}"
            further.append(_less(told, data, few[way], few["text"]))
    numbers[RIGHT] = tuple(shares)
    numbers["Against what costs less, and of fewer answers"] = tuple(further)
    return Finding.by(
        "tests-beat-votes",
        decisive,
        # All must be shown, so that the largest counts.
        p=worst(one.p_above(0.0) for one in decisive),
        numbers=numbers,
        caveats=CAVEATS,
    )


CAVEATS = (
    "Cases that everybody is shown can be run too, and cost no answer: what they choose is beside "
    "it. Where they are enough to know the program, as of shortest programs they are, no agreement "
    "is needed.",
    "A founder was taught one program for each behaviour, so that right ones are mostly written "
    "alike: a vote by text loses less here than where one thing is written in many ways.",
    "Tests were written of a program that was to fail them, and most are not valid: a test counts "
    "as an answer, so that half as many programs are chosen among.",
    "Running programs costs next to nothing here, and is not counted as compute.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Shares right, way by way, a panel for each size of program."""
    return draw_ways(finding.numbers[RIGHT], results.values("words"), path)


def _data(results: Results, words: str) -> Floats:
    """float64 [S, Q, W]: `WAYS`, then `CHOICES` of each of `SIZES`."""
    rows = []
    for cell in results.of(words=words):
        own = next(results.generations(cell))
        alone = next(results.generations(cell, GREEDY))
        asked = asks_for_programs(own)
        likeliest = 1.0 - errors_by_temperature(alone, TEMPERATURES)[asked, 0]
        found = chosen_of(own, cell.config.task.size)
        found[:, LIKELIEST] = likeliest
        rows.append(found)
    return by_seeds(rows)


def chosen_of(generation: Generation, size: int | None) -> Floats:
    """How likely each way's choice is right, float64 [Q, W]; of the likeliest answer NaN."""
    task = CodeAndTests(size or CodeAndTests.default_size)
    outcomes, agents = generation.outcomes, len(generation.agents)
    programs, tests = _first_written(generation)
    rows = []
    for problem in np.flatnonzero(asks_for_programs(generation)).tolist():
        query = outcomes.queries[problem]
        said = [programs[agent][problem] for agent in range(agents)]
        given = [tests[agent][problem] for agent in range(agents)]
        right = np.array([task.verify(query, one) for one in said])
        row = [
            right.mean(),
            np.nan,
            right_of(by_cases_shown(said, query), right),
            float(right.any()),
        ]
        for many in (min(size, agents) for size in SIZES):
            votes = [slice(i, i + many) for i in range(0, agents - many + 1, many)]
            half = many // 2
            halves = [slice(i, i + half) for i in range(0, agents - half + 1, half)]
            row += [
                np.mean([right_of(by_text(said[of]), right[of]) for of in votes]),
                np.mean([right_of(by_results(said[of], query), right[of]) for of in votes]),
                np.mean(
                    [right_of(by_tests(said[of], given[of], query), right[of]) for of in halves]
                ),
            ]
        rows.append(row)
    return np.array(rows)


def _first_written(generation: Generation) -> tuple[list[list[str]], list[list[str]]]:
    """By agent and question: what was written before a test was shown, and its first test."""
    outcomes, turns = generation.outcomes, generation.outcomes.turns
    said = [outcomes.texts[i] for i in outcomes.answers]
    tests = [""] * len(said)
    for turn in reversed(range(len(turns.answers))):
        answer, text = int(turns.answers[turn]), turns.texts[turns.said[turn]]
        if turns.kinds[turn] == CRITIQUE:
            tests[answer] = text
        else:
            said[answer] = text
    questions = len(outcomes.queries)
    return (
        [said[i : i + questions] for i in range(0, len(said), questions)],
        [tests[i : i + questions] for i in range(0, len(tests), questions)],
    )


def _column(place: int, means: Floats) -> Floats:
    return np.asarray(means[:, place])


def _less(name: str, data: Floats, one: int, other: int) -> Number:
    return estimate(name, data, lambda m: np.asarray(m[:, one] - m[:, other]), DIFFERENCE)
