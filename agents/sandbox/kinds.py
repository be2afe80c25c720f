"""The kinds of sandboxes, which of them work on this machine, and the strongest that does."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Final, Literal

from mgptn.agents.sandbox.box import Box
from mgptn.agents.sandbox.interpreter import Interpreter
from mgptn.agents.sandbox.pool import Sandbox, Worker
from mgptn.agents.sandbox.programs import Kind, Limits, SandboxError
from mgptn.protocols.tasks.trials import Program


def _interpreter(limits: Limits) -> Worker:
    return Interpreter(limits, behind_walls=not fault_of("bubblewrap"))


KINDS: Final[Mapping[Kind, Callable[[Limits], Worker]]] = {
    "bubblewrap": Box,
    "interpreter": _interpreter,
}
"""Name → what starts a worker of that kind; the strongest first, which runs all of Python, too."""

MEND: Final = (
    "`pip install 'mgptn[sandbox]'`; bubblewrap needs user namespaces of the kernel, which a "
    "container or a hardened system may forbid"
)


@cache
def fault_of(kind: Kind) -> str:
    """What keeps a kind from working here; empty if nothing does. A program is run to see."""
    start = KINDS[kind]
    if kind == "interpreter":
        start = partial(Interpreter, behind_walls=False)
    try:
        worker = start(Limits())
    except SandboxError as error:
        return str(error)
    try:
        ran = worker.run(Program("def double(x):\n    return 2 * x", ("double(21)",)))
    except SandboxError as error:
        return str(error)
    finally:
        worker.close()
    if ran.status != "ended" or ran.values != ("42",):
        return f"2 × 21: expected 42, got {ran.values} ({ran.status}: {ran.error.strip()})"
    return ""


def choose(kind: Kind | Literal["auto"]) -> Kind:
    """The kind to use: the one that is asked for, or the strongest that works.

    Raises
    ------
    SandboxError
        If it does not work here, or none does; never is a program run without one.
    """
    tried: tuple[Kind, ...] = tuple(KINDS) if kind == "auto" else (kind,)
    for one in tried:
        if not fault_of(one):
            return one
    found = "; ".join(f"{one}: {fault_of(one)}" for one in tried)
    raise SandboxError(f"sandbox.kind: expected one that works here, got {kind}: {found}; {MEND}")


def make_sandbox(
    kind: Kind | Literal["auto"] = "auto",
    limits: Limits | None = None,
    workers: int | None = None,
) -> Sandbox:
    """A sandbox of a kind, with workers that start with the first programs.

    Raises
    ------
    SandboxError
        If it does not work here, or none does.
    """
    chosen = choose(kind)
    return Sandbox(chosen, KINDS[chosen], limits or Limits(), workers)
