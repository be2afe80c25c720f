"""Matches: who answers what, and who grades it, as columns.

Dimensions: M agents, Q problems of a generation, K graders of an answer, S others who take part,
A = M·Q answers (author-major: answer a is of author slot a // Q to problem a % Q).
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.agents import AgentId
from mgptn.population.records.arrays import Integers, Truths
from mgptn.population.records.columns import Columns


@dataclass(frozen=True, slots=True)
class Match:
    """One problem put to one author, who grades the answer, and who else takes part."""

    author: AgentId
    problem: int
    graders: tuple[AgentId, ...]
    partners: tuple[AgentId, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Matches(Columns, Sequence[Match]):
    """Who answers what, and who grades it.

    Attributes
    ----------
    authors
        int64 [M], ids of the agents in slot order; each answers every problem.
    problems
        Q.
    graders
        Integers [A, K], slots of each answer's graders.
    partners
        Integers [A, S], slots of who else takes part; [0, 0] where nobody does.
    """

    authors: NDArray[np.int64]
    problems: int
    graders: Integers
    partners: Integers = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))

    @property
    def asked(self) -> NDArray[np.int64]:
        """int64 [A], the problem of every answer."""
        return np.tile(np.arange(self.problems), len(self.authors))

    @property
    def slots(self) -> NDArray[np.int64]:
        """int64 [A], the slot of every answer's author."""
        return np.arange(len(self.authors)).repeat(self.problems)

    @property
    def own(self) -> Truths:
        """bool [A, K], seats in which the author itself grades."""
        own: Truths = self.graders == self.slots.astype(self.graders.dtype)[:, None]
        return own

    def described(self, answer: int) -> str:
        """A match in words, whether or not it can be one."""
        slot, problem = divmod(answer, max(self.problems, 1))
        author = self.authors[slot] if slot < len(self.authors) else "nobody"
        graders = self.graders[answer].tolist() if answer < len(self.graders) else []
        return f"author {author} and problem {problem}, graded by slots {graders}"

    def __len__(self) -> int:
        return len(self.graders)

    @overload
    def __getitem__(self, index: int) -> Match: ...
    @overload
    def __getitem__(self, index: slice) -> list[Match]: ...
    def __getitem__(self, index: int | slice) -> Match | list[Match]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return Match(
            author=AgentId(int(self.authors[place // self.problems])),
            problem=place % self.problems,
            graders=self._seated(self.graders[place]),
            partners=self._seated(self.partners[place]) if self.partners.size else (),
        )

    def _seated(self, slots: Integers) -> tuple[AgentId, ...]:
        return tuple(AgentId(agent) for agent in self.authors[slots].tolist())
