"""How many programs a second each kind of sandbox verifies, by the wall and by the processor."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

from mgptn.agents.sandbox.kinds import make_sandbox
from mgptn.agents.sandbox.pool import Sandbox
from mgptn.agents.sandbox.programs import Kind
from mgptn.protocols.tasks.trials import Program


@dataclass(frozen=True, slots=True)
class Speed:
    """Of a kind, with so many workers.

    Attributes
    ----------
    programs
        Of each repeat.
    rates
        Programs a second on the wall, of each repeat.
    processor_rates
        Programs a second of a processor: this process's time and its workers' together.
    right
        Programs whose value was what it is to be, of all repeats.
    """

    kind: Kind
    workers: int
    programs: int
    rates: tuple[float, ...]
    processor_rates: tuple[float, ...]
    right: int


def measured(kind: Kind, workers: int, programs: int, repeats: int) -> Speed:
    """Verify small programs, each a function of its own and one case; the first lot warms up."""
    rates: list[float] = []
    processor_rates: list[float] = []
    right = 0
    with make_sandbox(kind, workers=workers) as sandbox:
        _verified(sandbox, max(1, programs // 10))
        for _ in range(repeats):
            began, spent = time.perf_counter(), _processor_seconds()
            right += _verified(sandbox, programs)
            rates.append(programs / (time.perf_counter() - began))
            processor_rates.append(programs / (_processor_seconds() - spent))
    return Speed(kind, workers, programs, tuple(rates), tuple(processor_rates), right)


def _verified(sandbox: Sandbox, programs: int) -> int:
    """How many give the value that they should."""
    asked = [
        Program(f"def answer(x):\n    return x * x + {i}\n", ("answer(7)",))
        for i in range(programs)
    ]
    return sum(ran.values == (str(49 + i),) for i, ran in enumerate(sandbox.run(asked)))


def _processor_seconds() -> float:
    """Of this process and all below it, those among them that have ended."""
    spent = time.process_time()
    for process in psutil.Process().children(recursive=True):
        times = process.cpu_times()
        spent += times.user + times.system + times.children_user + times.children_system
    return spent
