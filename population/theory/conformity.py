"""Fixation where agreement is fitness: right answers as alleles of a finite population.

M agents each give one of two answers, and an agent's fitness is the share of the others that give
the same. Parents are drawn with e^(f/T), so that whoever gives the right answer, i of them, has
offspring at the ratio r(i) = e^((2i − M)/((M − 1)T)) to who gives the wrong one: the majority is
fitter, whatever it says. T → ∞ is neutral drift, T → 0 takes the majority only.

A share p of the births may be kept for the rare, as of `breeding.protection`: of these each answer
that is given has one half. Chains are of the number of agents that are right.

Dimensions: M agents, in D demes of N each; S = (N + 1)^D states of all demes.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfc, expit
from scipy.stats import binom

Values = NDArray[np.float64]


def log_advantage(size: int, selection_temperature: float) -> Values:
    """ln r(i) of the right answer where i of M agents give it: float64 [M + 1], i from 0 to M.

    Raises
    ------
    ValueError
        If there are fewer than two agents, or the selection temperature is not above zero.
    """
    if size < 2:
        raise ValueError(f"size: expected at least 2 agents, got {size}")
    if not selection_temperature > 0.0:
        raise ValueError(
            f"selection_temperature: expected a number > 0, got {selection_temperature}"
        )
    ahead = 2.0 * np.arange(size + 1) - size
    return np.asarray(ahead / ((size - 1) * selection_temperature), dtype=np.float64)


def parents_right(size: int, selection_temperature: float, protection: float = 0.0) -> Values:
    """Probability that a child's parent is right, by how many agents are: float64 [M + 1].

    Parameters
    ----------
    protection
        Share of the births that are kept for the rare, in [0, 1].

    Raises
    ------
    ValueError
        If an argument is outside its range.
    """
    if not 0.0 <= protection <= 1.0:
        raise ValueError(f"protection: expected a share in [0, 1], got {protection}")
    right = np.arange(1, size)
    odds = np.log(right / (size - right)) + log_advantage(size, selection_temperature)[1:-1]
    inner = (1.0 - protection) * expit(odds) + 0.5 * protection
    return np.concatenate([[0.0], inner, [1.0]])


def one_population(parents: ArrayLike) -> Values:
    """Wright–Fisher chain of a population, float64 [M + 1, M + 1], [from, to].

    Parameters
    ----------
    parents
        float64 [M + 1], as of `parents_right`.
    """
    shares = np.asarray(parents, dtype=np.float64)
    counts = np.arange(shares.size)
    return np.asarray(binom.pmf(counts, shares.size - 1, shares[:, None]), dtype=np.float64)


def in_demes(parents: ArrayLike, demes: int, migration: float) -> Values:
    """Chain of D demes, float64 [S, S], [from, to]: state Σ i_d (N + 1)^(D − 1 − d).

    A birth is a migrant's with the probability of migration; its parent is then drawn from all,
    each deme sending as many, as of `breeding.islands`.

    Parameters
    ----------
    parents
        float64 [N + 1], of one deme.

    Raises
    ------
    ValueError
        If there is no deme, migration is no probability, or there are more than 5,000 states.
    """
    own = np.asarray(parents, dtype=np.float64)
    if not 0.0 <= migration <= 1.0:
        raise ValueError(f"migration: expected a probability in [0, 1], got {migration}")
    if demes < 1 or own.size**demes > 5_000:
        raise ValueError(
            f"demes: expected at least 1, and at most 5000 states, got {demes} of {own.size}"
        )
    counts = np.arange(own.size)
    states = np.indices((own.size,) * demes).reshape(demes, -1)
    shares = (1.0 - migration) * own[states] + migration * own[states].mean(axis=0)
    each = binom.pmf(counts, own.size - 1, shares[..., None])
    return np.asarray(reduce(_side_by_side, each), dtype=np.float64)


def lost_by(chain: ArrayLike, start: ArrayLike, generations: int) -> float:
    """Probability that nobody is right after so many generations; of demes, in none of them.

    Parameters
    ----------
    chain
        float64 [S, S], [from, to], state 0 being that nobody is.
    start
        float64 [S], probabilities of the states at first.
    """
    now = np.asarray(start, dtype=np.float64)
    for _ in range(generations):
        now = now @ np.asarray(chain)
    return float(now[0])


def fixations(chain: ArrayLike) -> Values:
    """Probability that all are right in the end, by the state at first: float64 [S].

    Parameters
    ----------
    chain
        float64 [S, S], [from, to]: the first state and the last are left by nobody, and all others
        for good.
    """
    steps = np.asarray(chain, dtype=np.float64)
    inner = steps[1:-1, 1:-1]
    found = np.linalg.solve(np.eye(len(inner)) - inner, steps[1:-1, -1])
    return np.concatenate([[0.0], found, [1.0]])


def fixation_by_events(size: int, selection_temperature: float, right: int) -> float:
    """Probability that i right agents take over, one birth and one death at a time.

    Fitness is of who lives at the moment:
    (1 + Σ_{k<i} Π_{j≤k} 1/r(j)) / (1 + Σ_{k<M} Π_{j≤k} 1/r(j)).

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Nowak, Sasaki, Taylor & Fudenberg 2004, "Emergence of cooperation and evolutionary stability
    in finite populations".
    """
    if not 0 <= right <= size:
        raise ValueError(f"right: expected 0 to {size} (size), got {right}")
    logs = -np.cumsum(log_advantage(size, selection_temperature)[:size])
    logs -= logs[0]  # before the first mutant there is nothing to lose
    terms = np.exp(logs - logs.max())
    return float(terms[:right].sum() / terms.sum())


def diffusion_fixation(share: float, size: int, selection_temperature: float) -> float:
    """Kimura's approximation of the probability that a right share takes over, for small s.

    With M(x) = s(x)·x(1 − x), s(x) = (2x − 1)·M/((M − 1)T), and V(x) = x(1 − x)/M it is
    ½ + erf(√a·(x − ½)) / (2·erf(√a/2)), a = 2M²/((M − 1)T).

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Kimura 1962, "On the probability of fixation of mutant genes in a population".
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share: expected a share in [0, 1], got {share}")
    strength = size * float(log_advantage(size, selection_temperature)[-1])
    if strength == 0.0:
        return share
    root = math.sqrt(2.0 * strength)
    # Differences of erfc keep the digits of what is all but lost.
    whole = erfc(-root / 2.0) - erfc(root / 2.0)
    return float((erfc(root * (0.5 - share)) - erfc(root / 2.0)) / whole)


def _side_by_side(first: Values, second: Values) -> Values:
    """Of two demes that are independent of each other, [S, N'] and [S, N], one row [S, N'·N]."""
    return np.asarray((first[:, :, None] * second[:, None, :]).reshape(len(first), -1))
