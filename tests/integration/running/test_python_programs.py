"""Python that agents write: run in a sandbox, judged, replayed; a real model's too, if possible."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from mgptn.agents.sandbox import kinds as kinds_module
from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import ConfigError, check_config, load_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.manifest import read_manifest
from mgptn.experiments.running.replay import replay
from mgptn.experiments.setting.stage import Stage
from mgptn.protocols.tasks.python.writing import PythonPrograms
from tests.plain_python import PAIRS, function, results_apart
from tests.real_model import real_model
from tests.sandboxes import kinds

SCRIPTED = {
    "name": "python",
    "task": {"name": "programs-python", "size": 2},
    "agents": {"model": "scripted", "scripted": {"error": 0.5}},
    "population": {"size": 4, "generations": 1},
    "problems_per_generation": 4,
    "protocol": {"graders": 2},
    "sandbox": {"seconds": 0.2},
    "metrics": {"port": 0},
}
BLOCK = re.compile(r"```(?:python|py)?\n(.*?)(?:```|\Z)", re.DOTALL)


@pytest.mark.parametrize("kind", kinds())
def test_agents_without_a_model_write_right_and_wrong_functions(kind: str) -> None:
    config = check_config({**SCRIPTED, "sandbox": {"kind": kind, "seconds": 0.2}})
    (generation,) = Simulation(config)
    task = PythonPrograms(2)
    verdicts = [outcome.verdict for outcome in generation.outcomes]
    assert None not in verdicts
    assert 0 < sum(verdicts) < len(verdicts)
    for outcome in generation.outcomes:
        assert outcome.verdict == (outcome.answer == task.reference(outcome.query))


def test_without_a_sandbox_it_is_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds_module, "fault_of", lambda kind: "not on this machine")
    with pytest.raises(ConfigError, match="task programs-python: answers are programs"):
        Stage(check_config(SCRIPTED))


def test_no_founder_is_trained_on_it() -> None:
    founders = {"task": "programs-python", "sizes": "1-1"}
    with pytest.raises(ConfigError, match=r"expected one of addition, .*, got 'programs-python'"):
        check_config({**SCRIPTED, "agents": {"founders": founders}})


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_real_model_writes_python_that_is_run(tmp_path: Path) -> None:
    """The bundled configuration, made smaller. What it scores is in docs/concepts/programs.md."""
    folder = tmp_path / "run"
    changes = (
        f"agents.model={real_model()}",
        "population.size=2",
        "problems_per_generation=3",
        "protocol.graders=1",
        "hosts.device=cpu",
        "metrics.port=0",
    )
    settings = [part for change in changes for part in ("--set", change)]
    arguments = ["run", "python", "--no-controls", "--out", str(folder), *settings]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    answers = pl.read_parquet(folder / "answers.parquet")
    assert len(answers) == 2 * 2 * 3
    assert answers["verdict"].null_count() == 0
    size = load_config("python").task.size
    assert size is not None
    task = PythonPrograms(size)
    read = [task.counted(*pair) for pair in answers.select("query", "answer").iter_rows()]
    assert sum(one is not None for one in read) >= len(read) / 2  # it does write functions
    for query, answer, finished, verdict, source in zip(
        *answers.select("query", "answer", "finished", "verdict").to_dict(as_series=False).values(),
        read,
        strict=True,
    ):
        right = function(task.reference(query))
        blocks = BLOCK.findall(answer) or [answer]
        assert "import" not in answer, "what is run here without a sandbox is arithmetic"
        plainly = next((found for one in blocks if (found := results_apart(one))), None)
        assert verdict == (finished and plainly == [right(a, b) for a, b in PAIRS]), source
    assert read_manifest(folder)["sandbox"] in ("bubblewrap", "interpreter")
    replayed = replay(folder)
    assert replayed.confirmed
