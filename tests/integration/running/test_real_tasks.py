"""Whole runs on tasks from elsewhere, by a real architecture through the base interface."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import ConfigError, check_config, load_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.rounds import JOURNAL
from mgptn.experiments.running.run import resume, run
from mgptn.experiments.setting.same_ground import check_same_ground
from mgptn.experiments.setting.stage import Stage
from mgptn.population.draws.streams import stream
from mgptn.protocols.interfaces.wordings import WORDS
from mgptn.protocols.tasks.reasoning_gym import ReasoningGym
from tests.random_models import random_qwen3

pytest.importorskip("reasoning_gym", reason="an extra: pip install '.[tasks]'")

ROOT = Path(__file__).parents[3]
WORKED = ROOT / "experiments" / "configs" / "reasoning_gym.yaml"
SMALL = {
    "population.size": 3,
    "population.generations": 2,
    "protocol.graders": 2,
    "protocol.least_mass": 0,
    "agents.context_capacity": 4,
    "problems_per_generation": 3,
    "hosts.count": 1,
    "hosts.device": "cpu",
    "hosts.dtype": "float32",
    "metrics.port": 0,
}
GRIDS = [
    {"question": f"Turn this round:\n{a} {b}\n{b} {a}", "answer": f"{b} {a}\n{a} {b}"}
    for a in range(4)
    for b in range(4)
    if a != b
]


def mgptn(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def settings(changes: dict[str, Any]) -> list[str]:
    return [part for key, value in changes.items() for part in ("--set", f"{key}={value}")]


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen3 whose tokenizer has seen the task's text, newlines after brackets and all."""
    task = ReasoningGym("chain_sum")
    asked = [task.draw(stream(i, "texts"), "train") for i in range(50)]
    texts = [f"Question: {p.query}\nAnswer: {p.reference}\n\n" for p in asked]
    texts += [f"({i})\n\nQuestion: [{i}]\n{WORDS.question}\n" for i in range(50)]
    return random_qwen3(tmp_path_factory.mktemp("models") / "qwen3", texts)


@pytest.fixture(scope="module")
def gym_run(ray_address: str, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The worked configuration, made small, run by the command on a model of one's own."""
    folder = tmp_path_factory.mktemp("gym") / "run"
    changes = {**SMALL, "agents.model": model}
    done = mgptn("run", WORKED, "--out", folder, "--no-controls", *settings(changes))
    assert done.exit_code == 0, done.output
    return folder


def test_the_worked_configuration_is_one() -> None:
    config = load_config(WORKED)
    assert config.task.kind == "reasoning-gym"
    assert config.task.options == {"min_terms": 2, "max_terms": 3, "max_digits": 2}


def test_a_run_on_a_data_set_ends_in_a_report(gym_run: Path) -> None:
    answers = pl.read_parquet(gym_run / "answers.parquet")
    assert len(answers) == 3 * 2 * 3
    assert answers["query"].str.contains("arithmetic problem: ").all()
    assert answers["query"].n_unique() == 2 * 3
    report = (gym_run / "report.html").read_text()
    assert "reasoning-gym/chain_sum" in report
    assert "State the final answer to the following arithmetic problem" in report
    manifest = json.loads((gym_run / "manifest.json").read_text())
    assert manifest["interface"] == "base"
    assert manifest["versions"]["reasoning-gym"] == "0.1.25"
    assert len(manifest["problems"]) == 64
    assert manifest["task_file"] is None


def test_a_run_on_a_data_set_is_replayed(gym_run: Path) -> None:
    done = mgptn("replay", gym_run)
    assert done.exit_code == 0, done.output
    assert "confirmed" in done.output


def test_other_problems_than_the_runs_are_refused(gym_run: Path) -> None:
    manifest = json.loads((gym_run / "manifest.json").read_text())
    config = check_config(manifest["config"])
    check_same_ground(manifest, Stage(config), gym_run)
    other = Stage(config.model_copy(update={"seed": 1}))
    with pytest.raises(ConfigError, match="expected the problems that the run was begun with"):
        check_same_ground(manifest, other, gym_run, other_versions=True)


# Answers end where they end


def test_an_answer_ends_inside_a_token_too(model: Path) -> None:
    config = load_config(WORKED, tuple(f"{k}={v}" for k, v in SMALL.items()))
    stage = Stage(config.model_copy(update={"agents": agents(config, model)}))
    encoder = stage.script.encoder
    endings = encoder.endings(("\n",))
    texts = {token: encoder.decode((token,)) for token in range(len(encoder.vocabulary))}
    assert endings == {token for token, text in texts.items() if "\n" in text}
    assert {"\n", "\n\n"} < {texts[token] for token in endings}
    assert any(texts[token].strip() for token in endings)  # a bracket and the newline after it
    assert encoder.endings(("\n\n",)) == {token for token in endings if "\n\n" in texts[token]}


def agents(config: Any, model: Path) -> Any:
    return config.agents.model_copy(update={"model": str(model)})


def test_answers_are_cut_at_their_line_and_count_as_finished(model: Path) -> None:
    changes = {**SMALL, "agents.model": model, "problems_per_generation": 30}
    changes["agents.context_capacity"] = 2
    overrides = tuple(f"{key}={value}" for key, value in changes.items())
    config = load_config(WORKED, (*overrides, "task.max_answer_characters=400"))
    (first, _) = Simulation(config)
    assert not any("\n" in outcome.answer for outcome in first.outcomes)
    ended = [outcome.finished for outcome in first.outcomes]
    assert sum(ended) > len(ended) / 2  # some 2 % of 400 tokens hold a newline; 404 are drawn


def test_answers_of_several_lines(model: Path, tmp_path: Path) -> None:
    config = questions_config(written(tmp_path / "grids.jsonl", GRIDS), model)
    stage = Stage(config)
    interface = stage.script.interface
    assert interface.endings == ("\n\n",)
    for outcome in next(iter(Simulation(config))).outcomes:
        assert "\n\n" not in outcome.answer
        assert outcome.query.startswith("Turn this round:\n")
    assert stage.task.verify(GRIDS[0]["question"], interface.read_answer(" 1 0\n0 1\n\nQuestion:"))


def test_answers_with_empty_lines_are_refused(model: Path, tmp_path: Path) -> None:
    rows = [*GRIDS, {"question": "A poem?", "answer": "One\n\nTwo"}]
    config = questions_config(written(tmp_path / "poems.jsonl", rows), model, each=len(rows))
    with pytest.raises(ConfigError, match=r"agents.interface: expected .* is read as 'One'"):
        Stage(config)


# Question files


def questions_config(file: Path, model: Path | str, *, each: int = 4, **changes: Any) -> Any:
    data: dict[str, Any] = {
        "name": "questions",
        "task": {"name": "questions", "file": str(file)},
        "population": {"size": 3, "generations": 1, **changes},
        "agents": {"model": str(model), "context_capacity": 2},
        "protocol": {"graders": 2},
        "hosts": {"count": 1, "device": "cpu"},
        "metrics": {"port": 0},
        "problems_per_generation": each,
    }
    return check_config(data)


@pytest.fixture
def sums(tmp_path: Path) -> Path:
    """Questions that the bundled model can do."""
    rows = [
        {"question": f"{i}+{i}=", "answer": f"{2 * i:03d}"[::-1], "id": str(i)}
        for i in range(10, 30)
    ]
    return written(tmp_path / "sums.jsonl", rows)


def test_a_file_of_questions_is_run(ray_address: str, sums: Path, tmp_path: Path) -> None:
    finished = run(questions_config(sums, "gpt-3"), tmp_path / "run", Console(quiet=True))
    answers = pl.read_parquet(finished.folder / "answers.parquet")
    assert answers["verdict"].mean() > 0.1  # they are the bundled model's own sums
    assert json.loads((finished.folder / "manifest.json").read_text())["task_file"]


@pytest.mark.parametrize("other_versions", [False, True])
def test_a_changed_file_is_not_resumed(
    sums: Path, tmp_path: Path, write_run: Callable[..., Path], other_versions: bool
) -> None:
    whole = write_run(questions_config(sums, "gpt-3", generations=2), tmp_path / "whole")
    unfinished = tmp_path / "unfinished"
    shutil.copytree(whole, unfinished)
    journal = unfinished / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-20])  # without its end
    sums.write_text(sums.read_text().replace('"id": "29"', '"id": "30"'))
    with pytest.raises(ConfigError) as caught:
        resume(unfinished, Console(quiet=True), other_versions=other_versions)
    assert f"expected the task.file {sums} that the run was begun with, of content hash" in str(
        caught.value
    )


