"""Which sandboxes there are here for tests, and one without walls for attacks to succeed in."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import subprocess
import sys

import pytest

from mgptn.agents.sandbox.kinds import KINDS, fault_of
from mgptn.agents.sandbox.programs import Kind, Limits
from mgptn.protocols.tasks.trials import Program, Ran

SMALL = Limits(seconds=0.2, wall=60.0, memory=128 * 2**20, output=4000, source=100_000)


def kinds() -> list[pytest.param]:
    """A parameter for each kind; one that does not work here is skipped, and says why."""
    return [
        pytest.param(kind, marks=pytest.mark.skipif(bool(fault := fault_of(kind)), reason=fault))
        for kind in KINDS
    ]


class Unprotected:
    """A worker without any walls: what the suite of attacks must be able to tell."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def run(self, program: Program) -> Ran:
        """Run a program as this user."""
        lines = "".join(f"print(repr({case}))\n" for case in program.cases if "left" not in case)
        done = subprocess.run(
            [sys.executable, "-I", "-c", program.source + "\n" + lines],
            capture_output=True,
            text=True,
            timeout=self._limits.wall,
            check=False,
        )
        status = "ended" if done.returncode == 0 else "error"
        values = tuple(done.stdout.split()[-1:]) + (None,) * (len(program.cases) - 1)
        return Ran(status, values, done.stdout, done.stderr, done.returncode)

    def close(self) -> None:
        """Nothing is kept."""


__all__ = ["SMALL", "Kind", "Unprotected", "kinds"]
