"""A run's tournament, founded from its configuration."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mgptn.experiments.config.arms import AS_MANY, GREEDY, TEMPERATURES, arm_config
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.config.sections.grading import weights_of
from mgptn.experiments.config.sections.learning import LEVELLED
from mgptn.experiments.config.sections.plugins import find_protocol
from mgptn.experiments.config.topology import founders_models, topology_of
from mgptn.population.breeding.memory import LearningSettings
from mgptn.population.breeding.mutation import MutationRates
from mgptn.population.breeding.processes import ProcessOptions
from mgptn.population.judging.growth import Growth
from mgptn.population.judging.roles import dealt_roles
from mgptn.population.records.agents import ORDINARY, Example, Genome
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament


def found_tournament(config: RunConfig, arm: str) -> Tournament:
    """An arm's tournament at its founding: a pure function of the configuration."""
    config = arm_config(config, arm)
    if arm == GREEDY:
        return _answering_alone(config)
    protocol = find_protocol(config.protocol.name)
    population = config.population
    mutation = population.mutation
    settings = TournamentSettings(
        problems=config.problems_per_generation,
        graders=config.protocol.graders,
        threshold=config.protocol.threshold,
        context_capacity=config.agents.context_capacity,
        selector=weights_of(config.selector),
        process=population.selection.process,
        operator=population.selection.operator,
        selection_temperature=population.selection.temperature,
        mutation=MutationRates(
            drop=mutation.drop,
            swap=mutation.swap,
            duplicate=mutation.duplicate,
            jitter=mutation.jitter,
            jitter_scale=mutation.jitter_scale,
            noise=mutation.noise,
            noise_scale=mutation.noise_scale,
        ),
        options=ProcessOptions(
            resampling=population.selection.resampling,
            demes=population.islands.count,
            migration=population.islands.migration,
        ),
        recombination=mutation.recombination,
        merging=mutation.merging,
        merging_share=mutation.merging_share,
        seating=protocol.seating(config.protocol.as_options()),
        partners=protocol.partners,
        feeds=protocol.feeds,
        entry=protocol.entry or config.agents.context_entry,
        text=config.agents.context_text,
        topology=topology_of(config.protocol, population, config.agents.model),
        self_grading=config.protocol.self_grading == "also",
        aggregation=config.protocol.aggregation.name,
        trim=config.protocol.aggregation.trim,
        quorum=config.protocol.aggregation.least,
        human=config.human.simulated,
        fitness=config.protocol.fitness,
        dissent=population.selection.dissent,
        protection=population.selection.protection,
        accept=config.protocol.acceptance.by,
        accept_share=config.protocol.acceptance.share,
        growth=_growth_of(config),
        learning=_learning_of(config),
        asked_from=population.generations - 1 if arm == AS_MANY else 0,
    )
    roles = dealt_roles(population.adversaries.shares, population.size, config.seed)
    return Tournament(settings, _founders(config, roles), config.seed)


def _founders(config: RunConfig, roles: Sequence[str]) -> list[Genome]:
    """What each founder inherits, in slot order; those who inherit the same share it."""
    models = founders_models(config.agents.model, config.population.size, config.agents.dealt)
    # Every model meets every persona before a pair of them comes again.
    personas, kinds = config.agents.personas or (None,), len(set(models))
    examples = tuple(Example(x.question, x.answer, x.level) for x in config.agents.examples)
    known: dict[tuple[str, str | None, str], Genome] = {}
    founders = []
    for slot, (model, role) in enumerate(zip(models, roles, strict=True)):
        persona = personas[(slot // kinds) % len(personas)]
        kind = model, persona, role
        if kind not in known:
            known[kind] = Genome(
                model,
                config.agents.sampling_temperature,
                context=examples,
                persona=persona,
                role=role,
            )
        founders.append(known[kind])
    return founders


def _answering_alone(config: RunConfig) -> Tournament:
    """Founders that answer at every sampling temperature, and are neither graded nor replicated.

    Each kind of founder once, as many kinds as an arm of the run has answers for.
    """
    kinds = list(dict.fromkeys(_founders(config, [ORDINARY] * config.population.size)))
    kinds = kinds[: max(1, config.population.size // len(TEMPERATURES))]
    founders = [replace(one, sampling_temperature=t) for one in kinds for t in TEMPERATURES]
    settings = TournamentSettings(
        problems=config.problems_per_generation,
        graders=0,
        threshold=config.protocol.threshold,
        context_capacity=config.agents.context_capacity,
        selector="none",
        process="none",
        seating="nobody",
        growth=_growth_of(config),
    )
    return Tournament(settings, founders, config.seed)


def _growth_of(config: RunConfig) -> Growth | None:
    growth = config.task.growth
    if growth is None:
        return None
    assert growth.largest is not None
    return Growth(
        start=growth.start,
        largest=growth.largest,
        step=growth.step,
        by=growth.by,
        gate=growth.gate,
        agree=growth.agree,
        every=growth.every,
    )


def _learning_of(config: RunConfig) -> LearningSettings | None:
    learning = config.agents.learning
    if learning.method == "none":
        return None
    return LearningSettings(
        source=learning.source,
        demes=config.population.islands.count,
        memory=learning.memory,
        capacity=learning.capacity,
        entry="scored" if learning.entry in LEVELLED else learning.entry,
        feeds=learning.feeds,
    )
