"""A generation of mutation and selection, and the same dynamics as a sum over paths."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np


def quasispecies_step(mutation, fitness, counts):
    """One generation, not normalised: n' = Q·diag(f)·n, with Q[to, from] (Eigen 1971)."""
    return np.asarray(mutation) @ np.multiply(fitness, counts)


def path_sum(transitions, rewards, path_temperature, steps, start):
    """Over all paths of steps from a start: Z = Σ Π T[i, j]·exp(r[i, j]/λ)."""
    weights = np.asarray(transitions) * np.exp(np.asarray(rewards) / path_temperature)
    return np.linalg.matrix_power(weights, steps)[start].sum()


def best_path(rewards, steps, start):
    """Greatest reward of a path of steps from a start (Bellman 1957)."""
    best = np.full(len(rewards), -np.inf)
    best[start] = 0.0
    for _ in range(steps):
        best = np.max(best[:, None] + rewards, axis=0)
    return best.max()


def max_cycle_mean(rewards):
    """Greatest mean reward per step of a cycle (Karp 1978)."""
    states = len(rewards)
    walks = np.zeros((states + 1, states))
    for length in range(states):
        walks[length + 1] = np.max(walks[length][:, None] + rewards, axis=0)
    return ((walks[-1] - walks[:-1]) / np.arange(states, 0, -1)[:, None]).min(axis=0).max()
