"""A layout for hosts without a model: with separators that no answer can hold, to be parsed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocols.interfaces.interface import Pair, Prompt
from protocols.scale import LEVELS

ITEM_END = "\x1e"
ANSWER_START = "\x1f"


class ScriptedInterface:
    """Items of query, separator, answer, separator; a level is one digit."""

    name = "scripted"
    stops: tuple[str, ...] = (ITEM_END,)
    endings: tuple[str, ...] = ()
    extra_answer_tokens = 1
    level_options: tuple[str, ...] = tuple(str(i) for i in range(len(LEVELS)))

    def answer_prompt(self, examples: Sequence[Pair], query: str) -> Prompt:
        """Examples, then the query and where its answer starts."""
        return Prompt(self._shown(examples), _clean(query) + ANSWER_START)

    def grade_prompt(self, examples: Sequence[Pair], query: str, answer: str) -> Prompt:
        """Examples, then the whole item."""
        item = f"{_clean(query)}{ANSWER_START}{_clean(answer)}{ITEM_END}"
        return Prompt(self._shown(examples), item)

    def read_answer(self, text: str) -> str:
        """The text as it is."""
        return text

    def _shown(self, examples: Sequence[Pair]) -> str:
        return "".join(f"{_clean(q)}{ANSWER_START}{_clean(a)}{ITEM_END}" for q, a in examples)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a prompt shows: complete pairs in order, and the query that waits for an answer."""

    pairs: tuple[Pair, ...]
    asked: str


def parse(text: str) -> Parsed:
    """Read a prompt of this layout back."""
    *items, rest = text.split(ITEM_END)
    pairs = []
    for item in items:
        query, _, answer = item.partition(ANSWER_START)
        pairs.append((query, answer))
    return Parsed(tuple(pairs), rest.removesuffix(ANSWER_START))


def _clean(text: str) -> str:
    return text.replace(ITEM_END, "").replace(ANSWER_START, "")
