"""The layouts of founders: the ladder's items, with each question shown in fewer tokens."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from mgptn.protocols.interfaces.interface import Asked, Ballot, Pair, Prompt, Shown
from mgptn.protocols.interfaces.ladder import LadderInterface


class ShownInterface(LadderInterface, ABC):
    """The ladder's items, with queries as `shown` writes them.

    Attributes
    ----------
    special
        Tokens of several characters, in id order.
    vocabulary
        Every token of a founder, in id order.
    separators
        Tokens from which its places are counted.
    edition
        Of these tokens: founders that were trained with others have other names.

    Raises
    ------
    ValueError
        If the wording is none of those that the ladder has tokens for; by every prompt, if the
        query is of no form that can be shown.
    """

    special: ClassVar[tuple[str, ...]]
    vocabulary: ClassVar[tuple[str, ...]]
    separators: ClassVar[tuple[str, ...]]
    edition: ClassVar[int] = 1

    @staticmethod
    @abstractmethod
    def shown(query: str) -> str:
        """A query as it is shown; one that is shown so already stays.

        Raises
        ------
        ValueError
            If it is of no such form.
        """

    def answer_prompt(self, asked: Asked) -> Prompt:
        """As of the ladder."""
        return super().answer_prompt(self._all_shown(asked))

    def grade_prompt(self, asked: Asked) -> Prompt:
        """As of the ladder."""
        return super().grade_prompt(self._all_shown(asked))

    def ballot(self, asked: Asked) -> Ballot:
        """As of the ladder."""
        return super().ballot(self._all_shown(asked))

    def revision_prompt(self, asked: Asked) -> Prompt:
        """As of the ladder."""
        return super().revision_prompt(self._all_shown(asked))

    def _all_shown(self, asked: Asked) -> Asked:
        return replace(
            asked,
            query=self.shown(asked.query),
            examples=self._each_shown(asked.examples),
            shots=self._each_shown(asked.shots),
        )

    def _each_shown(self, examples: Sequence[Pair]) -> tuple[Shown, ...]:
        shown = (Shown(*example) for example in examples)
        return tuple(e._replace(query=self.shown(e.query)) for e in shown)
