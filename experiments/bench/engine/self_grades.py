"""What could be saved at the most if self-grades reused the keys and values of the answers.

An author that grades its own answer reads the same text once more, where the layout lets both
begin alike (`base` does; the ladder and a chat mark what is to be judged before the question).
Nothing is reused: an answer's keys and values come from steps of one token, a grade's from reading
all at once, and they differ in their last bits; so a grade would depend on where and when its
answer was written.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgptn.agents.requests import HostRequest, Score, Tokens
from mgptn.experiments.bench.engine.comparison import Comparison, Ways, interleaved
from mgptn.experiments.bench.engine.models import OPTIONS, Subject, answer_requests, texts
from mgptn.experiments.bench.engine.scale import PROMPT, SHORT, Scale
from mgptn.experiments.bench.engine.ways import ours

LENGTHS = (SHORT, 64)
"""Tokens of answers."""

GRADERS = 4
"""Of an answer, besides its author."""


def bound_of_reuse(subject: Subject, scale: Scale, repeats: int) -> list[Comparison]:
    """Answers with their grades, and the same with self-grades for nothing, by length."""
    return [_compared(subject, scale, length, repeats) for length in LENGTHS]


def _compared(subject: Subject, scale: Scale, length: int, repeats: int) -> Comparison:
    rng = np.random.default_rng(5)
    contexts = texts(rng, GRADERS + 1, scale.context)
    questions = texts(rng, scale.slots, PROMPT)
    answered = [q + a for q, a in zip(questions, texts(rng, scale.slots, length), strict=True)]
    answers = [r for c in contexts for r in answer_requests(c, questions, length)]
    everybody = answers + [g for c in contexts for g in _grades([c] * (GRADERS + 1), answered)]
    others = answers + [g for c in contexts for g in _grades([c] * GRADERS, answered)]
    ways: Ways = {
        "ours": ours(subject.host, everybody, scale.slots),
        "self-grades for nothing": ours(subject.host, others, scale.slots),
    }
    return Comparison(
        f"{subject.shape.name}: answers of {length} tokens with {GRADERS + 1} grades",
        len(answers),
        "answers",
        interleaved(ways, repeats, subject.host.device.type),
    )


def _grades(graders: Sequence[Tokens], answered: Sequence[Tokens]) -> list[HostRequest]:
    """One context's grades: of its own answers, and of as many of others'."""
    return [
        Score(context, (who + 8, *text), OPTIONS)
        for who, context in enumerate(graders)
        for text in answered
    ]
