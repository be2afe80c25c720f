"""Recombination: a child's examples, or its weights, from two parents.

All else of a genome is the first parent's.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mgptn.population.records.agents import Genome
from mgptn.population.records.weights import merged


def one_point(first: Genome, second: Genome, capacity: int, rng: np.random.Generator) -> Genome:
    """The older examples of the first parent, and from one cut on those of the second.

    The cut falls evenly on 0 … L, L the length of the longer context; at the ends the child has
    the context of one parent only. A parent may recombine with itself.

    Parameters
    ----------
    capacity
        Examples that the child's context holds, ≥ 0; the oldest are left out over it.

    Raises
    ------
    ValueError
        If the capacity is negative.

    Source
    ------
    Holland 1975, "Adaptation in natural and artificial systems".
    """
    if capacity < 0:
        raise ValueError(f"capacity: expected a number ≥ 0, got {capacity}")
    cut = int(rng.integers(max(len(first.context), len(second.context)) + 1))
    mixed = first.context[:cut] + second.context[cut:]
    return replace(first, context=mixed[max(0, len(mixed) - capacity) :])


def merged_weights(first: Genome, second: Genome, share: float) -> Genome:
    """The first parent with a share of the second one's weights mixed into its own.

    Nothing changes where both have the same weights, or the share is zero.

    Parameters
    ----------
    share
        Of the second parent, in [0, 1]: 1/2 is the average.

    Source
    ------
    Wortsman et al. 2022, "Model soups".
    """
    if not share or (first.model, first.weights) == (second.model, second.weights):
        return first
    weights = merged(first.weights, first.model, second.weights, second.model, share)
    return replace(first, weights=weights)
