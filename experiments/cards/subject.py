"""A model under examination: answers and grades through the engine that a run uses, without Ray.

Dimensions: N problems, C contexts.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mgptn.agents.checkpoints import count_parameters, find_checkpoint
from mgptn.agents.hosts.fleet import Fleet, LocalFleet
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.requests import Generate, Generated, HostReply, HostRequest, Score, Scored
from mgptn.agents.tiles import plan_mixed
from mgptn.agents.tokens.encoder import Encoder
from mgptn.agents.training.corpus import item_tokens
from mgptn.experiments.cards.card import CardError
from mgptn.experiments.cards.exam import Context, Exam, dealt
from mgptn.population.draws.streams import philox_key
from mgptn.population.records.weights import Weights
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.interfaces.ladder import LadderInterface
from mgptn.protocols.interfaces.markers import PERSONAS, WANT
from mgptn.protocols.interfaces.reading import normalised
from mgptn.protocols.interfaces.table import INTERFACES, Setting, make_interface
from mgptn.protocols.scale import expected_level
from mgptn.protocols.tasks.bundled import BundledTask, Flags

SLOTS = 128
"""Rows of a tile. Part of what decides the last bits of a card."""

ANSWER_MARKERS = 1
GRADE_MARKERS = 4
"""Markers of a prompt: its beginning; a persona, what says that an item is judged, the grade's."""

GREEDY = 1e-6
"""Sampling temperature at which the likeliest token is drawn always."""

NO_CONTEXT: tuple[Context, ...] = ((),)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to an exam's problems: texts [N]; right, finished: bool [N]."""

    texts: tuple[str, ...]
    right: Flags
    finished: Flags


@dataclass(frozen=True, slots=True)
class Grades:
    """Grades of answers.

    Attributes
    ----------
    values
        float64 [N], expected level in [0, 1]; NaN where it could not be read.
    mass
        float64 [N], total probability of the five levels.
    """

    values: npt.NDArray[np.float64]
    mass: npt.NDArray[np.float64]


class Subject:
    """One model on a host in this process, or on the fleet that is given.

    Raises
    ------
    CheckpointError
        If there is no such model.
    CardError
        If it does not read the ladder's layout.
    """

    def __init__(
        self, name: str, seed: int, *, threads: int = 1, fleet: Fleet | None = None
    ) -> None:
        self.name, self.seed = name, seed
        self.checkpoint = find_checkpoint(name)
        self.encoder = Encoder(self.checkpoint)
        try:
            make_interface("ladder", Setting(name, self.encoder.vocabulary), INTERFACES)
        except ValueError as error:
            raise CardError(str(error)) from None
        self.interface = LadderInterface()
        settings = HostSettings(name, self.checkpoint.weights, threads=threads)
        self.fleet = LocalFleet(settings) if fleet is None else fleet
        self._levels = tuple(self.encoder.suffix(o) for o in self.interface.level_options)
        self.stops = self.encoder.stops(self.interface.stops)

    @property
    def made(self) -> dict[str, Any]:
        """What `training.json` says; empty where there is none."""
        path = self.checkpoint.folder / "training.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    @property
    def parameters(self) -> int:
        """How many numbers the weights have, from the files' headers."""
        return count_parameters(self.checkpoint.folder)

    @property
    def shape(self) -> tuple[object, ...]:
        """What models of one rung have in common."""
        keys = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
        return tuple(self.checkpoint.config.get(key) for key in keys)

    def lacks(self, texts: Sequence[str]) -> list[str]:
        """Those of these tokens that the model does not have."""
        return [token for token in texts if token not in self.encoder.vocabulary]

    @property
    def personas(self) -> tuple[str | None, ...]:
        """No persona, and those that the model has tokens of."""
        return (None, *(name for name, token in PERSONAS.items() if not self.lacks([token])))

    @property
    def can_want(self) -> bool:
        """Has the model a token for asking for a level?"""
        return not self.lacks([WANT])

    def room(self, task: BundledTask, markers: int) -> int:
        """Examples after which an item still fits into the context, with so many markers."""
        item = item_tokens(task)
        return max(0, (self.checkpoint.context_tokens - markers - (item - 1)) // item)

    def answer(
        self,
        exam: Exam,
        purpose: str,
        *,
        contexts: Sequence[Context] = NO_CONTEXT,
        persona: str | None = None,
        wanted: str | None = None,
        sampling_temperature: float = 1.0,
        shared_queries: bool = False,
    ) -> Answers:
        """Answers to an exam; `purpose` names their draws, and contexts are dealt in blocks.

        With `shared_queries` all but a query's last token are computed once for all its samples.
        """
        task = exam.task
        prefixes = self._prefixes(contexts, persona)
        suffixes = [
            self.encoder.suffix(self.interface.answer_prompt(Asked(query, wanted=wanted)).suffix)
            for query in exam.queries
        ]
        own = -1 if shared_queries else 0
        requests = [
            Generate(
                prefix=prefixes[context] + (suffix[:own] if own else ()),
                suffix=suffix[own:],
                stops=self.stops,
                max_tokens=task.max_answer_characters + self.interface.extra_answer_tokens,
                sampling_temperature=sampling_temperature,
                key=philox_key(self.seed, "card", task.name, task.size, purpose, i),
            )
            for i, (suffix, context) in enumerate(
                zip(suffixes, dealt(len(exam), len(contexts)), strict=True)
            )
        ]
        replies = [reply for reply in self.ask(requests) if isinstance(reply, Generated)]
        known: dict[tuple[int, ...], str] = {}
        texts = []
        for reply in replies:
            if reply.tokens not in known:
                decoded = self.encoder.decode(reply.tokens)
                known[reply.tokens] = self.interface.read_answer(decoded)
            texts.append(known[reply.tokens])
        finished = np.array([reply.finished for reply in replies], dtype=np.bool_)
        return Answers(tuple(texts), exam.right(texts) & finished, finished)

    def grade(
        self,
        exam: Exam,
        answers: Sequence[str],
        *,
        contexts: Sequence[Context] = NO_CONTEXT,
        persona: str | None = None,
    ) -> Grades:
        """Grades of one answer to each of an exam's problems."""
        prefixes = self._prefixes(contexts, persona)
        requests = [
            Score(
                prefix=prefixes[context],
                suffix=self.encoder.suffix(
                    self.interface.grade_prompt(Asked(query, answer)).suffix
                ),
                options=self._levels,
            )
            for query, answer, context in zip(
                exam.queries, answers, dealt(len(exam), len(contexts)), strict=True
            )
        ]
        replies = [reply for reply in self.ask(requests) if isinstance(reply, Scored)]
        levels = [normalised(reply.log_probabilities) for reply in replies]
        return Grades(
            np.array([math.nan if one is None else expected_level(one) for one in levels]),
            np.array([sum(map(math.exp, reply.log_probabilities)) for reply in replies]),
        )

    def _prefixes(self, contexts: Sequence[Context], persona: str | None) -> list[tuple[int, ...]]:
        return [
            self.encoder.prefix(self.interface.answer_prompt(asked).prefix)
            for asked in (Asked("", examples=c, persona=persona) for c in contexts)
        ]

    def ask(
        self, requests: list[HostRequest] | Any, worn: Weights | None = None
    ) -> list[HostReply]:
        """Replies to requests, in their order, by the model or what noise made of its weights."""
        model = self.checkpoint.weights, worn
        planned = plan_mixed([(model, one) for one in requests], SLOTS)
        return planned.collect(self.fleet.run(planned.tiles))
