"""Founders that remember examples from the start: inherited as any, and begun from another run."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import pytest

from mgptn.experiments.config.arms import ARMS, SELECTED
from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config
from mgptn.experiments.loop.founding import found_tournament
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.setting.stage import Stage

GIVEN = [{"question": "12+34=", "answer": "46"}, {"question": "11+11=", "answer": "22"}]


def config_with(examples: list[dict[str, Any]], **agents: Any) -> RunConfig:
    settings = {"model": "gpt-1", "context_capacity": 3, **agents, "examples": examples}
    return check_config(
        {
            "name": "given",
            "agents": settings,
            "population": {"size": 3, "generations": 2},
            "protocol": {"graders": 2, "accept": {"share": 0.5}},
            "problems_per_generation": 4,
        }
    )


@pytest.mark.parametrize("arm", ARMS)
def test_founders_of_every_arm_hold_them(arm: str) -> None:
    for agent in found_tournament(config_with(GIVEN), arm).agents:
        held = [(shown.query, shown.answer) for shown in agent.genome.context]
        assert held == [("12+34=", "46"), ("11+11=", "22")]


def test_they_are_shown_inherited_and_forgotten_as_any_other() -> None:
    bare, given = (Simulation(config_with(examples)) for examples in ([], GIVEN))
    generations = list(given)
    first, last = generations
    of_bare = next(iter(bare))
    assert first.outcomes.log_probabilities.tolist() != of_bare.outcomes.log_probabilities.tolist()
    contexts = [agent.genome.context for agent in first.survivors]
    assert any(len(context) > len(GIVEN) for context in contexts)
    # A third accepted answer pushes the oldest out; none is held beside the capacity.
    assert all(len(agent.genome.context) <= 3 for agent in last.survivors)


@pytest.mark.parametrize(
    ("examples", "agents", "message"),
    [
        (GIVEN * 2, {}, "agents.examples: expected at most context_capacity = 3, got 4"),
        (GIVEN, {"model": "scripted"}, "agents.examples: expected none for agents without a model"),
        ([{"question": "1+1="}], {}, "agents.examples.0.answer: expected a value, got nothing"),
    ],
)
def test_what_cannot_be_held_is_refused(
    examples: list[dict[str, Any]], agents: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        config_with(examples, **agents)


def test_what_does_not_fit_the_model_is_refused_before_it_is_loaded() -> None:
    long = [{"question": "1" * 5_000, "answer": "1"}]
    with pytest.raises(ConfigError, match="expected examples that fit into"):
        Stage(config_with(long, context_capacity=1))


def test_digests_of_runs_without_them_stay() -> None:
    assert found_tournament(config_with([]), SELECTED).agents[0].genome.context == ()
