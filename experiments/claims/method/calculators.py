"""Models measured directly: what they answer, and what they learn; founders taught to add.

A founder is trained once on this machine; all are served in this process.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from mgptn.agents.checkpoints import count_parameters, find_checkpoint
from mgptn.agents.founding.cache import train_missing
from mgptn.agents.founding.recipe import FounderRecipe
from mgptn.agents.hosts.fleet import LocalFleet
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.requests import Generate, HostReply, HostRequest, Learn, Learned, Tokens
from mgptn.agents.tiles import Plan, plan_learning, plan_mixed
from mgptn.agents.tokens.encoder import Encoder
from mgptn.experiments.cards.exam import Exam
from mgptn.experiments.claims.method.measuring import Bench
from mgptn.population.draws.streams import philox_key
from mgptn.population.records.weights import Weights
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.interfaces.ladder import LadderInterface

SLOTS = 128
"""Rows of a tile."""

NOTHING: Mapping[str, str] = {}
"""What is told to a founder that answers as itself."""

SETS = 1000
"""The seeds of a run's founders are so far from the next run's."""


class Pupil:
    """A model that answers, and learns.

    Parameters
    ----------
    name
        As a run's configuration names it.
    interface
        How it is asked.
    """

    def __init__(self, bench: Bench, name: str, interface: LadderInterface) -> None:
        self.name, self.interface = name, interface
        self.checkpoint = find_checkpoint(self.name)
        self.encoder = Encoder(self.checkpoint)
        self.parameters = count_parameters(self.checkpoint.folder)
        self._bench = bench
        self._fleet = LocalFleet(HostSettings(self.name, self.checkpoint.weights))
        self._files: dict[str, bytes] = {}

    def asked(self, query: str, told: Mapping[str, str] = NOTHING) -> Tokens:
        """A question as it is asked; `told` has a persona, or a level that is wanted."""
        asked = Asked(query, persona=told.get("persona"), wanted=told.get("wanted"))
        prompt = self.interface.answer_prompt(asked)
        return self.encoder.prefix(prompt.prefix) + self.encoder.suffix(prompt.suffix)

    def answers(
        self,
        exam: Exam,
        purpose: str,
        *,
        sampling_temperature: float = 1.0,
        top_k: int = 0,
        worn: Weights | None = None,
        told: Mapping[str, str] = NOTHING,
    ) -> list[Tokens]:
        """An answer to each of an exam's problems, in tokens; `purpose` names their draws."""
        stops = self.encoder.stops(self.interface.stops)
        most = exam.task.max_answer_characters + 1
        requests = [
            Generate(
                prefix=(),
                suffix=self.asked(query, told),
                stops=stops,
                max_tokens=most,
                sampling_temperature=sampling_temperature,
                key=philox_key(self._bench.seed, "calculator", purpose, i),
                endings=frozenset(self._endings()),
                top_k=top_k,
            )
            for i, query in enumerate(exam.queries)
        ]
        ends = {*stops, *self._endings()}
        return [
            tuple(token for token in reply.tokens if token not in ends)  # type: ignore[union-attr]
            for reply in self.ask(requests, worn)
        ]

    def right(self, exam: Exam, answers: Sequence[Tokens]) -> list[bool]:
        """Which are right."""
        texts = [self.interface.read_answer(self.encoder.decode(answer)) for answer in answers]
        return [bool(right) for right in exam.right(texts)]

    def ask(self, requests: Sequence[HostRequest], worn: Weights | None = None) -> list[HostReply]:
        """Replies to requests, in their order, by the model or what became of it."""
        model = self.checkpoint.weights, worn
        replies: list[HostReply] = self._done(
            plan_mixed([(model, one) for one in requests], SLOTS, self._files.__getitem__)
        )
        return replies

    def learned(self, asked: Learn) -> tuple[Weights, bytes]:
        """What becomes of the model, and its file of numbers.

        Raises
        ------
        ArithmeticError
            If what it learned is no number.
        """
        (reply,) = self._done(
            plan_learning([(self.checkpoint.weights, asked)], self._files.__getitem__)
        )
        assert isinstance(reply, Learned)
        if reply.numbers is None:
            raise ArithmeticError(f"{self.name}: expected weights that are numbers, got others")
        content = hashlib.blake2b(reply.numbers, digest_size=32).hexdigest()
        self._files[content] = reply.numbers
        return Weights("learned", self.name, content=content), reply.numbers

    def _endings(self) -> Tokens:
        return tuple(
            token for ending in self.interface.endings for token in self.encoder.suffix(ending)
        )

    def _done(self, planned: Plan) -> list[Any]:
        replies = self._fleet.run(planned.tiles)
        passed = sum(reply.work.tokens_computed for reply in replies)
        trained = sum(reply.work.tokens_learned for reply in replies)
        flops = self.parameters * (2.0 * passed + 6.0 * trained)
        self._bench.book(passed + trained, flops)
        return planned.collect(replies)


class Calculator(Pupil):
    """One founder.

    Parameters
    ----------
    recipe
        Fields of `FounderRecipe`.
    number
        Which of the founders of this recipe, as runs number theirs: three of a run with seed 10,
        then three of one with seed 11, and so on.
    """

    def __init__(self, bench: Bench, recipe: Mapping[str, Any], number: int) -> None:
        self.recipe = FounderRecipe(**recipe)
        self.seed = SETS * (10 + number // 3) + number % 3
        for _ in train_missing(self.recipe, [self.seed]):
            pass
        super().__init__(bench, self.recipe.name(self.seed), self.recipe.layout())
