"""What an author is shown before it answers, as turns of a chat and as plain text."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mgptn.experiments.sharing.references import References
from mgptn.experiments.sharing.source import Source
from mgptn.population.records.agents import Genome
from mgptn.protocols.interfaces.base import BaseInterface
from mgptn.protocols.interfaces.chat import ChatInterface
from mgptn.protocols.interfaces.interface import Asked, Shown
from mgptn.protocols.interfaces.wordings import CORRECT, WORDS, Wording

Message = dict[str, str]

QUESTION = "{question}"
"""Where a question is to stand in what is written."""


@dataclass(frozen=True, slots=True)
class Told:
    """What every author of a run is told beside what it inherits.

    Attributes
    ----------
    shots
        Examples before its own.
    instruction
        What is said of an answer's form; None for nothing.
    wording
        Of the grading question, for examples that are shown with their level; None for a layout's
        own.
    """

    shots: tuple[Shown, ...] = ()
    instruction: str | None = None
    wording: Wording | None = None

    @classmethod
    def of(cls, source: Source, references: References) -> Told:
        """What a run's authors are told."""
        config = source.config
        instruction = config.task.told(talks=source.talks)
        return cls(references.shots, instruction, config.protocol.wording)

    def messages(self, genome: Genome, question: str) -> list[Message]:
        """An author as turns of a chat, the last of which asks."""

        def render(messages: Sequence[Message], _: bool) -> str:
            return json.dumps(messages)

        prompt = ChatInterface(render, self.wording or CORRECT).answer_prompt(
            self._asked(genome, question)
        )
        messages: list[Message] = json.loads(prompt.prefix + prompt.suffix)
        return messages

    def text(self, genome: Genome, question: str) -> str:
        """An author as text, after which a model without turns writes its answer."""
        asked = self._asked(genome, question)
        multiline = any("\n" in Shown(*shown).answer for shown in asked.examples)
        prompt = BaseInterface(multiline, self.wording or WORDS).answer_prompt(asked)
        return prompt.prefix + prompt.suffix

    def _asked(self, genome: Genome, question: str) -> Asked:
        own = (Shown(shown.query, shown.answer, shown.level) for shown in genome.context)
        return Asked(
            question,
            examples=(*self.shots, *own),
            persona=genome.persona,
            instruction=self.instruction,
        )
