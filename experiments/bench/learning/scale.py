"""How much is measured: agents, their shape, what they learn and what they are asked."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

from mgptn.agents.founding.recipe import FounderRecipe


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured.

    Attributes
    ----------
    agents
        Of one founder, each with weights of its own.
    recipe
        Of the founder.
    documents
        Of a step: what the ways of learning are compared at.
    steps
        Of each agent in that comparison.
    answers
        Of an agent, and of a host's slots.
    lesson
        Steps of a whole lesson, documents of each, and examples that it is made of.
    """

    agents: int
    recipe: FounderRecipe
    documents: tuple[int, ...]
    steps: int
    answers: int
    lesson: tuple[int, int, int]


# One step of training gives a founder of the usual shape with hardly more than random weights.
FULL = Scale(12, FounderRecipe(steps=1), (8, 32, 64), 8, 128, (60, 64, 300))
QUICK = Scale(
    2, FounderRecipe(layers=1, width=16, heads=2, steps=1), (2, 4), 2, 4, (2, 4, 4)
)  # fmt: skip
