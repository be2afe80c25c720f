"""Any data set of the reasoning-gym library as a task: its generator, and its own scorer.

reasoning-gym is Stojanovski et al. (2025), "Reasoning Gym", arXiv:2505.24760. It is imported when
such a task is made, not before.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import difflib
import importlib
import io
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from mgptn.protocols.answers.extraction import WHOLE, Extraction, make_finder
from mgptn.protocols.answers.matching import as_number
from mgptn.protocols.answers.reading import SENTENCE
from mgptn.protocols.answers.thoughts import without_thoughts
from mgptn.protocols.tasks.corruption import wrong_answer
from mgptn.protocols.tasks.safe_scoring import is_safe, own_randomness, read_literals_only
from mgptn.protocols.tasks.split import HeldOut, belongs
from mgptn.protocols.tasks.task import Problem, Split

PREFIX = "reasoning-gym/"

UNUSABLE = {
    "boxnet": "has no reference answers",
    "rush_hour": "has no reference answers",
    "game_of_life_halting": "has a scorer that takes every answer for right",
    "composite": "mixes other data sets; name one of those",
}
"""Data sets that are no task here, and why."""

HASHED = (
    *("isomorphic_strings", "knight_swap", "polynomial_multiplication", "ransom_note"),
    "word_ladder",
)
"""Data sets whose problems depend on Python's hash seed, so that they differ by process."""

SIZE = 10_000
"""Problems of a data set, unless `options` says otherwise; the library's own default is 500."""

SAMPLED = 16
"""Problems, besides those of the run, that an answer's greatest length is derived from."""

TRIES = 500
"""Draws in a row from the other split before the wanted one counts as empty."""

OTHERS = 8
"""Other problems whose references are tried as a wrong answer."""

REFUSALS = (
    *(AssertionError, ArithmeticError, AttributeError, LookupError),
    *(RuntimeError, TypeError, ValueError),
)
"""How data sets say that their options are not as they want them."""

Entry = dict[str, Any]


