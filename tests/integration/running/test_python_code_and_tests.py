"""Coders and testers in Python: agents that play parts behind a server, and a real model."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from rich.console import Console

from mgptn.agents.sandbox import kinds as kinds_module
from mgptn.experiments.cli import main
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config, load_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.passing.collusion import measure
from mgptn.experiments.record.manifest import read_manifest
from mgptn.experiments.record.rounds import generations_of, read_rounds
from mgptn.experiments.running.replay import replay
from mgptn.experiments.running.run import run
from mgptn.experiments.setting.stage import Stage
from mgptn.population.records.turns import CRITIQUE
from mgptn.protocols.tasks.python.both import PythonCodeAndTests
from mgptn.protocols.tasks.python.testing import read_question
from mgptn.protocols.tasks.python.writing import spec_of
from tests.fault_server import FaultServer
from tests.plain_python import run_plainly
from tests.real_model import real_model
from tests.sandboxes import kinds

TASK = PythonCodeAndTests(2)
ENDLESS = "def f(a, b):\n    while True:\n        pass"


def plays(turns: list[dict[str, str]], seed: int) -> str:
    """Right functions, or as often one without an end; right ones the second time, in a block; and
    right cases, where any tells the function asked about."""
    told = [turn["content"] for turn in turns if turn["role"] == "user"]
    if told[-1].startswith("A reader says"):
        return f"```python\n{TASK.reference(told[-2])}\n```"
    if spec_of(told[-1]):
        return TASK.reference(told[-1]) if seed % 2 else ENDLESS
    try:
        return f"Try {TASK.reference(told[-1])}."
    except ValueError:
        return "f(0, 0) == 0"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    made = FaultServer(model="coder", writes=plays).start()
    yield made
    made.stop()


def config_of(server: FaultServer, **changes: Any) -> RunConfig:
    endpoint = {"url": server.url, "model": "coder", "retries": 1, "backoff_seconds": 0.01}
    whole = {
        "name": "python",
        "task": {"name": "code-and-tests-python", "size": 2, "instruction": "none"},
        "agents": {"endpoint": endpoint, "context_capacity": 0, "max_answer_tokens": 64},
        "population": {"size": 4, "generations": 1},
        "problems_per_generation": 6,
        "protocol": {"name": "code-and-tests", "graders": 3, "least_mass": 0.0},
        "sandbox": {"seconds": 0.2},
        "metrics": {"port": 0},
    }
    return check_config({**whole, **changes})


@pytest.mark.parametrize("kind", kinds()[:1])
def test_agents_that_play_parts_grade_each_other_by_what_cpython_says(
    kind: str, server: FaultServer, tmp_path: Path, console: Console
) -> None:
    folder = tmp_path / "run"
    run(config_of(server, sandbox={"kind": kind, "seconds": 0.2}), folder, console, controls=False)
    (generation,) = generations_of(list(read_rounds(folder)), SELECTED)
    outcomes = generation.outcomes
    drafts = 0
    for outcome in outcomes:
        values = [grade.value for grade in outcome.grades]
        if read_question(outcome.query) is not None:
            assert outcome.verdict
            assert set(values) <= {0.0, 1.0}  # a grader's function has an end or not
            continue
        assert outcome.verdict == (outcome.answer != ENDLESS)
        kept = [turn for turn in outcome.turns if turn.kind == "draft"]
        drafts += len(kept)
        assert all(turn.text == ENDLESS for turn in kept)
        assert bool(kept) == outcome.answer.startswith("```")
        right = outcome.verdict is True
        assert all(value is not None and (value >= 0.5) >= right for value in values)
        assert right or max(v for v in values if v is not None) <= 0.5
    assert drafts > 0
    asks = [read_question(query) is None for query in outcomes.queries]
    assert 0 < sum(asks) < len(asks)
    (row,) = pl.read_parquet(folder / "collusion.parquet").to_dicts()
    plainly = asdict(measure(outcomes, 2, run_plainly))
    assert {name: row[name] for name in plainly} == pytest.approx(plainly, nan_ok=True)
    assert row["endless"] == row["program_error"] == 1.0 - row["shown_passed"]
    assert row["test_error"] == row["special"] == 0.0
    assert math.isnan(measure(outcomes, 2).endless)  # of what is not run nothing is known
    assert read_manifest(folder)["sandbox"] == kind
    assert replay(folder).confirmed


@pytest.mark.parametrize("task", ["tests-python", "programs-python"])
def test_each_kind_of_question_alone_goes_too(task: str, server: FaultServer) -> None:
    (generation,) = Simulation(
        config_of(server, task={"name": task, "size": 2, "instruction": "none"})
    )
    graded = [grade.value for outcome in generation.outcomes for grade in outcome.grades]
    assert len(graded) == 4 * 6 * 3
    assert None not in graded


def test_without_a_sandbox_it_is_refused_before_any_work(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the task's own verdicts need none."""
    config = config_of(server, task={"name": "tests-python", "size": 2})
    monkeypatch.setattr(kinds_module, "fault_of", lambda kind: "not on this machine")
    with pytest.raises(ConfigError, match=r"tests-python: .* are not run here"):
        Stage(config)
    assert not server.answered


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_real_model_writes_functions_and_tests_of_them(tmp_path: Path) -> None:
    """The bundled configuration, made smaller: the path holds, whatever so small a model scores."""
    folder = tmp_path / "run"
    changes = (
        f"agents.model={real_model()}",
        "problems_per_generation=4",
        "hosts.device=cpu",
        "metrics.port=0",
    )
    settings = [part for change in changes for part in ("--set", change)]
    arguments = ["run", "code_and_tests_python", "--no-controls", "--out", str(folder), *settings]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    size = load_config("code_and_tests_python").task.size
    assert size is not None
    task = PythonCodeAndTests(size)
    answers = pl.read_parquet(folder / "answers.parquet")
    assert len(answers) == 2 * 3 * 4
    assert answers["verdict"].null_count() == 0
    for query, answer, finished, verdict in answers.select(
        "query", "answer", "finished", "verdict"
    ).iter_rows():
        ran = [] if "import" in answer else run_plainly(task.programs(query, answer))
        assert verdict == (finished and bool(task.judge(query, answer, ran)))
    measured = pl.read_parquet(folder / "collusion.parquet")
    assert measured["shown_passed"].is_not_nan().any()  # functions were read, and run
    outcomes = [one.outcomes for one in generations_of(list(read_rounds(folder)), SELECTED)]
    critiques = [t for o in outcomes for t in o.turns.kinds.tolist() if t == CRITIQUE]
    assert critiques  # tests were written of what others wrote
    assert read_manifest(folder)["sandbox"] in ("bubblewrap", "interpreter")
    assert replay(folder).confirmed
