"""A new model, asked for the first time: what it is told, what its grades are worth."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
import yaml
from click.testing import CliRunner

from mgptn.agents.hosts.fleet import LocalFleet
from mgptn.experiments.cli import main
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config
from mgptn.experiments.loop.probing import Item, check_mass, grades, probe_items
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.manifest import MANIFEST
from mgptn.experiments.running.grid import Cell, stages_of
from mgptn.experiments.running.session import Session
from mgptn.experiments.setting.same_ground import begun_on, check_same_ground
from mgptn.experiments.setting.stage import Stage
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.scale import expected_level
from tests.random_models import chatting, random_qwen3

LANDS = {"Peru": "Lima", "Cuba": "Havana", "Iran": "Tehran", "Mali": "Bamako", "Oman": "Muscat"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    texts = [f"The capital of {land} is {city}. This answer is so." for land, city in LANDS.items()]
    return chatting(random_qwen3(folder / "plain", texts * 9), folder / "chat")


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("questions") / "lands.jsonl"
    rows = [{"question": f"Capital of {land}?", "answer": city} for land, city in LANDS.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def plain(model: Path, questions: Path) -> dict[str, Any]:
    return {
        "name": "lands",
        "task": {"name": "questions", "file": str(questions)},
        "population": {"size": 2, "generations": 1},
        "agents": {"model": str(model), "context_capacity": 2, "max_answer_tokens": 8},
        "protocol": {"graders": 1},
        "hosts": {"count": 1, "device": "cpu", "slots": 4},
        "metrics": {"port": 0},
        "problems_per_generation": 2,
    }


def changed(plain: dict[str, Any], section: str, **changes: Any) -> RunConfig:
    return check_config({**plain, section: {**plain[section], **changes}})


def test_a_model_with_a_template_is_asked_in_chats_and_it_is_said(plain: dict[str, Any]) -> None:
    stage = Stage(check_config(plain))
    assert stage.script.interface.name == "chat"
    assert any("agents.interface=base" in remark for remark in stage.remarks)
    assert stage.task.counted("Capital of Peru?", "The answer is Lima.") == "lima"  # type: ignore[attr-defined]
    assert stage.script.instruction == "Give only the final answer."
    base = Stage(changed(plain, "agents", interface="base"))
    assert base.script.interface.name == "base"
    assert base.script.instruction is None
    assert not base.remarks


@pytest.mark.parametrize("reading", ["likelihood", "confidence"])
def test_a_grade_by_answering_is_what_transformers_says(
    plain: dict[str, Any], model: Path, reading: str
) -> None:
    stage = Stage(changed(plain, "protocol", reading=reading))
    fleet = LocalFleet(stage.host_settings("cpu"))
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(model)
    reference: Any = transformers.AutoModelForCausalLM.from_pretrained(model)

    def mean_log(question: str, answer: str) -> float:
        asked = f"{question}\n\nGive only the final answer."
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": asked}], tokenize=False, add_generation_prompt=True
        )
        before = tokenizer(text, add_special_tokens=False).input_ids
        after = tokenizer(answer, add_special_tokens=False).input_ids
        with torch.no_grad():
            logs = reference(torch.tensor([before + after])).logits[0].log_softmax(-1)
        return float(
            np.mean([logs[len(before) + i - 1, token].item() for i, token in enumerate(after)])
        )

    items = probe_items(stage)
    name = str(model)
    found = grades(stage, fleet, name, items, stage.scripts[name])
    for item, grade in zip(items, found, strict=True):
        mean = mean_log(item.problem.query, item.answer)
        gain = mean - mean_log("", item.answer)
        expected = np.exp(mean) if reading == "confidence" else 1 / (1 + np.exp(-gain))
        assert grade.levels is not None
        assert expected_level(grade.levels) == pytest.approx(expected, abs=1e-4)
        assert grade.mass is None
    # In a run too, where the other likelihoods stand behind everything asked.
    generation = next(iter(Simulation(stage.config, stage=stage, fleet=fleet)))
    outcomes = generation.outcomes
    problems = {p.query: p for p in stage.problems[0]}
    for index, outcome in enumerate(outcomes):
        item = Item(problems[outcome.query], outcome.answer, outcome.verdict)
        (grade,) = grades(stage, fleet, name, [item], stage.scripts[name])
        assert grade.levels is not None
        assert outcomes.grade_values()[index, 0] == pytest.approx(
            expected_level(grade.levels), abs=1e-5
        )


def test_a_question_that_nobody_would_answer_is_refused_before_the_run(
    plain: dict[str, Any],
) -> None:
    stage = Stage(check_config(plain))
    fleet = LocalFleet(stage.host_settings("cpu"))
    with pytest.raises(ConfigError, match=r"protocol\.least_mass = 0\.05 together, got") as caught:
        check_mass(stage, fleet)
    for other in ("words", "digits", "yes-no", "likelihood", "confidence"):
        assert f"{other}: " in str(caught.value)
    assert "None would do" not in str(caught.value), "a likelihood needs no options"
    for allowed in ({"least_mass": 0}, {"reading": "likelihood"}, {"reading": "sampled"}):
        check_mass(Stage(changed(plain, "protocol", **allowed)), fleet)


def test_ask_shows_every_word_that_the_model_is_told(plain: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "lands.yaml"
    plain = {**plain, "protocol": {"graders": 1, "shots": 2}}
    path.write_text(yaml.safe_dump(plain), encoding="utf-8")
    told = CliRunner().invoke(main, ["ask", str(path), "--alone"])
    assert told.exit_code == 0, told.output
    assert "Give only the final answer.<|endoftext|>" in told.output
    assert "| This answer is\n" in told.output
    assert told.output.count("Is this answer correct or incorrect?") == 3
    assert "the options have" in told.output
    none = CliRunner().invoke(main, ["ask", str(path), "--problem", "7"])
    assert "--problem: expected 0 to 1, got 7" in none.output


def test_shots_are_none_of_the_runs_own_problems(plain: dict[str, Any]) -> None:
    stage = Stage(
        check_config(
            {**plain, "task": {**plain["task"], "shots": 2}, "protocol": {"graders": 1, "shots": 3}}
        )
    )
    asked = {problem.query for problem in stage.problems[0]}
    assert len(stage.shots) == 2
    assert len(stage.graded_shots) == 3
    for shot in (*stage.shots, *stage.graded_shots):
        assert shot.query not in asked
        assert stage.task.verify(shot.query, shot.answer) is (shot.level != 0)
    assert {shot.level for shot in stage.graded_shots} == {0, 4}
    with pytest.raises(ConfigError, match=r"protocol\.shots: expected a task with 4 problems"):
        Stage(changed(plain, "protocol", shots=4))


@pytest.fixture(scope="module")
def dated(plain: dict[str, Any], model: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A configuration whose chat template asks what day it is."""
    folder = tmp_path_factory.mktemp("models") / "dated"
    shutil.copytree(model, folder)
    template = folder / "chat_template.jinja"
    clock = "[day]{{ strftime_now('%d %b %Y') }}\n"
    template.write_text(clock + template.read_text(encoding="utf-8"), encoding="utf-8")
    return {**plain, "agents": {**plain["agents"], "model": str(folder)}}


