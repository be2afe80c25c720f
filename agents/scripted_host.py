"""A host without a model: agents whose error, TPR, FPR, correlation and blind spot are known."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import time
from functools import lru_cache

from agents.behaviour import Behaviour
from agents.requests import Generate, Generated, Score, Scored, Tile, TileReply, Tokens, Work
from population.bootstrap import posterior_error
from population.streams import keyed_generator, stream
from protocols.interfaces.scripted import ITEM_END, Parsed, parse
from protocols.table import TASKS
from protocols.tasks.task import Problem


class ScriptedHost:
    """Answers and grades by a `Behaviour`; its tokens are characters.

    A request must carry a key: what is drawn for it depends on the key, the behaviour and the
    text, and on nothing else.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self._task = TASKS[behaviour.task](behaviour.size)
        self._error_after = lru_cache(maxsize=1 << 12)(self._error)

    def generate(self, tile: Tile) -> TileReply:
        """A right or a wrong answer to each `Generate`, at the error that its context leads to."""
        began = time.perf_counter()
        error = self._error_after(tile.prefix)
        replies = tuple(self._answer(r, error) for r in tile.requests if isinstance(r, Generate))
        return TileReply(replies, _work(tile, began))

    def score(self, tile: Tile) -> TileReply:
        """All probability on the first or the last option of each `Score`."""
        began = time.perf_counter()
        replies = tuple(self._grade(r) for r in tile.requests if isinstance(r, Score))
        return TileReply(replies, _work(tile, began))

    def _answer(self, request: Generate, error: float) -> Generated:
        rng = keyed_generator(request.key)
        query = _parsed(request.suffix).asked
        right = rng.random() >= error
        reference = self._task.reference(query)
        answer = reference if right else self._task.corrupt(Problem(query, reference), rng)
        probability = 1.0 - error if right else error
        return Generated(tuple(map(ord, answer)), True, math.log(max(probability, 1e-300)))

    def _grade(self, request: Score) -> Scored:
        if request.key is None:
            raise ValueError("score: expected a key, without which a scripted grader cannot draw")
        ((query, answer),) = _parsed(request.suffix).pairs
        passed = self._passes(query, answer, request.key)
        logs = [-math.inf] * len(request.options)
        logs[-1 if passed else 0] = 0.0
        return Scored(tuple(logs))

    def _passes(self, query: str, answer: str, key: tuple[int, int]) -> bool:
        behaviour = self.behaviour
        rng = keyed_generator(key)
        if self._task.verify(query, answer):
            return bool(rng.random() < behaviour.tpr)
        if stream(behaviour.seed, "blind spot", query).random() < behaviour.blind_spot:
            return True
        # Two graders correlate by ρ if each looks at the common draw with probability √ρ.
        if rng.random() < math.sqrt(behaviour.correlation):
            rng = stream(behaviour.seed, "common draw", query, answer)
        return bool(rng.random() < behaviour.fpr)

    def _error(self, prefix: Tokens) -> float:
        """The error of an agent that sees this context."""
        behaviour = self.behaviour
        pairs = _parsed(prefix).pairs
        wrong = sum(not self._task.verify(query, answer) for query, answer in pairs)
        if behaviour.adaptation == "bayes":
            return posterior_error(behaviour.skills, behaviour.prior, len(pairs), wrong)
        if behaviour.adaptation == "none" or not pairs:
            return behaviour.error
        return wrong / len(pairs)


def _parsed(tokens: Tokens) -> Parsed:
    return parse("".join(map(chr, tokens)))


def _work(tile: Tile, began: float) -> Work:
    return Work(0, 0, 0, time.perf_counter() - began)


class CharacterEncoder:
    """Characters as tokens, for hosts without a model."""

    vocabulary = (ITEM_END,)

    def prefix(self, text: str) -> Tokens:
        """The text's code points."""
        return tuple(map(ord, text))

    suffix = prefix

    def stops(self, texts: tuple[str, ...]) -> Tokens:
        """The texts' code points."""
        return tuple(ord(text) for text in texts)

    def endings(self, texts: tuple[str, ...]) -> frozenset[int]:
        """None: a host without a model says when it is done."""
        return frozenset()

    def decode(self, tokens: Tokens) -> str:
        """The characters."""
        return "".join(map(chr, tokens))
