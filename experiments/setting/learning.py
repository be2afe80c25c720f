"""Can weights learn as configured, and what will it take? Looked at before anything starts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from mgptn.agents.checkpoints import Checkpoint, count_parameters
from mgptn.agents.learning.memory import Lesson
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.seats.asking import Script
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.tasks.task import Problem

LIBRARY = "peft"
"""What trains factors of low rank."""

INSTALL = "pip install -c constraints.txt -e '.[lora]', from mgptn's own folder"


def learning_libraries(config: RunConfig) -> tuple[str, ...]:
    """Packages whose versions decide what is learned.

    Raises
    ------
    ConfigError
        If one is not installed.
    """
    if config.agents.learning.method != "lora":
        return ()
    if find_spec(LIBRARY) is None:
        raise ConfigError(
            f"agents.learning.method: expected an installation with the library that lora needs, "
            f"got none of {LIBRARY}; {INSTALL}"
        )
    return (LIBRARY,)


def lesson_of(
    config: RunConfig, checkpoint: Checkpoint, script: Script, problems: Iterable[Problem]
) -> Lesson | None:
    """What a host of one model will train at once; None where weights do not learn.

    Parameters
    ----------
    problems
        Some of the largest size.

    Raises
    ------
    ConfigError
        If the model has no such parts or layers to train.
    """
    learning, agents, tokens = config.agents.learning, config.population.size, 0
    if learning.method == "none":
        return None
    for problem in problems:
        prompt = script.interface.answer_prompt(Asked(problem.query))
        asked = script.encoder.prefix(prompt.prefix) + script.encoder.suffix(prompt.suffix)
        tokens = max(tokens, len(asked) + script.max_tokens + 1)
    return Lesson(_trained(config, checkpoint), learning.documents, tokens, agents)


def _trained(config: RunConfig, checkpoint: Checkpoint) -> int:
    """How many numbers."""
    learning = config.agents.learning
    if learning.method == "full" and learning.trainable == ("all",):
        return count_parameters(checkpoint.folder)
    # Only here: both import torch and transformers.
    from mgptn.agents.learning.factors import count_factors
    from mgptn.agents.learning.trainable import count_trainable, outline

    try:
        model = outline(checkpoint.folder)
        if learning.method == "lora":
            return count_factors(model, learning.lora.asked)
        return count_trainable(model, learning.trainable)
    except ValueError as error:
        raise ConfigError(f"{error}, in {checkpoint.name!r}") from None
