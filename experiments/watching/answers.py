"""Answers of a generation: those that somebody asks for, and the conversation behind each."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.picked import NONE_OF_THEM, Picked
from mgptn.experiments.views.printable import visible
from mgptn.experiments.watching.watched import plain
from mgptn.population.records.arrays import Floats, Integers, Truths
from mgptn.population.records.generation import Generation
from mgptn.population.records.outcomes import Outcomes

PAGE = 50
"""Answers that are sent at once."""

EXCERPT = 240
"""Characters of a text in a list."""

ORDERS = ("index", "disputed", "score", "grade")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which answers are asked for: all that agree with every field that is not None.

    Attributes
    ----------
    right, unknown, accepted, cut_off, unread, disputed
        By verdict; by whether none is known; by what entered a context; by whether it reached its
        maximum length; by whether a grade of it could not be read; by whether some peers' grades
        accept it and others do not.
    agent, problem
        Of whom, and to which problem, from 0.
    text
        Found in the answer, whatever its case.
    order
        ``"index"``, ``"disputed"`` (the grades that differ most first), ``"score"`` or
        ``"grade"``, the highest first.
    first
        Answers that are skipped.
    """

    right: bool | None = None
    unknown: bool | None = None
    accepted: bool | None = None
    cut_off: bool | None = None
    unread: bool | None = None
    disputed: bool | None = None
    agent: int | None = None
    problem: int | None = None
    text: str = ""
    order: str = "index"
    first: int = 0


