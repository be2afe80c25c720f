"""Conversations that have ended, in columns, as outcomes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgptn.population.records.distinct import Given, given_grades, told_texts
from mgptn.population.records.matches import Matches
from mgptn.population.records.outcomes import Outcomes
from mgptn.protocols.columns import Column, TranscriptColumns
from mgptn.protocols.messages import GradeReply
from mgptn.protocols.scale import expected_level
from mgptn.protocols.tasks.task import Problem


def gathered(matches: Matches, problems: Sequence[Problem], ended: TranscriptColumns) -> Outcomes:
    """How all matches ended, without verdicts.

    The same as each by `reading.to_outcome` and then together.
    """
    answers = [ended.answer.said[place] for place in ended.answer.places.tolist()]
    texts, told, parts = told_texts([(answer.text, answer.part) for answer in answers])
    given = _given(ended.grades)
    return Outcomes(
        matches=matches,
        queries=tuple(problem.query for problem in problems),
        texts=texts,
        answers=told,
        parts=parts,
        finished=np.array([answer.finished for answer in answers], dtype=np.bool_),
        tokens=np.array([answer.tokens for answer in answers], dtype=np.int64),
        log_probabilities=np.array(
            [answer.log_probability for answer in answers], dtype=np.float64
        ),
        verdicts=np.zeros(len(answers), dtype=np.bool_),
        unknown=np.ones(len(answers), dtype=np.bool_),
        levels=given.levels,
        values=given.values,
        masses=given.masses,
        grades=given.places.reshape(len(answers), -1 if len(given.places) else 0),
    )


def _given(columns: Sequence[Column[GradeReply]]) -> Given:
    """Distinct grades in the order of answers and seats, and every one's place, [A · K]."""
    said: list[GradeReply] = []
    firsts: dict[int, int] = {}
    for column in columns:
        if id(column.said) not in firsts:
            firsts[id(column.said)] = len(said)
            said += column.said
    seats = [firsts[id(column.said)] + column.places for column in columns]
    flat = np.stack(seats, axis=1).ravel() if seats else np.empty(0, dtype=np.int64)
    found, first, places = np.unique(flat, return_index=True, return_inverse=True)
    order = np.argsort(first)  # as they first appear
    given = given_grades(
        [
            (
                grade.levels,
                None if grade.levels is None else expected_level(grade.levels),
                grade.mass,
            )
            for grade in (said[i] for i in found[order].tolist())
        ]
    )
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return Given(given.levels, given.values, given.masses, given.places[rank[places]])
