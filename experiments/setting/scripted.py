"""Runs whose agents have no model: what they can do, and how they behave."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.agents.behaviour import SCRIPTED_MODELS, Behaviour
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.setting.tasks import bundled_size

SCRIPTED_PROTOCOLS = ("survey", "self-survey")
"""Protocols that agents without a model can follow: they answer and grade, and do nothing else."""


def check_scripted_protocol(config: RunConfig) -> None:
    """Refuse what agents without a model cannot do.

    Raises
    ------
    ConfigError
        Naming the setting.
    """
    protocol, agents = config.protocol, config.agents
    settings = (
        ("protocol.name", protocol.name, SCRIPTED_PROTOCOLS),
        ("protocol.reading", protocol.reading, ("logits",)),
        ("protocol.question", protocol.question, ("auto", "words")),
        ("protocol.grader_context", protocol.grader_context, ("empty",)),
        ("agents.context_entry", agents.context_entry, ("plain",)),
        ("agents.personas", agents.personas, ((),)),
        ("agents.learning.method", agents.learning.method, ("none",)),
        ("population.mutation.noise", config.population.mutation.noise, (0.0,)),
        ("population.mutation.merging", config.population.mutation.merging, (0.0,)),
        ("task.growth", config.task.growth, (None,)),
    )
    for name, value, possible in settings:
        if value not in possible:
            raise ConfigError(
                f"{name}: expected {' or '.join(map(str, possible))} for agents without a model, "
                f"got {value!r}"
            )


def scripted_behaviour(config: RunConfig) -> Behaviour | None:
    """The behaviour of a run without a model; None for one with."""
    name, scripted = config.agents.model, config.agents.scripted
    if name not in SCRIPTED_MODELS:
        return None
    if config.task.kind != "bundled":
        raise ConfigError(
            f"agents.model: expected a model for the task {config.task.name}, whose right answers "
            f"agents without one do not know, got {name!r}"
        )
    skills = scripted.skills
    return Behaviour(
        task=config.task.name,
        size=bundled_size(config.task),
        adaptation="bayes" if name == "bayes" else scripted.adaptation,
        error=scripted.error,
        tpr=scripted.tpr,
        fpr=scripted.fpr,
        correlation=scripted.correlation,
        blind_spot=scripted.blind_spot,
        spots=scripted.spots,
        skills=skills,
        prior=scripted.prior or (1.0 / len(skills),) * len(skills),
        seed=config.seed,
    )
