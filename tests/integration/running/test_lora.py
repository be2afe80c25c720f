"""Factors of low rank that learn, in a whole run: killed or not, and written out for others."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer

from mgptn.agents.engine.memory import needed_bytes
from mgptn.agents.hosts.fleet import LocalFleet
from mgptn.agents.learning.factors import Outfit
from mgptn.agents.learning.memory import learning_bytes
from mgptn.experiments.cli import main
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.rounds import JOURNAL, population_hash, read_rounds
from mgptn.experiments.running.replay import replay
from mgptn.experiments.running.session import WEIGHTS, Session, advance
from mgptn.experiments.setting.stage import Stage

FACTORS = {"rank": 2, "alpha": 4, "modules": ["c_attn", "c_fc"]}
RUN: dict[str, Any] = {
    "name": "factors",
    "task": {"name": "addition", "growth": {"from": 2, "by": "schedule", "largest": 3}},
    "population": {"size": 2, "generations": 2, "selection": {"process": "none"}},
    "agents": {
        "founders": {
            "sizes": "1-2", "count": 2, "layers": 1, "width": 16, "heads": 2, "steps": 20,
            "documents": 16, "rate": 0.01, "offsets": 2, "places": 12,
        },
        "learning": {"method": "lora", "lora": FACTORS, "steps": 3, "documents": 8},
        "sampling_temperature": 1.0,
        "context_capacity": 0,
    },
    "protocol": {"name": "majority", "graders": 1, "threshold": 0.0},
    "hosts": {"count": 1, "device": "cpu", "slots": 16},
    "metrics": {"port": 0},
    "problems_per_generation": 8,
}  # fmt: skip
"""Everything is accepted, so that everybody learns in every generation."""


@pytest.fixture(scope="module", autouse=True)
def trained_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Founders are trained into a folder of this module's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def learning(**further: Any) -> RunConfig:
    """The configuration with its learning changed."""
    agents = {**RUN["agents"], "learning": {**RUN["agents"]["learning"], **further}}
    return check_config({**RUN, "agents": agents})


@pytest.fixture(scope="module")
def config(trained_here: None) -> RunConfig:
    return learning()


@pytest.fixture(scope="module")
def stage(config: RunConfig) -> Stage:
    return Stage(config)


@pytest.fixture(scope="module")
def ended(config: RunConfig, stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has ended."""
    folder = tmp_path_factory.mktemp("ended") / "run"
    session = Session.create(folder, config, (SELECTED,), stage, "cpu")
    fleet = LocalFleet(stage.host_settings("cpu"))
    while not session.finished:
        advance([session], fleet)
    session.end()
    session.close()
    return folder


def test_factors_learn_from_generation_to_generation(ended: Path):
    first, last = (r.committed[0].generation for r in read_rounds(ended))
    assert len({*first.learned, *last.learned}) == 4
    for agent in last.survivors:
        content = (ended / WEIGHTS / f"{agent.genome.weights.content}.safetensors").read_bytes()
        outfit = Outfit.of_file(content)
        assert not outfit.whole
        assert sorted(outfit.factors.pairs) == ["transformer.h.0.attn.c_attn",
                                                "transformer.h.0.mlp.c_fc"]  # fmt: skip
    assert "peft" in (ended / "manifest.json").read_text()
    assert replay(ended).confirmed


def test_a_killed_run_is_carried_on_to_the_same_hash(
    ended: Path, config: RunConfig, stage: Stage, tmp_path: Path
):
    session = Session.create(tmp_path / "run", config, (SELECTED,), stage, "cpu")
    advance([session], LocalFleet(stage.host_settings("cpu")))
    session.close()
    undisturbed = population_hash(c.generation for r in read_rounds(ended) for c in r.committed)
    with Journal.reopen(tmp_path / "run" / JOURNAL) as journal:
        again = Session.reopen(tmp_path / "run", config, (SELECTED,), stage, journal)
        advance([again], LocalFleet(stage.host_settings("cpu")))
        assert again.finished
        assert again.end() == undisturbed


def exported(*arguments: object) -> tuple[int, str]:
    """Exit status and output of the command."""
    done = CliRunner().invoke(main, ["export-weights", *map(str, arguments)])
    return done.exit_code, done.output


