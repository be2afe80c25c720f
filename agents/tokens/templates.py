"""A tokenizer's chat template: messages as text, errors in a line, and no clock but the run's."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from mgptn.agents.content import TEMPLATES
from mgptn.agents.shards import CheckpointError
from mgptn.agents.tokens.rendering import Renderer, TemplateFault

CLOCK = "strftime_now"
"""What templates ask the date by."""

_ASKED = re.compile(rf"\b{CLOCK}\s*\(\s*(?P<quote>['\"])(?P<form>.*?)(?P=quote)\s*\)")

LEGACY = "chat_template.json"
"""Where a template may lie that transformers reads for processors alone."""


def template_of(tokenizer: Any, folder: Path) -> str:
    """A tokenizer's chat template, of several the default; empty where it has none.

    Raises
    ------
    CheckpointError
        If a file with one cannot be read.
    """
    found = tokenizer.chat_template
    if not found and (folder / LEGACY).exists():
        try:
            found = json.loads((folder / LEGACY).read_text(encoding="utf-8"))["chat_template"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise CheckpointError(
                f"agents.interface: expected a chat_template in {folder / LEGACY}, got: "
                f"{type(error).__name__}: {error}"
            ) from None
    if isinstance(found, dict):
        found = found.get("default")
    return str(found or "")


def has_template(folder: Path) -> bool:
    """Does a folder hold a chat template, wherever transformers or processors keep theirs?"""
    if any((folder / name).exists() for name in TEMPLATES):
        return True
    try:
        said = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(said, dict) and bool(said.get("chat_template"))


def dated(template: str, today: date, where: str) -> str:
    """A template with a day's date where it asks the clock.

    Raises
    ------
    CheckpointError
        If it asks in a form that it makes up as it goes.
    """
    fixed = _ASKED.sub(lambda asked: json.dumps(today.strftime(asked["form"])), template)
    if re.search(rf"\b{CLOCK}\s*\(", fixed):
        raise CheckpointError(
            f"agents.interface: expected a chat template that asks the date in a form of its own, "
            f"got that of {where}, whose {CLOCK} is not followed by one; use agents.interface=base"
        )
    return fixed


class ChatTemplate:
    """A template, applied to messages of which the content is only ever text.

    With True, the text ends where the assistant's next turn begins. Models that can think aloud
    first are asked not to.

    Parameters
    ----------
    plain
        Makes a text one that is read as text.
    today
        What the template is told if it asks.
    where
        The model, as errors name it.

    Raises
    ------
    CheckpointError
        As of `dated`.
    """

    def __init__(
        self,
        tokenizer: Any,
        template: str,
        plain: Callable[[str], str],
        today: date,
        where: str,
    ) -> None:
        self._tokenizer = tokenizer
        self._render = Renderer(dated(template, today, where))
        self._plain = plain
        self._where = where

    def __call__(self, messages: Sequence[dict[str, str]], answering: bool) -> str:
        """The messages as text.

        Raises
        ------
        CheckpointError
            If the template will not have them, or takes more than it may: says what it says.
        """
        filled = [{**one, "content": self._plain(one["content"])} for one in messages]
        values = {
            "tools": None,
            "documents": None,
            "add_generation_prompt": answering,
            "enable_thinking": False,
            **{name: _text(token) for name, token in self._tokenizer.special_tokens_map.items()},
        }
        try:
            return self._render(filled, values)
        except TemplateFault as fault:
            roles = ", ".join(message["role"] for message in messages)
            raise CheckpointError(
                f"agents.interface: expected a chat template that lays out turns of {roles}, got "
                f"that of {self._where}, which says: {fault}; use agents.interface=base"
            ) from None


def _text(token: Any) -> Any:
    """A special token, or several, as plain data."""
    return [str(one) for one in token] if isinstance(token, list | tuple) else str(token)
