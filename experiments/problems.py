"""The problems of a run, drawn before it starts: held out from training, and none of them twice."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from experiments.config import ConfigError, RunConfig
from population.streams import stream
from protocols.tasks.task import Problem, Task

TRIES = 2000
"""Draws in a row that may repeat a problem before the task counts as exhausted."""


def draw_problems(task: Task, config: RunConfig) -> list[tuple[Problem, ...]]:
    """The problems of each generation, the same for every arm of the run.

    No problem is drawn twice, up to the task's symmetry: one that an agent has in its context
    could be answered by looking it up.

    Raises
    ------
    ConfigError
        If the task has not enough held-out problems for the run.
    """
    rng = stream(config.seed, "problems")
    wanted = config.population.generations * config.problems_per_generation
    problems: list[Problem] = []
    seen: set[str] = set()
    tries = 0
    while len(problems) < wanted:
        problem = task.draw(rng, "held-out")
        key = task.canonical(problem.query)
        tries = tries + 1 if key in seen else 0
        if tries > TRIES:
            raise ConfigError(
                f"problems_per_generation: expected a task with {wanted} held-out problems "
                f"(population.generations × problems_per_generation), got {task.name} with about "
                f"{len(problems)}; lower either, or raise the task's size"
            )
        if key not in seen:
            seen.add(key)
            problems.append(problem)
    each = config.problems_per_generation
    return [tuple(problems[i : i + each]) for i in range(0, wanted, each)]