def listed(generation: Generation, wanted: Wanted, cut: float, count: int = PAGE) -> dict[str, Any]:
    """A page of a generation's answers, and how many there are in all.

    Parameters
    ----------
    cut
        From which on a grade accepts.
    """
    outcomes = generation.outcomes
    found = _ordered(generation, np.flatnonzero(_kept(generation, wanted, cut)), wanted.order)
    means, accepted = outcomes.mean_grades(), set(generation.accepted.tolist())
    problems = outcomes.matches.problems
    rows = [
        {
            "index": i,
            "agent": int(outcomes.matches.authors[i // problems]),
            "problem": i % problems,
            "query": excerpt(outcomes.queries[i % problems]),
            "answer": excerpt(outcomes.texts[outcomes.answers[i]]),
            "right": verdict(outcomes, i),
            "finished": bool(outcomes.finished[i]),
            "accepted": i in accepted,
            "score": plain(float(generation.scores[i])),
            "grade": plain(float(means[i])),
        }
        for i in found[wanted.first : wanted.first + count].tolist()
    ]
    return {"total": len(found), "first": wanted.first, "rows": rows, "all": len(outcomes)}


def conversation(one: Committed, index: int) -> dict[str, Any]:
    """Who said what on the way to an answer, how it was graded, and what came of it.

    Raises
    ------
    IndexError
        If there is no such answer.
    """
    generation = one.generation
    check_answer(generation, index)
    outcome = generation.outcomes[index]
    effects = outcome.order_effects or (None,) * len(outcome.grades)
    return {
        "index": index,
        "agent": int(outcome.match.author),
        "problem": outcome.match.problem,
        "query": visible(outcome.query),
        "answer": visible(outcome.answer),
        "part": None if outcome.part is None else visible(outcome.part),
        "right": verdict(generation.outcomes, index),
        "finished": outcome.finished,
        "accepted": index in generation.accepted,
        "score": plain(float(generation.scores[index])),
        "tokens": outcome.tokens,
        "log_probability": plain(outcome.log_probability),
        "human": outcome.rating,
        "picks": _picks(one.picked, index),
        "turns": [
            {
                "kind": turn.kind,
                "text": visible(turn.text),
                "right": turn.verdict,
                "value": turn.value,
            }
            for turn in outcome.turns
        ],
        "grades": [
            {
                "grader": int(grade.grader),
                "own": grade.grader == outcome.match.author,
                "value": grade.value,
                "levels": None if grade.levels is None else list(grade.levels),
                "mass": grade.mass,
                "order_effect": effect,
            }
            for grade, effect in zip(outcome.grades, effects, strict=True)
        ],
    }


def check_answer(generation: Generation, index: int) -> None:
    """Refuse an answer that there is not.

    Raises
    ------
    IndexError
        Saying which there are.
    """
    if not 0 <= index < len(generation.outcomes):
        raise IndexError(
            f"answer: expected 0 to {len(generation.outcomes) - 1} in this generation, got {index}"
        )


def _picks(picked: Picked, index: int) -> list[dict[str, Any]]:
    """What each of several people made of the choice that an answer came of."""
    (choice,) = np.flatnonzero(picked.answers == index)[:1].tolist() or [-1]
    return [
        {
            "who": visible(picked.people[picked.who[row]]),
            "it": bool(picked.picked[row] == max(int(picked.decided[choice]), 0)),
            "none": bool(picked.picked[row] == NONE_OF_THEM),
            "seconds": plain(float(picked.seconds[row])),
        }
        for row in np.flatnonzero(picked.choices == choice).tolist()
    ]


def verdict(outcomes: Outcomes, index: int) -> bool | None:
    """The verifier's word on an answer; None where that is not known."""
    unknown = len(outcomes.unknown) and outcomes.unknown[index]
    return None if unknown else bool(outcomes.verdicts[index])


def excerpt(text: str, most: int = EXCERPT) -> str:
    """The beginning of a text, with what a screen would obey written out."""
    shown = visible(text[: most + 1])
    return shown if len(text) <= most else shown[:most] + "…"


def _kept(generation: Generation, wanted: Wanted, cut: float) -> Truths:
    outcomes = generation.outcomes
    problems, size = outcomes.matches.problems, len(outcomes)
    kept = np.ones(size, dtype=np.bool_)
    if wanted.right is not None:
        kept &= outcomes.verdicts if wanted.right else outcomes.wrong
    if wanted.unknown is not None:
        kept &= outcomes.known != wanted.unknown
    if wanted.accepted is not None:
        accepted = np.zeros(size, dtype=np.bool_)
        accepted[generation.accepted] = True
        kept &= accepted == wanted.accepted
    if wanted.cut_off is not None:
        kept &= outcomes.finished != wanted.cut_off
    if wanted.unread is not None:
        kept &= _unread(outcomes) == wanted.unread
    if wanted.disputed is not None:
        grades = outcomes.peer_values()
        disputed = np.any(grades >= cut, axis=1) & np.any(grades < cut, axis=1)
        kept &= disputed == wanted.disputed
    if wanted.agent is not None:
        kept &= np.repeat(outcomes.matches.authors == wanted.agent, problems)
    if wanted.problem is not None:
        kept &= np.arange(size) % problems == wanted.problem
    if wanted.text:
        sought = wanted.text.casefold()
        holds = np.array([sought in text.casefold() for text in outcomes.texts], dtype=np.bool_)
        kept &= holds[outcomes.answers]
    return kept


def _unread(outcomes: Outcomes) -> Truths:
    if not outcomes.grades.shape[1]:
        return np.zeros(len(outcomes), dtype=np.bool_)
    unread: Truths = np.any(outcomes.grades < 0, axis=1)
    return unread


def _ordered(generation: Generation, found: Integers, order: str) -> Integers:
    if order == "index" or not len(found):
        return found
    outcomes = generation.outcomes
    values: Floats
    if order == "score":
        values = generation.scores[found]
    elif order == "grade":
        values = outcomes.mean_grades()[found]
    else:
        values = _spread(outcomes.peer_values()[found])
    return found[np.argsort(-np.nan_to_num(values, nan=-1.0), kind="stable")]


def _spread(grades: Floats) -> Floats:
    """Standard deviation of each answer's readable grades; NaN where there are none."""
    known = ~np.isnan(grades)
    count = known.sum(axis=1)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, grades, 0.0).sum(axis=1) / count
        squares = np.where(known, (grades - mean[:, None]) ** 2, 0.0).sum(axis=1)
        spread: Floats = np.sqrt(squares / count)
    return spread
