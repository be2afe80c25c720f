"""Where fitness comes from: what each selector makes of a generation's outcomes.

A selector maps A outcomes to A scores in [0, 1], None where it has nothing to say.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from population.records import Outcome

Scores = tuple[float | None, ...]
Selector = Callable[[Sequence[Outcome], np.random.Generator], Scores]


def peers(outcomes: Sequence[Outcome], rng: np.random.Generator) -> Scores:
    """The mean of an answer's readable grades."""
    return tuple(mean_grade(outcome) for outcome in outcomes)


def random(outcomes: Sequence[Outcome], rng: np.random.Generator) -> Scores:
    """A coin toss: uniform in [0, 1), whatever was answered."""
    return tuple(float(score) for score in rng.random(len(outcomes)))


def shuffled(outcomes: Sequence[Outcome], rng: np.random.Generator) -> Scores:
    """The peers' scores, dealt out anew among the answers."""
    scores = peers(outcomes, rng)
    return tuple(scores[i] for i in rng.permutation(len(scores)))


def oracle(outcomes: Sequence[Outcome], rng: np.random.Generator) -> Scores:
    """The verifier's verdict."""
    return tuple(float(outcome.verdict) for outcome in outcomes)


def none(outcomes: Sequence[Outcome], rng: np.random.Generator) -> Scores:
    """Nothing: no answer is accepted and no agent is fitter."""
    return (None,) * len(outcomes)


SELECTORS: dict[str, Selector] = {
    "peers": peers,
    "random": random,
    "shuffled": shuffled,
    "oracle": oracle,
    "none": none,
}


def mean_grade(outcome: Outcome) -> float | None:
    """Mean of an outcome's readable grades; None where there is none."""
    values = [grade.value for grade in outcome.grades if grade.value is not None]
    return sum(values) / len(values) if values else None
