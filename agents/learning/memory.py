"""How much memory learning takes of a host, beside what answering does."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

from mgptn.agents.checkpoints import Checkpoint, count_parameters
from mgptn.agents.engine.memory import ITEM, NOTHING, OVERHEAD, Needed
from mgptn.agents.engine.shapes import shape_of
from mgptn.agents.tiles import bucket

HELD_BYTES = 512 * 2**20
"""Numbers of changed weights that a wardrobe remembers; beyond, those not worn for longest go."""

KEPT_ACTIVATIONS = 48
"""Vectors of the model's width that a token takes in a layer until its gradient is known, about:
some 27 are kept for it, and as many again come and go."""

KEPT_SCORES = 3
"""Numbers for a pair of tokens that a head leaves, where its attention is reckoned plainly."""

KEPT_LOGITS = 4
"""Numbers for an entry of the vocabulary: logits, those that count, their logarithms, gradients."""

OF_TRAINED = 4
"""Numbers for each that is trained: its gradient, AdamW's two moments, and a step under way."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a host trains at once.

    Attributes
    ----------
    trained
        How many numbers of the model, or of factors beside it.
    documents, tokens
        Documents of a step, and tokens of the longest.
    agents
        Whose weights take turns.
    """

    trained: int
    documents: int
    tokens: int
    agents: int


def learning_bytes(checkpoint: Checkpoint, dtype: str, lesson: Lesson | None) -> Needed:
    """What learning takes of a model's host on its device, about.

    The learner's model in float32; the founder's own numbers, which the learner keeps beside it and
    the host beside what it wears; the numbers that both remember of others; what is trained with
    its gradients and moments; and what a step's documents leave in the layers.

    Raises
    ------
    mgptn.agents.checkpoints.CheckpointError
        If the configuration does not say a dimension.
    """
    if lesson is None:
        return NOTHING
    shape = shape_of(checkpoint)
    parameters = count_parameters(checkpoint.folder)
    tokens = bucket(lesson.tokens)
    each = lesson.trained * 4
    left = shape.layers * (KEPT_ACTIVATIONS * shape.width + KEPT_SCORES * shape.heads * tokens)
    lasting = (
        2 * parameters * 4,
        parameters * ITEM[dtype],
        2 * max(each, min(HELD_BYTES, lesson.agents * each)),
    )
    passing = (
        OF_TRAINED * each,
        lesson.documents * tokens * (left + KEPT_LOGITS * shape.vocabulary) * 4,
    )
    return Needed(int(OVERHEAD * sum(lasting)), int(OVERHEAD * sum(passing)))
