"""A scripted population as arrays: agents of known behaviour, selected by the same operators.

The fast counterpart of running the whole simulator on hosts without a model, for theory at sizes
that only arrays reach. M agents, Q problems, K graders, C examples that a context holds.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mgptn.population.breeding.operators import OPERATORS
from mgptn.population.breeding.wright_fisher import sample_parents
from mgptn.population.draws.streams import stream


@dataclass(frozen=True, slots=True)
class ScriptedSettings:
    """A scripted population and its selection; all rates are probabilities.

    Attributes
    ----------
    size, problems, graders, capacity
        M, Q, K, C.
    error
        Of an agent with an empty context.
    tpr, fpr, correlation, blind_spot
        Of graders: what they pass of right and of wrong answers; how their errors on the same
        wrong answer correlate; the share of problems whose wrong answers all of them pass.
    adaptation
        ``"copy"``: an agent's error is the share of wrong examples in its context; ``"bayes"``: it
        infers one of `skills` (errors) by Bayes's rule from `prior`; ``"none"``: it stays.
    threshold
        Share of graders that must pass an answer for it to enter its author's context.
    operator, selection_temperature
        A name in `mgptn.population.breeding.operators.OPERATORS`, and its T > 0.
    """

    size: int
    problems: int
    graders: int
    capacity: int
    error: float = 0.5
    tpr: float = 0.9
    fpr: float = 0.1
    correlation: float = 0.0
    blind_spot: float = 0.0
    adaptation: Literal["none", "copy", "bayes"] = "copy"
    skills: tuple[float, ...] = (0.05, 0.35, 0.65, 0.95)
    prior: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)
    threshold: float = 0.6
    operator: str = "softmax"
    selection_temperature: float = math.inf


@dataclass(frozen=True, slots=True)
class ScriptedGeneration:
    """What one generation came to.

    Attributes
    ----------
    errors
        float64 [M], share of each agent's answers that were wrong.
    fitness, rates
        float64 [M], mean share of graders that passed an agent's answers, and replication rates.
    tpr, fpr
        Of acceptance; NaN where there was no right or no wrong answer.
    acceptance
        Share of answers that entered a context.
    parents
        int64 [M], slot of each survivor's parent.
    lineages
        Founders with living descendants.
    """

    errors: NDArray[np.float64]
    fitness: NDArray[np.float64]
    rates: NDArray[np.float64]
    tpr: float
    fpr: float
    acceptance: float
    parents: NDArray[np.int64]
    lineages: int


def scripted_generations(
    settings: ScriptedSettings, generations: int, seed: int
) -> Iterator[ScriptedGeneration]:
    """Wright–Fisher generations of a scripted population, without mutation.

    Parameters
    ----------
    seed
        Names the streams; equal seeds give equal populations.
    """
    # Whether each remembered example is wrong, oldest first, and how many there are.
    context = np.zeros((settings.size, settings.capacity), dtype=np.bool_)
    held = np.zeros(settings.size, dtype=np.int64)
    founders = np.arange(settings.size)
    for index in range(generations):
        rng = stream(seed, "scripted", index)
        wrong = rng.random((settings.size, settings.problems)) < _errors(
            settings, context.sum(axis=1), held
        ).reshape(-1, 1)
        passed = _passed(settings, wrong, rng)
        accepted = passed >= settings.threshold
        fitness = passed.mean(axis=1)
        rates = OPERATORS[settings.operator](fitness, settings.selection_temperature)
        parents = sample_parents(rates, rng)
        context, held = _remember(context, held, wrong, accepted)
        context, held, founders = context[parents], held[parents], founders[parents]
        yield ScriptedGeneration(
            errors=wrong.mean(axis=1),
            fitness=fitness,
            rates=rates,
            tpr=float(accepted[~wrong].mean()) if not wrong.all() else math.nan,
            fpr=float(accepted[wrong].mean()) if wrong.any() else math.nan,
            acceptance=float(accepted.mean()),
            parents=parents,
            lineages=len(np.unique(founders)),
        )


def _errors(
    settings: ScriptedSettings, wrong: NDArray[np.int64], held: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Probability of a wrong answer, [M], after `wrong` of `held` examples."""
    if settings.adaptation == "bayes":
        skills, prior = np.array(settings.skills), np.array(settings.prior)
        logs = (
            np.log(prior)
            + wrong[:, None] * np.log(skills)
            + (held - wrong)[:, None] * np.log1p(-skills)
        )
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        inferred: NDArray[np.float64] = weights @ skills / weights.sum(axis=1)
        return inferred
    start = np.full(settings.size, settings.error)
    if settings.adaptation == "none":
        return start
    np.divide(wrong, held, out=start, where=held > 0)
    return start


def _passed(
    settings: ScriptedSettings, wrong: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Share of graders that pass each answer, [M, Q]."""
    pass_rate = np.where(wrong, settings.fpr, settings.tpr)
    blind = wrong & (rng.random(settings.problems) < settings.blind_spot)
    common = rng.random(wrong.shape, dtype=np.float32) < pass_rate
    votes = np.zeros(wrong.shape, dtype=np.int64)
    for _ in range(settings.graders):
        own = rng.random(wrong.shape, dtype=np.float32) < pass_rate
        if settings.correlation > 0.0:
            # Two graders correlate by ρ if each looks at the common draw with probability √ρ.
            looks = rng.random(wrong.shape, dtype=np.float32) < math.sqrt(settings.correlation)
            own = np.where(wrong & looks, common, own)
        votes += own | blind
    shares: NDArray[np.float64] = votes / settings.graders
    return shares


def _remember(
    context: NDArray[np.bool_],
    held: NDArray[np.int64],
    wrong: NDArray[np.bool_],
    accepted: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Contexts with the accepted answers appended, the oldest forgotten over capacity."""
    capacity = context.shape[1]
    kept = np.hstack([np.arange(capacity) < held[:, None], accepted])
    flags = np.hstack([context, wrong])
    total = kept.sum(axis=1)
    place = np.cumsum(kept, axis=1) - 1 - np.maximum(total - capacity, 0)[:, None]
    kept &= place >= 0
    remembered = np.zeros_like(context)
    remembered[np.nonzero(kept)[0], place[kept]] = flags[kept]
    return remembered, np.minimum(total, capacity)
