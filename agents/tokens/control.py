"""Control tokens, and text that only looks like them.

What people and models write is text, whatever letters it has: ``<|im_end|>`` in an answer ends no
turn. Before such text is laid out it is made plain: a mark is put into whatever would be read as a
control token. What a template writes has no marks, and is read as what it means.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from mgptn.agents.requests import Tokens

MARK, MEANT = "\ufdd0", "\ufdd1"
"""Stands in what only looks like a control token; stands before one that is meant. Unicode keeps
both for a program's own use: they are no characters, and in a text they are replaced."""

REPLACEMENT = "\ufffd"


class Control:
    """The control tokens of a tokenizer: its special ones, and those that its template writes.

    Of one character they are letters that have a meaning, and are left alone.
    """

    def __init__(self, tokenizer: Any, template: str) -> None:
        self._tokenizer = tokenizer
        added = tokenizer.added_tokens_decoder
        self._ids: dict[str, int] = {
            token.content: int(number)
            for number, token in added.items()
            if len(token.content) > 1
            and not token.content.isspace()
            and (token.special or token.content in template)
        }
        names = "|".join(map(re.escape, sorted(self._ids, key=len, reverse=True))) or r"(?!)"
        self._begins = re.compile(f"(?=(?:{names}))(.)", re.DOTALL)
        self._whole = re.compile(names)

    def plain(self, text: str) -> str:
        """A text with a mark in whatever would be a control token; most texts as they are."""
        for own in (MARK, MEANT):
            text = text.replace(own, REPLACEMENT)
        return self._begins.sub(rf"\1{MARK}", text)

    def encode(self, text: str, plainly: Callable[[str], Tokens]) -> Tokens:
        """Tokens of a text in which some is marked.

        Parameters
        ----------
        plainly
            How a text without marks is read.
        """
        core = self._unaware
        if core is None:
            return tuple(token for part in text.split(MARK) for token in plainly(part))
        meant = self._whole.sub(rf"{MEANT}\g<0>", text)
        tokens = self._read(core, meant.replace(MARK, ""))
        control = set(self._ids.values())
        if sum(token in control for token in tokens) == meant.count(MEANT):
            return tokens
        # A vocabulary that has a control token's letters as a word: read around the marks.
        return tuple(token for part in meant.split(MARK) for token in self._read(core, part))

    def _read(self, core: Any, text: str) -> Tokens:
        names = self._names
        return tuple(names.get(i, i) for i in core.encode(text, add_special_tokens=False).ids)

    @cached_property
    def _unaware(self) -> Any:
        """The tokenizer, to which control tokens are such only after `MEANT`; None of slow ones."""
        core = getattr(self._tokenizer, "backend_tokenizer", None)
        if core is None:
            return None
        from tokenizers import Tokenizer

        made = json.loads(core.to_str())
        made["post_processor"] = None
        for token in made["added_tokens"]:
            if token["content"] in self._ids:
                token |= {"content": MEANT + token["content"], "normalized": False}
        return Tokenizer.from_str(json.dumps(made))

    @cached_property
    def _names(self) -> dict[int, int]:
        """What `_unaware` calls a token that was added to the vocabulary, and what it is called."""
        core, added = self._unaware, self._tokenizer.added_tokens_decoder
        return {
            core.token_to_id(MEANT * (token.content in self._ids) + token.content): int(number)
            for number, token in added.items()
        }
