"""Where the host's time goes: passes by their kind, sampling, scoring, and what is left."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mgptn.agents.requests import Work
from mgptn.experiments.bench.engine.ceiling import synchronised
from mgptn.experiments.bench.real.ways import Ours
from mgptn.experiments.bench.real.workload import Workload

PREFIXES, PROMPTS, STEPS, ROWS = "prefixes", "prompts", "steps", "graded rows"
SAMPLING, SCORING, MOVING = "sampling", "scoring", "keys and values moved"
TENSORS, PYTHON = "tensors and replies made", "other Python"


def where(way: Ours, workload: Workload) -> dict[str, dict[str, float]]:
    """Phase → part → seconds, from an empty cache of prefixes. Nothing else is timed meanwhile:
    on a GPU every pass is waited for."""
    spent: dict[str, float] = {}
    forward, device = way.host.forward, way.host.device.type
    names: tuple[tuple[Any, str], ...] = (
        (way.host.way, "prefix"), (forward, "read"), (forward, "step"),
    )  # fmt: skip
    for owner, name in names:
        setattr(owner, name, _timed(getattr(owner, name), name, spent, device))
    try:
        way.forget()
        phases: dict[str, Callable[[], Any]] = {
            "answers": lambda: way.answer(workload.answers),
            "grades": lambda: way.grade(workload.grades),
        }
        found = {}
        for phase, run in phases.items():
            spent.clear()
            began = time.perf_counter()
            run()
            synchronised(device)
            whole = time.perf_counter() - began
            found[phase] = _parts(phase, way.work, dict(spent), whole)
        return found
    finally:
        for owner, name in names:
            delattr(owner, name)


def _parts(phase: str, work: list[Work], spent: dict[str, float], whole: float) -> dict[str, float]:
    prefixes, read, step = (spent.get(name, 0.0) for name in ("prefix", "read", "step"))
    sums = {n: sum(getattr(w, n) for w in work) for n in ("forward", "sampling", "transfer")}
    beside = max(0.0, sums["forward"] - prefixes - read - step)
    if phase == "answers":
        parts = {PREFIXES: prefixes, PROMPTS: read, STEPS: step, MOVING: beside}
        parts[SAMPLING] = sums["sampling"]
    else:
        parts = {PREFIXES: prefixes, ROWS: read, SCORING: beside}
    parts[TENSORS] = sums["transfer"]
    parts[PYTHON] = max(0.0, whole - sum(sums.values()))
    return parts


def _timed(
    function: Callable[..., Any], name: str, spent: dict[str, float], device: str
) -> Callable[..., Any]:
    def run(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        made = function(*given, **named)
        synchronised(device)
        spent[name] = spent.get(name, 0.0) + time.perf_counter() - began
        return made

    return run
