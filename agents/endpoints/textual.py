"""What stands for a tokenizer where a model's tokens are its server's affair."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, NoReturn

from mgptn.agents.texts import Said
from mgptn.agents.tokens.encoder import Encoder
from mgptn.protocols.interfaces.interface import Prompt


class TextOnly(Encoder):
    """No tokens: what is asked stays text. Whoever asks for tokens all the same is told so."""

    def __init__(self) -> None:
        """Nothing is loaded."""

    @property
    def dated(self) -> bool:
        """Whether a server's layout says what day it is, nobody knows here."""
        return False

    def __getattr__(self, name: str) -> Any:
        self._refuse(name)

    @staticmethod
    def _refuse(name: str) -> NoReturn:
        raise AttributeError(f"{name}: expected a model that is here, got one behind an endpoint")


def said_of(prompt: Prompt) -> Said:
    """A prompt as a server is told it: the turns of a chat, or all of a text."""
    if not prompt.turns:
        return Said(prompt.prefix + prompt.suffix)
    turns = tuple((turn["role"], turn["content"]) for turn in prompt.turns)
    return Said(turns=turns, begun=prompt.begun)
