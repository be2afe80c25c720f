"""Mutations of a genome. Each either changes the genome or is not applicable to it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.agents import Genome
from mgptn.population.records.settled import check_least, check_probabilities


@dataclass(frozen=True, slots=True)
class MutationRates:
    """Probability of each mutation at a birth; `jitter_scale` is a standard deviation of ln T.

    Raises
    ------
    ValueError
        If a name is unknown, or a number out of its range.
    """

    drop: float = 0.0
    swap: float = 0.0
    duplicate: float = 0.0
    jitter: float = 0.0
    jitter_scale: float = 0.1

    def __post_init__(self) -> None:
        check_probabilities(self, "drop", "swap", "duplicate", "jitter")
        check_least(self, 0, "jitter_scale")


def drop(genome: Genome, rng: np.random.Generator) -> Genome | None:
    """Forget one example; None for an empty context."""
    context = genome.context
    if not context:
        return None
    i = int(rng.integers(len(context)))
    return replace(genome, context=context[:i] + context[i + 1 :])


def swap(genome: Genome, rng: np.random.Generator) -> Genome | None:
    """Exchange the places of two unequal examples; None where all are equal."""
    context = list(genome.context)
    if len(set(context)) < 2:
        return None
    i = int(rng.integers(len(context)))
    others = [j for j, example in enumerate(context) if example != context[i]]
    j = others[int(rng.integers(len(others)))]
    context[i], context[j] = context[j], context[i]
    return replace(genome, context=tuple(context))


def duplicate(genome: Genome, rng: np.random.Generator, capacity: int) -> Genome | None:
    """Append a copy of one example, the oldest forgotten over capacity; None without effect."""
    if not genome.context:
        return None
    copied = genome.context[int(rng.integers(len(genome.context)))]
    changed = genome.remember((copied,), capacity)
    return None if changed == genome else changed


def jitter(genome: Genome, rng: np.random.Generator, scale: float) -> Genome | None:
    """Multiply the sampling temperature by a log-normal factor, kept within [0.01, 100]."""
    factor = float(np.exp(scale * rng.standard_normal()))
    temperature = min(100.0, max(0.01, genome.sampling_temperature * factor))
    if temperature == genome.sampling_temperature:
        return None
    return replace(genome, sampling_temperature=temperature)


def unmutated(rates: MutationRates, draws: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Births at which `mutate` draws no mutation, bool [N].

    Parameters
    ----------
    draws
        float64 [4, N], the first four uniform numbers of each birth's generator.
    """
    chances = np.array([rates.drop, rates.swap, rates.duplicate, rates.jitter])
    spared: NDArray[np.bool_] = np.all(draws >= chances[:, None], axis=0, keepdims=True)[0]
    return spared


def mutate(
    genome: Genome, rates: MutationRates, capacity: int, rng: np.random.Generator
) -> tuple[Genome, tuple[str, ...]]:
    """A child's genome, and the names of the mutations that made it differ from its parent's."""
    operators: tuple[tuple[str, float, Callable[[Genome], Genome | None]], ...] = (
        ("drop", rates.drop, lambda g: drop(g, rng)),
        ("swap", rates.swap, lambda g: swap(g, rng)),
        ("duplicate", rates.duplicate, lambda g: duplicate(g, rng, capacity)),
        ("jitter", rates.jitter, lambda g: jitter(g, rng, rates.jitter_scale)),
    )
    parent = genome
    applied: list[str] = []
    for name, rate, operator in operators:
        if rng.random() >= rate:
            continue
        changed = operator(genome)
        if changed is not None:
            genome = changed
            applied.append(name)
    # Two mutations may undo each other, such as a drop and the duplicate of an equal example.
    return genome, () if genome == parent else tuple(applied)