class ReasoningGym:
    """A data set of the library, drawn by index from one virtual sequence of problems.

    The sequence follows from `options` alone, the library's own seed among them (0 by default);
    a problem's place in it is drawn with the run's stream. The library's scorer needs what the
    generator knew of a problem, so a task can verify answers to the problems it has drawn, and
    takes any answer to another query for wrong.

    Parameters
    ----------
    dataset
        As the library names it, such as ``"chain_sum"``.
    options
        Fields of the data set's own configuration.
    held_out
        Whether runs draw a fifth of the problems, by hash of the query, or all of them.
    extraction
        What counts of an answer; one of which all would be right is right too.
    pass_score
        The library's score, in (0, 1], from which an answer is right.
    max_answer_characters
        If None: half as much again as the longest reference, in UTF-8 bytes, of a few problems and
        of those drawn so far, which for a run are all of its own.

    Raises
    ------
    ImportError
        If the library is not installed.
    ValueError
        Naming the configuration's field, if there is no such data set, it cannot be used here, or
        its options are not as it wants them.
    """

    def __init__(
        self,
        dataset: str,
        options: Mapping[str, Any] | None = None,
        *,
        held_out: HeldOut = "hash",
        pass_score: float = 1.0,
        extraction: Extraction = WHOLE,
        max_answer_characters: int | None = None,
    ) -> None:
        check_dataset(dataset)
        self.name = PREFIX + dataset
        self.dataset = dataset
        self._held_out: HeldOut = held_out
        self._pass_score = pass_score
        self._extracts = extraction != WHOLE
        self._number, self._text = (make_finder(extraction, m) for m in ("numeric", "exact"))
        self._library = _made(dataset, {"seed": 0, "size": SIZE, **(options or {})})
        self._entries: dict[str, Entry] = {}
        self._max_answer_characters = max_answer_characters
        self._longest = 1
        if max_answer_characters is None:
            rng = np.random.default_rng(0)
            for _ in range(SAMPLED):
                self._problem(int(rng.integers(len(self._library))))

    @property
    def max_answer_characters(self) -> int:
        """As configured, or else derived from the references seen so far."""
        derived = max(8, 3 * self._longest // 2) + (SENTENCE if self._extracts else 0)
        return self._max_answer_characters or derived

    def draw(self, rng: np.random.Generator, split: Split) -> Problem:
        """One problem of the split; its place in the data set is drawn.

        Raises
        ------
        ValueError
            If the data set has none in the split, or none that could be generated.
        """
        for _ in range(TRIES):
            problem = self._problem(int(rng.integers(len(self._library))))
            if problem is not None and belongs(problem.query, split, self._held_out):
                return problem
        raise ValueError(
            f"task.name: expected a data set with {split} problems, got {self.name}, of which "
            f"{TRIES} draws gave none"
        )

    def verify(self, query: str, answer: str) -> bool:
        """Right iff the library's scorer gives `pass_score` to it, or to what counts of it.

        What the scorer fails on is wrong.
        """
        entry = self._entries.get(query)
        if entry is None:
            return False
        part = self.counted(query, answer)
        return self._scored(entry, answer) or (part is not None and self._scored(entry, part))

    def counted(self, query: str, answer: str) -> str | None:
        """What counts of an answer: its number, where the reference is one; None where all does."""
        entry = self._entries.get(query)
        if entry is None or not self._extracts:
            return None
        find = self._text if as_number(entry["answer"]) is None else self._number
        part = (find(without_thoughts(answer)) or "").strip()
        return part or None

    def _scored(self, entry: Entry, answer: str) -> bool:
        if not is_safe(self.dataset, answer):
            return False
        try:
            with own_randomness(0), redirect_stdout(io.StringIO()):
                score = float(self._library.score_answer(answer, entry))
        except Exception:  # noqa: BLE001 (any text may be asked about; `validate` finds what is broken)
            return False
        return score >= self._pass_score

    def reference(self, query: str) -> str:
        """The generator's answer to a query that this task has drawn."""
        return str(self._entries[query]["answer"])

    def canonical(self, query: str) -> str:
        """The query itself: the library knows of no symmetries."""
        return query

    def corrupt(self, problem: Problem, rng: np.random.Generator) -> str:
        """Another problem's reference, or else an edit of this one's, that the scorer rejects."""
        return wrong_answer(
            problem, self._others(rng), self.verify, self.max_answer_characters, rng
        )

    def _others(self, rng: np.random.Generator) -> Iterator[str]:
        for _ in range(OTHERS):
            problem = self._problem(int(rng.integers(len(self._library))))
            if problem is not None:
                yield problem.reference

    def _problem(self, index: int) -> Problem | None:
        """The problem at a place of the data set; None where its generator gave up on it."""
        try:
            with own_randomness(index), redirect_stdout(io.StringIO()):
                entry: Entry = self._library[index]
        except (IndexError, RuntimeError):  # how generators say that they found no such problem
            return None
        query = str(entry["question"]).strip()
        entry = self._entries.setdefault(query, {**entry, "answer": _reference(entry)})
        self._longest = max(self._longest, len(entry["answer"].encode()))
        return Problem(query, entry["answer"])


def dataset_names() -> list[str]:
    """Every data set that can be a task, in the library's alphabet.

    Raises
    ------
    ImportError
        If the library is not installed.
    """
    return sorted(name for name in _factory().DATASETS if name not in UNUSABLE)


def check_dataset(name: str) -> None:
    """Refuse a data set that the library has not, or that cannot be used here.

    Raises
    ------
    ImportError
        If the library is not installed.
    ValueError
        Saying why.
    """
    known = _factory().DATASETS
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise ValueError(
            f"task.name: expected a data set of reasoning-gym, got {PREFIX}{name}"
            + (f"; did you mean {PREFIX}{near[0]}?" if near else "; 'mgptn tasks' lists them")
        )
    if name in UNUSABLE:
        raise ValueError(
            f"task.name: expected a data set that can be a task, got {PREFIX}{name}, which "
            f"{UNUSABLE[name]}"
        )
    if name in HASHED and sys.flags.hash_randomization:
        raise ValueError(
            f"task.name: expected PYTHONHASHSEED=0 in the environment for {PREFIX}{name}, whose "
            "problems otherwise differ in every process, got a random hash seed"
        )


def options_class(name: str) -> type[Any]:
    """The data set's own configuration, a dataclass."""
    found: type[Any] = _factory().DATASETS[name][1]
    return found


def _factory() -> Any:
    return importlib.import_module("reasoning_gym").factory


def _made(name: str, options: dict[str, Any]) -> Any:
    """The library's data set.

    Raises
    ------
    ValueError
        If it refuses its options; the library says so in many ways.
    """
    try:
        with own_randomness(0):
            dataset = _factory().create_dataset(name, **options)
    except REFUSALS as error:
        raise ValueError(
            f"task.options: expected options that {PREFIX}{name} accepts, got {options}: "
            f"{type(error).__name__}: {error}"
        ) from error
    read_literals_only(type(dataset).__module__)
    return dataset


def _reference(entry: Entry) -> str:
    """The entry's answer, or the example of one that some data sets give in its place."""
    answer = entry["answer"]
    for key in ("example_answer", "example_correct_answer", "possible_answer"):
        if answer is None:
            answer = entry["metadata"].get(key)
    return answer if isinstance(answer, str) else json.dumps(answer)
