"""Who descends from whom, thinned to what a screen can show."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import Counter
from typing import Any

from mgptn.population.measures.lineage import Life, Lineage
from mgptn.population.records.agents import AgentId
from mgptn.population.records.population import Population

MOST_LIVES = 1_200
"""Agents in a tree."""

MOST_FOUNDERS = 24
"""Founders that are told apart in a generation; the rest are counted together."""


def founders_of(population: Population) -> list[tuple[int, int]]:
    """Founder and number of living descendants, the most numerous first; the rest as founder −1."""
    counted = Counter(population.founders.tolist()).most_common()
    shown, rest = counted[:MOST_FOUNDERS], counted[MOST_FOUNDERS:]
    return [*shown, *([(-1, sum(count for _, count in rest))] if rest else [])]


def tree(lineage: Lineage, most: int = MOST_LIVES) -> dict[str, Any]:
    """A run's tree of descent: every agent where that is few, else the ancestry of some alive.

    Returns
    -------
    dict
        ``"lives"``: id, parent (−1 for a founder), born, died (−1 while alive) and founder of
        each, parents first; ``"whole"``: whether these are all that ever lived;
        ``"sampled"``: how many of ``"living"`` the tree leads to; ``"generations"``.
    """
    whole = len(lineage.lives) <= most
    if whole:
        kept = list(lineage.lives)
        sampled = len(lineage.living)
    else:
        kept, sampled = _ancestry(lineage, most)
    founders: dict[AgentId, AgentId] = {}
    lives = []
    for agent in kept:
        life = lineage.lives[agent]
        founders[agent] = agent if life.parent is None else founders[life.parent]
        lives.append(_plain(life, founders[agent]))
    return {
        "lives": lives,
        "whole": whole,
        "sampled": sampled,
        "living": len(lineage.living),
        "generations": lineage.generations,
    }


def _plain(life: Life, founder: AgentId) -> list[int]:
    return [
        int(life.id),
        -1 if life.parent is None else int(life.parent),
        life.born,
        -1 if life.died is None else life.died,
        int(founder),
    ]


def _ancestry(lineage: Lineage, most: int) -> tuple[list[AgentId], int]:
    """Ancestors of some of the living, evenly spaced, as many as fit; and of how many."""
    living, count = lineage.living, min(len(lineage.living), most // 2)
    parents: dict[AgentId, AgentId | None] = {}  # the ancestries of fewer are within those of more
    while True:
        kept: set[AgentId] = set()
        for place in range(count):
            agent: AgentId | None = living[place * len(living) // count]
            while agent is not None and agent not in kept:
                kept.add(agent)
                if agent not in parents:
                    parents[agent] = lineage.lives[agent].parent
                agent = parents[agent]
            if len(kept) > most and count > 1:
                break
        else:
            return sorted(kept), count
        count = max(1, count // 2)
