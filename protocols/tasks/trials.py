"""Programs as a task has them run, what comes back, and tasks whose verdicts need that.

Nothing is run here: whoever holds a sandbox hands in what runs programs.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Status = Literal["ended", "error", "time", "memory", "output", "refused", "unknown"]
"""How a program came out.

``ended``: it ran to its end. ``error``: it raised, exited by another number than 0, or was ended by
a signal. ``time``, ``memory``, ``output``: it took all that it may. ``refused``: it was not run.
``unknown``: the sandbox failed or the machine was too slow, and nothing is known of the program.
"""


@dataclass(frozen=True, slots=True)
class Program:
    """A program in Python.

    Attributes
    ----------
    source
        Run first, as a module of its own.
    cases
        Expressions, evaluated one after another in what `source` has defined; the small interpreter
        evaluates all again where one of them raises.
    stdin
        What `input()` reads.
    """

    source: str
    cases: tuple[str, ...] = ()
    stdin: str = ""

    def too_long(self, limit: int) -> bool:
        """Is it longer than so many bytes, or no text that could be sent?"""
        texts = (self.source, self.stdin, *self.cases)
        if sum(map(len, texts)) > limit:
            return True
        try:
            return sum(len(text.encode()) for text in texts) > limit
        except UnicodeEncodeError:
            return True


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a program. All but `status` and `seconds` is what the program says.

    Attributes
    ----------
    status
        How it came out; `Status` says what each is.
    values
        For each case the `repr` of its value, or None if it has none: because it raised, or because
        the program ended before. Empty unless the program has ``ended``.
    stdout
        What it printed, cut off at the limit.
    error
        What it left on standard error, or why it is not known what became of it; for people.
    exit
        Its exit status, minus the signal's number if one ended it; None where it has none.
    seconds
        Of a processor that it took; NaN where that was not measured.
    """

    status: Status
    values: tuple[str | None, ...] = ()
    stdout: str = ""
    error: str = ""
    exit: int | None = None
    seconds: float = float("nan")


Run = Callable[[Sequence[Program]], Sequence[Ran]]
"""What came of each program, in their order."""


@runtime_checkable
class NeedsPrograms(Protocol):
    """A task whose verdicts need programs to be run.

    Its `verify` may say what is known without: None where a program would have to be run.
    """

    def programs(self, query: str, answer: str) -> Sequence[Program]:
        """What is to be run to judge an answer, the same for the same answer; any string may come.

        None at all is right where the answer can be judged without, as one that is no program. No
        right answer may be in them: values are compared by `judge`.
        """
        ...

    def judge(self, query: str, answer: str, ran: Sequence[Ran]) -> bool | None:
        """The verdict, given what came of each of `programs`, in their order; never of `seconds`.

        Nothing that is handed in is ``unknown``: an answer one of whose programs is has no verdict.
        """
        ...


def try_answers(
    task: NeedsPrograms, pairs: Sequence[tuple[str, str]], run: Run
) -> list[bool | None]:
    """The verdict on each (query, answer), all programs run at once and equal ones only once.

    It is None, without asking the task, where one of an answer's programs is ``unknown``.
    """
    wanted = [tuple(task.programs(query, answer)) for query, answer in pairs]
    distinct = list(dict.fromkeys(program for some in wanted for program in some))
    came = dict(zip(distinct, run(distinct) if distinct else (), strict=True))
    verdicts: list[bool | None] = []
    for (query, answer), some in zip(pairs, wanted, strict=True):
        ran = tuple(came[program] for program in some)
        unknown = any(one.status == "unknown" for one in ran)
        verdicts.append(None if unknown else task.judge(query, answer, ran))
    return verdicts
