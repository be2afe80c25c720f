"""Documents to learn from: a question as an agent is asked it, and the answer that it is to give.

Dimensions: S steps, B documents of a step, W tokens of a document.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mgptn.agents.encoder import Encoder
from mgptn.agents.requests import Tokens
from mgptn.agents.tiles import bucket
from mgptn.protocols.interfaces.interface import Asked, Interface
from mgptn.protocols.scale import LEVELS
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import text


@dataclass(frozen=True, slots=True)
class Document:
    """A text to learn; what is taught of it begins with its `first` token and ends with it."""

    tokens: Tokens
    first: int


@dataclass(frozen=True, slots=True)
class Pages:
    """Documents of several steps as arrays.

    Attributes
    ----------
    tokens
        int32 [S, B, W], padded with zeros.
    taught
        uint8 [S, B, W]: 1 where a token is part of what is learned.
    offsets
        int32 [S, B]: added to the places of a document's tokens.
    """

    tokens: npt.NDArray[np.int32]
    taught: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int32]


def document(
    interface: Interface, encoder: Encoder, query: str, answer: str, level: int | None = None
) -> Document:
    """A question with its answer, and the end of it.

    Parameters
    ----------
    level
        The survey level that is asked for before, from 0; None to ask for none.
    """
    wanted = None if level is None else LEVELS[level]
    prompt = interface.answer_prompt(Asked(query, wanted=wanted))
    asked = encoder.prefix(prompt.prefix) + encoder.suffix(prompt.suffix)
    ending = "".join(interface.endings[:1])
    end = encoder.suffix(ending) if ending else encoder.stops(interface.stops)[:1]
    return Document(asked + encoder.suffix(encoder.plain(answer)) + end, len(asked))


def true_documents(
    interface: Interface,
    encoder: Encoder,
    task: str,
    sizes: Sequence[int],
    rng: np.random.Generator,
) -> list[Document]:
    """A problem of a bundled task for training, with its right answer, of each size given."""
    found: dict[int, Document] = {}
    for size in sorted(set(sizes)):
        places = [i for i, one in enumerate(sizes) if one == size]
        made = TASKS[task](size)
        problems = made.draw_batch(rng, len(places), "train")
        queries = made.render(problems.fields)
        for place, query, answer in zip(places, queries, problems.references, strict=True):
            found[place] = document(interface, encoder, text(query), text(answer))
    return [found[place] for place in range(len(sizes))]


def lay_out(steps: Sequence[Sequence[Document]], offsets: npt.NDArray[np.int64]) -> Pages:
    """Documents of equally many a step as arrays, as wide as the longest needs.

    Parameters
    ----------
    offsets
        Integers [S, B].
    """
    width = bucket(max(len(document.tokens) for step in steps for document in step))
    shape = (len(steps), len(steps[0]), width)
    tokens, taught = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.uint8)
    for step, documents in enumerate(steps):
        for row, one in enumerate(documents):
            tokens[step, row, : len(one.tokens)] = one.tokens
            taught[step, row, one.first : len(one.tokens)] = 1
    return Pages(tokens, taught, offsets.astype(np.int32))
