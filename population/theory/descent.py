"""Descent and independence: how long judges of one ancestry stay several, what agreement is worth.

Judges that descend from one ancestor err alike, so what replication takes from a jury is its
independence. Closed forms, and exact Wright–Fisher genealogies.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from mgptn.population.breeding.operators import as_rates
from mgptn.population.theory.classification import Rates


def coalescence_probability(rates: ArrayLike) -> float:
    """Probability that two children have the same parent: c = Σ (w_i/Σw)² = (1 + CV²)/M.

    Of the Wright–Fisher process, which draws every child's parent on its own.

    Parameters
    ----------
    rates
        float64 [M], replication rates: finite, ≥ 0, not all zero; the scale does not matter.

    Returns
    -------
    c in [1/M, 1]; 1/M where all rates are equal.

    Raises
    ------
    ValueError
        If the rates are no rates.

    Source
    ------
    Wright 1931, "Evolution in Mendelian populations".
    """
    weights = as_rates(rates)
    # Shares of the greatest, so that no sum overflows.
    weights = weights / weights.max()
    shares = weights / weights.sum()
    return min(float(shares @ shares), 1.0)


def identity_by_descent(coalescence: float, generations: int) -> float:
    """Probability that two agents have an ancestor in common within so many generations.

    F_t = 1 − (1 − c)^t. Exact where rates have nothing to do with descent, as in neutral drift.
    Where fitness is inherited, whole lines rise or fall together: F grows faster once the fitter
    lines are not the rarer ones.

    Parameters
    ----------
    coalescence
        c of every generation, a probability; see `coalescence_probability`.
    generations
        t ≥ 0.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Malécot 1948, haploid.
    """
    _check_probabilities(coalescence=coalescence)
    _check_counts(0, generations=generations)
    if generations == 0 or coalescence == 1.0:
        return float(generations > 0)
    return -math.expm1(generations * math.log1p(-coalescence))


def ancestral_chain(size: int, sampled: int) -> NDArray[np.float64]:
    """Probabilities of n lineages having k parents in one neutral Wright–Fisher generation.

    As many as boxes that are filled when n balls fall into N: from ball to ball by additions and
    multiplications of positive numbers, so that even the tiniest is right in all but its last
    digits.

    Parameters
    ----------
    size
        N ≥ 1 agents in every generation.
    sampled
        1 ≤ n ≤ N, the most lineages that there are.

    Returns
    -------
    float64 [n, n], [from − 1, to − 1], lower triangular, rows sum to one.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Watterson 1975; Kingman 1982 for its limit, the coalescent.
    """
    _check_counts(1, size=size, sampled=sampled)
    if sampled > size:
        raise ValueError(f"sampled: expected 1 to {size} (size), got {sampled}")
    filled = np.arange(1, sampled + 1) / size
    free = np.arange(size, size - sampled, -1) / size
    chain = np.zeros((sampled, sampled))
    chain[0, 0] = 1.0
    for balls in range(1, sampled):
        chain[balls] = chain[balls - 1] * filled
        chain[balls, 1:] += chain[balls - 1, :-1] * free[1:]
    return chain


def ancestor_time(size: int, sampled: int) -> float:
    """Generations back to the common ancestor of n of N agents, expected in neutral drift.

    About 2N(1 − 1/n); N exactly for two. That is how long a jury has independent members.

    Parameters and errors as of `ancestral_chain`.

    Returns
    -------
    T_n ≥ 0; 0 for one agent.

    Source
    ------
    Kingman 1982, "On the genealogy of large populations"; the discrete chain, solved exactly.
    """
    chain = ancestral_chain(size, sampled)
    times = np.zeros(sampled)
    for lineages in range(1, sampled):
        row = chain[lineages, :lineages]
        # 1 + Σ P(n, k) T_k over 1 − P(n, n), which is a sum of what else may happen.
        times[lineages] = (1.0 + row @ times[:lineages]) / row.sum()
    return float(times[-1])


def expected_lineages(size: int, sampled: int, generations: int) -> float:
    """Agents, t generations ago, of whom n of N agents descend; expected in neutral drift.

    Parameters
    ----------
    size, sampled
        N and n, as of `ancestral_chain`.
    generations
        t ≥ 0.

    Returns
    -------
    In [1, n]: n at t = 0.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Griffiths 1980; Tavaré 1984, "Line-of-descent and genealogical processes". Exact, not the limit.
    """
    _check_counts(0, generations=generations)
    chain = ancestral_chain(size, sampled)
    after = np.linalg.matrix_power(chain, generations)[-1]
    return float(after @ np.arange(1, sampled + 1))


def agreement_rates(accuracy: float, collision: float) -> Rates:
    """What a peer's equal answer is worth as a grade: TPR = a, FPR = (1 − a)·q.

    There is one right answer, and peers err on their own, on problems that are all alike.

    Parameters
    ----------
    accuracy
        a, probability that an agent is right.
    collision
        q, probability that two who are both wrong say the same: 1 of clones.

    Raises
    ------
    ValueError
        If an argument is not a probability.
    """
    _check_probabilities(accuracy=accuracy, collision=collision)
    return Rates(accuracy, (1.0 - accuracy) * collision)


def least_accuracy(collision: float) -> float:
    """Accuracy above which agreement tells right from wrong: q/(1 + q), where its J is 0.

    One half where all who err say the same, as with two answers to choose from (Condorcet 1785).

    Parameters
    ----------
    collision
        q, as of `agreement_rates`.

    Raises
    ------
    ValueError
        If it is not a probability.
    """
    _check_probabilities(collision=collision)
    return collision / (1.0 + collision)


def agreed_error(accuracy: float, collision: float, agents: int) -> float:
    """Share that is wrong among what all of m agents say: x/(x + a^m), x = (1 − a)^m·q^(m−1).

    Exact where all wrong answers are equally likely, 1/q of them. Where some are likelier, more
    than two who err meet on them oftener, Σ p^m ≥ (Σ p²)^(m−1), and it is a lower bound.

    Parameters
    ----------
    accuracy, collision
        a and q, as of `agreement_rates`.
    agents
        m ≥ 1.

    Raises
    ------
    ValueError
        If an argument is outside its range, or m agents never say the same.
    """
    _check_probabilities(accuracy=accuracy, collision=collision)
    _check_counts(1, agents=agents)
    if accuracy == 1.0:
        return 0.0
    wrong = agents * math.log1p(-accuracy) + float(scipy.special.xlogy(agents - 1, collision))
    if accuracy == 0.0:
        if wrong == -math.inf:
            raise ValueError(
                f"accuracy, collision: expected one above 0 with {agents} agents, got 0 and 0: "
                "they never agree"
            )
        return 1.0
    return float(scipy.special.expit(wrong - agents * math.log(accuracy)))


def unanimous_rate(rate: float, correlation: float, graders: int) -> float:
    """Probability that all k of a correlated jury pass an answer: Π (α + i)/(α + β + i), i < k.

    A beta-binomial jury: graders are independent given a rate that is drawn anew for each answer,
    with α = F(1 − ρ)/ρ and β = (1 − F)(1 − ρ)/ρ. F^k at ρ = 0, F at ρ = 1.

    Parameters
    ----------
    rate
        F, probability that one grader passes it.
    correlation
        ρ of two graders' words, in [0, 1].
    graders
        k ≥ 1.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Source
    ------
    Skellam 1948, "A probability distribution derived from the binomial distribution".
    """
    _check_probabilities(rate=rate, correlation=correlation)
    _check_counts(1, graders=graders)
    # The first passes with F; after i that have passed, multiplied by ρ above and below.
    passed = np.arange(1, graders)
    apart = 1.0 - correlation
    factors = (rate * apart + correlation * passed) / (apart + correlation * passed)
    return rate * float(np.prod(factors))


def _check_probabilities(**values: float) -> None:
    for name, value in values.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name}: expected a probability in [0, 1], got {value}")


def _check_counts(least: int, **values: int) -> None:
    for name, value in values.items():
        if not value >= least:
            raise ValueError(f"{name}: expected at least {least}, got {value}")
