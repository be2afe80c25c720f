"""A real instruct model behind a real llama.cpp server, and the same model in this process."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from mgptn.agents.endpoints.endpoint import EndpointFault
from mgptn.agents.endpoints.planning import plan_any
from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.loop import hosted_step
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.running.replay import replay
from mgptn.experiments.running.run import resume, run
from mgptn.experiments.seats.asking import cast_match, to_host
from mgptn.experiments.seats.reading import from_host
from mgptn.experiments.setting.stage import Stage
from mgptn.population.records.generation import Generation
from mgptn.protocols.messages import GradeReply, GradeRequest, grader_seat
from mgptn.protocols.scale import expected_level
from tests.llama_server import LlamaServer, NotHad, fetched
from tests.real_model import real_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

QUESTIONS = Path(__file__).parents[3] / "experiments" / "configs" / "words.jsonl"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MGPTN_CACHE", raising=False)
        try:
            library, model = fetched()
        except NotHad as error:
            pytest.skip(f"needs a real server: {error}")
    made = LlamaServer(library, model, tmp_path_factory.mktemp("llama") / "log.txt").start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def here() -> Path:
    """The same model's folder, for a host in this process."""
    return real_model()


def say(line: str) -> None:
    """What was measured, for whoever runs these with ``-s``."""
    sys.stdout.write(f"{line}\n")


def config_of(agents: dict[str, Any], **changes: Any) -> RunConfig:
    return check_config(
        {
            "name": "words",
            "seed": 1,
            "task": {"name": "questions", "file": str(QUESTIONS)},
            "population": {"size": 4, "generations": 2},
            "protocol": {"graders": 3},
            "agents": {
                "interface": "chat",
                "max_answer_tokens": 32,
                "context_capacity": 4,
                "sampling_temperature": 0.7,
                **agents,
            },
            "problems_per_generation": 12,
            "hosts": {"count": 1, "device": "cpu"},
            "metrics": {"port": 0},
            **changes,
        }
    )


def behind(server: LlamaServer, **further: Any) -> dict[str, Any]:
    usual = {"url": server.url, "model": server.alias, "concurrency": 4, "retries": 1}
    return {"endpoint": {**usual, "body": {"top_k": 0, "min_p": 0.0}, **further}}


def said_there(generation: Generation, config: RunConfig) -> np.ndarray[Any, Any]:
    """What the server's model makes of a generation's answers: a grade each, with its mass."""
    stage = Stage(config)
    script, scene = stage.script, stage.scene(0, 0)
    agents = {agent.id: agent for agent in generation.agents}
    asked, requests = [], []
    for match, outcome in zip(generation.outcomes.matches, generation.outcomes, strict=True):
        cast = cast_match(match, scene.problems[match.problem], agents, 0)
        asked.append(GradeRequest(grader_seat(0), outcome.query, outcome.answer))
        requests.append(((script.weights, None), to_host(asked[-1], cast, script)))
    planned = plan_any(requests, 32)
    replies = planned.collect(stage.local_fleet().run(planned.tiles))
    read = [from_host(r, a, script) for r, a in zip(replies, asked, strict=True)]
    return np.array(
        [
            (expected_level(one.levels), one.mass)
            for one in read
            if isinstance(one, GradeReply) and one.levels is not None and one.mass is not None
        ]
    )


def test_grades_of_the_same_answers_are_those_of_the_model_in_this_process(
    server: LlamaServer, here: Path
):
    local = next(iter(Simulation(config_of({"model": str(here)}))))
    grades = local.outcomes.grade_values()[:, 0]
    there = said_there(local, config_of(behind(server)))
    assert len(there) == len(grades) == 48
    correlation = float(np.corrcoef(grades, there[:, 0])[0, 1])
    masses = float(local.outcomes.masses.mean()), float(there[:, 1].mean())
    say(f"grades: correlation {correlation:.4f}; mass here {masses[0]:.3f}, there {masses[1]:.3f}")
    assert correlation > 0.95
    assert abs(masses[0] - masses[1]) < 0.1
    remote = next(iter(Simulation(config_of(behind(server)))))
    errors = [(~one.outcomes.verdicts).mean() for one in (local, remote)]
    cut = [(~one.outcomes.finished).mean() for one in (local, remote)]
    lengths = [float(one.outcomes.tokens.mean()) for one in (local, remote)]
    say(f"here and there: error {errors}, cut off {cut}, tokens {lengths}")
    # Of 48 answers each: alike up to four standard errors of a difference.
    assert abs(errors[0] - errors[1]) < 0.4
    assert max(cut) < 0.3
    assert 0.5 < lengths[1] / lengths[0] < 2.0


@pytest.mark.parametrize("how", ["killed", "suspended"])
def test_a_server_that_is_gone_stops_the_run_and_the_run_goes_on_with_it(
    server: LlamaServer, tmp_path: Path, console: Console, how: str, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "run"
    agents = behind(server, timeout_seconds=20 if how == "suspended" else 120)
    config = config_of(agents, problems_per_generation=3, protocol={"graders": 2})
    play, rounds = hosted_step.HostedPlay.plan, []

    def plan(self: Any) -> Any:
        rounds.append(self.tournament.generation)
        if rounds.count(1) == 1 and len(rounds) == rounds.index(1) + 1:
            server.kill() if how == "killed" else server.suspend()
        return play(self)

    monkeypatch.setattr(hosted_step.HostedPlay, "plan", plan)
    cause = "a connection that failed" if how == "killed" else "nothing in 20 s"
    with pytest.raises(EndpointFault, match=cause) as caught:
        run(config, folder, console, controls=False)
    assert "\n" not in str(caught.value)
    server.start() if how == "killed" else server.wake()
    began = time.monotonic()
    finished = resume(folder, console)
    say(f"carried on in {time.monotonic() - began:.0f} s")
    assert finished.population_hash == replay(folder).population_hash
    assert replay(folder).confirmed


def test_a_server_of_another_model_is_refused_before_any_work(server: LlamaServer):
    with pytest.raises(EndpointFault, match="to list 'qwen', got 'smollm2'"):
        Stage(config_of(behind(server, model="qwen")))
