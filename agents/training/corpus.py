"""The ladder's corpus: documents by writers with a hidden skill, items graded by a noisy rater.

Nothing of it is stored: documents are drawn, vectorised, from a stream keyed by their block.

Dimensions: D documents, I items, W tokens of the widest item, L tokens of a document.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mgptn.population.draws.streams import stream
from mgptn.protocols.interfaces.markers import (
    END,
    GRADE,
    JUDGE,
    LEVEL_MARKERS,
    PERSONAS,
    START,
    VOCABULARY,
    WANT,
)
from mgptn.protocols.scale import RATERS, rated
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import BundledTask, Codes, Problems

MIXTURE: dict[tuple[str, int], float] = {
    ("addition", 2): 0.12,
    ("addition", 3): 0.08,
    ("facts", 12): 0.16,
    ("subset-sum", 4): 0.10,
    ("subset-sum", 5): 0.10,
    ("composition", 1): 0.14,
    ("composition", 2): 0.16,
    ("indivisible", 3): 0.07,
    ("indivisible", 7): 0.07,
}
"""Task and size → share of the documents; a document has one of each."""

SKILLS = (0.05, 0.35, 0.65, 0.95)
"""Probability that a writer of each kind answers rightly; writers are equally common."""

PERSONA_SKILLS = {"careful": (0.1, 0.2, 0.3, 0.4), "careless": (0.4, 0.3, 0.2, 0.1)}
"""How common each kind of writer is among those of a persona, which are equally common too."""

PERSONA_SHOWN = 0.4
"""Share of documents that begin with their writer's persona."""

FORMS = {"plain": 0.30, "graded": 0.25, "wanted": 0.15, "judged": 0.30}
"""Share of items in each form, drawn per item: each is in distribution after any context."""

ON_POLICY_SHARE = 0.5
"""Share of the judged items that are taken from the model's own answers, once there are any."""

KIND_NONE, KIND_ANSWER, KIND_LEVEL = 0, 1, 2

Tokens = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Documents:
    """Documents to train on.

    Attributes
    ----------
    tokens
        int64 [D, L].
    kinds
        int64 [D, L]: what each token is to the loss: 0 not trained on, 1 part of an answer or its
        end, 2 a survey level.
    """

    tokens: Tokens
    kinds: Tokens


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """A model's own answers to problems of one task and size, to be judged.

    Attributes
    ----------
    problems
        N problems, those with a right answer first.
    answers
        uint8 [N, A].
    right
        How many of the first are right.
    """

    problems: Problems
    answers: Codes
    right: int


Pool = Mapping[tuple[str, int], OwnAnswers]


def draw_documents(
    seed: int,
    block: int,
    error_free: Numbers,
    length: int,
    *,
    skills: str = "four",
    pool: Pool | None = None,
) -> Documents:
    """One block of documents; equal arguments give equal documents in any process.

    Parameters
    ----------
    error_free
        float [D]: probability that each document's writer makes no errors: the curriculum.
    length
        Tokens of a document; what does not fit is cut off, possibly inside an item.
    skills
        ``four``, or ``dense``: uniform between 0 and 1, so that nobody's skill is like another's.
    pool
        The model's own answers, which then make up half of what is judged.
    """
    rng = stream(seed, "corpus", block)
    count = len(error_free)
    persona = rng.integers(0, len(PERSONAS), size=count)
    skill = _skills(rng, persona, skills)
    skill[rng.random(count) < error_free] = 1.0
    vague = rng.integers(0, len(RATERS), size=count)
    kind = rng.choice(len(MIXTURE), size=count, p=list(MIXTURE.values()))
    shown = rng.random(count) < PERSONA_SHOWN

    tokens = np.full((count, length), _ID[END])
    kinds = np.zeros((count, length), dtype=np.int64)
    for index, (name, size) in enumerate(MIXTURE):
        rows = np.flatnonzero(kind == index)
        if not rows.size:
            continue
        task = TASKS[name](size)
        own = None if pool is None else pool.get((name, size))
        drawn = _items(rng, task, skill[rows], vague[rows], length, own)
        tokens[rows, 1:], kinds[rows, 1:] = drawn
    tokens[:, 0] = _ID[START]
    tokens[shown, 2:], kinds[shown, 2:] = tokens[shown, 1:-1], kinds[shown, 1:-1]
    tokens[shown, 1], kinds[shown, 1] = _PERSONA_IDS[persona[shown]], KIND_NONE
    return Documents(tokens, kinds)


def item_tokens(task: BundledTask) -> int:
    """Tokens of a plain item of a task."""
    return task.query_characters + task.max_answer_characters + 1


def token_ids(codes: Codes) -> Tokens:
    """The ladder's ids of ASCII codes."""
    return _ID_OF_CODE[codes]


