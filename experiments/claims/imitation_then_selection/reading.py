"""Who reads what is written before an answer: a model that has not worked the question out.

A reader is shown a walk's last step, and the writing; the steps before it are hidden, each as one
that stays where it is. Where the writing tells how far the walk had come, it tells the answer.

Dimensions: N texts.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mgptn.agents.learning.documents import Document, lay_out
from mgptn.agents.requests import Learn, Score, Scored, Tokens
from mgptn.experiments.claims.method.calculators import Calculator
from mgptn.population.draws.streams import stream
from mgptn.population.records.arrays import Floats
from mgptn.population.records.weights import Weights
from mgptn.protocols.tasks.budgeted.steps import STEPS
from mgptn.protocols.tasks.budgeted.walks import BEGIN, TAKEN, Walks
from mgptn.protocols.tasks.bundled import text

STAYS = STEPS[TAKEN.tolist().index(0)]
DIGITS = "0123456789"


class Written(NamedTuple):
    """A question, and all that was written of it: the answer is the last character."""

    query: str
    text: str

    @property
    def derivation(self) -> str:
        """What stands before the answer."""
        return self.text[:-1]

    @property
    def answer(self) -> str:
        """The last character; empty where nothing was written."""
        return self.text[-1:]


def hidden(query: str) -> str:
    """A question with all of its steps hidden but the last."""
    steps, mark, rest = query.removeprefix("+").partition("@")
    return f"+{STAYS * (len(steps) - 1)}{steps[-1]}{mark}{rest}"


def valid_steps(written: Written) -> float:
    """Share of the steps before the last that the writing has, each from the place written before.

    A step that is not written, or leads from or to what is no place, is not valid.
    """
    steps = written.query.removeprefix("+").partition("@")[0][:-1]
    places = [str(BEGIN), *written.derivation]
    made = zip(places, steps, places[1:], strict=False)
    return sum(_leads(*step) for step in made) / len(steps)


def _leads(place: str, step: str, to: str) -> bool:
    if place not in DIGITS or to not in DIGITS:
        return False
    return int(Walks.leads[int(place), STEPS.index(step)]) == int(to)


def true_writing(size: int, count: int, rng: np.random.Generator) -> list[Written]:
    """Questions for training, each with every step written."""
    task = Walks(size, budget=size)
    problems = task.draw_batch(rng, count, "train")
    queries = task.render(problems.fields)
    return [
        Written(text(query), text(answer))
        for query, answer in zip(queries, problems.references, strict=True)
    ]


class Reader:
    """A founder that has learned to tell answers from writing alone."""

    def __init__(self, founder: Calculator, worn: Weights) -> None:
        self._founder, self._worn = founder, worn

    @classmethod
    def taught(
        cls, founder: Calculator, writing: Sequence[Written], lesson: Mapping[str, Any], seed: int
    ) -> Reader:
        """One that has learned from some writing.

        Parameters
        ----------
        lesson
            `steps`, `documents` of each, and `rate`; documents are drawn evenly from the writing.
        """
        steps, each = lesson["steps"], lesson["documents"]
        rng = stream(seed, "reader's lesson")
        documents = [_document(founder, one) for one in writing if one.answer]
        drawn = rng.integers(0, len(documents), size=(steps, each))
        pages = lay_out([[documents[i] for i in row] for row in drawn], np.zeros_like(drawn))
        worn, _ = founder.learned(
            Learn(
                worn=None,
                method="full",
                trainable=("all",),
                rate=lesson["rate"],
                shape=pages.tokens.shape,
                tokens=pages.tokens.tobytes(),
                taught=pages.taught.tobytes(),
                offsets=pages.offsets.tobytes(),
            )
        )
        return cls(founder, worn)

    def tells(self, writing: Sequence[Written], derivations: Sequence[str]) -> Floats:
        """1 where the likeliest answer after a derivation is the one that was given, [N].

        Parameters
        ----------
        derivations
            To be read in place of the writing's own.
        """
        options = tuple(self._founder.encoder.suffix(digit) for digit in DIGITS)
        requests = [
            Score((), _read(self._founder, one.query, derivation), options)
            for one, derivation in zip(writing, derivations, strict=True)
        ]
        found = [DIGITS[_likeliest(reply)] for reply in self._founder.ask(requests, self._worn)]
        return np.array(
            [float(told == one.answer) for told, one in zip(found, writing, strict=True)]
        )


def likelihoods(founder: Calculator, writing: Sequence[Written]) -> Floats:
    """How likely a writer is to write what stands before the answer, in nats a character, [N].

    NaN where nothing does.
    """
    requests = [
        Score((), founder.asked(one.query), (_tokens(founder, one.derivation),))
        for one in writing
        if one.derivation
    ]
    replies = iter(founder.ask(requests))
    return np.array(
        [_log(next(replies)) / len(one.derivation) if one.derivation else np.nan for one in writing]
    )


def _log(reply: Any) -> float:
    assert isinstance(reply, Scored)
    return reply.log_probabilities[0]


def _likeliest(reply: Any) -> int:
    assert isinstance(reply, Scored)
    return int(np.argmax(reply.log_probabilities))


def _document(founder: Calculator, written: Written) -> Document:
    """A derivation as a reader is shown it, and the answer, which alone is taught."""
    shown = _read(founder, written.query, written.derivation)
    return Document(shown + _tokens(founder, written.answer), len(shown))


def _read(founder: Calculator, query: str, derivation: str) -> Tokens:
    return founder.asked(hidden(query)) + _tokens(founder, derivation)


def _tokens(founder: Calculator, said: str) -> Tokens:
    encoder = founder.encoder
    return encoder.suffix(encoder.plain(said))
