"""The arms of a run: the population itself and the controls without which nothing is claimed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from typing import Any

from mgptn.experiments.config.run_config import RunConfig

SELECTED = "selected"
NEUTRAL = "neutral-drift"
RANDOM = "random-selector"
UNSELECTED = "unselected"

ARMS: dict[str, str] = {
    SELECTED: "the run as configured",
    NEUTRAL: "answers are accepted as in the run, but everybody replicates at the same rate",
    RANDOM: "acceptance and fitness are coin tosses",
    UNSELECTED: "founders for ever: nothing accepted, nobody replicated; best-of-n and majority",
}
"""Arm → what it is. All see the same problems, with the same random numbers."""


def arms_of(controls: bool) -> tuple[str, ...]:
    """The arms of a run, the run itself first."""
    return tuple(ARMS) if controls else (SELECTED,)


def arm_config(config: RunConfig, arm: str) -> RunConfig:
    """The configuration that an arm runs under."""
    selection: dict[str, Any] = {}
    top: dict[str, Any] = {}
    if arm == NEUTRAL:
        selection = {"temperature": math.inf}
    elif arm == RANDOM:
        top = {"selector": "random"}
    elif arm == UNSELECTED:
        selection, top = {"process": "none"}, {"selector": "none"}
    population = config.population.model_copy(
        update={"selection": config.population.selection.model_copy(update=selection)}
    )
    return config.model_copy(update={**top, "population": population})
