"""What a generation's agents leave behind: survivors, and by them a change of a trait's mean.

Dimensions: M agents of a generation, B births.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from mgptn.population.measures.price import PriceTerms, price
from mgptn.population.records.arrays import Floats, Integers
from mgptn.population.records.generation import Generation

UNDEFINED = PriceTerms(math.nan, math.nan)


def offspring_numbers(generation: Generation) -> Integers:
    """Survivors that descend from each agent of the generation, itself included, int64 [M]."""
    return np.bincount(ancestor_slots(generation), minlength=len(generation.agents))


def ancestor_slots(generation: Generation) -> Integers:
    """For each survivor, the slot of the agent of the generation that it is or descends from.

    Raises
    ------
    LookupError
        If the generation's births do not lead there.
    """
    slots, ids = _lines(generation)
    ancestors: Integers = slots[_places(generation.survivors.ids, ids)]
    if ancestors.size and int(ancestors.max()) >= len(generation.agents):
        raise LookupError(f"generation {generation.index}: expected births of its agents' lines")
    return ancestors


def children_slots(generation: Generation) -> Integers:
    """For each birth, the slot of the agent of the generation that the child descends from.

    Raises
    ------
    LookupError
        If the generation's births do not lead there.
    """
    size = len(generation.agents)
    ancestors = _lines(generation)[0][size:]
    if ancestors.size and int(ancestors.max()) >= size:
        raise LookupError(f"generation {generation.index}: expected births of its agents' lines")
    return ancestors


def _lines(generation: Generation) -> tuple[Integers, Integers]:
    """Agents in slot order and then children: whose slot each stems from, int64 [M + B], and ids.

    It is no slot, but ≥ M, of a child whose line ends in no agent.
    """
    births, size = generation.births, len(generation.agents)
    born = len(births)
    ids = np.append(generation.agents.ids, births.children)
    parents = np.arange(size + born)
    if born:
        parents[size:] = _places(births.parents, ids)
    # Who was born of a child of the same generation is led on to that one's parent, and so on:
    # twice as far each time.
    for _ in range(max(born, 1).bit_length() + 1):
        further = parents[parents]
        if np.array_equal(further, parents):
            break
        parents = further
    return parents, ids


def price_terms(
    generation: Generation,
    previous: Generation | None,
    trait_of: Callable[[Generation], Floats],
    name: str,
) -> PriceTerms:
    """Selection and transmission in the change of a trait's mean since the generation before.

    Parameters
    ----------
    trait_of
        From a generation to its agents' trait, float64 [M] in slot order.
    """
    if previous is None:
        return UNDEFINED
    before, now = trait_of(previous), trait_of(generation)
    if np.isnan(before).any() or np.isnan(now).any():
        return UNDEFINED
    ancestors = ancestor_slots(previous)
    inherited = now[_places(previous.survivors.ids, generation.agents.ids)]
    numbers = np.bincount(ancestors, minlength=len(before))
    sums = np.bincount(ancestors, weights=inherited, minlength=len(before))
    terms = price(numbers, before, np.where(numbers, sums / np.maximum(numbers, 1), before))
    change = float(now.mean() - before.mean())
    if abs(terms.total - change) > 1e-9:
        raise ArithmeticError(
            f"generation {generation.index}: expected Price's parts to sum to the change of mean "
            f"{name} {change}, got {terms}"
        )
    return terms


def _places(sought: Integers, ids: Integers) -> Integers:
    """Where ids stand among others, each of which is there once.

    Raises
    ------
    LookupError
        If one is not among them.
    """
    if np.array_equal(sought, ids):
        return np.arange(len(ids))
    order = np.argsort(ids, kind="stable")
    places = order[np.minimum(np.searchsorted(ids, sought, sorter=order), len(ids) - 1)]
    strange = ids[places] != sought
    if strange.any():
        raise LookupError(f"agents: expected known ones, got {int(sought[strange][0])}")
    return places