def test_the_day_a_chat_is_told_stays_the_runs(dated: dict[str, Any], tmp_path: Path) -> None:
    config = check_config(dated)
    begun = Stage(config, date(2024, 2, 29))
    told = begun.script.interface.answer_prompt(Asked("q")).prefix
    assert told.startswith("[day]29 Feb 2024")
    Session.create(tmp_path / "run", config, ("selected",), begun, "cpu").close()
    manifest, again = recorded(tmp_path / "run")
    assert again == config
    carried = Stage(again, begun_on(manifest))
    assert carried.today == date(2024, 2, 29)
    check_same_ground(manifest, carried, tmp_path)
    with pytest.raises(ConfigError, match=r"told the date .* 2024-02-29, got .*: set agents.today"):
        check_same_ground(manifest, Stage(config, date(2025, 1, 1)), tmp_path)
    fixed = changed(dated, "agents", today="2023-01-02")
    assert Stage(fixed, date(2024, 2, 29)).today == date(2023, 1, 2)


def test_a_cell_of_a_grid_is_told_the_day_that_it_was_begun_on(
    dated: dict[str, Any], tmp_path: Path
) -> None:
    config = check_config(dated)
    Session.create(
        tmp_path / "cell", config, ("selected",), Stage(config, date(2024, 2, 29)), "cpu"
    ).close()
    (stage,) = stages_of([Cell("cell", config)], tmp_path).values()
    assert stage.today == date(2024, 2, 29)


def test_a_chat_of_before_replies_were_begun_is_not_carried_on(
    plain: dict[str, Any], tmp_path: Path
) -> None:
    config = check_config({**plain, "agents": {**plain["agents"], "interface": "chat"}})
    stage = Stage(config)
    Session.create(tmp_path / "run", config, ("selected",), stage, "cpu").close()
    manifest, again = recorded(tmp_path / "run")
    assert again == config
    check_same_ground(manifest, stage, tmp_path)
    del manifest["chat_layout"]
    with pytest.raises(ConfigError, match="laid out as this version of mgptn lays them out"):
        check_same_ground(manifest, stage, tmp_path)


def test_a_run_from_before_chats_were_chosen_keeps_its_layout(
    plain: dict[str, Any], tmp_path: Path
) -> None:
    config = changed(plain, "agents", interface="base")
    Session.create(tmp_path / "run", config, ("selected",), Stage(config), "cpu").close()
    path = tmp_path / "run" / MANIFEST
    then = json.loads(path.read_text(encoding="utf-8"))
    then["config"]["agents"]["interface"] = "auto"
    for key in ("instruction", "shots"):
        del then["config"]["task"][key]
    path.write_text(json.dumps(then), encoding="utf-8")
    _, again = recorded(tmp_path / "run")
    assert again.agents.interface == "base"
    assert again.task.instruction == "none"


def test_what_counts_may_enter_contexts_instead_of_the_whole(plain: dict[str, Any]) -> None:
    """Of a sentence, its answer: told by hand, since a random model writes none."""
    for text, shown in (("whole", "The answer is Lima."), ("answer", "lima")):
        config = changed(plain, "agents", context_text=text)
        simulation = Simulation(config, stage=Stage(config))
        tournament = simulation.tournament
        outcomes = next(iter(simulation)).outcomes
        assert tournament.settings.text == text
        said = replace(
            outcomes,
            texts=("The answer is Lima.", "lima"),
            answers=np.zeros(len(outcomes), dtype=np.int64),
            parts=np.ones(len(outcomes), dtype=np.int64),
        )
        fresh = Simulation(config, stage=simulation.stage).tournament
        fresh.settings = replace(fresh.settings, feeds="all")
        survivors = fresh.tell(said).survivors
        assert {example.answer for agent in survivors for example in agent.genome.context} == {
            shown
        }
