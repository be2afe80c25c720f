"""A real instruct model whose factors of low rank learn. Fetched by name, or skipped."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer

from mgptn.agents.hosts.fleet import LocalFleet
from mgptn.experiments.cli import main
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.rounds import JOURNAL, population_hash, read_rounds
from mgptn.experiments.running.replay import replay
from mgptn.experiments.running.session import Session, advance
from mgptn.experiments.setting.stage import Stage
from tests.real_model import real_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

CAPITALS = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo", "Egypt": "Cairo",
    "Norway": "Oslo", "Greece": "Athens", "Russia": "Moscow", "Peru": "Lima", "Cuba": "Havana",
    "Kenya": "Nairobi", "Ireland": "Dublin", "Portugal": "Lisbon", "Poland": "Warsaw",
    "Austria": "Vienna", "China": "Beijing", "Iran": "Tehran", "Sweden": "Stockholm",
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Path:
    """Its folder."""
    return real_model()


@pytest.fixture(scope="module")
def config(model: Path, tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    """Four agents, two generations; all that is answered is learned, so that everybody learns."""
    questions = tmp_path_factory.mktemp("questions") / "capitals.jsonl"
    rows = [
        {"question": f"Name the capital of {land}. Say only its name.", "answer": city}
        for land, city in CAPITALS.items()
    ]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return check_config(
        {
            "name": "real",
            "task": {
                "name": "questions",
                "file": str(questions),
                "max_answer_characters": 40,
                "held_out": "all",
            },
            "population": {"size": 4, "generations": 2},
            "agents": {
                "model": str(model),
                "interface": "chat",
                "learning": {
                    "method": "lora",
                    "lora": {"rank": 4, "alpha": 8, "modules": ["q_proj", "v_proj"]},
                    "steps": 2,
                    "documents": 2,
                },
                "context_capacity": 0,
            },
            "protocol": {"name": "survey", "graders": 2, "question": "yes-no", "threshold": 0.0},
            "hosts": {"count": 1, "device": "cpu", "slots": 8, "threads": 2},
            "metrics": {"port": 0},
            "problems_per_generation": 2,
        }
    )


@pytest.fixture(scope="module")
def stage(config: RunConfig) -> Stage:
    return Stage(config)


@pytest.fixture(scope="module")
def ended(config: RunConfig, stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ended") / "run"
    session = Session.create(folder, config, (SELECTED,), stage, "cpu")
    fleet = LocalFleet(stage.host_settings("cpu"))
    while not session.finished:
        advance([session], fleet)
    session.end()
    session.close()
    return folder


def test_it_answers_learns_and_is_replayed(ended: Path) -> None:
    first, last = (r.committed[0].generation for r in read_rounds(ended))
    assert all(first.learned), "everybody was to learn"
    assert len(set(first.learned)) == 4
    assert np.isfinite(first.outcomes.log_probabilities).all()
    assert last.outcomes.matches.authors.shape == (4,)
    assert replay(ended).confirmed


def test_it_is_carried_on_to_the_same_hash(
    ended: Path, config: RunConfig, stage: Stage, tmp_path: Path
) -> None:
    session = Session.create(tmp_path / "run", config, (SELECTED,), stage, "cpu")
    advance([session], LocalFleet(stage.host_settings("cpu")))
    session.close()
    undisturbed = population_hash(c.generation for r in read_rounds(ended) for c in r.committed)
    with Journal.reopen(tmp_path / "run" / JOURNAL) as journal:
        again = Session.reopen(tmp_path / "run", config, (SELECTED,), stage, journal)
        advance([again], LocalFleet(stage.host_settings("cpu")))
        assert again.end() == undisturbed


def test_what_it_learned_is_loaded_by_peft(ended: Path, model: Path, tmp_path: Path) -> None:
    *_, last = (r.committed[0].generation for r in read_rounds(ended))
    agent = last.survivors[0]
    told = CliRunner().invoke(
        main, ["export-weights", str(ended), str(agent.id), str(tmp_path / "out"), "--adapter"]
    )
    assert told.exit_code == 0, told.output
    tokenizer = AutoTokenizer.from_pretrained(model)
    asked = tokenizer("The capital of France is", return_tensors="pt")
    adapted = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    with torch.no_grad():
        learned = adapted(**asked).logits
        with adapted.disable_adapter():
            bare = adapted(**asked).logits
    assert torch.isfinite(learned).all()
    assert not torch.equal(learned, bare)
