"""Agents and births as plain data: columns, and every genome and example written once."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgptn.experiments.record.fields import LARGEST, Fields
from mgptn.experiments.record.packed_arrays import Plain, pack
from mgptn.experiments.record.packed_weights import FOUNDERS_OWN, pack_weights, unpack_weights
from mgptn.population.records.agents import Example
from mgptn.population.records.arrays import interned
from mgptn.population.records.genomes import Genomes
from mgptn.population.records.offspring import Offspring
from mgptn.population.records.population import NOBODY, Population
from mgptn.population.records.weights import Weights


def pack_populations(populations: Sequence[Population]) -> Plain:
    """Populations that share genomes, and whose genomes share examples."""
    each = list(chain.from_iterable(population.each_genome() for population in populations))
    known = dict(zip(map(id, each), each, strict=True))
    place = dict(zip(known, range(len(known)), strict=True))
    genomes = Genomes.of(tuple(known.values()))
    rows, places = pack_weights(genomes.weights)
    levels = [_or_nobody(example.level) for example in genomes.examples]

    def joined(name: str) -> Plain:
        return pack(np.concatenate([getattr(one, name) for one in populations]))

    return {
        "sizes": [len(population) for population in populations],
        "id": joined("ids"),
        "parent": joined("parents"),
        "founder": joined("founders"),
        "born": joined("born"),
        "genome": pack(_whole(map(place.__getitem__, map(id, each)))),
        "models": list(genomes.models),
        "model": pack(genomes.model),
        "personas": list(genomes.personas),
        "persona": pack(genomes.persona),
        "roles": list(genomes.roles),
        "role": pack(genomes.role),
        "sampling_temperature": pack(genomes.sampling_temperature),
        **({"weights": rows, "weighing": pack(_whole(places))} if rows else {}),
        "context": pack(genomes.lengths),
        "examples": pack(genomes.shown),
        "queries": [example.query for example in genomes.examples],
        "answers": [example.answer for example in genomes.examples],
        "levels": pack(_whole(levels)),
    }


def unpack_populations(plain: Fields, count: int) -> list[Population]:
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
    ids = plain.integers("id", several)
    places = plain.places("genome", several, len(genomes))
    parents = plain.integers("parent", several, low=NOBODY)
    founders = plain.integers("founder", several)
    born = plain.integers("born", several, low=-1)
    parts = (slice(*ends) for ends in pairwise(accumulate(sizes, initial=0)))
    return [
        Population(ids[one], parents[one], founders[one], born[one], genomes, places[one])
        for one in parts
    ]


def _genomes(plain: Fields) -> Genomes:
    models, personas, roles = plain.texts("models"), _personas(plain), plain.texts("roles")
    examples = _examples(plain)
    shown = plain.places("examples", (None,), len(examples))
    model = plain.places("model", (None,), len(models))
    each = (len(model),)
    lengths = plain.integers("context", each, high=len(shown))
    if int(lengths.sum(dtype=np.int64)) != len(shown):
        raise plain.wrong("context", f"lengths of {len(shown)} examples in all", "others")
    # A run whose weights never change writes none, as journals from before they could.
    weights: tuple[Weights | None, ...] = ()
    if "weights" in plain:
        rows = plain.several("weights")
        places = plain.places("weighing", each, len(rows), low=FOUNDERS_OWN)
        weights = tuple(unpack_weights(plain, places.tolist()))
    return Genomes(
        models,
        model,
        personas,
        plain.places("persona", each, len(personas)),
        roles,
        plain.places("role", each, len(roles)),
        plain.floats("sampling_temperature", each),
        weights,
        lengths,
        examples,
        shown,
    )


def _examples(plain: Fields) -> tuple[Example, ...]:
    """The examples of all contexts, each made once."""
    queries, answers = plain.texts("queries"), plain.texts("answers")
    if len(answers) != len(queries):
        raise plain.wrong("answers", f"{len(queries)}, one a query", f"{len(answers)}")
    levels = plain.integers("levels", (len(queries),), low=NOBODY).tolist()
    return tuple(
        Example(query, answer, None if level == NOBODY else level)
        for query, answer, level in zip(queries, answers, levels, strict=True)
    )


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


def pack_births(births: Offspring) -> Plain:
    """Births in order; each combination of mutations written once."""
    kinds, places = interned(births.mutations.tolist())
    return {
        "child": pack(births.children),
        "parent": pack(births.parents),
        "other_parent": pack(births.other_parents),
        "kinds": [list(births.kinds[kind]) for kind in kinds],
        "mutations": pack(places),
    }


def unpack_births(plain: Fields) -> Offspring:
    """The inverse of `pack_births`; errors as of `unpack_populations`."""
    kinds = []
    for i, kind in enumerate(plain.several("kinds")):
        names = Fields({"kind": kind}, plain.place(f"kinds[{i}]")).texts("kind")
        kinds.append(names)
    children = plain.integers("child", (None,))
    each = (len(children),)
    parents = plain.integers("parent", each)
    mutations = plain.places("mutations", each, len(kinds))
    others = plain.integers("other_parent", each, low=NOBODY)
    return Offspring(children, parents, others, kinds, mutations)


def _whole(values: Iterable[int]) -> NDArray[np.int64]:
    return np.array(list(values), dtype=np.int64)


def _or_nobody(number: int | None) -> int:
    return NOBODY if number is None else number