_ID = {token: index for index, token in enumerate(VOCABULARY)}
_LEVEL_IDS = np.array([_ID[marker] for marker in LEVEL_MARKERS])
_PERSONA_IDS = np.array([_ID[marker] for marker in PERSONAS.values()])
_ID_OF_CODE = np.array([_ID.get(chr(code), -1) for code in range(128)])


def _skills(rng: np.random.Generator, persona: Tokens, skills: str) -> Numbers:
    """Each writer's probability of a right answer, float [D]."""
    if skills == "dense":
        careful = persona == list(PERSONA_SKILLS).index("careful")
        two = np.sort(rng.random((len(persona), 2)), axis=1)  # the mixture is uniform
        return np.asarray(two[np.arange(len(persona)), careful.astype(int)])
    cumulative = np.cumsum(list(PERSONA_SKILLS.values()), axis=1)[persona]
    which = (rng.random((len(persona), 1)) > cumulative[:, :-1]).sum(axis=1)
    drawn: Numbers = np.array(SKILLS)[which]
    return drawn


def _items(
    rng: np.random.Generator,
    task: BundledTask,
    skill: Numbers,
    vague: Tokens,
    length: int,
    own: OwnAnswers | None,
) -> tuple[Tokens, Tokens]:
    """Tokens and loss kinds of documents of one task, without their beginnings [D, length − 1]."""
    documents = len(skill)
    items = (length - 1) // item_tokens(task) + 1
    count = documents * items
    form = rng.choice(len(FORMS), size=count, p=list(FORMS.values()))
    judged = form == list(FORMS).index("judged")

    right = rng.random(count) < np.where(judged, 0.5, np.repeat(skill, items))
    problems = task.draw_batch(rng, count, "train")
    wrong = task.corrupt_batch(rng, problems, rng.integers(0, 3, size=count))
    answers = np.where(right[:, None], problems.references, wrong)
    queries = task.render(problems.fields)
    if own is not None:
        taken = np.flatnonzero(judged & (rng.random(count) < ON_POLICY_SHARE))
        _take_own(rng, task, own, taken, right, queries, answers)

    level = _LEVEL_IDS[rated(rng, right, np.repeat(vague, items))]
    tokens, kinds = _lay_out(form, queries, answers, level)
    valid = tokens >= 0
    return (
        _pack(tokens, valid, documents, length - 1),
        _pack(kinds, valid, documents, length - 1),
    )


def _take_own(
    rng: np.random.Generator,
    task: BundledTask,
    own: OwnAnswers,
    taken: Tokens,
    right: npt.NDArray[np.bool_],
    queries: Codes,
    answers: Codes,
) -> None:
    """Put the model's own answers, right and wrong ones as asked for, into the taken items."""
    low = np.where(right[taken], 0, own.right)
    high = np.where(right[taken], own.right, len(own.answers))
    chosen = low + (rng.random(len(taken)) * (high - low)).astype(np.int64)
    there = high > low
    taken, chosen = taken[there], chosen[there]
    queries[taken] = task.render(own.problems.fields[chosen])
    answers[taken] = own.answers[chosen]


def _lay_out(form: Tokens, queries: Codes, answers: Codes, level: Tokens) -> tuple[Tokens, Tokens]:
    """Tokens and loss kinds of items in their forms, int64 [N, W]; −1 stands for absent tokens."""
    plain, graded, wanted, judged = (form == index for index in range(len(FORMS)))

    def column(values: Tokens | int, present: npt.NDArray[np.bool_]) -> Tokens:
        return np.where(present, values, -1)[:, None]

    tokens = np.hstack(
        [
            column(np.where(judged, _ID[JUDGE], _ID[WANT]), judged | wanted),
            column(level, wanted),
            token_ids(queries),
            token_ids(answers),
            column(_ID[GRADE], graded | judged),
            column(level, graded | judged),
            np.full((len(form), 1), _ID[END]),
        ]
    )
    kinds = np.zeros_like(tokens)
    first = 2 + queries.shape[1]
    last = first + answers.shape[1]
    own = np.where(judged, KIND_NONE, KIND_ANSWER)[:, None]
    kinds[:, first : last + 1] = own  # the answer and, where a grade follows, its marker
    kinds[:, last + 1] = KIND_LEVEL
    kinds[plain | wanted, last + 2] = KIND_ANSWER  # the end of an answer without a grade
    return tokens, kinds


def _pack(values: Tokens, valid: npt.NDArray[np.bool_], documents: int, length: int) -> Tokens:
    """Drop absent tokens, lay each document's items end to end, cut at `length`: [D, length]."""
    per_document = valid.reshape(documents, -1)
    position = np.cumsum(per_document, axis=1) - 1
    keep = per_document & (position < length)
    packed = np.empty((documents, length), dtype=np.int64)
    packed[np.nonzero(keep)[0], position[keep]] = values.reshape(documents, -1)[keep]
    return packed
