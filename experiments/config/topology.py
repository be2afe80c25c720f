"""Who may grade whom in a run: the configured topology, checked before anything starts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from collections.abc import Sequence

from mgptn.agents.checkpoints import expand_models
from mgptn.experiments.config.sections.population import PopulationConfig
from mgptn.experiments.config.sections.protocol import ProtocolConfig
from mgptn.population.draws.streams import stream
from mgptn.population.judging.topology import (
    BY_STRENGTH,
    Topology,
    check_enough,
    eligible_graders,
    founders_by_strength,
)

MOST_EDGES = 10**7
"""Of a graph of who may grade whom."""

_RUNG = re.compile(r"gpt-(\d+)(?:/\d+)?")


def founders_models(model: str, size: int, dealt: str = "turns") -> list[str]:
    """The model of each founder: those that `agents.model` names, dealt in turn, or in blocks."""
    models = expand_models(model)[:size]
    if dealt == "blocks":
        return [models[slot * len(models) // size] for slot in range(size)]
    return [models[slot % len(models)] for slot in range(size)]


def topology_of(protocol: ProtocolConfig, population: PopulationConfig, model: str) -> Topology:
    """The configured topology.

    Raises
    ------
    ValueError
        If it goes by strength and nobody says how strong a model is.
    """
    chosen = protocol.topology
    strengths: dict[str, float] = {}
    if chosen.name in BY_STRENGTH:
        strengths = _strengths(expand_models(model), chosen.weakest_first)
    return Topology(
        name=chosen.name,
        neighbours=chosen.neighbours,
        rewiring=chosen.rewiring,
        islands=population.islands.count,
        strengths=strengths,
    )


def check_seats(
    protocol: ProtocolConfig, population: PopulationConfig, model: str, seed: int
) -> None:
    """Refuse a topology under which some founder has too few graders.

    Raises
    ------
    ValueError
        Naming the field, what was expected, what was got.
    """
    name, size, graders = protocol.topology.name, population.size, protocol.graders
    if name == "random":
        return
    if name == "all-pairs":
        if graders != size - 1:
            raise ValueError(
                f"protocol.graders: expected population.size − 1 = {size - 1} under "
                f"protocol.topology all-pairs (all others grade), got {graders}"
            )
        return
    neighbours = protocol.topology.neighbours
    if name in ("ring", "small-world") and size * neighbours > MOST_EDGES:
        raise ValueError(
            f"protocol.topology.neighbours: expected at most {MOST_EDGES // size} of "
            f"{size} agents each (their edges are kept), got {neighbours}"
        )
    topology, models = topology_of(protocol, population, model), founders_models(model, size)
    if name in BY_STRENGTH:
        _check_strength(topology, models, graders)
        return
    found = eligible_graders(size, graders, topology, models, stream(seed, "topology"))
    check_enough(found, graders, name)


def _check_strength(topology: Topology, models: Sequence[str], graders: int) -> None:
    """Every founder needs graders as strong as the topology says; later ones get the nearest."""
    counts = founders_by_strength(topology, models)
    least = min(counts)
    if least < graders:
        slot = counts.index(least)
        raise ValueError(
            f"protocol.graders: expected at most {least}, which is how many may grade the founder "
            f"in slot {slot} (a {models[slot]}) under protocol.topology {topology.name}, "
            f"got {graders}"
        )


def _strengths(models: Sequence[str], weakest_first: Sequence[str]) -> dict[str, float]:
    """Model → its place in the given order; without one, the rung that its name says."""
    if weakest_first:
        missing = [model for model in models if model not in weakest_first]
        if missing:
            raise ValueError(
                f"protocol.topology.weakest_first: expected every model of agents.model, got none "
                f"for {missing[0]!r}"
            )
        return {model: float(weakest_first.index(model)) for model in models}
    if len(models) == 1:
        return {models[0]: 0.0}
    rungs = {model: _RUNG.fullmatch(model) for model in models}
    unknown = [model for model, rung in rungs.items() if rung is None]
    if unknown:
        raise ValueError(
            "protocol.topology.weakest_first: expected the models of agents.model from the weakest "
            f"to the strongest, since {unknown[0]!r} does not say its rung, got nothing"
        )
    return {model: float(rung[1]) for model, rung in rungs.items() if rung is not None}
