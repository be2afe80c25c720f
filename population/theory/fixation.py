"""Fixation of one mutant by simulation: many trials at once, by the number of mutants alone.

The exact probabilities stand in `moran` and `wright_fisher`, and so do the processes agent by
agent; where there are two kinds only, how many mutants live says all.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgptn.population.breeding import moran, wright_fisher

Mutants = NDArray[np.int64]
Step = Callable[[Mutants, float, int, np.random.Generator], Mutants]
"""(mutants int64 [T], 0 < mutants < N; r; N; rng) -> mutants int64 [T] afterwards."""


def birth_death_step(
    mutants: Mutants, relative_fitness: float, size: int, rng: np.random.Generator
) -> Mutants:
    """As many of each trial's Moran events as cannot end it, of those that change the number.

    Events that change nothing are passed over, which leaves fixation as it is: winning a mutant
    has chance r·i·(N−i) / ((r·i + N−i)·N), losing one i·(N−i) over the same. Their ratio is the
    same for all i, so that min(i, N−i) events are one binomial draw.
    """
    events = np.minimum(mutants, size - mutants)
    won = rng.binomial(events, 1.0 / (1.0 + 1.0 / relative_fitness))
    return mutants + 2 * won - events


def death_birth_step(
    mutants: Mutants, relative_fitness: float, size: int, rng: np.random.Generator
) -> Mutants:
    """The next death–birth event of each trial that changes the number of mutants.

    The dead does not compete: winning has chance (N−i)/N · r·i/(r·i + N−i−1), losing
    i/N · (N−i)/(r·(i−1) + N−i).
    """
    residents = size - mutants
    with np.errstate(over="ignore"):
        winning = 1.0 / (mutants + (residents - 1) / relative_fitness)
        losing = 1.0 / (relative_fitness * (mutants - 1) + residents)
    won = rng.random(mutants.size) * (winning + losing) < winning
    return mutants + np.where(won, 1, -1)


def wright_fisher_step(
    mutants: Mutants, relative_fitness: float, size: int, rng: np.random.Generator
) -> Mutants:
    """A Wright–Fisher generation of each trial: Binomial(N, r·i/(r·i + N − i)) mutants."""
    with np.errstate(over="ignore"):
        share = mutants / (mutants + (size - mutants) / relative_fitness)
    return rng.binomial(size, share)


@dataclass(frozen=True, slots=True)
class Process:
    """A process's exact fixation probability of one mutant, (r, N) → ρ, and its simulation."""

    exact: Callable[[float, int], float]
    step: Step


PROCESSES: dict[str, Process] = {
    "moran": Process(moran.fixation_probability, birth_death_step),
    "wright-fisher": Process(wright_fisher.fixation_probability, wright_fisher_step),
    "death-birth": Process(moran.death_birth_fixation_probability, death_birth_step),
}
"""Name → process."""


def count_fixations(
    process: str, relative_fitness: float, size: int, trials: int, rng: np.random.Generator
) -> int:
    """Trials in which one mutant among residents takes over.

    Parameters
    ----------
    process
        A name in `PROCESSES`.
    relative_fitness
        r > 0 of the mutant, finite, residents having 1.
    size
        N ≥ 1.
    trials
        T ≥ 0, independent of each other.
    rng
        Generator of the stream for these trials.

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    if process not in PROCESSES:
        raise ValueError(f"process: expected one of {', '.join(PROCESSES)}, got {process!r}")
    if not 0.0 < relative_fitness < math.inf:
        raise ValueError(f"relative_fitness: expected a finite number > 0, got {relative_fitness}")
    if size < 1 or trials < 0:
        raise ValueError(f"size, trials: expected at least 1 and 0, got {size} and {trials}")
    if size == 1:
        return trials
    step = PROCESSES[process].step
    mutants = np.ones(trials, dtype=np.int64)
    fixed = 0
    while mutants.size:
        mutants = step(mutants, relative_fitness, size, rng)
        fixed += int(np.count_nonzero(mutants == size))
        mutants = mutants[(mutants > 0) & (mutants < size)]
    return fixed
