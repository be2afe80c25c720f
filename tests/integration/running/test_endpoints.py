"""Populations behind a server: faults stop a run in a line, and it is carried on to its end."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from mgptn.agents.endpoints.endpoint import EndpointFault, LimitReached
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.loop.room import check_room
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.manifest import read_manifest
from mgptn.experiments.record.rounds import population_hash
from mgptn.experiments.results.derive import Finished
from mgptn.experiments.running.replay import replay
from mgptn.experiments.running.run import UNCOMMITTED, resume, run
from mgptn.experiments.running.sweep import Axes, run_sweep
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.studies.ask import ask
from tests.fault_server import KEY, FaultServer

Made = Callable[..., RunConfig]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    monkeypatch.setenv("A_KEY", KEY)
    made = FaultServer(key=KEY).start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def made(small: Callable[..., RunConfig]) -> Callable[..., RunConfig]:
    """Makes the configuration of a run on a server."""

    def make(url: str, changes: dict[str, Any] | None = None) -> RunConfig:
        endpoint = {
            "url": url, "model": "adder", "key_env": "A_KEY", "retries": 2,
            "backoff_seconds": 0.01, "price": {"prompt": 1, "completion": 10},
        }  # fmt: skip
        usual = {"agents.endpoint": endpoint, "protocol.least_mass": 0.0}
        return small({**usual, **(changes or {})})

    return make


@pytest.fixture
def config(made: Callable[..., RunConfig], server: FaultServer) -> Made:
    return lambda changes=None: made(server.url, changes)


@pytest.fixture(scope="module")
def undisturbed(made: Callable[..., RunConfig]) -> Iterator[str]:
    """The population hash of a run in which nothing goes wrong, on a server of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("A_KEY", KEY)
        server = FaultServer(key=KEY).start()
        yield population_hash(list(Simulation(made(server.url))))
        server.stop()


def after(generation: int, fault: str, server: FaultServer) -> None:
    """Have all go wrong once so many generations' problems were asked."""
    problems = 4
    seen: set[str] = set()

    def faults(number: int, body: dict[str, Any]) -> str | None:
        question = [t["content"] for t in body["messages"] if t["role"] == "user"][-1]
        if body["max_tokens"] > 1 and question.startswith(tuple("0123456789")):
            seen.add(question)
        return fault if len(seen) > generation * problems + 1 else None

    server.faults = faults


def asked_twice(server: FaultServer) -> int:
    """Answered completions that were answered already, but for those that look what it can do."""
    work = [json.dumps(body) for body in server.answered if "=" in str(body["messages"])]
    return len(work) - len(set(work))


