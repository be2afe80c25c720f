"""Runs whose answers are programs: run in a sandbox, attacks among them, verdicts as columns."""

# SPDX-License-Identifier: Apache-2.0

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import yaml
from click.testing import CliRunner, Result

from mgptn.agents.sandbox import kinds as kinds_module
from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.config.sections.plugins import tasks
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.manifest import read_manifest
from mgptn.experiments.setting.stage import Stage
from tests.expressions import ATTACKS, MAYBE
from tests.sandboxes import kinds

CONFIG = {
    "name": "programs",
    "task": {"name": "expressions", "size": 2, "options": {"attacks": True}},
    "agents": {"model": "scripted", "scripted": {"error": 0.6}},
    "population": {"size": 6, "generations": 1},
    "problems_per_generation": 6,
    "protocol": {"graders": 2},
    "sandbox": {"seconds": 0.2, "memory": 128},
    "metrics": {"port": 0},
}

EACH = [
    pytest.param(*one.values, marks=[*one.marks, *([pytest.mark.slow] if place else [])])
    for place, one in enumerate(kinds())
]
"""The strongest kind, and the others where there is time for them."""


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The task as another package would bring it."""
    information = tmp_path / "site" / "expressions_of_a_test-1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: expressions-of-a-test\n")
    (information / "entry_points.txt").write_text(
        "[mgptn.tasks]\nexpressions = tests.expressions:Expressions\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.chdir(tmp_path)
    tasks.cache_clear()
    yield
    tasks.cache_clear()


def invoked(tmp_path: Path, **changes: object) -> Result:
    """`mgptn run` of the configuration with changes."""
    path = tmp_path / "programs.yaml"
    path.write_text(yaml.safe_dump({**CONFIG, **changes}))
    return CliRunner().invoke(main, ["run", str(path), "--out", str(tmp_path / "run")])


@pytest.mark.parametrize("kind", EACH)
def test_attacks_among_the_answers_are_wrong_and_the_run_goes_on(tmp_path: Path, kind: str):
    done = invoked(tmp_path, sandbox={**CONFIG["sandbox"], "kind": kind})
    assert done.exit_code == 0, done.output
    answers = pl.read_parquet(tmp_path / "run" / "answers.parquet")
    said = dict(zip(answers["answer"], answers["verdict"], strict=True))
    attacked = [verdict for answer, verdict in said.items() if answer in ATTACKS]
    assert len(attacked) >= 3
    assert not any(verdict is not False for verdict in attacked)
    assert said[MAYBE] is None
    right = answers.filter(pl.col("answer").str.contains(r"^\d+$"))
    assert right["verdict"].all()
    assert 0 < right.height < answers.height
    generations = pl.read_parquet(tmp_path / "run" / "generations.parquet")
    counted = generations["unknown_verdicts"].sum()
    assert counted == answers["verdict"].null_count() > 0
    assert generations["seconds_verify"].sum() > 0
    assert generations["verdicts_asked"].sum() > 10
    errors = answers.group_by("arm", "problem").agg(wrong=1 - pl.col("verdict").mean())
    by_arm = dict(errors.group_by("arm").agg(pl.col("wrong").mean()).rows())
    assert dict(generations.select("arm", "gold_error").rows()) == pytest.approx(by_arm)
    assert "have no verdict" in done.output
    assert read_manifest(tmp_path / "run")["sandbox"] == kind
    replayed = CliRunner().invoke(main, ["replay", str(tmp_path / "run")])
    assert replayed.exit_code == 0, replayed.output
    assert not list(tmp_path.rglob("caught_nobody"))


@pytest.mark.parametrize("kind", kinds()[-1:])
def test_a_model_whose_answers_are_run(kind: str):
    config = check_config(
        {
            **CONFIG,
            "task": {"name": "expressions", "size": 2},
            "agents": {"model": "gpt-1", "context_capacity": 0},
            "population": {"size": 4, "generations": 1},
            "sandbox": {"kind": kind},
        }
    )
    stage = Stage(config)
    known = stage.verifier.asked
    assert known == len(stage.problems[0])  # right answers are held to be so, before anything
    (generation,) = Simulation(config, stage=stage)
    for outcome in generation.outcomes:
        value = outcome.answer.isdecimal() and str(int(outcome.answer)) == outcome.answer
        wanted = stage.task.reference(outcome.query)
        assert outcome.verdict is (outcome.finished and bool(value) and outcome.answer == wanted)


def test_without_a_sandbox_the_task_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kinds_module, "fault_of", lambda kind: "not on this machine")
    done = invoked(tmp_path)
    assert done.exit_code != 0
    assert "task expressions: answers are programs, which are not run here" in done.output
    assert "bubblewrap: not on this machine; interpreter: not on this machine" in done.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"options": {"attack": True}}, r"task\.options\.attack: expected an option of expressi"),
        ({"options": {"most": "all"}}, r"task\.options\.most: expected a valid integer"),
    ],
)
def test_options_of_a_task_are_checked(task: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message):
        Stage(check_config({**CONFIG, "task": {**CONFIG["task"], **task}}))


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tests.expressions.Expressions.libraries", ("numpy", "no-such-thing"))
    with pytest.raises(ConfigError, match=r"one without no-such-thing; pip install no-such-thing"):
        Stage(check_config(CONFIG))
