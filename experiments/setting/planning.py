"""What a run's records will take of this process's memory, planned before any of it is made."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.agents.allowance import available_memory
from mgptn.agents.behaviour import SCRIPTED_MODELS
from mgptn.experiments.config.run_config import ConfigError, RunConfig

AGENT_BYTES, PROBLEM_BYTES, ANSWER_BYTES, GRADE_BYTES = 500, 300, 100, 8
"""Of one of each, at the least: as an agent, as a problem, in the columns of one generation."""

ASKED_BYTES = 500
"""Of an answer or a grade that a model is asked for, at the least: its request and its reply."""


def planned_bytes(config: RunConfig) -> int:
    """What the records of one generation of one arm take at the least, and all problems.

    Never more than they do, so that nothing is refused that has room.
    """
    agents, problems = config.population.size, config.problems_per_generation
    answers = agents * problems
    grades = answers * config.protocol.graders
    each, asked = answers * ANSWER_BYTES + grades * GRADE_BYTES, 0
    if config.agents.model not in SCRIPTED_MODELS:
        asked = (answers + grades) * ASKED_BYTES
    generations = 1 if config.task.growth else config.population.generations
    return agents * AGENT_BYTES + generations * problems * PROBLEM_BYTES + each + asked


def check_room(config: RunConfig, available: int | None = None) -> None:
    """Refuse a run whose records would not fit.

    Parameters
    ----------
    available
        Bytes; what this process may take by default.

    Raises
    ------
    ConfigError
        Naming the sizes, what they need, and what there is.
    """
    needed, room = planned_bytes(config), available_memory() if available is None else available
    if needed > room:
        population = config.population
        raise ConfigError(
            f"population.size: expected sizes whose records fit in the {room / 2**30:.1f} GiB of "
            f"memory that are free, got {population.size:,} agents × "
            f"{config.problems_per_generation:,} problems_per_generation × "
            f"{config.protocol.graders:,} protocol.graders, in {population.generations:,} "
            f"generations, which take {needed / 2**30:,.1f} GiB at the least"
        )