def test_what_the_model_cannot_spell_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "words.jsonl", [{"question": "Who?", "answer": "me"}])
    with pytest.raises(ConfigError, match=r"tokens can spell the questions .* reads 'Who\?' as"):
        Stage(questions_config(file, "gpt-3", each=1))


def test_agents_without_a_model_know_no_answers(sums: Path) -> None:
    with pytest.raises(ConfigError, match=r"agents.model: expected a model for the task questions"):
        Stage(questions_config(sums, "scripted"))


def test_a_length_that_is_too_short_is_refused(model: Path, sums: Path) -> None:
    config = questions_config(sums, model)
    task = config.task.model_copy(update={"max_answer_characters": 2})
    with pytest.raises(ConfigError, match=r"task.max_answer_characters: expected at least 3"):
        Stage(config.model_copy(update={"task": task}))


def test_examples_that_do_not_fit_are_counted(model: Path, sums: Path) -> None:
    config = questions_config(sums, model)
    small = config.model_copy(
        update={"agents": config.agents.model_copy(update={"context_capacity": 500})}
    )
    with pytest.raises(ConfigError, match=r"2048 tokens .* got 500 examples, .*; at most (\d+)"):
        Stage(small)


# The list of tasks


def test_the_tasks_are_listed_with_sizes_and_an_example() -> None:
    done = mgptn("tasks")
    assert done.exit_code == 0, done.output
    assert "addition" in done.output
    assert "1 to 48; 2 by default" in done.output
    assert "chain_sum" in done.output
    assert "task.file" in done.output


def test_examples_of_a_task_are_shown_and_proved() -> None:
    done = mgptn("tasks", "addition", "--size", 3, "--count", 2)
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.output.splitlines() if line.strip()]
    assert [line[0] for line in lines[1:-1]] == ["question", "right", "wrong"] * 2
    (a, b) = lines[1][1].rstrip("=").split("+")
    assert lines[2][1] == f"{int(a) + int(b):04d}"[::-1]
    assert lines[3][1] != lines[2][1]
    assert "accepted the right answer and rejected a wrong one" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("chess",), "task.name: expected 'addition'"),
        (("addition", "--size", 49), "task.size: expected 1 to 48, got 49"),
        (("questions",), "expected a task with examples, got questions"),
        (("reasoning-gym/rush_hour",), "rush_hour, which has no reference answers"),
    ],
)
def test_a_task_that_cannot_be_shown_is_named(arguments: tuple[Any, ...], message: str) -> None:
    done = mgptn("tasks", *arguments)
    assert done.exit_code == 1
    assert message in done.output
    assert "Traceback" not in done.output
