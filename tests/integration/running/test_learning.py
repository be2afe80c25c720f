"""Weights that learn, in whole runs: the same hash whoever learns where, killed or not."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from safetensors.torch import load, save

from mgptn.agents.checkpoints import founders_folder
from mgptn.agents.hosts.fleet import LocalFleet, run_tile
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.make_host import make_host
from mgptn.agents.learning.numbers import NumbersError, hash_of
from mgptn.agents.requests import Learn, Tile, TileReply
from mgptn.experiments.config.arms import LEARNING_ARMS, SELECTED, UNSELECTED
from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.rounds import JOURNAL, population_hash, read_rounds
from mgptn.experiments.results.derive import write_results
from mgptn.experiments.running.replay import replay
from mgptn.experiments.running.run import run
from mgptn.experiments.running.session import WEIGHTS, Session, advance
from mgptn.experiments.setting.stage import Stage
from tests.learners import FOUNDERS, LEARNING


def changed(**sections: Any) -> RunConfig:
    """The configuration with sections changed."""
    return check_config(
        {**LEARNING, **{k: {**LEARNING[k], **v} if isinstance(v, dict) else v
                        for k, v in sections.items()}}
    )  # fmt: skip


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return changed()


@pytest.fixture(scope="module")
def stage(config: RunConfig) -> Stage:
    return Stage(config)


@pytest.fixture(scope="module")
def fleet(stage: Stage) -> LocalFleet:
    """One host of both founders in this process."""
    return LocalFleet(stage.host_settings("cpu"))


@pytest.fixture(scope="module")
def ended(
    config: RunConfig, stage: Stage, fleet: LocalFleet, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run that has ended; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("ended") / "run"
    session = Session.create(folder, config, (SELECTED,), stage, "cpu")
    while not session.finished:
        advance([session], fleet)
    session.end()
    session.close()
    return folder


@pytest.fixture(scope="module")
def undisturbed(ended: Path) -> str:
    return population_hash(c.generation for r in read_rounds(ended) for c in r.committed)


def test_everybody_learns_and_the_task_grows(ended: Path):
    generations = [r.committed[0].generation for r in read_rounds(ended)]
    assert [g.size for g in generations] == [2, 3, 4]
    for generation in generations:
        assert len(set(generation.learned)) == 2
        for agent, survivor, content in zip(
            generation.agents, generation.survivors, generation.learned, strict=True
        ):
            before, after = agent.genome.weights, survivor.genome.weights
            assert after.content == content
            assert after.parent == ("" if before is None else before.digest())
    counters = next(iter(read_rounds(ended))).committed[0].counters
    assert counters["learn_requests"] == 2
    assert counters["tokens_learned"] > 0


def test_only_the_weights_of_the_living_are_kept(ended: Path):
    *_, last = read_rounds(ended)
    living = {a.genome.weights.content for a in last.committed[0].generation.survivors}
    files = list((ended / WEIGHTS).iterdir())
    assert {path.stem for path in files} == living
    assert all(hash_of(path.read_bytes()) == path.stem for path in files)


class TwoHosts(LocalFleet):
    """Two hosts that take tiles in turn, from the last to the first."""

    def __init__(self, settings: HostSettings) -> None:
        super().__init__(settings)
        self.hosts = (self.host, make_host(settings))

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order."""
        turns = reversed([*enumerate(tiles)])
        done = {i: run_tile(self.hosts[i % 2], tile) for i, tile in turns}
        return [done[i] for i in range(len(tiles))]


def test_two_hosts_lead_to_the_same_hash(config: RunConfig, stage: Stage, undisturbed: str):
    hosts = TwoHosts(stage.host_settings("cpu"))
    assert population_hash(Simulation(config, stage=stage, fleet=hosts)) == undisturbed


