"""Genomes as columns: every name and every example once, and an object only where one is asked for.

Dimensions: G genomes, N examples of all their contexts together.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from operator import attrgetter
from typing import overload

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.agents import DIGEST_BYTES, Example, Genome, genome_digest
from mgptn.population.records.arrays import Floats, Integers, Truths, interned
from mgptn.population.records.weights import Weights

_INHERITED = attrgetter("model", "persona", "role", "sampling_temperature", "context", "weights")


@dataclass(frozen=True, slots=True, eq=False)
class Genomes(Sequence[Genome]):
    """Genomes of a population, of which many agents may have the same.

    Attributes
    ----------
    models, personas, roles
        Names; those of genome g are `models[model[g]]` and so on.
    model, persona, role
        Integers [G], indices in them.
    sampling_temperature
        float64 [G].
    weights
        Of each genome, None for the founder's own; empty where all are.
    lengths
        Integers [G], examples in each context.
    examples
        Whatever examples there are.
    shown
        Integers [N], indices in them: all contexts one after the other, each oldest first.
    """

    models: tuple[str, ...]
    model: Integers
    personas: tuple[str | None, ...]
    persona: Integers
    roles: tuple[str, ...]
    role: Integers
    sampling_temperature: Floats
    weights: tuple[Weights | None, ...]
    lengths: Integers
    examples: tuple[Example, ...]
    shown: Integers
    _made: dict[int, Genome] = field(default_factory=dict, init=False, repr=False)
    _ends: list[int] = field(default_factory=list, init=False, repr=False)
    _digests: list[bytes] = field(default_factory=list, init=False, repr=False)

    @classmethod
    def of(cls, genomes: Sequence[Genome]) -> Genomes:
        """Columns of genomes; examples that are one object stand there once."""
        if isinstance(genomes, Genomes):
            return genomes
        inherited = list(map(_INHERITED, genomes))
        of_model, of_persona, of_role, temperatures, contexts, weights = (
            zip(*inherited, strict=True) if inherited else ((),) * 6
        )
        models, model = interned(of_model)
        personas, persona = interned(of_persona)
        roles, role = interned(of_role)
        shown = list(chain.from_iterable(contexts))
        identities = list(map(id, shown))
        known = dict(zip(identities, shown, strict=True))
        place = dict(zip(known, range(len(known)), strict=True))
        found = cls(
            models,
            model,
            personas,
            persona,
            roles,
            role,
            np.array(temperatures, dtype=np.float64),
            weights if any(one is not None for one in weights) else (),
            np.array(list(map(len, contexts)), dtype=np.int64),
            tuple(known.values()),
            np.array(list(map(place.__getitem__, identities)), dtype=np.int64),
        )
        found._made.update(enumerate(genomes))
        return found

    def __len__(self) -> int:
        return len(self.model)

    @overload
    def __getitem__(self, index: int) -> Genome: ...
    @overload
    def __getitem__(self, index: slice) -> list[Genome]: ...
    def __getitem__(self, index: int | slice) -> Genome | list[Genome]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        made = self._made.get(index)
        if made is None:
            place = range(len(self))[index]  # refuses what is outside, and counts from the end
            made = self._made[place] = self._genome(place)
        return made

    def digests(self) -> list[bytes]:
        """As of `Genome.digest`, 16 bytes each."""
        if not self._digests:
            self._digests[:] = list(self._hashed())  # whole: several threads may ask at once
        return self._digests

    def _hashed(self) -> Iterator[bytes]:
        framed = [example.framed() for example in self.examples]
        shown = list(map(framed.__getitem__, self.shown.tolist()))
        return (
            genome_digest(
                self.models[model],
                b"".join(shown[first:last]),
                temperature,
                self.personas[persona],
                self.roles[role],
                weights,
            )
            for model, temperature, persona, role, weights, (first, last) in zip(
                self.model.tolist(),
                self.sampling_temperature.tolist(),
                self.persona.tolist(),
                self.role.tolist(),
                self.weights or (None,) * len(self),
                pairwise(self._bounds()),
                strict=True,
            )
        )

    def equal(self, mine: Integers, other: Genomes, theirs: Integers) -> bool:
        """Are the genomes at some places [P] those of another table at its places [P]?"""
        pairs = np.unique(np.asarray(mine, np.int64) * max(len(other), 1) + theirs)
        mine, theirs = np.divmod(pairs, max(len(other), 1))
        lengths = self.lengths[mine]
        if not np.array_equal(lengths, other.lengths[theirs]):
            return False
        if not np.array_equal(self.sampling_temperature[mine], other.sampling_temperature[theirs]):
            return False
        return bool(
            _same(self.models, self.model[mine], other.models, other.model[theirs]).all()
            and _same(
                self.personas, self.persona[mine], other.personas, other.persona[theirs]
            ).all()
            and _same(self.roles, self.role[mine], other.roles, other.role[theirs]).all()
            and self._weighed(mine) == other._weighed(theirs)
            and _same(
                self.examples, self._shown_by(mine), other.examples, other._shown_by(theirs)
            ).all()
        )

    def _genome(self, place: int) -> Genome:
        first, last = self._bounds()[place : place + 2]
        return Genome(
            self.models[self.model[place]],
            float(self.sampling_temperature[place]),
            tuple(self.examples[i] for i in self.shown[first:last].tolist()),
            self.personas[self.persona[place]],
            self.roles[self.role[place]],
            self.weights[place] if self.weights else None,
        )

    def _bounds(self) -> list[int]:
        """Where each context begins in `shown`, and where the last one ends."""
        if not self._ends:
            self._ends[:] = [0, *self.lengths.cumsum(dtype=np.int64).tolist()]
        return self._ends

    def _weighed(self, places: Integers) -> list[str | None]:
        """What tells the weights of some genomes from others'."""
        if not self.weights:
            return [None] * len(places)
        chosen = (self.weights[place] for place in places.tolist())
        return [None if one is None else one.digest() for one in chosen]

    def _shown_by(self, places: Integers) -> Integers:
        """Examples of the contexts of some genomes, one after the other, as indices."""
        lengths = self.lengths[places].astype(np.int64)
        first = np.array(self._bounds()[:-1], dtype=np.int64)[places]
        before = np.cumsum(lengths) - lengths
        return self.shown[np.repeat(first - before, lengths) + np.arange(int(lengths.sum()))]


def _same(
    values: Sequence[Hashable], mine: Integers, others: Sequence[Hashable], theirs: Integers
) -> Truths:
    """Where two columns of indices say the same, each of values of its own; bool [P]."""
    known: dict[Hashable, int] = {}

    def numbers(of: Iterable[Hashable]) -> Integers:
        return np.array([known.setdefault(value, len(known)) for value in of], dtype=np.int64)

    same: Truths = numbers(values)[mine] == numbers(others)[theirs]
    return same


def as_rows(digests: bytes) -> NDArray[np.uint8]:
    """Digests one after the other as rows, uint8 [G, 16]."""
    return np.frombuffer(digests, dtype=np.uint8).reshape(-1, DIGEST_BYTES)
