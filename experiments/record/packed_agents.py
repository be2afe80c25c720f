"""Agents and births as plain data: columns, and every genome and example written once."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from mgptn.experiments.record.packed_arrays import Plain, pack, unpack
from mgptn.experiments.record.packed_weights import FOUNDERS_OWN, pack_weights, unpack_weights
from mgptn.population.records.agents import Agent, AgentId, Birth, Example, Genome
from mgptn.population.records.arrays import interned

Population = Sequence[Agent]
_NOBODY = -1


def pack_populations(populations: Sequence[Population]) -> Plain:
    """Populations that share genomes, and whose genomes share examples."""
    agents = [agent for population in populations for agent in population]
    genomes = {id(agent.genome): agent.genome for agent in agents}
    models, model = interned(genome.model for genome in genomes.values())
    personas, persona = interned(genome.persona for genome in genomes.values())
    roles, role = interned(genome.role for genome in genomes.values())
    shown = list(chain.from_iterable(genome.context for genome in genomes.values()))
    examples = dict(zip(map(id, shown), shown, strict=True))
    rows, places = pack_weights(genome.weights for genome in genomes.values())
    return {
        "sizes": [len(population) for population in populations],
        "id": pack(_whole(agent.id for agent in agents)),
        "parent": pack(_whole(_or_nobody(agent.parent) for agent in agents)),
        "founder": pack(_whole(agent.founder for agent in agents)),
        "born": pack(_whole(agent.born for agent in agents)),
        "genome": pack(_places([agent.genome for agent in agents], genomes)),
        "models": list(models),
        "model": pack(model),
        "personas": list(personas),
        "persona": pack(persona),
        "roles": list(roles),
        "role": pack(role),
        "sampling_temperature": pack(
            np.array([g.sampling_temperature for g in genomes.values()], dtype=np.float64)
        ),
        **({"weights": rows, "weighing": pack(_whole(places))} if rows else {}),
        "context": pack(_whole(len(genome.context) for genome in genomes.values())),
        "examples": pack(_places(shown, examples)),
        "queries": [example.query for example in examples.values()],
        "answers": [example.answer for example in examples.values()],
        "levels": pack(_whole(_or_nobody(example.level) for example in examples.values())),
    }


def unpack_populations(plain: Plain) -> list[tuple[Agent, ...]]:
    """The inverse of `pack_populations`."""
    levels = [None if level == _NOBODY else level for level in unpack(plain["levels"]).tolist()]
    known = list(map(Example, plain["queries"], plain["answers"], levels))
    shown = [known[i] for i in unpack(plain["examples"]).tolist()]
    ends = np.cumsum(unpack(plain["context"]), dtype=np.int64).tolist()
    models = unpack(plain["model"]).tolist()
    # A run whose weights never change writes none, as journals from before they could.
    rows = plain.get("weights", [])
    places = unpack(plain["weighing"]).tolist() if rows else [FOUNDERS_OWN] * len(models)
    genomes = [
        Genome(
            plain["models"][model],
            temperature,
            tuple(shown[first:last]),
            plain["personas"][persona],
            plain["roles"][role],
            weights,
        )
        for model, weights, persona, role, temperature, (first, last) in zip(
            models,
            unpack_weights(rows, places),
            unpack(plain["persona"]).tolist(),
            unpack(plain["role"]).tolist(),
            unpack(plain["sampling_temperature"]).tolist(),
            pairwise([0, *ends]),
            strict=True,
        )
    ]
    columns = (
        unpack(plain[name]).tolist() for name in ("id", "genome", "parent", "founder", "born")
    )
    agents = [
        Agent(AgentId(i), genomes[genome], _somebody(parent), AgentId(founder), born)
        for i, genome, parent, founder, born in zip(*columns, strict=True)
    ]
    bounds = pairwise(np.cumsum([0, *plain["sizes"]]).tolist())
    return [tuple(agents[first:last]) for first, last in bounds]


def pack_births(births: Sequence[Birth]) -> Plain:
    """Births in order; each combination of mutations written once."""
    kinds, mutations = interned(birth.mutations for birth in births)
    return {
        "child": pack(_whole(birth.child for birth in births)),
        "parent": pack(_whole(birth.parent for birth in births)),
        "other_parent": pack(_whole(_or_nobody(birth.other_parent) for birth in births)),
        "kinds": [list(kind) for kind in kinds],
        "mutations": pack(mutations),
    }


def unpack_births(plain: Plain) -> tuple[Birth, ...]:
    """The inverse of `pack_births`."""
    kinds = [tuple(kind) for kind in plain["kinds"]]
    names = "child", "parent", "mutations", "other_parent"
    columns = (unpack(plain[name]).tolist() for name in names)
    return tuple(
        Birth(AgentId(child), AgentId(parent), kinds[kind], _somebody(other))
        for child, parent, kind, other in zip(*columns, strict=True)
    )


def _places(objects: Sequence[object], known: Mapping[int, object]) -> NDArray[np.int64]:
    """Where each object stands among those known by identity."""
    place = {identity: i for i, identity in enumerate(known)}
    return np.array([place[i] for i in map(id, objects)], dtype=np.int64)


def _whole(values: Iterable[int]) -> NDArray[np.int64]:
    return np.array(list(values), dtype=np.int64)


def _or_nobody(number: int | None) -> int:
    return _NOBODY if number is None else number


def _somebody(agent: int) -> AgentId | None:
    return None if agent == _NOBODY else AgentId(agent)
