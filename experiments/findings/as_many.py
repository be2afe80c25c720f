"""What as many of the founders' answers as a run gives are worth, by vote and by grade, over k.

Dimensions: Q problems of the last generation, K numbers of answers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from mgptn.experiments.config.arms import AS_MANY, SELECTED
from mgptn.experiments.findings.differences import difference_of, said_of
from mgptn.experiments.record.rounds import Round
from mgptn.population.intervals.shares import share_interval
from mgptn.population.intervals.spread import known_spread
from mgptn.population.measures.answer_errors import (
    best_of_k,
    collective_errors,
    majority_errors,
    powers_to,
    problem_errors,
    vote_of_k,
)
from mgptn.population.records.arrays import Floats, known_mean
from mgptn.population.records.generation import Generation

VOTE, BEST, ANY = "vote", "best by grade", "best by the verifier"
MEMBER, OWN_VOTE, OWN_BEST = "run: a member", "run: vote", "run: best by its selector"
SCHEMA: dict[str, pl.DataType] = {
    "way": pl.String(),
    "k": pl.Int64(),
    "error": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
}
"""Columns of the table `as-many`: how one answer is chosen, of how many, and how often it is wrong,
with a 95 % interval over problems."""


@dataclass(frozen=True, slots=True)
class AsMany:
    """Errors of what is chosen of k of the founders' answers, float64 [Q, K] each way."""

    draws: tuple[int, ...]
    ways: dict[str, Floats]

    @classmethod
    def of(cls, generation: Generation, given: int) -> AsMany:
        """Of founders' answers, k to as many as there are; as many as a run gave among them."""
        outcomes, size = generation.outcomes, len(generation.agents)
        draws = tuple(sorted({*powers_to(size), min(given, size)}))
        known = generation.by_problem(outcomes.known)
        wrong = np.where(known, generation.by_problem(outcomes.wrong), np.nan)
        grades = generation.by_problem(outcomes.mean_grades())
        said = generation.by_problem(outcomes.counted)
        return cls(
            draws,
            {
                VOTE: vote_of_k(said, wrong, draws),
                BEST: best_of_k(grades, wrong, draws),
                ANY: best_of_k(1.0 - wrong, wrong, draws),
            },
        )

    def at(self, way: str, k: float) -> Floats:
        """Errors at the largest number of answers that is no more than k, float64 [Q]."""
        place = max(i for i, one in enumerate(self.draws) if one <= max(k, 1.0))
        errors: Floats = self.ways[way][:, place]
        return errors


def as_many_frame(done: Round) -> pl.DataFrame:
    """The table of a last round: the founders' curve, and what the run's own answers are worth."""
    founders, own = done.of(AS_MANY), done.of(SELECTED)
    if founders is None or own is None:
        return pl.DataFrame(schema=SCHEMA)
    last, size = own.generation, len(founders.generation.agents)
    given = len(last.agents) * (last.index + 1)
    curve = AsMany.of(founders.generation, given)
    rows = [
        _row(way, k, errors[:, place], size // k)
        for way, errors in curve.ways.items()
        for place, k in enumerate(curve.draws)
    ]
    rows += [
        _row(MEMBER, given, problem_errors(last), len(last.agents)),
        _row(OWN_VOTE, given, majority_errors(last), 1),
        _row(OWN_BEST, given, collective_errors(last), 1),
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def as_many_sentences(done: Round, generations: pl.DataFrame) -> tuple[str, ...]:
    """What as many answers are worth, and as many FLOPs; nothing where the arm was not run.

    Parameters
    ----------
    generations
        The table of that name, of the whole run.
    """
    founders, own = done.of(AS_MANY), done.of(SELECTED)
    if founders is None or own is None or done.index == 0:
        return ()
    last = own.generation
    given = len(last.agents) * (last.index + 1)
    curve = AsMany.of(founders.generation, given)
    told = [
        f"{k}: {known_mean(curve.at(VOTE, k)):.3f} and {known_mean(curve.at(BEST, k)):.3f}"
        for k in curve.draws
    ]
    sentences = [
        "Of k founders' answers to the last problems the commonest, and the best by grade, err on "
        f"{'; '.join(told)}."
    ]
    ours = collective_errors(last)
    parts = []
    for way, name in ((VOTE, "the commonest"), (BEST, "the best by grade")):
        less = difference_of(known_spread(ours - curve.at(way, given)), 1)
        parts.append(f"against {name} {less}{said_of(less)}")
    sentences.append(
        f"At equal answers ({given} to a problem) the run's best by its selector errs on "
        f"{known_mean(ours):.3f}: {'; '.join(parts)}."
    )
    return (*sentences, *_at_equal_flops(curve, generations, ours))


def _at_equal_flops(curve: AsMany, generations: pl.DataFrame, ours: Floats) -> tuple[str, ...]:
    """The same at as many answers, with their grades, as the run's FLOPs would pay for."""
    whole = generations.filter(pl.col("arm") == SELECTED)["flops"].sum()
    last = generations.filter(pl.col("arm") == AS_MANY).sort("generation")["flops"].tail(1).sum()
    if not whole or not last:
        return ()
    count = curve.draws[-1]
    paid = float(whole) / float(last) * count
    told = f"The run's FLOPs would pay for {paid:.3g} of the founders' answers and their grades"
    if paid > count:
        return (
            f"{told}, more than the {count} that were asked: as_many="
            f"{min(100, -(-int(paid) // count))} times as many would reach that.",
        )
    less = difference_of(known_spread(ours - curve.at(BEST, paid)), 1)
    return (f"{told}: against the best of these {less}{said_of(less)}.",)


def _row(way: str, k: int, errors: Floats, trials: int) -> tuple[str, int, float, float, float]:
    of = known_spread(errors)
    return (way, k, of.value, *share_interval(of, max(1, trials)))
