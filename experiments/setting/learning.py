"""Can weights learn as configured, and what will it take? Looked at before anything starts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from mgptn.agents.checkpoints import Checkpoint, count_parameters
from mgptn.agents.learning.documents import document, judged_documents, true_documents
from mgptn.agents.learning.memory import Lesson
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.config.sections.learning import LEVELLED
from mgptn.experiments.seats.asking import Script
from mgptn.experiments.seats.lessons import Known
from mgptn.population.draws.streams import stream
from mgptn.protocols.interfaces.interface import Asked, Interface, TellsLevels
from mgptn.protocols.scale import LEVELS
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
        If the model has no such parts or layers to train, or its layout cannot write a level
        where it is to be learned.
    """
    learning, agents, tokens = config.agents.learning, config.population.size, 0
    if learning.method == "none":
        return None
    _check_entry(learning.entry, script.interface)
    after = learning.entry == "after"
    top = len(LEVELS) - 1 if learning.entry in LEVELLED else None
    for problem in problems:
        one = document(script.interface, script.encoder, problem.query, "", top, after=after)
        tokens = max(tokens, len(one.tokens) + script.max_tokens)
    known = Known.of(checkpoint)
    if known is not None:
        tokens = max(tokens, _longest_rehearsed(known, script))
    return Lesson(_trained(config, checkpoint), learning.documents, tokens, agents)


def _longest_rehearsed(known: Known, script: Script) -> int:
    """Tokens of the longest document of what a model was trained on."""
    rng, sizes = stream(script.seed, "longest rehearsed"), known.sizes[-1:]
    found = true_documents(script.interface, script.encoder, known.task, sizes, rng)
    if known.judging:
        found += judged_documents(
            script.interface, script.encoder, known.task, sizes, rng, known.scale
        )
    return max(len(one.tokens) for one in found)


def _check_entry(entry: str, interface: Interface) -> None:
    """Refuse a layout that cannot write a level where an answer is learned with one."""
    if entry == "before":
        wanted = (interface.answer_prompt(Asked("", wanted=level)) for level in (None, LEVELS[-1]))
        writes = len(set(wanted)) == 2
    else:
        writes = entry != "after" or isinstance(interface, TellsLevels)
    if not writes:
        raise ConfigError(
            f"agents.learning.entry: expected a layout that can write a level {entry} an answer, "
            f"got {interface.name}, which cannot"
        )


def _trained(config: RunConfig, checkpoint: Checkpoint) -> int:
    """How many numbers."""
    learning = config.agents.learning
    if learning.method == "full" and learning.trainable == ("all",):
        return count_parameters(checkpoint.folder)
    # Only here: they import torch and transformers.
    from mgptn.agents.learning.factors import count_factors
    from mgptn.agents.learning.lora import check_adapted
    from mgptn.agents.learning.trainable import count_trainable, outline

    try:
        model = outline(checkpoint.folder)
        if learning.method == "lora":
            check_adapted(model, learning.lora.asked)
            return count_factors(model, learning.lora.asked)
        return count_trainable(model, learning.trainable)
    except ValueError as error:
        raise ConfigError(f"{error}, in {checkpoint.name!r}") from None
