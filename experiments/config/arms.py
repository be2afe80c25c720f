"""The arms of a run: the population itself and the controls without which nothing is claimed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import Any

from mgptn.agents.behaviour import SCRIPTED_MODELS
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.config.topology import founders_models

SELECTED = "selected"
NEUTRAL = "neutral-drift"
RANDOM = "random-selector"
UNSELECTED = "unselected"

SHUFFLED = "shuffled-grades"
CLONES = "clones"
ORACLE = "oracle"
GREEDY = "greedy"
AS_MANY = "as-many"

ARMS: dict[str, str] = {
    SELECTED: "the run as configured",
    NEUTRAL: "answers are accepted as in the run, but everybody replicates at the same rate",
    RANDOM: "acceptance and fitness are coin tosses",
    UNSELECTED: "founders for ever: nothing accepted, nobody replicated; best-of-n and majority",
    SHUFFLED: "as many answers are accepted as peers would, dealt out anew: a coin at their rate",
    CLONES: "everybody is a copy of the first founder",
    ORACLE: "answers are accepted, and the task grows, by verdicts",
    GREEDY: "founders' likeliest answers, and at other sampling temperatures; nothing is graded",
    AS_MANY: "founders answer the last problems as often as the run answered any",
}
"""Arm → what it is. All see the same problems, with the same random numbers."""

CONTEXT_ARMS = (SELECTED, NEUTRAL, RANDOM, UNSELECTED)
"""Of a run in which contexts are inherited."""

LEARNING_ARMS = (SELECTED, SHUFFLED, CLONES, ORACLE, UNSELECTED)
"""Of a run whose weights learn. Where its task grows, the founders are asked a size more in each
generation, so that what they could do at first is known of every size."""


LIKELIEST = 1e-6
"""Sampling temperature of the likeliest answer."""

TEMPERATURES = (LIKELIEST, 0.3, 0.6, 1.0)
"""Of the arm `GREEDY`: founders answer at each, so that the best is found on other problems."""


def arms_of(config: RunConfig, controls: bool) -> tuple[str, ...]:
    """The arms of a run, the run itself first."""
    if not controls:
        return (SELECTED,)
    arms = CONTEXT_ARMS if config.agents.learning.method == "none" else LEARNING_ARMS
    return possible_arms(config, (*arms, GREEDY, *((AS_MANY,) if config.as_many else ())))


def possible_arms(config: RunConfig, arms: tuple[str, ...]) -> tuple[str, ...]:
    """Of some arms those that a run can have.

    Scripted agents have no likeliest answer; and of a task that grows, nobody knows beforehand
    what the last generation is asked.
    """
    without = {GREEDY} if config.agents.model in SCRIPTED_MODELS else set()
    without |= {AS_MANY} if config.task.growth is not None else set()
    return tuple(arm for arm in arms if arm not in without)


def arm_config(config: RunConfig, arm: str) -> RunConfig:
    """The configuration that an arm runs under."""
    selection: dict[str, Any] = {}
    top: dict[str, Any] = {}
    size = config.population.size
    if arm == NEUTRAL:
        selection = {"temperature": math.inf}
    elif arm == RANDOM:
        top = {"selector": "random"}
    elif arm in (UNSELECTED, GREEDY):
        selection, top = {"process": "none"}, {"selector": "none"}
        top |= _growing(config, by="schedule", every=1)
    elif arm == SHUFFLED:
        top = {"selector": "shuffled"}
    elif arm == ORACLE:
        top = {"selector": "oracle", **_growing(config, by="gold")}
    elif arm == CLONES:
        first = founders_models(config.agents.model, 1)[0]
        top = {"agents": config.agents.model_copy(update={"model": first})}
    elif arm == AS_MANY:
        selection, top = {"process": "none"}, {"selector": "none"}
        size = as_many(config)
    population = config.population.model_copy(
        update={"selection": config.population.selection.model_copy(update=selection), "size": size}
    )
    return config.model_copy(update={**top, "population": population})


def as_many(config: RunConfig) -> int:
    """Founders of the arm `AS_MANY`, so that they answer a problem as often as a run does one.

    A run's members answer one problem in each of its generations; so many times as is configured,
    once if nothing is.
    """
    population = config.population
    return population.size * population.generations * (config.as_many or 1)


def _growing(config: RunConfig, **how: Any) -> dict[str, Any]:
    """Another way for the task to grow, where it does."""
    growth = config.task.growth
    if growth is None:
        return {}
    return {"task": config.task.model_copy(update={"growth": growth.model_copy(update=how)})}
