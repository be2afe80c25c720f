"""Examples that a run shows whoever answers or grades, drawn from problems that it does not ask."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.population.draws.streams import stream
from mgptn.protocols.interfaces.interface import Shown
from mgptn.protocols.scale import LEVELS
from mgptn.protocols.tasks.questions import Questions
from mgptn.protocols.tasks.task import Problem, Task

TRIES = 2000
BOTTOM, TOP = 0, len(LEVELS) - 1


def draw_shots(task: Task, config: RunConfig, asked: Collection[str]) -> tuple[Shown, ...]:
    """`task.shots` problems with their right answers, the same for every agent and arm.

    Parameters
    ----------
    asked
        Canonical texts of the run's own problems, none of which is shown.

    Raises
    ------
    ConfigError
        If there are not so many others.
    """
    rng = stream(config.seed, "shots", "answers")
    problems = _others(task, config.task.shots, asked, rng, "task.shots")
    return tuple(Shown(p.query, p.reference) for p in problems)


def draw_graded_shots(task: Task, config: RunConfig, asked: Collection[str]) -> tuple[Shown, ...]:
    """`protocol.shots` answers, half of them right and half wrong, with the level each deserves.

    Parameters and errors as of `draw_shots`.
    """
    rng = stream(config.seed, "shots", "grades")
    count = config.protocol.shots
    problems = _others(task, count, asked, rng, "protocol.shots")
    right = rng.permutation(np.arange(len(problems)) % 2 == 1).tolist()
    return tuple(
        Shown(p.query, p.reference, TOP) if good else Shown(p.query, task.corrupt(p, rng), BOTTOM)
        for p, good in zip(problems, right, strict=True)
    )


def _others(
    task: Task, count: int, asked: Collection[str], rng: np.random.Generator, key: str
) -> list[Problem]:
    """So many problems that the run does not ask, each once."""
    found: dict[str, Problem] = {}
    for problem in _candidates(task, rng) if count else ():
        canonical = task.canonical(problem.query)
        if canonical not in asked:
            found.setdefault(canonical, problem)
        if len(found) == count:
            return list(found.values())
    if count:
        raise ConfigError(
            f"{key}: expected a task with {count} problems besides the {len(asked)} that the run "
            f"asks, got {len(found)} from {task.name}"
        )
    return []


def _candidates(task: Task, rng: np.random.Generator) -> Iterator[Problem]:
    if isinstance(task, Questions):
        problems = task.problems
        yield from (problems[i] for i in rng.permutation(len(problems)))
        return
    for _ in range(TRIES):
        yield task.draw(rng, "train")
