"""The verifier of a run: verdicts in batches, each pair once, wherever that is soonest done.

What costs microseconds is done here; slow checkers get processes, or a cluster's machines; programs
go to a sandbox. A verdict does not depend on where it was found.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mgptn.agents.verdicts.judging import Judged, Pair, judge
from mgptn.agents.verdicts.on_ray import Node, nodes, shared_out
from mgptn.agents.verdicts.processes import Processes
from mgptn.agents.verdicts.programs import Programs
from mgptn.protocols.tasks.task import Task
from mgptn.protocols.tasks.trials import NeedsPrograms, Program, Ran

KNOWN = 1 << 16
"""Verdicts that are remembered, the last ones asked for."""

KNOWN_RUNS = 1 << 10
"""Programs that it is remembered of what came of them: their output may be long."""

AT_ONCE, TRIED = 16, 0.5
"""Answers judged here between two looks at the clock; and seconds until it is asked whether the
rest is worth sending elsewhere."""

WORTH = 2.0
"""Seconds of work here from which on it is: a process takes as long to start."""

LONG = 60.0
"""Seconds after which it is told that verdicts are still awaited: nothing ends a task that never
does, but whoever waits."""


class Verifier:
    """Asks tasks for verdicts.

    Parameters
    ----------
    programs
        Runs programs, for tasks whose verdicts need that.
    tell
        Is told once of each task that raises, in a sentence; and once, from another thread, of
        each whose verdicts take long.

    Attributes
    ----------
    asked
        Verdicts that had to be found so far; those that were remembered are not among them.
    seconds
        Of wall time that took, and programs that were run beside.
    """

    def __init__(
        self, programs: Programs | None = None, tell: Callable[[str], None] = lambda told: None
    ) -> None:
        self.programs = programs
        self.asked = 0
        self.seconds = 0.0
        self._tell = tell
        self._told: set[str] = set()
        self._known: OrderedDict[bytes, bool | None] = OrderedDict()
        self._ran: OrderedDict[Program, Ran] = OrderedDict()
        self._tasks: dict[int, Task] = {}
        self._processes: Processes | None = None
        self._cannot_be_sent: set[int] = set()

    def __call__(self, task: Task, pairs: Sequence[Pair]) -> list[bool | None]:
        """The verdict on each (query, answer), in their order."""
        began = time.perf_counter()
        self._tasks[id(task)] = task  # kept, so that no other has its id
        keys = [_key(task, pair) for pair in pairs]
        fresh = {k: p for k, p in zip(keys, pairs, strict=True) if k not in self._known}
        found: dict[bytes, bool | None] = {}
        if fresh:
            with self._awaited(task, len(fresh)):
                judged = self._judged(task, list(fresh.values()))
            self._tell_of(task, judged.fault)
            found = dict(zip(fresh, judged.verdicts, strict=True))
            self.asked += len(fresh)
        verdicts = [found[key] if key in found else self._known[key] for key in keys]
        for key, verdict in zip(keys, verdicts, strict=True):
            # What a sandbox could not tell it may tell the next time.
            if verdict is not None or not isinstance(task, NeedsPrograms):
                self._known[key] = verdict
                self._known.move_to_end(key)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        self.seconds += time.perf_counter() - began
        return verdicts

    def run(self, programs: Sequence[Program]) -> list[Ran]:
        """What comes of programs that nobody asks a verdict on, in their order; each run once.

        Raises
        ------
        RuntimeError
            If there is nothing that runs programs.
        """
        if self.programs is None:
            raise RuntimeError("programs: expected a sandbox to run them in, got none")
        began = time.perf_counter()
        fresh = [one for one in dict.fromkeys(programs) if one not in self._ran]
        found = dict(zip(fresh, self.programs(fresh) if fresh else (), strict=True))
        came = [found[one] if one in found else self._ran[one] for one in programs]
        for one, of in zip(programs, came, strict=True):
            if of.status != "unknown":  # the sandbox may tell the next time
                self._ran[one] = of
                self._ran.move_to_end(one)
        while len(self._ran) > KNOWN_RUNS:
            self._ran.popitem(last=False)
        self.seconds += time.perf_counter() - began
        return came

    def _judged(self, task: Task, pairs: Sequence[Pair]) -> Judged:
        if isinstance(task, NeedsPrograms):
            return judge(task, pairs, self.programs)
        began = time.perf_counter()
        done: list[Judged] = []
        for place in range(0, len(pairs), AT_ONCE):
            spent = time.perf_counter() - began
            left = len(pairs) - place
            if spent > TRIED and spent / max(1, place) * left > WORTH:
                elsewhere = self._elsewhere(task, pairs[place:])
                if elsewhere is not None:
                    done.append(elsewhere)
                    break
            done.append(judge(task, pairs[place : place + AT_ONCE]))
        faults = (one.fault for one in done if one.fault)
        return Judged(tuple(v for one in done for v in one.verdicts), next(faults, ""))

    def _elsewhere(self, task: Task, pairs: Sequence[Pair]) -> Judged | None:
        """Slow verdicts, found by others; None where they cannot be."""
        if id(task) in self._cannot_be_sent:
            return None
        try:
            places = nodes()
            if places:
                return _on_cluster(places, task, pairs)
            if self._processes is None:
                self._processes = Processes()
            return self._processes(task, pairs)
        except Exception:  # noqa: BLE001 (pickle fails in whichever way the task does)
            self._cannot_be_sent.add(id(task))
            return None

    @contextmanager
    def _awaited(self, task: Task, many: int) -> Iterator[None]:
        """Tell of a task whose verdicts, so many, take `LONG`."""
        told = (
            f"task {task.name}: still waiting for verdicts (of {many:,}) after {LONG:g} s; "
            "its verify should end in time, and say None where it cannot tell"
        )
        waiting = threading.Timer(LONG, self._tell_once, (f"{task.name} is slow", told))
        waiting.daemon = True
        waiting.start()
        try:
            yield
        finally:
            waiting.cancel()

    def _tell_of(self, task: Task, fault: str) -> None:
        if fault:
            self._tell_once(
                task.name,
                f"task {task.name}: expected a verdict on any answer, got {fault}; the verdict on "
                "such answers is unknown",
            )

    def _tell_once(self, of: str, told: str) -> None:
        if of not in self._told:
            self._told.add(of)
            self._tell(told)


def _on_cluster(places: Sequence[Node], task: Task, pairs: Sequence[Pair]) -> Judged:
    lost: tuple[bool | None, str] = None, "the machines that were to find a verdict were lost"
    found = shared_out(places, _each, task, pairs, lambda pair: lost, each=True)
    faults = (fault for _, fault in found if fault)
    return Judged(tuple(verdict for verdict, _ in found), next(faults, ""))


def _each(task: Task, pairs: Sequence[Pair]) -> list[tuple[bool | None, str]]:
    judged = judge(task, pairs)
    return [(verdict, judged.fault) for verdict in judged.verdicts]


def _key(task: Task, pair: Pair) -> bytes:
    """A name of a question to a task by its content."""
    query, answer = (text.encode("utf-8", "surrogatepass") for text in pair)
    content = b"%d %d %b%b" % (id(task), len(query), query, answer)
    return hashlib.blake2b(content, digest_size=16).digest()
