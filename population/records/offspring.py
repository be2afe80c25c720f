"""Births of a generation as columns.

Dimension: B births.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

from mgptn.population.records.agents import AgentId, Birth
from mgptn.population.records.arrays import Integers, interned
from mgptn.population.records.population import NOBODY, Numbers


class Offspring(Sequence[Birth]):
    """Births in order. They are objects only for who asks for them one by one.

    Attributes
    ----------
    children, parents, other_parents
        int64 [B], as of `Birth`; `NOBODY` where there is no other parent.
    kinds
        Names of mutations, by what a child may be born with.
    mutations
        int64 [B], which of `kinds` it was.
    """

    __slots__ = ("_births", "children", "kinds", "mutations", "other_parents", "parents")
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        children: Integers,
        parents: Integers,
        other_parents: Integers,
        kinds: Sequence[tuple[str, ...]],
        mutations: Integers,
    ) -> None:
        self.children: Numbers = children.astype(np.int64, copy=False)
        self.parents: Numbers = parents.astype(np.int64, copy=False)
        self.other_parents: Numbers = other_parents.astype(np.int64, copy=False)
        self.kinds = tuple(kinds)
        self.mutations: Numbers = mutations.astype(np.int64, copy=False)
        self._births: tuple[Birth, ...] | None = None

    @classmethod
    def of(cls, births: Sequence[Birth]) -> Offspring:
        """Births as columns."""
        if isinstance(births, Offspring):
            return births
        kinds, mutations = interned(birth.mutations for birth in births)
        others = [NOBODY if b.other_parent is None else b.other_parent for b in births]
        return cls(
            np.array([birth.child for birth in births], dtype=np.int64),
            np.array([birth.parent for birth in births], dtype=np.int64),
            np.array(others, dtype=np.int64),
            kinds,
            mutations,
        )

    def __len__(self) -> int:
        return len(self.children)

    def __iter__(self) -> Iterator[Birth]:
        return iter(self._objects())

    @overload
    def __getitem__(self, index: int) -> Birth: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Birth, ...]: ...
    def __getitem__(self, index: int | slice) -> Birth | tuple[Birth, ...]:
        return self._objects()[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Offspring):
            return NotImplemented
        return (
            np.array_equal(self.children, other.children)
            and np.array_equal(self.parents, other.parents)
            and np.array_equal(self.other_parents, other.other_parents)
            and self._mutated() == other._mutated()
        )

    def __repr__(self) -> str:
        return repr(self._objects())

    def _mutated(self) -> list[tuple[str, ...]]:
        return [self.kinds[kind] for kind in self.mutations.tolist()]

    def _objects(self) -> tuple[Birth, ...]:
        if self._births is None:
            self._births = tuple(
                Birth(
                    AgentId(child), AgentId(parent), mutations,
                    None if other == NOBODY else AgentId(other),
                )
                for child, parent, mutations, other in zip(
                    self.children.tolist(), self.parents.tolist(), self._mutated(),
                    self.other_parents.tolist(), strict=True,
                )
            )  # fmt: skip
        return self._births
