"""Reinforcement learning on an enumerable answer space, to hold selection against.

An answer is W tokens of an alphabet of K; a distribution over all K^W answers, in lexical order, is
also a tree of distributions over the next token, which is how a language model has it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import logsumexp, rel_entr

from mgptn.population.records.arrays import Floats
from mgptn.population.records.shares import as_shares

LEAST = 1e-300
"""Probabilities count as at least so much where their logarithm is taken."""


class Policy(NamedTuple):
    """Distribution float64 [K^W] that policy gradient ends in, and the gradient steps taken."""

    distribution: Floats
    steps: int


def token_conditionals(probabilities: ArrayLike, alphabet: int) -> list[Floats]:
    """Distributions over each token given those before it.

    Parameters
    ----------
    probabilities
        float64 [K^W], sum one, answers in lexical order.
    alphabet
        K ≥ 2.

    Returns
    -------
    For each place d from 0 a float64 [K^d, K], rows sum to one; even where nothing leads.

    Raises
    ------
    ValueError
        If the number of answers is no power of the alphabet's size.
    """
    shares = as_shares(probabilities, "probabilities")
    width = _width(shares.size, alphabet)
    conditionals = []
    for place in range(width):
        reached = shares.reshape(alphabet ** (place + 1), -1).sum(axis=1).reshape(-1, alphabet)
        total = reached.sum(axis=1, keepdims=True)
        even = np.full_like(reached, 1.0 / alphabet)
        conditionals.append(np.divide(reached, total, out=even, where=total > 0.0))
    return conditionals


def sharpen_answers(probabilities: ArrayLike, power: float) -> Floats:
    """The distribution p^α/Z of whole answers: a sampling temperature of 1/α for sequences.

    It is soft selection with the answers' own log-probability as reward, p·exp((α − 1)·ln p)/Z.

    Parameters
    ----------
    probabilities
        float64 [n], sum one.
    power
        α > 0.

    Raises
    ------
    ValueError
        If the power is not above zero.

    Source
    ------
    Huang et al. 2024, "Self-improvement in language models: the sharpening mechanism".
    """
    shares = as_shares(probabilities, "probabilities")
    if not power > 0.0:
        raise ValueError(f"power: expected a number > 0, got {power}")
    return np.asarray(_powered(shares[None], power)[0])


def sharpen_tokens(probabilities: ArrayLike, alphabet: int, power: float) -> Floats:
    """The distribution of answers whose tokens are drawn at sampling temperature 1/α.

    Arguments and errors as of `token_conditionals` and `sharpen_answers`; each next token's
    distribution is raised to α and normalised by itself, which is what decoders do.
    """
    if not power > 0.0:
        raise ValueError(f"power: expected a number > 0, got {power}")
    conditionals = token_conditionals(probabilities, alphabet)
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(_sums([np.log(_powered(rows, power)) for rows in conditionals])))


def total_variation(first: ArrayLike, second: ArrayLike) -> float:
    """Half the sum of absolute differences of two distributions, float64 [n]: in [0, 1]."""
    return float(np.abs(np.asarray(first) - np.asarray(second)).sum() / 2.0)


def divergence(policy: ArrayLike, base: ArrayLike) -> float:
    """KL(π‖p) in nats of two distributions, float64 [n]; infinite where p is 0 and π is not."""
    return max(0.0, float(rel_entr(np.asarray(policy), np.asarray(base)).sum()))


def greedy_answer(probabilities: ArrayLike, alphabet: int) -> int:
    """Index of the answer whose every token is the likeliest after those before it.

    Arguments and errors as of `token_conditionals`. The limit of `sharpen_tokens`; that of
    `sharpen_answers` is the likeliest answer, which may be another one.
    """
    chosen = 0
    for rows in token_conditionals(probabilities, alphabet):
        chosen = chosen * alphabet + int(np.argmax(rows[chosen]))
    return chosen


def policy_gradient(
    probabilities: ArrayLike,
    rewards: ArrayLike,
    selection_temperature: float,
    alphabet: int,
    most_steps: int,
) -> Policy:
    """Maximise E_π[r] − T·KL(π‖p) over the logits of each next token, from p on.

    The gradient is exact: with A = r − T·ln(π/p), that of the logit of token a after s is
    S(s, a) − π(a|s)·S(s), S being the sum of π·A over the answers that begin so. Steps are those of
    L-BFGS. The maximum is p·exp(r/T)/Z, but the gradient is small wherever π is, and what p hardly
    ever says may be out of reach.

    Parameters
    ----------
    probabilities
        float64 [K^W], p, sum one, answers in lexical order.
    rewards
        float64 [K^W], finite.
    selection_temperature
        T > 0, in the units of reward.
    alphabet
        K ≥ 2.
    most_steps
        After which it ends, converged or not.

    Raises
    ------
    ValueError
        If an argument is outside its range or shapes differ.

    Source
    ------
    Williams 1992; Mei et al. 2020, "On the global convergence rates of softmax policy gradient
    methods".
    """
    log_shares, values = _checked(probabilities, rewards, selection_temperature)
    begin = [rows.ravel() for rows in _log_conditionals(probabilities, alphabet)]

    def loss(logits: Floats) -> tuple[float, Floats]:
        value, gradient = _objective(logits, log_shares, values, selection_temperature, alphabet)
        return -value / selection_temperature, -gradient / selection_temperature

    found = minimize(
        loss,
        np.concatenate(begin),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": most_steps, "maxfun": 2 * most_steps, "ftol": 0.0, "gtol": 1e-10},
    )
    return Policy(np.exp(_log_products(found.x, values.size, alphabet)), int(found.nit))


def natural_policy_gradient(
    probabilities: ArrayLike,
    rewards: ArrayLike,
    selection_temperature: float,
    alphabet: int,
    most_steps: int = 1000,
) -> Policy:
    """As `policy_gradient`, along the natural gradient: by the Fisher metric instead of by logits.

    The logit of token a after s moves by η·(Q(s, a) − V(s)), with Q the expected reward less
    penalty of what follows and η = .1/T; the distance from the maximum shrinks by a tenth each
    step, wherever p is small. It ends when no probability of an answer moves by 1e-12.

    Arguments and errors as of `policy_gradient`.

    Source
    ------
    Kakade 2001, "A natural policy gradient"; Cen et al. 2022 for the rate.
    """
    _, values = _checked(probabilities, rewards, selection_temperature)
    base = _log_conditionals(probabilities, alphabet)
    policy = [rows.copy() for rows in base]
    before, steps = np.exp(_sums(policy)), 0
    while steps < most_steps:
        ahead = values
        for place in reversed(range(len(policy))):
            own = policy[place]
            worth = ahead.reshape(own.shape) - selection_temperature * (own - base[place])
            ahead = (np.exp(own) * worth).sum(axis=1)
            moved = own + 0.1 / selection_temperature * (worth - ahead[:, None])
            policy[place] = moved - logsumexp(moved, axis=1, keepdims=True)
        steps += 1
        after = np.exp(_sums(policy))
        if np.max(np.abs(after - before)) < 1e-12:
            break
        before = after
    return Policy(np.exp(_sums(policy)), steps)


def _checked(
    probabilities: ArrayLike, rewards: ArrayLike, selection_temperature: float
) -> tuple[Floats, Floats]:
    """Logarithms of the probabilities, and the rewards."""
    shares = as_shares(probabilities, "probabilities")
    values = np.asarray(rewards, dtype=np.float64)
    if values.shape != shares.shape or not np.all(np.isfinite(values)):
        raise ValueError(f"rewards: expected {shares.size} finite numbers, got {values.shape}")
    if not 0.0 < selection_temperature < math.inf:
        raise ValueError(
            f"selection_temperature: expected a finite number > 0, got {selection_temperature}"
        )
    return np.log(np.maximum(shares, LEAST)), values


def _log_conditionals(probabilities: ArrayLike, alphabet: int) -> list[Floats]:
    rows = token_conditionals(probabilities, alphabet)
    return [np.log(np.maximum(row, LEAST)) for row in rows]


def _objective(
    logits: Floats, log_shares: Floats, rewards: Floats, temperature: float, alphabet: int
) -> tuple[float, Floats]:
    """E_π[r] − T·KL(π‖p) and its gradient by the logits, all places' one after the other."""
    log_policy = _log_products(logits, rewards.size, alphabet)
    policy = np.exp(log_policy)
    advantage = rewards - temperature * (log_policy - log_shares)
    weighted = policy * advantage
    gradient, start, rows = np.empty_like(logits), 0, 1
    while start < logits.size:
        part = slice(start, start + rows * alphabet)
        own = logits[part].reshape(rows, alphabet)
        conditional = np.exp(own - logsumexp(own, axis=1, keepdims=True))
        beginning = weighted.reshape(rows * alphabet, -1).sum(axis=1).reshape(rows, alphabet)
        through = beginning.sum(axis=1, keepdims=True)
        gradient[part] = (beginning - conditional * through).ravel()
        start, rows = part.stop, rows * alphabet
    return float(weighted.sum()), gradient


