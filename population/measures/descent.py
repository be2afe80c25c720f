"""What a generation's agents leave behind: survivors, and by them a change of a trait's mean."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

from mgptn.population.measures.price import PriceTerms, price
from mgptn.population.records.agents import AgentId
from mgptn.population.records.generation import Generation

UNDEFINED = PriceTerms(math.nan, math.nan)


def offspring_numbers(generation: Generation) -> dict[AgentId, int]:
    """Survivors that descend from each agent of the generation, itself included."""
    ancestors = survivors_ancestors(generation)
    counts = Counter(ancestors.values())
    return {agent.id: counts[agent.id] for agent in generation.agents}


def survivors_ancestors(generation: Generation) -> dict[AgentId, AgentId]:
    """For each survivor, the agent of the generation that it is or descends from."""
    parents = {birth.child: birth.parent for birth in generation.births}
    ancestors = {}
    for agent in generation.survivors:
        ancestor = agent.id
        while ancestor in parents:
            ancestor = parents[ancestor]
        ancestors[agent.id] = ancestor
    return ancestors


def price_terms(
    generation: Generation,
    previous: Generation | None,
    trait_of: Callable[[Generation], dict[AgentId, float]],
    name: str,
) -> PriceTerms:
    """Selection and transmission in the change of a trait's mean since the generation before."""
    if previous is None:
        return UNDEFINED
    before, now = trait_of(previous), trait_of(generation)
    if any(math.isnan(value) for value in (*before.values(), *now.values())):
        return UNDEFINED
    children: dict[AgentId, list[float]] = {agent: [] for agent in before}
    for child, ancestor in survivors_ancestors(previous).items():
        children[ancestor].append(now[child])
    terms = price(
        [len(values) for values in children.values()],
        list(before.values()),
        [sum(v) / len(v) if v else before[a] for a, v in children.items()],
    )
    change = sum(now.values()) / len(now) - sum(before.values()) / len(before)
    if abs(terms.total - change) > 1e-9:
        raise ArithmeticError(
            f"generation {generation.index}: expected Price's parts to sum to the change of mean "
            f"{name} {change}, got {terms}"
        )
    return terms
