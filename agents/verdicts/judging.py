"""Verdicts on some answers, one after another; of what a task fails on, nothing is known."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from mgptn.protocols.tasks.task import Task
from mgptn.protocols.tasks.trials import NeedsPrograms, Program, Ran, Run, try_answers

Pair = tuple[str, str]
"""A query, and an answer to it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Verdicts, in their order, and the first thing that the task raised; empty if nothing."""

    verdicts: tuple[bool | None, ...]
    fault: str = ""


def judge(task: Task, pairs: Sequence[Pair], run: Run | None = None) -> Judged:
    """The verdicts on some answers.

    Parameters
    ----------
    run
        Runs programs, for a task whose verdicts need that.
    """
    guarded = _Guarded(task)
    if isinstance(task, NeedsPrograms) and run is not None:
        verdicts = try_answers(guarded, pairs, run)
    else:
        verdicts = [guarded.verify(query, answer) for query, answer in pairs]
    return Judged(tuple(verdicts), guarded.fault)


@dataclass(slots=True)
class _Guarded:
    """A task whose faults are kept: an answer that it fails on has no verdict."""

    task: Task
    fault: str = ""
    _failed: set[Pair] = field(default_factory=set)

    def verify(self, query: str, answer: str) -> bool | None:
        try:
            return _truth(self.task.verify(query, answer))
        except Exception as error:  # noqa: BLE001 (a task may be anybody's)
            self._fail(query, answer, error)
            return None

    def programs(self, query: str, answer: str) -> Sequence[Program]:
        try:
            return tuple(cast(NeedsPrograms, self.task).programs(query, answer))
        except Exception as error:  # noqa: BLE001
            self._fail(query, answer, error)
            return ()

    def judge(self, query: str, answer: str, ran: Sequence[Ran]) -> bool | None:
        if (query, answer) in self._failed:
            return None
        try:
            return _truth(cast(NeedsPrograms, self.task).judge(query, answer, ran))
        except Exception as error:  # noqa: BLE001
            self._fail(query, answer, error)
            return None

    def _fail(self, query: str, answer: str, error: Exception) -> None:
        self._failed.add((query, answer))
        self.fault = self.fault or (
            f"{type(error).__name__}: {error} (of the answer {answer!r:.80} to {query!r:.80})"
        )


def _truth(said: bool | None) -> bool | None:
    return None if said is None else bool(said)
