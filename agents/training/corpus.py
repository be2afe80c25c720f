"""The ladder's corpus: documents by writers with a hidden skill, items graded by a noisy rater.

Nothing of it is stored: a batch is drawn, vectorised, from a stream keyed by its step.

Dimensions: B documents, I items, W tokens of the widest item, L tokens of a document.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from population.streams import stream
from protocols.interfaces.markers import END, GRADE, JUDGE, LEVEL_MARKERS, START, VOCABULARY, WANT
from protocols.tasks.addition import Addition

SKILLS = (0.05, 0.35, 0.65, 0.95)
"""Probability that a writer of each kind answers rightly; writers are equally common."""

LEVELS_IF_RIGHT = (0.01, 0.02, 0.07, 0.20, 0.70)
"""Probability of each survey level after a right answer; reversed after a wrong one."""

FORMS = {"plain": 0.30, "graded": 0.25, "wanted": 0.15, "judged": 0.30}
"""Share of items in each form, drawn per item: each is in distribution after any context."""

KIND_NONE, KIND_ANSWER, KIND_LEVEL = 0, 1, 2

Tokens = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents to train on.

    Attributes
    ----------
    tokens
        int64 [B, L].
    kinds
        int64 [B, L]: what each token is to the loss: 0 not trained on, 1 part of an answer or its
        end, 2 a survey level.
    """

    tokens: Tokens
    kinds: Tokens


def draw_batch(seed: int, step: int, documents: int, length: int, error_free: float) -> Batch:
    """The batch of one training step; equal arguments give equal batches in any process.

    Parameters
    ----------
    error_free
        Share of documents whose writer makes no errors: the curriculum.
    length
        Tokens of a document; what does not fit is cut off, possibly inside an item.
    """
    rng = stream(seed, "corpus", step)
    task = Addition(2)
    shortest = 2 * task.size + 2 + task.max_answer_characters + 1
    items = length // shortest + 1
    skill = rng.choice(np.array(SKILLS), size=documents)
    skill[rng.random(documents) < error_free] = 1.0
    tokens, kinds = _items(rng, task, np.repeat(skill, items))
    valid = tokens >= 0
    start = np.full((documents, 1), _ID[START])
    return Batch(
        tokens=np.hstack([start, _pack(tokens, valid, documents, length - 1)]),
        kinds=np.hstack([start * 0, _pack(kinds, valid, documents, length - 1)]),
    )


_ID = {token: index for index, token in enumerate(VOCABULARY)}
_LEVEL_IDS = np.array([_ID[marker] for marker in LEVEL_MARKERS])
_DIGIT_IDS = np.array([_ID[str(digit)] for digit in range(10)])


def _items(
    rng: np.random.Generator, task: Addition, skill: npt.NDArray[np.float64]
) -> tuple[Tokens, Tokens]:
    """Tokens and loss kinds of an item for each entry of `skill`, int64 [N, W], −1 for absent."""
    count = len(skill)
    form = rng.choice(len(FORMS), size=count, p=list(FORMS.values()))
    plain, graded, wanted, judged = (form == index for index in range(len(FORMS)))

    pairs = task.draw_pairs(rng, count, "train")
    sums = pairs.sum(axis=1)
    right = rng.random(count) < np.where(judged, 0.5, skill)
    answers = np.where(right, sums, task.corrupt_sums(sums, rng))
    level = rng.choice(len(LEVEL_MARKERS), size=count, p=LEVELS_IF_RIGHT)
    level = _LEVEL_IDS[np.where(right, level, len(LEVEL_MARKERS) - 1 - level)]

    def column(values: Tokens | int, present: npt.NDArray[np.bool_] | bool) -> Tokens:
        return np.where(present, values, -1)[:, None]

    def digits(values: Tokens, width: int) -> Tokens:
        powers = 10 ** np.arange(width)
        return np.asarray(_DIGIT_IDS[values[:, None] // powers % 10])

    asked = np.hstack(
        [
            digits(pairs[:, 0], task.size)[:, ::-1],
            np.full((count, 1), _ID["+"]),
            digits(pairs[:, 1], task.size)[:, ::-1],
            np.full((count, 1), _ID["="]),
        ]
    )
    answered = digits(answers, task.max_answer_characters)
    tokens = np.hstack(
        [
            column(np.where(judged, _ID[JUDGE], _ID[WANT]), judged | wanted),
            column(level, wanted),
            asked,
            answered,
            column(_ID[GRADE], graded | judged),
            column(level, graded | judged),
            np.full((count, 1), _ID[END]),
        ]
    )
    kinds = np.zeros_like(tokens)
    first, last = 2 + asked.shape[1], 2 + asked.shape[1] + answered.shape[1]
    own = np.where(judged, KIND_NONE, KIND_ANSWER)[:, None]
    kinds[:, first : last + 1] = own  # the answer and, where a grade follows, its marker
    kinds[:, last + 1] = KIND_LEVEL
    kinds[plain | wanted, last + 2] = KIND_ANSWER  # the end of an answer without a grade
    return tokens, kinds


def _pack(values: Tokens, valid: npt.NDArray[np.bool_], documents: int, length: int) -> Tokens:
    """Drop absent tokens, lay each document's items end to end, cut at `length`: [B, length]."""
    per_document = valid.reshape(documents, -1)
    position = np.cumsum(per_document, axis=1) - 1
    keep = per_document & (position < length)
    packed = np.empty((documents, length), dtype=np.int64)
    packed[np.nonzero(keep)[0], position[keep]] = values.reshape(documents, -1)[keep]
    return packed
