"""A population of copies of different models: each asked and graded by its own weights."""

# SPDX-License-Identifier: Apache-2.0

import json

import pytest
import torch
from transformers import LlamaForCausalLM

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.agents.hosts.fleet import LocalFleet
from mgptn.agents.learning.numbers import Numbers
from mgptn.agents.training.rungs import RUNGS, ladder_tokenizer, llama_config
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.loop.founding import found_tournament
from mgptn.experiments.loop.hosted_step import HostedPlay
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.setting.same_ground import check_same_ground, make_manifest
from mgptn.experiments.setting.stage import Stage


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A second model of the ladder: untrained, so that its replies are all others."""
    folder = tmp_path_factory.mktemp("models") / "untrained"
    torch.manual_seed(1)
    LlamaForCausalLM(llama_config(RUNGS["gpt-1"])).save_pretrained(folder)
    ladder_tokenizer().save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def config(other):
    return check_config(
        {
            "name": "mixed",
            "agents": {"model": f"gpt-3,{other}", "context_capacity": 4},
            "population": {"size": 5, "generations": 2},
            "protocol": {"graders": 2},
            "problems_per_generation": 3,
        }
    )


@pytest.fixture(scope="module")
def stage(config):
    return Stage(config)


def test_founders_are_copies_of_each_model_in_turn(config, other):
    models = [agent.genome.model for agent in found_tournament(config, SELECTED).agents]
    assert models == ["gpt-3", other, "gpt-3", other, "gpt-3"]


def test_every_request_goes_to_the_weights_of_the_agent_that_is_asked(config, stage, other):
    """Answers of each model's agents are those that a host of that model alone gives."""
    weights = {name: find_checkpoint(name).weights for name in ("gpt-3", other)}
    play = HostedPlay(SELECTED, found_tournament(config, SELECTED), stage, Numbers())
    planned = play.plan()
    assert {tile.weights for tile in planned.tiles} == set(weights.values())
    mixed = LocalFleet(stage.host_settings("cpu"))
    together = mixed.run(planned.tiles)
    for name in weights:
        alone = Stage(config.model_copy(update={"agents": agents_of(config, name)}))
        host = LocalFleet(alone.host_settings("cpu"))
        own = [i for i, tile in enumerate(planned.tiles) if tile.weights == weights[name]]
        replies = host.run([planned.tiles[i] for i in own])
        assert [r.replies for r in replies] == [together[i].replies for i in own]
    with pytest.raises(ValueError, match="tile: expected weights"):
        host.run([tile for tile in planned.tiles if tile.weights != weights[name]])


def agents_of(config, name):
    return config.agents.model_copy(update={"model": name})


def test_offspring_are_of_their_parents_model(config, stage):
    simulation = Simulation(config, stage=stage)
    model = {agent.id: agent.genome.model for agent in simulation.tournament.agents}
    generations = list(simulation)
    for generation in generations:
        for birth in generation.births:
            model[birth.child] = model[birth.parent]
        for agent in generation.agents:
            assert agent.genome.model == model[agent.id]
    assert len(generations) == 2


def test_a_run_is_not_carried_on_with_another_second_model(config, stage, tmp_path):
    manifest = make_manifest(config, (SELECTED,), stage, "cpu")
    check_same_ground(manifest, stage, tmp_path)
    assert len(json.loads(json.dumps(manifest))["weights"]) == 2
    manifest["weights"][list(manifest["weights"])[1]] = "another"
    with pytest.raises(ConfigError, match="with weights hash"):
        check_same_ground(manifest, stage, tmp_path)
