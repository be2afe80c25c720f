"""Documents to learn from: a question as an agent is asked it, and what it is to say.

Dimensions: S steps, B documents of a step, W tokens of a document.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mgptn.agents.requests import Tokens
from mgptn.agents.tiles import bucket
from mgptn.agents.tokens.encoder import Encoder
from mgptn.protocols.interfaces.interface import Asked, Interface, TellsLevels
from mgptn.protocols.interfaces.ladder import OPTIONS
from mgptn.protocols.scale import LEVEL_VALUES, LEVELS, RATERS, rated
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
    interface: Interface,
    encoder: Encoder,
    query: str,
    answer: str,
    level: int | None = None,
    *,
    after: bool = False,
) -> Document:
    """A question with its answer, and the end of it.

    Parameters
    ----------
    level
        The survey level that is asked for before, from 0; None to ask for none.
    after
        Is the level told after the answer instead, and taught as all that stands before it from
        the answer on?

    Raises
    ------
    ValueError
        If the interface tells no levels after answers.
    """
    wanted = None if level is None or after else LEVELS[level]
    prompt = interface.answer_prompt(Asked(query, wanted=wanted))
    asked = encoder.prefix(prompt.prefix) + encoder.suffix(prompt.suffix)
    end = _end(interface, encoder, level if after else None)
    return Document(asked + encoder.suffix(encoder.plain(answer)) + end, len(asked))


def _end(interface: Interface, encoder: Encoder, level: int | None) -> Tokens:
    """What ends an answer, and tells its level if it has one."""
    if level is None:
        ending = "".join(interface.endings[:1])
        return encoder.suffix(ending) if ending else encoder.stops(interface.stops)[:1]
    if not isinstance(interface, TellsLevels):
        raise ValueError(
            f"interface: expected one that can tell a level after an answer, got {interface.name}"
        )
    between, option = interface.level_after(level)
    return encoder.suffix(between) + encoder.suffix(option)


def true_documents(
    interface: Interface,
    encoder: Encoder,
    task: str,
    sizes: Sequence[int],
    rng: np.random.Generator,
    noise: float = 0.0,
) -> list[Document]:
    """A problem of a bundled task for training, with its right answer, of each size given.

    With noise, problem and answer are of the task's corpus of writers who are as careless as that.
    """
    found: dict[int, Document] = {}
    for size in sorted(set(sizes)):
        places = [i for i, one in enumerate(sizes) if one == size]
        made = TASKS[task](size)
        if noise:
            problems = made.corpus(rng, len(places), noise)
        else:
            problems = made.draw_batch(rng, len(places), "train")
        queries = made.render(problems.fields)
        for place, query, answer in zip(places, queries, problems.references, strict=True):
            found[place] = document(interface, encoder, text(query), text(answer))
    return [found[place] for place in range(len(sizes))]


def judged_documents(
    interface: Interface,
    encoder: Encoder,
    task: str,
    sizes: Sequence[int],
    rng: np.random.Generator,
    scale: str = "words",
) -> list[Document]:
    """An answer to a problem for training, of each size given, as founders are asked to judge it.

    Half of the answers are right, and the wrong ones of every kind of error alike. What is taught
    is the survey level that a noisy rater gives, as in the ladder's corpus.

    Parameters
    ----------
    scale
        How it is said: in the levels' ``"words"``, in ``"digits"``, or by ``"yes-no"``, yes as
        often as the level stands high.
    """
    found: dict[int, Document] = {}
    for size in sorted(set(sizes)):
        places = [i for i, one in enumerate(sizes) if one == size]
        count, made = len(places), TASKS[task](size)
        problems = made.draw_batch(rng, count, "train")
        right = rng.random(count) < 0.5
        wrong = made.corrupt_batch(rng, problems, rng.integers(0, 3, size=count))
        answers = np.where(right[:, None], problems.references, wrong)
        levels = rated(rng, right, rng.integers(0, len(RATERS), size=count))
        said = _said(levels, scale, rng)
        queries = made.render(problems.fields)
        for place, query, answer, option in zip(places, queries, answers, said, strict=True):
            prompt = interface.grade_prompt(Asked(text(query), text(answer)))
            asked = encoder.prefix(prompt.prefix) + encoder.suffix(prompt.suffix)
            found[place] = Document(asked + encoder.suffix(option), len(asked))
    return [found[place] for place in range(len(sizes))]


def _said(levels: npt.NDArray[np.int64], scale: str, rng: np.random.Generator) -> list[str]:
    """What is written for levels, [N], in a scale."""
    options = OPTIONS[scale]
    if len(options) == len(LEVELS):
        return [options[level] for level in levels.tolist()]
    yes = rng.random(len(levels)) < np.array(LEVEL_VALUES)[levels]
    return [options[-1] if one else options[0] for one in yes.tolist()]


def with_last(
    steps: Sequence[Sequence[Document]], others: Sequence[Document]
) -> list[list[Document]]:
    """Documents of steps, the last ones of each replaced by others, equally many in each."""
    each = len(others) // len(steps)
    return [
        [*step[: len(step) - each], *others[place * each : (place + 1) * each]]
        for place, step in enumerate(steps)
    ]


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
