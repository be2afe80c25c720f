"""`mgptn theory bootstrap` and `fixation`: closed forms and simulations of the same, side by side.

The error threshold has a file of its own, `threshold`; what is printed and drawn of all three lives
in `tables` and `figures`.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from mgptn.experiments.config.run_config import ConfigError
from mgptn.population.draws.streams import stream
from mgptn.population.theory import classification
from mgptn.population.theory.chaining import Chains, simulate_copiers, unanimous_rates
from mgptn.population.theory.classification import Rates
from mgptn.population.theory.fixation import PROCESSES, count_fixations

Values = NDArray[np.float64]

POPULATIONS = 200
"""Populations, each with one buffer for all its agents, that give its error an interval."""


@dataclass(frozen=True, slots=True)
class Band:
    """A middle float64 [...] with the bounds of its 95 % interval."""

    middle: Values
    low: Values
    high: Values


@dataclass(frozen=True, slots=True)
class Chaining:
    """The recurrence of iterative classification, and scripted populations beside it.

    Attributes
    ----------
    rates
        Acceptance rates of the graders together.
    needed
        Rounds to the target by theory, a real number.
    errors, append_rates
        float64 [R + 1], the recurrence's.
    shared
        float64 [R + 1], error of populations whose agents share a buffer: median and interval
        over populations.
    own
        float64 [R + 1], error of agents that have a buffer each: mean and interval over agents.
    reached
        Rounds until the median population with a shared buffer is at the target, or None.
    all_wrong, all_right
        Share of the agents whose own buffer ended with wrong answers only, and with none.
    agents, answers
        M, and answers of an agent in a round.
    """

    rates: Rates
    target: float
    needed: float
    errors: Values
    append_rates: Values
    shared: Band
    own: Band
    reached: int | None
    all_wrong: float
    all_right: float
    agents: int
    answers: int

    @property
    def within(self) -> NDArray[np.bool_]:
        """bool [R + 1], rounds in which the recurrence lies in the shared buffers' interval."""
        # Nothing is drawn before the first round, and a rounding error is no disagreement.
        slack = 1e-12
        low, high = self.shared.low - slack, self.shared.high + slack
        return np.asarray((low <= self.errors) & (self.errors <= high))


def compare_chaining(
    error: float,
    tpr: float,
    fpr: float,
    rounds: int,
    target: float,
    agents: int,
    problems: int,
    graders: int,
    seed: int,
) -> Chaining:
    """Iterate the recurrence, and simulate populations of copiers.

    Raises
    ------
    ConfigError
        If an option is outside its range.
    """
    _check_shares(error=error, tpr=tpr, fpr=fpr, target=target)
    check_whole("rounds", rounds, 1, 10_000)
    check_whole("agents", agents, 1, 1_000_000)
    check_whole("problems", problems, 1, 1_000_000)
    check_whole("graders", graders, 1, 10_000)
    check_whole("seed", seed, 0)
    rates = unanimous_rates(Rates(tpr, fpr), graders)
    errors = classification.error_trajectory(error, *rates, rounds)
    shared = simulate_copiers(
        error, rates, agents * problems, rounds, POPULATIONS, stream(seed, "chaining", "shared")
    )
    own = simulate_copiers(error, rates, problems, rounds, agents, stream(seed, "chaining", "own"))
    middle = np.median(shared.errors, axis=1)
    reached = np.flatnonzero(middle <= target)
    return Chaining(
        rates=rates,
        target=target,
        needed=classification.rounds_to_error(error, target, *rates),
        errors=errors,
        append_rates=np.array([classification.append_rate(e, *rates) for e in errors]),
        shared=_band(middle, shared),
        own=_band(own.errors.mean(axis=1), own),
        reached=int(reached[0]) if reached.size else None,
        all_wrong=float(np.mean(own.errors[-1] == 1.0)),
        all_right=float(np.mean(own.errors[-1] == 0.0)),
        agents=agents,
        answers=problems,
    )


@dataclass(frozen=True, slots=True)
class Fixation:
    """Exact fixation probability of one mutant, and how often it took over in trials.

    `low` and `high` bound Wilson's 95 % interval of the simulated share.
    """

    process: str
    relative_fitness: float
    size: int
    trials: int
    fixed: int
    exact: float
    low: float
    high: float

    @property
    def share(self) -> float:
        """Simulated fixation probability."""
        return self.fixed / self.trials

    @property
    def within(self) -> bool:
        """Whether the exact value lies in the simulation's interval."""
        return self.low <= self.exact <= self.high


def compare_fixation(process: str, fitness: float, size: int, trials: int, seed: int) -> Fixation:
    """Compute a fixation probability, and simulate it.

    Raises
    ------
    ConfigError
        If an option is outside its range.
    """
    if process not in PROCESSES:
        raise ConfigError(f"--process: expected one of {', '.join(PROCESSES)}, got {process!r}")
    if not 1e-3 <= fitness <= 1e3:
        raise ConfigError(f"--fitness: expected a number from 0.001 to 1000, got {fitness}")
    # The exact Wright–Fisher chain takes N² memory and N³ time.
    check_whole("size", size, 2, 1000)
    check_whole("trials", trials, 1, 10_000_000)
    check_whole("seed", seed, 0)
    rng = stream(seed, "fixation", process, size, repr(float(fitness)))
    fixed = count_fixations(process, fitness, size, trials, rng)
    interval = binomtest(fixed, trials).proportion_ci(0.95, method="wilson")
    exact = PROCESSES[process].exact(fitness, size)
    return Fixation(
        process, fitness, size, trials, fixed, exact, float(interval.low), float(interval.high)
    )


def fixation_curve(point: Fixation, seed: int, points: int = 9) -> list[Fixation]:
    """`compare_fixation` at relative fitnesses around a point, from disadvantage to advantage."""
    reach = max(abs(math.log(point.relative_fitness)), 4.0 / point.size)
    around = np.exp(np.linspace(-reach / 2, 1.25 * reach, points)).clip(1e-3, 1e3)
    others = [
        compare_fixation(point.process, float(fitness), point.size, point.trials, seed)
        for fitness in around
    ]
    return sorted([point, *others], key=lambda each: each.relative_fitness)


def _band(middle: Values, chains: Chains) -> Band:
    low, high = np.quantile(chains.errors, [0.025, 0.975], axis=1)
    return Band(middle, low, high)


def _check_shares(**values: float) -> None:
    for option, value in values.items():
        if not 0.0 <= value <= 1.0:
            raise ConfigError(f"--{option}: expected a probability in [0, 1], got {value}")


def check_whole(option: str, value: int, least: int, most: int | None = None) -> None:
    """Raise a ConfigError unless a whole number is within its range."""
    if value < least or (most is not None and value > most):
        wanted = f"at least {least}" if most is None else f"{least} to {most}"
        raise ConfigError(f"--{option}: expected {wanted}, got {value}")
