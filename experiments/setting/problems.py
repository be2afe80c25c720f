"""The problems of a run, drawn before it starts: held out from training, and none of them twice."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import json

import numpy as np

from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.population.draws.streams import stream
from mgptn.protocols.tasks.questions import Questions
from mgptn.protocols.tasks.task import Problem, Task

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
    if isinstance(task, Questions):
        drawn = _shuffled(task, wanted, rng)
    else:
        drawn = _draw_anew(task, wanted, rng)
    each = config.problems_per_generation
    return [tuple(drawn[i : i + each]) for i in range(0, wanted, each)]


def draw_grown(task: Task, size: int, generation: int, config: RunConfig) -> tuple[Problem, ...]:
    """The problems of a generation in which a task has grown to a size; the same for every arm.

    Drawn when they are needed, for which size comes when depends on the run. No problem is drawn
    twice in a generation.
    """
    rng = stream(config.seed, "problems", generation, size)
    return tuple(_draw_anew(task, config.problems_per_generation, rng))


def hash_of_problems(generations: list[tuple[Problem, ...]]) -> str:
    """One hexadecimal hash of all questions and their references, in order."""
    plain = [[(p.query, p.reference) for p in generation] for generation in generations]
    content = json.dumps(plain).encode()
    return hashlib.blake2b(content, digest_size=32, person=b"mgptn.problems").hexdigest()


def _shuffled(task: Questions, wanted: int, rng: np.random.Generator) -> list[Problem]:
    """As many of a finite task's problems, in an order that is the seed's."""
    pool = task.pool("held-out")
    if len(pool) < wanted:
        raise ConfigError(
            f"problems_per_generation: expected a task.file with {wanted} held-out questions "
            f"(population.generations × problems_per_generation), got {len(pool)}; lower either, "
            "or add questions"
        )
    return [pool[i] for i in rng.permutation(len(pool))[:wanted]]


def _draw_anew(task: Task, wanted: int, rng: np.random.Generator) -> list[Problem]:
    """Draw until there are enough different problems."""
    problems: list[Problem] = []
    seen: set[str] = set()
    tries = 0
    while len(problems) < wanted:
        problem = _drawn(task, rng)
        key = task.canonical(problem.query)
        tries = tries + 1 if key in seen else 0
        if tries > TRIES:
            raise ConfigError(
                f"problems_per_generation: expected a task with {wanted} held-out problems "
                f"(population.generations × problems_per_generation), got {task.name} with about "
                f"{len(problems)}; lower either, or raise the task's size"
                " (task.size, or task.options)"
            )
        if key not in seen:
            seen.add(key)
            problems.append(problem)
    return problems


def _drawn(task: Task, rng: np.random.Generator) -> Problem:
    try:
        return task.draw(rng, "held-out")
    except ValueError as error:
        raise ConfigError(str(error)) from None
