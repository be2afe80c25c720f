"""Programs in Python run plainly: those that tests write, by `exec`; a model's, in a process."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from mgptn.protocols.tasks.trials import Program, Ran

PAIRS = [(a, b) for a in range(10) for b in range(10)]


def function(source: str, name: str = "f") -> Callable[[int, int], Any]:
    """What a source defines under a name."""
    defined: dict[str, Any] = {}
    exec(compile(source, "<program>", "exec"), defined)
    found: Callable[[int, int], Any] = defined[name]
    return found


def run_plainly(programs: Sequence[Program]) -> list[Ran]:
    """What comes of each, in this process; what loops by ``while True`` is taken to."""
    return [_ran(program) for program in programs]


def _ran(program: Program) -> Ran:
    if "while True" in program.source:
        return Ran("time")
    defined: dict[str, Any] = {}
    try:
        exec(program.source, defined)
        return Ran("ended", tuple(repr(eval(case, defined)) for case in program.cases))
    except Exception as error:  # noqa: BLE001
        return Ran("error", error=repr(error))


APART = """
import json, types
{source}
_functions = [one for one in list(globals().values()) if isinstance(one, types.FunctionType)]
_one = globals().get("f") or _functions[-1]
print()
print(json.dumps([_one(a, b) for a in range(10) for b in range(10)]))
"""


def results_apart(source: str, seconds: float = 10.0) -> Any:
    """What a source's function gives for all pairs, in a process of its own with a clock; None
    where it fails, or does not end, or gives what JSON has no word for.
    """
    command = [sys.executable, "-I", "-c", APART.format(source=source)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, check=False, input=""
        )
    except subprocess.TimeoutExpired:
        return None
    return None if done.returncode else json.loads(done.stdout.rsplit("\n", 2)[-2])