def test_a_run_says_what_it_is_and_what_it_took_and_never_its_key(
    config: Made, server: FaultServer, undisturbed: str, tmp_path: Path, console: Console,
    contents_of: Callable[[Path], dict[str, bytes]],
):  # fmt: skip
    folder = tmp_path / "run"
    finished = run(config(), folder, console)
    assert finished.population_hash == undisturbed
    manifest = read_manifest(folder)
    assert manifest["reproducible"] is False
    assert "endpoint/adder" in manifest["irreproducible"]
    assert manifest["endpoints"]["endpoint/adder"]["url"] == server.url
    assert replay(folder).confirmed
    table = pl.read_parquet(folder / "generations.parquet")
    sums = table.select(pl.col("^endpoint_.*|.*_tokens|cost_millionths$").sum()).row(0, named=True)
    assert sums["endpoint_requests"] > 0
    assert sums["endpoint_retries"] == 0
    paid = sums["prompt_tokens"] + 10 * sums["completion_tokens"]
    assert sums["cost_millionths"] == pytest.approx(paid, abs=len(table) * 2)
    files = contents_of(folder)
    assert not [name for name, content in files.items() if KEY.encode() in content]
    assert KEY not in console.file.getvalue()
    assert "1 endpoint" in console.file.getvalue()
    assert "endpoint requests" in (folder / "report.html").read_text()
    assert UNCOMMITTED not in files


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("dies", "got a connection that failed"),
        ("429", "got 429: fault 429 for Bearer …"),
        ("500", "got 500: fault 500"),
        ("half", "bytes that are no JSON"),
        ("other", "got one of 'another/model'"),
    ],
)
def test_a_run_that_a_server_stops_is_carried_on_and_nothing_is_asked_twice(
    config: Made, server: FaultServer, undisturbed: str, tmp_path: Path, console: Console,
    fault: str, cause: str, monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    folder = tmp_path / "run"
    written: list[Path] = []

    def results(folder: Path, *others: Any) -> Finished:
        written.append(folder)
        return Finished(folder, None, others[0].population_hash, ())  # type: ignore[arg-type]

    # What results look like is another test's; they take seconds.
    monkeypatch.setattr("mgptn.experiments.running.run.write_results", results)
    server.answered.clear()
    after(1, fault, server)
    with pytest.raises(EndpointFault) as caught:
        run(config(), folder, console, controls=False)
    said = str(caught.value)
    assert said.startswith("endpoint/adder: expected ")
    assert cause in said
    assert said.endswith(f"carry the run on with: mgptn resume {folder}")
    assert "\n" not in said
    assert KEY not in said
    assert len(written) == 1
    server.faults = lambda number, body: None
    server.start() if fault == "dies" else None
    finished = resume(folder, console)
    assert finished.population_hash == undisturbed
    assert replay(folder).confirmed
    assert asked_twice(server) == 0
    assert "Resuming at generation 1" in console.file.getvalue()


def test_faults_that_pass_leave_no_trace_but_a_count(
    config: Made, server: FaultServer, undisturbed: str
):
    kinds, wronged = ["429", "500", "half", "drop"], Counter[str]()

    def faults(number: int, body: dict[str, Any]) -> str | None:
        """Every seventh request, but none more often than it is asked again."""
        asked = json.dumps(body)
        if number % 7 != 6 or wronged[asked] == 2:
            return None
        wronged[asked] += 1
        return kinds[number // 7 % 4]

    server.faults = faults
    assert population_hash(list(Simulation(config()))) == undisturbed
    assert wronged.total() > 8


def test_a_run_is_killed_and_carried_on(
    config: Made, server: FaultServer, undisturbed: str, tmp_path: Path, console: Console,
    start: Callable[..., Any], config_file: Callable[[RunConfig], Path],
):  # fmt: skip
    folder = tmp_path / "run"
    server.answered.clear()
    after(2, "slow", server)
    command = start("run", config_file(config()), "--out", folder, "--no-controls")
    command.wait_for_commits(folder, 2)
    while not (folder / UNCOMMITTED).exists():
        assert command.process.poll() is None, command.output
    command.kill()
    server.faults = lambda number, body: None
    kept = len(server.answered)
    finished = resume(folder, console)
    assert finished.population_hash == undisturbed
    # Of what was answered, only what was under way at the kill is asked again.
    assert asked_twice(server) <= 8
    assert len(server.answered) > kept


def test_limits_stop_a_run_and_let_it_go_on(
    config: Made, server: FaultServer, undisturbed: str, tmp_path: Path, console: Console,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    folder = tmp_path / "run"
    monkeypatch.setattr(
        "mgptn.experiments.running.run.write_results",
        lambda folder, derived: Finished(folder, None, derived.population_hash, ()),  # type: ignore[arg-type]
    )
    server.answered.clear()
    limited = config({"limits.requests": 17})
    reached = r"limits\.requests: expected at most 17 in one go, got 17; carry"
    with pytest.raises(LimitReached, match=reached):
        run(limited, folder, console, controls=False)
    finished, lives = None, 1
    while finished is None:
        lives += 1
        with contextlib.suppress(LimitReached):
            finished = resume(folder, console)
    assert lives > 3
    assert finished.population_hash == undisturbed
    assert asked_twice(server) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"logprobs": False}, "protocol.reading: expected sampled for 'endpoint/adder'"),
        ({"model": "another"}, "/models to list 'adder', got 'another'"),
        ({"key": "another"}, "got 401 with the key in A_KEY"),
        ({"dead": True}, "got a connection that failed"),
    ],
)
def test_what_can_be_known_before_work_is_said_before_work(
    config: Made, server: FaultServer, tmp_path: Path, console: Console,
    changes: dict[str, Any], said: str,
):  # fmt: skip
    for name, value in changes.items():
        setattr(server, name, value)
    if "dead" in changes:
        server.stop()
    with pytest.raises((ConfigError, EndpointFault)) as caught:
        run(config(), tmp_path / "run", console)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_without_log_probabilities_grades_are_sampled(config: Made, server: FaultServer):
    server.logprobs = False
    sampled = config({"protocol.reading": "sampled", "population.generations": 1})
    (generation,) = Simulation(sampled)
    assert generation.outcomes.grade_values().shape == (16, 2)
    assert not any(body.get("logprobs") for body in server.asked[4:])