def test_what_is_exported_is_loaded_by_transformers_and_by_peft(ended: Path, tmp_path: Path):
    *_, last = read_rounds(ended)
    agent = last.committed[0].generation.survivors[1]
    status, said = exported(ended, agent.id, tmp_path / "merged")
    assert status == 0
    told = f"merged: weights of agent {agent.id} of arm selected after generation 1\n"
    assert said.endswith(told)
    assert exported(ended, agent.id, tmp_path / "adapter", "--adapter")[0] == 0
    content = (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes()
    assert content == (ended / WEIGHTS / f"{agent.genome.weights.content}.safetensors").read_bytes()
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    adapted = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "adapter")
    tokens = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        expected = adapted(tokens).logits
        torch.testing.assert_close(merged(tokens).logits, expected, rtol=1e-5, atol=1e-5)
        with adapted.disable_adapter():
            assert not torch.equal(adapted(tokens).logits, expected)
    assert AutoTokenizer.from_pretrained(tmp_path / "merged").vocab_size > 0

    status, said = exported(ended, agent.id, tmp_path / "merged")
    assert status == 1
    assert "expected nothing there yet, got something: never overwritten" in said


def test_the_best_agent_is_a_prompt_and_the_weights_that_it_has(ended: Path, tmp_path: Path):
    done = CliRunner().invoke(main, ["export", str(ended), "--best", "--out", str(tmp_path / "b")])
    assert done.exit_code == 0, done.output
    plain = json.loads((tmp_path / "b" / "agent.json").read_text())
    assert plain["weights"] == "checkpoint"
    assert exported(ended, plain["agent"], tmp_path / "merged")[0] == 0
    first, second = (
        AutoModelForCausalLM.from_pretrained(folder).state_dict()
        for folder in (tmp_path / "b" / "checkpoint", tmp_path / "merged")
    )
    assert all(torch.equal(first[name], tensor) for name, tensor in second.items())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((99,), "agent: expected one who is alive after generation 1 of arm selected (0, 1), got"),
        ((0, "--generation", 7), "--generation: expected one that"),
        ((0, "--arm", "clones"), "--arm: expected one of selected, got 'clones'"),
        ((0, "--generation", 0), "kept where agents.learning.keep is all, which is living here"),
    ],
)
def test_what_cannot_be_exported_is_said(
    arguments: tuple[object, ...], said: str, ended: Path, tmp_path: Path
):
    agent, *options = arguments
    status, got = exported(ended, agent, tmp_path / "out", *options)
    assert status == 1
    assert said in " ".join(got.split())
    assert not (tmp_path / "out").exists()


def test_what_learning_needs_is_planned(stage: Stage, config: RunConfig):
    (name, checkpoint), *_ = stage.checkpoints.items()
    lesson = stage._lessons[name]
    # Inputs and outputs of attention's and of the feed-forward layer's first.
    assert lesson.trained == 2 * (16 + 48 + 16 + 64)
    assert (lesson.documents, lesson.agents) == (8, 2)
    assert lesson.tokens >= 6
    plain = needed_bytes(checkpoint, "float32", 16, stage._lengths[name], "cpu")
    whole = Stage(learning(method="full"))
    factors, all_of_them = (one.memory("cpu")[name] for one in (stage, whole))
    assert factors == plain + learning_bytes(checkpoint, "float32", lesson)
    assert factors.kept < all_of_them.kept
    assert factors.passing < all_of_them.passing
    assert Stage(learning(method="none")).memory("cpu")[name] == plain


@pytest.mark.parametrize(
    ("further", "said"),
    [
        (
            {"lora": {"modules": ["c_attn", "q_proj"]}},
            r"modules: expected linear layers of GPT2LMHeadModel \(c_attn, c_fc, c_proj, lm_head\),"
            r" got 'q_proj', in 'founders/",
        ),
        ({"trainable": "mlp"}, r"trainable: expected 'all' beside method lora.*got 'mlp'"),
        (
            {"method": "full", "trainable": "layers.3", "lora": {}},
            r"trainable: expected a part of GPT2LMHeadModel .*'layers\.3'",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(further: Any, said: str):
    with pytest.raises(ConfigError, match=said):
        Stage(learning(**further))


def test_without_peft_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "mgptn.experiments.setting.learning.find_spec",
        lambda name: None if name == "peft" else find(name),
    )
    with pytest.raises(
        ConfigError, match=r"method: .* got none of peft; pip install .*'\.\[lora\]"
    ):
        Stage(learning())
    Stage(learning(method="full"))