def _log_products(logits: Floats, answers: int, alphabet: int) -> Floats:
    """Log-probability of each answer from all next tokens' logits, float64 [K^W]."""
    total, start, rows = np.zeros(1), 0, 1
    while rows < answers:
        own = logits[start : start + rows * alphabet].reshape(rows, alphabet)
        total = (total[:, None] + own - logsumexp(own, axis=1, keepdims=True)).ravel()
        start, rows = start + rows * alphabet, rows * alphabet
    return total


def _sums(log_conditionals: list[Floats]) -> Floats:
    """Log-probability of each answer, float64 [K^W]."""
    total = np.zeros(1)
    for rows in log_conditionals:
        total = (total[:, None] + rows).ravel()
    return total


def _powered(rows: Floats, power: float) -> Floats:
    with np.errstate(divide="ignore"):
        logs = power * np.log(rows)
    return np.asarray(np.exp(logs - logsumexp(logs, axis=1, keepdims=True)))


def _width(answers: int, alphabet: int) -> int:
    width = round(math.log(answers, alphabet)) if alphabet > 1 else 0
    if alphabet < 2 or alphabet**width != answers:
        raise ValueError(
            f"probabilities: expected a power of {alphabet} of them, K^W with K ≥ 2, got {answers}"
        )
    return width