def test_personas_stand_with_the_user_where_a_server_refuses_a_system(
    config: Made, server: FaultServer
):
    server.system = False
    stage = Stage(config({"agents.personas": ["You add slowly."], "population.generations": 1}))
    assert "has no system message" in stage.remarks[0]
    next(iter(Simulation(stage.config, stage=stage)))
    last = server.answered[-1]["messages"]
    assert last[0]["role"] == "user"
    assert last[0]["content"].startswith("You add slowly.\n\n")


def test_a_grading_question_that_is_hardly_answered_is_refused_and_another_named(
    config: Made, tmp_path: Path, console: Console
):
    asked = config({"protocol.question": "yes-no", "protocol.least_mass": 0.05})
    with pytest.raises(ConfigError, match=r"correct: mass 0\.\d+") as caught:
        run(asked, tmp_path / "run", console)
    assert "protocol.question: expected options that 'endpoint/adder' says" in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_what_a_server_is_asked_can_be_looked_at(config: Made):
    lines = list(ask(config(), 0))
    assert any(line.startswith("  | [user] ") for line in lines)
    assert any("What it says (2 tokens, ended)" in line for line in lines)
    assert not any("likelihood" in line or "confidence" in line for line in lines)


@pytest.mark.slow
def test_one_population_across_a_model_here_and_one_there(config: Made):
    mixed = config({"agents.model": "gpt-1", "population.generations": 1, "protocol.graders": 3})
    assert mixed.agents.model == "gpt-1,endpoint/adder"
    (generation,) = Simulation(mixed)
    models = [agent.genome.model for agent in generation.agents]
    assert models == ["gpt-1", "endpoint/adder"] * 2
    known = np.isfinite(generation.outcomes.log_probabilities).reshape(4, -1)
    assert known.all(axis=1).tolist() == [True, False] * 2


def test_a_server_that_says_it_has_another_model_now_is_refused_on_going_on(
    config: Made, server: FaultServer, tmp_path: Path, console: Console
):
    server.about = {"meta": {"n_params": 135}}
    after(1, "500", server)
    with pytest.raises(EndpointFault):
        run(config({"population.generations": 2}), tmp_path / "run", console, controls=False)
    server.about = {"meta": {"n_params": 360}}
    server.faults = lambda number, body: None
    with pytest.raises(ConfigError, match=r"begun with, \{'n_params': 135\}, got"):
        resume(tmp_path / "run", console)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"room": 150}, "takes, got one of 4 answers of 64 tokens: .*context size is exceeded"),
        ({"room": 150, "cuts": True}, "reads whole, .*: of 256 words it counted 150 tokens"),
        ({"about": {"max_model_len": 300}}, "has room for .300 tokens.*: 3[0-9]{2} tokens"),
    ],
)
def test_a_context_that_a_server_does_not_take_is_found_before_the_run(
    config: Made, server: FaultServer, tmp_path: Path, console: Console,
    changes: dict[str, Any], cause: str,
) -> None:  # fmt: skip
    for name, value in changes.items():
        setattr(server, name, value)
    settings = {"agents.context_capacity": 4, "agents.max_answer_tokens": 64}
    with pytest.raises(ConfigError, match=f"agents.context_capacity: expected .*{cause}"):
        run(config(settings), tmp_path / "run", console)
    assert not (tmp_path / "run").exists()
    stage = Stage(config({**settings, "agents.context_capacity": 1}))
    check_room(stage, stage.local_fleet())


def test_a_sweep_that_is_stopped_says_how_it_goes_on(
    config: Made, server: FaultServer, tmp_path: Path, console: Console
) -> None:
    changes = {"agents.context_capacity": 0, "limits": {"requests": 60}}
    options: dict[str, Any] = {"parallel": 1, "controls": False, "ray_address": None}
    stops = []
    while not (tmp_path / "sweep" / "sweep.parquet").exists():
        try:
            run_sweep(config(changes), Axes(seeds=2), tmp_path / "sweep", console, **options)
        except LimitReached as fault:
            stops.append(str(fault))
            assert len(stops) < 20
    assert stops
    assert all("limits.requests" in stop for stop in stops)
    assert all(stop.endswith("; the same command runs what is left") for stop in stops)
