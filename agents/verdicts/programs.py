"""What runs a task's programs: a sandbox here, or one on each machine of a cluster."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from mgptn.agents.sandbox.programs import Kind, Limits, SandboxError
from mgptn.agents.verdicts.on_ray import Node, nodes, on_each, shared_out
from mgptn.protocols.tasks.trials import Program, Ran

Given = tuple[Kind, Limits, int | None]
"""Of a sandbox: its kind, its limits, and programs at a time."""


class Programs:
    """Runs programs in sandboxes of one kind, wherever they are.

    Parameters
    ----------
    kind
        Its name, or ``"auto"`` for the strongest that works on every machine.
    limits
        Of each program.
    workers
        Programs at a time, on each machine; by CPUs, if not given.

    Attributes
    ----------
    kind
        That was chosen.

    Raises
    ------
    SandboxError
        If it does not work here, or none does; never is a program run without one.
    """

    def __init__(
        self, kind: Kind | Literal["auto"], limits: Limits, workers: int | None = None
    ) -> None:
        # Only here: most runs need no sandbox, and begin sooner without its libraries.
        from mgptn.agents.sandbox.kinds import choose

        self._wanted = kind
        self._limits, self._workers = limits, workers
        self.kind: Kind = choose(kind)
        self._sandbox: Any = None
        self._looked_at: set[str] = set()

    def __call__(self, programs: Sequence[Program]) -> Sequence[Ran]:
        """What comes of each program, in their order."""
        places = nodes()
        self.check(places)
        if places:
            return shared_out(places, run_here, self._given, programs, _lost)
        if self._sandbox is None:
            self._sandbox = _kept(self._given)
        ran: list[Ran] = self._sandbox.run(programs)
        return ran

    def check(self, places: Sequence[Node]) -> None:
        """Choose a kind that works on all machines of a cluster, too.

        Raises
        ------
        SandboxError
            If there is none: names a machine, and what is the matter there.
        """
        from mgptn.agents.sandbox.kinds import KINDS, MEND, fault_of

        fresh = [node for node in places if node.name not in self._looked_at]
        if not fresh:
            return
        told = on_each(fresh, faults_here)
        kinds = [kind for kind in KINDS if self._wanted in ("auto", kind) and not fault_of(kind)]
        if self._looked_at:  # what has been run was run by this kind
            kinds = [self.kind]
        for kind in kinds:
            if not any(faults[kind] for faults in told):
                self.kind = kind
                self._looked_at |= {node.name for node in fresh}
                return
        found = "; ".join(
            f"{kind} on {node.called}: {faults[kind]}"
            for kind in kinds
            for node, faults in zip(fresh, told, strict=True)
            if faults[kind]
        )
        raise SandboxError(
            f"sandbox.kind: expected one that works on all {len(places)} machines, got "
            f"{self._wanted}: {found}; {MEND}"
        )

    @property
    def _given(self) -> Given:
        return self.kind, self._limits, self._workers


def faults_here() -> dict[Kind, str]:
    """What keeps each kind from working on this machine; empty of those that work."""
    from mgptn.agents.sandbox.kinds import KINDS, fault_of

    return {kind: fault_of(kind) for kind in KINDS}


def run_here(given: Given, programs: Sequence[Program]) -> list[Ran]:
    """Run programs in a sandbox that this process keeps."""
    try:
        ran: list[Ran] = _kept(given).run(programs)
    except SandboxError as error:
        return [Ran("unknown", error=str(error))] * len(programs)
    return ran


@cache
def _kept(given: Given) -> Any:
    from mgptn.agents.sandbox.kinds import make_sandbox

    return make_sandbox(*given)


def _lost(program: Program) -> Ran:
    return Ran("unknown", error="the machines that were to run it were lost")