def test_arms_beside_it_change_nothing(
    config: RunConfig, stage: Stage, fleet: LocalFleet, undisturbed: str, tmp_path: Path
):
    session = Session.create(tmp_path / "run", config, LEARNING_ARMS, stage, "cpu")
    while not session.finished:
        advance([session], fleet)
    assert session.end() == undisturbed
    session.close()
    finished = write_results(tmp_path / "run")
    assert "reach" in {path.stem for path in finished.paths}
    assert finished.verdict.heading.startswith(("Amplified: ", "Not amplified: "))
    report = (tmp_path / "run/report.html").read_text()
    assert "How far the task has grown" in report
    (first, *_) = read_rounds(tmp_path / "run")
    assert first.of(UNSELECTED).generation.learned == ()
    clones = first.of("clones").generation
    assert len({agent.genome.model for agent in clones.agents}) == 1


@pytest.mark.parametrize("after", [1, 2])
def test_a_killed_run_is_carried_on_to_the_same_hash(
    after: int, config: RunConfig, stage: Stage, fleet: LocalFleet, undisturbed: str,
    tmp_path: Path,
):  # fmt: skip
    session = Session.create(tmp_path / "run", config, (SELECTED,), stage, "cpu")
    for _ in range(after):
        advance([session], fleet)
    session.close()
    with Journal.reopen(tmp_path / "run" / JOURNAL) as journal:
        again = Session.reopen(tmp_path / "run", config, (SELECTED,), stage, journal)
        while not again.finished:
            advance([again], LocalFleet(stage.host_settings("cpu")))
        assert again.end() == undisturbed


def test_a_replay_needs_no_weights(ended: Path, undisturbed: str, tmp_path: Path):
    folder = Path(shutil.copytree(ended, tmp_path / "run"))
    shutil.rmtree(folder / WEIGHTS)
    found = replay(folder)
    assert found.confirmed
    assert found.population_hash == undisturbed


@pytest.fixture
def killed(config: RunConfig, stage: Stage, fleet: LocalFleet, tmp_path: Path) -> Path:
    """A run that was killed after two generations."""
    session = Session.create(tmp_path / "run", config, (SELECTED,), stage, "cpu")
    for _ in range(2):
        advance([session], fleet)
    session.close()
    return tmp_path / "run"


