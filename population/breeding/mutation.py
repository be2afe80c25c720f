"""Mutations of a genome. Each either changes the genome or is not applicable to it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.agents import Genome
from mgptn.population.records.settled import check_least, check_probabilities
from mgptn.population.records.weights import noised


@dataclass(frozen=True, slots=True)
class MutationRates:
    """Probability of each mutation at a birth.

    Attributes
    ----------
    drop, swap, duplicate, jitter, noise
        By name in `MUTATIONS`.
    jitter_scale
        Standard deviation of the change of ln(sampling temperature).
    noise_scale
        Standard deviation of what is added to each weight.

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
    noise: float = 0.0
    noise_scale: float = 0.01

    def __post_init__(self) -> None:
        check_probabilities(self, *MUTATIONS)
        check_least(self, 0, "jitter_scale", "noise_scale")


def drop(genome: Genome, rng: np.random.Generator) -> Genome | None:
    """Forget one example; None for an empty context."""
    context = genome.context
    if not context:
        return None
    i = int(rng.integers(len(context)))
    return genome.showing(context[:i] + context[i + 1 :])


def swap(genome: Genome, rng: np.random.Generator) -> Genome | None:
    """Exchange the places of two unequal examples; None where all are equal."""
    context = list(genome.context)
    if len(set(context)) < 2:
        return None
    i = int(rng.integers(len(context)))
    others = [j for j, example in enumerate(context) if example != context[i]]
    j = others[int(rng.integers(len(others)))]
    context[i], context[j] = context[j], context[i]
    return genome.showing(tuple(context))


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


def noise(genome: Genome, rng: np.random.Generator, scale: float) -> Genome | None:
    """Add normal noise to every weight: its key is drawn, the numbers are made where they are used.

    None where the scale is zero.
    """
    if not scale:
        return None
    first, second = (int(word) for word in rng.integers(0, 2**64, size=2, dtype=np.uint64))
    return replace(genome, weights=noised(genome.weights, genome.model, (first, second), scale))


Mutation = Callable[[Genome, np.random.Generator, MutationRates, int], Genome | None]
"""(genome, rng, rates, capacity of a context) -> the mutant; None where it is not applicable."""

MUTATIONS: dict[str, Mutation] = {
    "drop": lambda genome, rng, rates, capacity: drop(genome, rng),
    "swap": lambda genome, rng, rates, capacity: swap(genome, rng),
    "duplicate": lambda genome, rng, rates, capacity: duplicate(genome, rng, capacity),
    "jitter": lambda genome, rng, rates, capacity: jitter(genome, rng, rates.jitter_scale),
    "noise": lambda genome, rng, rates, capacity: noise(genome, rng, rates.noise_scale),
}
"""Every mutation by its name, in the order in which a birth may have them."""

STREAMS: dict[str, tuple[str, ...]] = {
    "mutation": ("drop", "swap", "duplicate", "jitter"),
    "mutation by noise": ("noise",),
}
"""Purpose of a stream → the mutations that draw from it, at most four: one number for each that
decides whether it happens, and then what it needs. A further mutation has a stream of its own, so
that those before it fall as they always did."""


def unmutated(rates: MutationRates, purpose: str, draws: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Births at which the mutations of a stream do not happen, bool [N].

    Parameters
    ----------
    purpose
        A name in `STREAMS`.
    draws
        float64 [4, N], the first four uniform numbers of each birth's generator.
    """
    chances = np.array([getattr(rates, name) for name in STREAMS[purpose]])
    spared: NDArray[np.bool_] = np.all(
        draws[: len(chances)] >= chances[:, None], axis=0, keepdims=True
    )[0]
    return spared


def mutate(
    genome: Genome,
    rates: MutationRates,
    capacity: int,
    rng: np.random.Generator,
    purpose: str = "mutation",
) -> tuple[Genome, tuple[str, ...]]:
    """A child's genome, and the names of the mutations that made it differ from its parent's.

    Parameters
    ----------
    purpose
        A name in `STREAMS`: only its mutations may happen.
    """
    parent = genome
    applied: list[str] = []
    for name in STREAMS[purpose]:
        if rng.random() >= getattr(rates, name):
            continue
        changed = MUTATIONS[name](genome, rng, rates, capacity)
        if changed is not None:
            genome = changed
            applied.append(name)
    # Two mutations may undo each other, such as a drop and the duplicate of an equal example.
    undone = len(applied) > 1 and genome == parent
    return (parent, ()) if undone else (genome, tuple(applied))
