"""How matches ended, as columns: arrays by answer, and by answer and grader.

Dimensions: Q problems of a generation, K graders of an answer, A answers in the order of their
matches, T distinct texts, D distinct grades, L levels of the scale. `Grade` and `Outcome` show one
answer to a human's eye.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.agents import AgentId
from mgptn.population.records.arrays import (
    ALL_KNOWN,
    Floats,
    Integers,
    Truths,
    known_means,
    unknown_among,
)
from mgptn.population.records.columns import Columns
from mgptn.population.records.distinct import Levels, given_grades, or_nan, or_nothing, told_texts
from mgptn.population.records.matches import Match, Matches
from mgptn.population.records.turns import Turn, Turns


@dataclass(frozen=True, slots=True)
class Grade:
    """What a grader says of an answer.

    `levels` is a distribution over the scale, worst level first, and `value` its mean in [0, 1];
    both are None where the grade could not be read. `mass` is the probability that the grader's
    next words were one of the options that it was given; None where no logits were read.
    """

    grader: AgentId
    levels: Levels
    value: float | None
    mass: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a match ended.

    `finished` is False for an answer cut off at its maximum length. `verdict` is the task's
    verifier's word, None where it is not known: measurement only, unless the selector is the
    oracle. `tokens` counts the answer's tokens, and `log_probability` is the sum of theirs, in
    nats. `turns` is what else was said; `order_effects` has one of each grader's comparison, None
    where it could not be read; `rating` is a human's word on the answer, None where no human
    looked. `part` is what counts of the answer to its task, None where all of it does.
    """

    match: Match
    query: str
    answer: str
    finished: bool
    tokens: int
    log_probability: float
    grades: tuple[Grade, ...]
    verdict: bool | None
    turns: tuple[Turn, ...] = ()
    order_effects: tuple[float | None, ...] = ()
    rating: float | None = None
    part: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes(Columns, Sequence[Outcome]):
    """How all matches of a generation ended.

    Attributes
    ----------
    matches
        The A matches.
    queries
        [Q] texts of the problems.
    texts
        [T] answers, and what counts of them where not all does, each once.
    answers
        Integers [A], index of each answer in `texts`.
    parts
        Integers [A], index in `texts` of what counts of each answer; [0] where all of every one
        does. Answers are the same to a task if these are.
    finished, tokens, log_probabilities
        bool, integers and float64 [A], as of `Outcome`.
    verdicts
        bool [A], is it right? False for a wrong answer, and for one of which that is not known:
        whoever counts wrong ones asks `wrong`.
    unknown
        bool [A], answers without a verdict; [0] where all have one.
    levels
        float64 [D, L], every distribution over the scale that was given as a grade, once.
    values
        float64 [D], mean of each, in [0, 1].
    masses
        float64 [D], probability of the options that each was read from, in [0, 1], NaN where no
        logits were read; [0] where none were at all.
    grades
        Integers [A, K], index of each grade in `levels`, −1 where it could not be read; [A, 0]
        where nobody was asked.
    turns
        What was said besides the answers.
    order_effects
        float64 [A, K], of each grader's comparison, NaN where it could not be read; [0, 0] where
        nothing was compared.
    ratings
        float64 [A], a human's word on each answer in [0, 1], NaN where no human looked; [0] where
        none was asked at all.
    """

    matches: Matches
    queries: tuple[str, ...]
    texts: tuple[str, ...]
    answers: Integers
    finished: Truths
    tokens: Integers
    log_probabilities: Floats
    verdicts: Truths
    levels: Floats
    values: Floats
    grades: Integers
    turns: Turns = field(default_factory=Turns)
    order_effects: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    ratings: Floats = field(default_factory=lambda: np.zeros(0))
    masses: Floats = field(default_factory=lambda: np.zeros(0))
    parts: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    unknown: Truths = field(default_factory=lambda: ALL_KNOWN)
    _counts: NDArray[np.int64] | None = field(default=None, init=False, repr=False, compare=False)
    _means: Floats | None = field(default=None, init=False, repr=False, compare=False)
    _seats: tuple[Truths | None] | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def gather(cls, matches: Matches, outcomes: Sequence[Outcome]) -> Outcomes:
        """Columns of outcomes given one by one, in the order of their matches."""
        texts, answers, parts = told_texts([(o.answer, o.part) for o in outcomes])
        given = given_grades(
            [
                (grade.levels, grade.value, grade.mass)
                for outcome in outcomes
                for grade in outcome.grades
            ]
        )
        return cls(
            matches=matches,
            queries=tuple(outcome.query for outcome in outcomes[: matches.problems]),
            texts=texts,
            answers=answers,
            parts=parts,
            finished=np.array([outcome.finished for outcome in outcomes], dtype=np.bool_),
            tokens=np.array([outcome.tokens for outcome in outcomes], dtype=np.int64),
            log_probabilities=np.array(
                [outcome.log_probability for outcome in outcomes], dtype=np.float64
            ),
            verdicts=np.array([bool(outcome.verdict) for outcome in outcomes], dtype=np.bool_),
            unknown=unknown_among(outcome.verdict for outcome in outcomes),
            levels=given.levels,
            values=given.values,
            masses=given.masses,
            grades=given.places.reshape(len(outcomes), -1 if len(given.places) else 0),
            turns=Turns.gather(outcome.turns for outcome in outcomes),
            order_effects=or_nothing(
                np.array([or_nan(outcome.order_effects) for outcome in outcomes])
            ),
            ratings=or_nothing(np.array(or_nan([outcome.rating for outcome in outcomes]))),
        )

    @property
    def counted(self) -> Integers:
        """Integers [A], index in `texts` of what counts of each answer."""
        return self.parts if len(self.parts) else self.answers

    @property
    def known(self) -> Truths:
        """bool [A], answers that have a verdict."""
        return ~self.unknown if len(self.unknown) else np.ones(len(self), dtype=np.bool_)

    @property
    def wrong(self) -> Truths:
        """bool [A], answers that are known to be wrong."""
        wrong: Truths = ~self.verdicts
        return wrong & ~self.unknown if len(self.unknown) else wrong

    def verdict_values(self) -> Floats:
        """float64 [A], 1 for a right answer and 0 for a wrong one; NaN where it is not known."""
        values = self.verdicts.astype(np.float64)
        return np.where(self.unknown, np.nan, values) if len(self.unknown) else values

    def grade_values(self) -> Floats:
        """float64 [A, K], the value of every grade; NaN where it could not be read."""
        known: Floats = np.append(self.values, np.nan)[self.grades]
        return known

    def peer_seats(self) -> Truths | None:
        """bool [A, K], seats whose grades are the peers' word: all but an author's own.

        Where nobody else was asked, the author's own stand for them. None for all seats.
        """
        if self._seats is None:
            own = self.matches.own[:, : self.grades.shape[1]]
            mixed = own.any() and not own.all()
            seats = ~own | own.all(axis=1, keepdims=True) if mixed else None
            object.__setattr__(self, "_seats", (seats,))
        assert self._seats is not None
        return self._seats[0]

    @property
    def peers_asked(self) -> int:
        """Seats of an answer whose grades are the peers' word; 0 where nobody was asked."""
        seats = self.peer_seats()
        return self.grades.shape[1] if seats is None else int(seats.sum(axis=1).max())

    def peer_values(self) -> Floats:
        """float64 [A, K], the value of every grade that is the peers' word; NaN elsewhere."""
        values, seats = self.grade_values(), self.peer_seats()
        return values if seats is None else np.where(seats, values, np.nan)

    def own_values(self) -> Floats:
        """float64 [A], each author's grade of its own answer; NaN where there is none readable."""
        own = self.matches.own[:, : self.grades.shape[1]]
        asked = np.flatnonzero(own.any(axis=0))
        values = np.append(self.values, np.nan)
        given = (values[only(own[:, seat], self.grades[:, seat])] for seat in asked)
        return known_means(given, len(self))

    def grade_counts(self) -> NDArray[np.int64]:
        """int64 [2, D + 1], how often each distinct grade was given to wrong and to right answers.

        The first of the D + 1 are those that could not be read. Answers without a verdict are left
        out.
        """
        kinds = len(self.values) + 1
        if self._counts is None:
            first = 1 + kinds * self.verdicts.astype(np.int64)
            counts = np.zeros(2 * kinds, dtype=np.int64)
            judged = self.known if len(self.unknown) else slice(None)
            for seat in self.grades.T:
                counts += np.bincount((first + seat)[judged], minlength=2 * kinds)
            object.__setattr__(self, "_counts", counts)
        assert self._counts is not None
        return self._counts.reshape(2, kinds)

    def given_counts(self) -> NDArray[np.int64]:
        """int64 [D + 1], how often each distinct grade was given, as of `grade_counts`, to any."""
        if not len(self.unknown):
            counts: NDArray[np.int64] = self.grade_counts().sum(axis=0)
            return counts
        given = self.grades.ravel().astype(np.int64) + 1
        return np.bincount(given, minlength=len(self.values) + 1)

    def peer_grade_counts(self) -> NDArray[np.int64]:
        """As `grade_counts`, of the grades that are the peers' word."""
        seats = self.peer_seats()
        if seats is None:
            return self.grade_counts()
        kinds = len(self.values) + 1
        places = (1 + kinds * self.verdicts.astype(np.int64))[:, None] + self.grades
        seats = seats & self.known[:, None]
        return np.bincount(places[seats], minlength=2 * kinds).reshape(2, kinds)

    def mean_grades(self) -> Floats:
        """Mean of each answer's readable grades by peers, float64 [A]; NaN where there is none.

        As of `peer_seats`: an author's own grade counts where nobody else was asked.
        """
        if self._means is None:
            values, seats = np.append(self.values, np.nan), self.peer_seats()
            grades = self.grades if seats is None else only(seats, self.grades)
            means = known_means((values[seat] for seat in grades.T), len(self))
            means.flags.writeable = False
            object.__setattr__(self, "_means", means)
        assert self._means is not None
        return self._means

    def __len__(self) -> int:
        return len(self.answers)

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> list[Outcome]: ...
    def __getitem__(self, index: int | slice) -> Outcome | list[Outcome]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        match = self.matches[index]
        grades = zip(match.graders, self.grades[index].tolist(), strict=False)
        return Outcome(
            match=match,
            query=self.queries[match.problem],
            answer=self.texts[self.answers[index]],
            finished=bool(self.finished[index]),
            tokens=int(self.tokens[index]),
            log_probability=float(self.log_probabilities[index]),
            grades=tuple(self._grade(grader, grade) for grader, grade in grades),
            verdict=self._verdict(index),
            turns=self.turns.of(index) if len(self.turns) else (),
            order_effects=_known(self.order_effects[index]) if self.order_effects.size else (),
            rating=_known(self.ratings[index : index + 1])[0] if self.ratings.size else None,
            part=self._part(index),
        )

    def _verdict(self, index: int) -> bool | None:
        unknown = len(self.unknown) and self.unknown[index]
        return None if unknown else bool(self.verdicts[index])

    def _part(self, index: int) -> str | None:
        if not len(self.parts) or self.parts[index] == self.answers[index]:
            return None
        return self.texts[int(self.parts[index])]

    def _grade(self, grader: AgentId, grade: int) -> Grade:
        if grade < 0:
            return Grade(grader, None, None)
        levels, value = tuple(self.levels[grade].tolist()), float(self.values[grade])
        mass = _known(self.masses[grade : grade + 1])[0] if self.masses.size else None
        return Grade(grader, levels, value, mass)


def _known(values: Floats) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(value) else value for value in values.tolist())


def only(kept: Truths, grades: Integers) -> Integers:
    """Grades as of `Outcomes.grades`, those that are not kept as if they could not be read."""
    # Without an unreadable grade they may be unsigned, as they come from a journal.
    signed = grades.astype(np.result_type(grades.dtype, np.int8), copy=False)
    chosen: Integers = np.where(kept, signed, -1)
    return chosen
