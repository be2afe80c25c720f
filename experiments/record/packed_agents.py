"""Agents and births as plain data: columns, and every genome and example written once."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgptn.experiments.record.fields import LARGEST, Fields
from mgptn.experiments.record.packed_arrays import Plain, pack
from mgptn.experiments.record.packed_weights import FOUNDERS_OWN, pack_weights, unpack_weights
from mgptn.population.records.agents import Agent, AgentId, Birth, Example, Genome
from mgptn.population.records.arrays import interned
from mgptn.population.records.weights import Weights

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


def unpack_populations(plain: Fields, count: int) -> list[tuple[Agent, ...]]:
    """The inverse of `pack_populations`, of so many populations.

    Raises
    ------
    RecordError
        Naming the field that is not as it is written.
    """
    sizes = [_length(plain, i, size) for i, size in enumerate(plain.several("sizes"))]
    if len(sizes) != count:
        raise plain.wrong("sizes", f"those of {count} populations", f"{len(sizes)} sizes")
    genomes = _genomes(plain)
    several = (sum(sizes),)
    columns = (
        plain.integers("id", several),
        plain.places("genome", several, len(genomes)),
        plain.integers("parent", several, low=_NOBODY),
        plain.integers("founder", several),
        plain.integers("born", several, low=-1),
    )
    agents = [
        Agent(AgentId(i), genomes[genome], _somebody(parent), AgentId(founder), born)
        for i, genome, parent, founder, born in zip(*(c.tolist() for c in columns), strict=True)
    ]
    bounds = pairwise(accumulate(sizes, initial=0))
    return [tuple(agents[first:last]) for first, last in bounds]


def _genomes(plain: Fields) -> list[Genome]:
    models, personas, roles = plain.texts("models"), _personas(plain), plain.texts("roles")
    shown = _shown_examples(plain)
    model = plain.places("model", (None,), len(models))
    each = (len(model),)
    lengths = plain.integers("context", each, high=len(shown))
    ends = lengths.astype(np.int64).cumsum().tolist()
    if (ends[-1] if ends else 0) != len(shown):
        raise plain.wrong("context", f"lengths of {len(shown)} examples in all", "others")
    # A run whose weights never change writes none, as journals from before they could.
    weighed: list[Weights | None] = [None] * len(model)
    if "weights" in plain:
        rows = plain.several("weights")
        places = plain.places("weighing", each, len(rows), low=FOUNDERS_OWN)
        weighed = unpack_weights(plain, places.tolist())
    return [
        Genome(
            models[model],
            temperature,
            tuple(shown[first:last]),
            personas[persona],
            roles[role],
            weights,
        )
        for model, weights, persona, role, temperature, (first, last) in zip(
            model.tolist(),
            weighed,
            plain.places("persona", each, len(personas)).tolist(),
            plain.places("role", each, len(roles)).tolist(),
            plain.floats("sampling_temperature", each).tolist(),
            pairwise([0, *ends]),
            strict=True,
        )
    ]


def _shown_examples(plain: Fields) -> list[Example]:
    """The examples of all contexts one after the other, each made once."""
    queries, answers = plain.texts("queries"), plain.texts("answers")
    if len(answers) != len(queries):
        raise plain.wrong("answers", f"{len(queries)}, one a query", f"{len(answers)}")
    levels = plain.integers("levels", (len(queries),), low=_NOBODY).tolist()
    known = [
        Example(query, answer, None if level == _NOBODY else level)
        for query, answer, level in zip(queries, answers, levels, strict=True)
    ]
    return [known[i] for i in plain.places("examples", (None,), len(known)).tolist()]


def _personas(plain: Fields) -> tuple[str | None, ...]:
    found = plain.several("personas")
    for i, persona in enumerate(found):
        if persona is not None and not isinstance(persona, str):
            raise plain.wrong(f"personas[{i}]", "text or nothing", persona)
    return tuple(found)


def _length(plain: Fields, place: int, size: Any) -> int:
    if type(size) is not int or not 0 <= size <= LARGEST:
        raise plain.wrong(f"sizes[{place}]", "a whole number ≥ 0", size)
    return size


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


def unpack_births(plain: Fields) -> tuple[Birth, ...]:
    """The inverse of `pack_births`; errors as of `unpack_populations`."""
    kinds = []
    for i, kind in enumerate(plain.several("kinds")):
        names = Fields({"kind": kind}, plain.place(f"kinds[{i}]")).texts("kind")
        kinds.append(names)
    children = plain.integers("child", (None,))
    each = (len(children),)
    columns = (
        children,
        plain.integers("parent", each),
        plain.places("mutations", each, len(kinds)),
        plain.integers("other_parent", each, low=_NOBODY),
    )
    return tuple(
        Birth(AgentId(child), AgentId(parent), kinds[kind], _somebody(other))
        for child, parent, kind, other in zip(*(c.tolist() for c in columns), strict=True)
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