def test_weights_that_were_altered_are_named(
    config: RunConfig, stage: Stage, fleet: LocalFleet, killed: Path
):
    journal = (killed / JOURNAL).read_bytes()
    path = min((killed / WEIGHTS).iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with (
        Journal.reopen(killed / JOURNAL) as opened,
        pytest.raises(NumbersError, match=path.stem),
    ):
        Session.reopen(killed, config, (SELECTED,), stage, opened, fleet=fleet)
    assert (killed / JOURNAL).read_bytes() == journal


def test_weights_that_are_missing_are_learned_again(
    config: RunConfig, stage: Stage, fleet: LocalFleet, killed: Path, undisturbed: str
):
    path = min((killed / WEIGHTS).iterdir())
    numbers = path.read_bytes()
    path.unlink()
    with (
        Journal.reopen(killed / JOURNAL) as opened,
        pytest.raises(NumbersError, match=rf"{path.stem}.*got nothing"),
    ):
        Session.reopen(killed, config, (SELECTED,), stage, opened)
    with Journal.reopen(killed / JOURNAL) as opened:
        session = Session.reopen(killed, config, (SELECTED,), stage, opened, fleet=fleet)
        assert path.read_bytes() == numbers
        while not session.finished:
            advance([session], fleet)
        assert session.end() == undisturbed


@pytest.mark.parametrize("entry", ["before", "after"])
def test_judges_weights_that_are_missing_are_learned_again(entry: str, tmp_path: Path):
    """Founders that judge, accepted by grades; all levels are learned, and judging is rehearsed."""
    judges = changed(
        population={"generations": 2},
        agents={
            "founders": {**FOUNDERS, "judging": 0.25},
            "learning": {**LEARNING["agents"]["learning"], "entry": entry, "feeds": "all"},
        },
        protocol={"name": "survey", "threshold": 0.5},
    )
    stage = Stage(judges)
    fleet = LocalFleet(stage.host_settings("cpu"))
    session = Session.create(tmp_path / "run", judges, (SELECTED,), stage, "cpu")
    advance([session], fleet)
    session.close()
    (first,) = read_rounds(tmp_path / "run")
    generation = first.committed[0].generation
    assert len(set(generation.learned)) == 2
    assert len(generation.accepted) < len(generation.outcomes)
    undisturbed = population_hash(Simulation(judges, stage=stage, fleet=fleet))
    kept = {path: path.read_bytes() for path in (tmp_path / "run" / WEIGHTS).iterdir()}
    for path in kept:
        path.unlink()
    with Journal.reopen(tmp_path / "run" / JOURNAL) as opened:
        again = Session.reopen(tmp_path / "run", judges, (SELECTED,), stage, opened, fleet=fleet)
        assert {path: path.read_bytes() for path in kept} == kept
        advance([again], fleet)
        assert again.end() == undisturbed


class Unsound(LocalFleet):
    """A host whose first agent's losses are never numbers."""

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order."""
        asked = [tile for tile in tiles if isinstance(tile.requests[0], Learn)]
        first = {tile: replace(tile.requests[0], rate=1e30) for tile in asked[:1]}
        return super().run([replace(t, requests=(first[t],)) if t in first else t for t in tiles])


def test_a_loss_that_is_no_number_leaves_the_parents_weights(config: RunConfig, stage: Stage):
    simulation = Simulation(config, stage=stage, fleet=Unsound(stage.host_settings("cpu")))
    first = next(iter(simulation))
    assert first.learned[0] is None
    assert first.learned[1] is not None
    assert first.survivors[0].genome.weights is None


def test_an_answer_is_of_the_weights_that_were_learned(
    config: RunConfig, stage: Stage, fleet: LocalFleet
):
    """With all weights at zero, every token is as likely: the logs of answers say so."""
    simulation = Simulation(config, stage=stage, fleet=fleet)
    keep = simulation.numbers.keep
    simulation.numbers.keep = lambda numbers: keep(  # type: ignore[method-assign]
        save({name: torch.zeros_like(t) for name, t in load(numbers).items()})
    )
    first, second, _ = simulation
    tokens = len(stage.script.encoder.vocabulary)
    logs = second.outcomes.log_probabilities
    drawn = second.outcomes.tokens + second.outcomes.finished
    assert logs == pytest.approx(-drawn * torch.log(torch.tensor(float(tokens))).item(), rel=1e-5)
    assert first.outcomes.log_probabilities.max() > logs.max()


def test_a_run_on_ray_by_the_command(undisturbed: str, ray_address: str, tmp_path: Path):
    """Two actors, and what each needs of the other's weights by Ray's store."""
    two = changed(hosts={"count": 2})
    finished = run(
        two, tmp_path / "run", Console(quiet=True), controls=False, ray_address=ray_address
    )
    assert finished.population_hash == undisturbed
    assert finished.verdict.heading.startswith("Undecided: no founders' vote beside it")


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        (
            {"task": {"growth": {"from": 2, "largest": 9}}},
            r"task\.growth\.largest: expected at most 7, .*got 9",
        ),
        (
            {"agents": {"founders": None, "model": "scripted", "learning": {"method": "full"}}},
            r"(protocol\.name|agents\.learning\.method): expected",
        ),
        (
            {"agents": {"learning": {"method": "full", "feeds": "all"}}},
            r"agents\.learning: feeds: expected 'accepted' unless entry is before or after.*'all'",
        ),
        (
            {"agents": {"founders": {**FOUNDERS, "judging": 1.0}}},
            r"agents\.founders: judging: expected .* less than 1, got 1\.0",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(sections: Any, said: str):
    with pytest.raises(ConfigError, match=said):
        Stage(changed(**sections))


def test_founders_are_trained_once_and_each_otherwise(config: RunConfig, stage: Stage):
    names = config.agents.model.split(",")
    weights = [stage.checkpoints[name].weights for name in names]
    assert len(set(weights)) == len(names) == 2
    made = founders_folder() / names[0].removeprefix("founders/") / "training.json"
    before = made.stat().st_mtime_ns
    assert Stage(config).weights == stage.weights
    assert made.stat().st_mtime_ns == before
