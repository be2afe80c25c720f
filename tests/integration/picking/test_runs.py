"""Runs that wait for people: what is picked decides, is on the disk, and survives a kill."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config
from mgptn.experiments.loop.simulation import Simulation, step_together
from mgptn.experiments.people.agreement import frame
from mgptn.experiments.people.exchange import PICKS, QUESTIONS
from mgptn.experiments.people.lines import Reader
from mgptn.experiments.people.waiting import PagePicks
from mgptn.experiments.picking.desk import Desk
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.rounds import read_rounds
from mgptn.experiments.running.replay import describe_replay
from mgptn.experiments.setting.stage import Stage
from mgptn.protocols.tasks.arithmetic import Addition

CONFIG: dict[str, Any] = {
    "name": "picked",
    "seed": 1,
    "task": {"name": "addition", "size": 2},
    "population": {"size": 3, "generations": 2},
    "agents": {"model": "gpt-1"},
    "protocol": {"name": "best-of-n", "draws": 3, "picker": "human", "graders": 2},
    "selector": "human",
    "human": {"source": "page", "people": ["ann", "ben", "cleo"]},
    "hosts": {"count": 1},
    "metrics": {"port": 0},
    "problems_per_generation": 2,
}


def best(question: dict[str, Any]) -> int | None:
    """The place of the first right answer among those shown; None where none is."""
    right = (Addition(2).verify(question["query"], text) for text in question["candidates"])
    return next((place for place, one in enumerate(right) if one), None)


def picking(desk: Desk, over: threading.Event) -> None:
    """All people pick: the first two what is right, the last none."""
    while not over.wait(0.02):
        for person in desk.people:
            while (question := desk.next(person.token)["question"]) is not None:
                shown = None if person.label == "cleo" else best(question)
                told = {"key": question["key"], "shown": shown, "seconds": 1.0}
                desk.pick(person.token, told)


def stepped(config: RunConfig, folder: Path, arms: tuple[str, ...]) -> list[Committed]:
    """The first generation of a run's arms, with everybody picking at once."""
    stage, rested = Stage(config), []
    picks = PagePicks(folder, config.human, config.seed, lambda line: None)
    stage.picks = picks
    fleet, over = stage.local_fleet(), threading.Event()
    fleet.rest = lambda: rested.append(True)  # type: ignore[method-assign]
    people = threading.Thread(target=picking, args=(Desk(folder), over))
    people.start()
    try:
        return step_together([Simulation(config, arm=arm, stage=stage) for arm in arms], fleet)
    finally:
        over.set()
        people.join(10)
        assert rested


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("POLL", 0.02), ("SETTLE", 0.1), ("REST", 0.0)):
        monkeypatch.setattr(f"mgptn.experiments.people.waiting.{name}_SECONDS", seconds)


def test_what_people_pick_counts_in_every_arm(tmp_path: Path, quick: None) -> None:
    config = check_config(CONFIG)
    drift, selected = stepped(config, tmp_path, ("neutral-drift", "selected"))
    assert frame(drift).drop("arm").equals(frame(selected).drop("arm"))  # founders are the same
    asked = Reader(tmp_path / PICKS / QUESTIONS).new()
    assert sum(line["kind"] == "asked" for line in asked) <= 3 * 2  # once for both arms
    picks, outcomes = frame(selected), selected.generation.outcomes
    assert picks["who"].unique().sort().to_list() == ["ann", "ben", "cleo"]
    for row in picks.filter(who="ann").iter_rows(named=True):
        outcome = outcomes[row["index"]]
        assert outcome.rating == (0.0 if row["counted"] is None else 1.0)
        if row["counted"] is not None:
            assert outcome.verdict is row["counted_right"] is True
        else:
            assert not row["one_right"]
        assert row["graded_best"] is not None
        assert row["candidates"] == 3
    assert picks.filter(who="cleo")["picked"].null_count() == 6
    again = Committed.from_plain(selected.to_plain())
    assert again.picked == selected.picked
    assert again == selected


def test_a_page_that_nobody_would_be_asked_on_is_refused() -> None:
    protocol = {"name": "best-of-n", "draws": 3, "picker": "peers", "graders": 2}
    with pytest.raises(ConfigError, match=r"human\.source: expected a protocol that asks people"):
        Stage(check_config(CONFIG | {"protocol": protocol, "selector": "peers"}))


def test_a_page_belongs_to_a_run() -> None:
    with pytest.raises(ConfigError, match=r"human\.source: expected simulated, prompt or file"):
        next(iter(Simulation(check_config(CONFIG))))


def command(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    line = [sys.executable, "-m", "mgptn.experiments", *arguments]
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=environment)


def links(run: subprocess.Popen[str]) -> list[str]:
    """Everybody's, as the run prints them."""
    assert run.stdout is not None
    found: list[str] = []
    for line in run.stdout:
        found += re.findall(r"pick as \w+: (\S+)", line)
        if len(found) == 3:
            return found
    raise AssertionError("expected three links")


def ended(run: subprocess.Popen[str]) -> str:
    """The population hash that a run ends with."""
    said, _ = run.communicate(timeout=120)
    assert run.returncode == 0, said
    return re.findall(r"population hash: (\w+)", said)[0]


def title(tab: Any, wanted: Callable[[str], bool], seconds: float = 60.0) -> str:
    """A page's title, once it is as wanted: it says how many questions somebody has answered."""
    for _ in range(round(seconds / 0.05)):
        if wanted(tab.title()):
            return str(tab.title())
        tab.wait_for_timeout(50)
    raise AssertionError(f"not within {seconds} s, got {tab.title()!r}")


def pick_in(tab: Any, index: int, most: int = 6) -> None:
    """Have a person pick what comes: the first two people what is right, the last none."""
    told = title(tab, lambda said: said.endswith("which is best?"))
    for _ in range(most):
        texts = tab.locator(".choices .text").all_inner_texts()[:-1]
        question = {"query": tab.locator(".question").inner_text(), "candidates": texts}
        place = None if index == 2 else best(question)
        tab.keyboard.press("0" if place is None else str(place + 1))
        before, told = told, title(tab, lambda said, before=told: said != before)
        assert before != told


@pytest.mark.slow
def test_a_run_is_killed_as_three_people_pick_in_three_pages(
    tmp_path: Path, opened: Callable[..., Any]
) -> None:
    """Wall clock: two minutes, of which most are spent waiting."""
    config = tmp_path / "picked.yaml"
    config.write_text(check_config(CONFIG).model_dump_json(), encoding="utf-8")
    hashes = []
    for killed in (False, True):
        folder = tmp_path / f"run-{killed}"
        run = command("run", str(config), "--no-controls", "--out", str(folder))
        told = links(run)
        tabs = [opened(link) for link in told]
        if killed:
            pick_in(tabs[0], 0, most=3)
            pick_in(tabs[1], 1)
            run.send_signal(signal.SIGKILL)
            run.wait()
            run = command("resume", str(folder))
            assert links(run) == told
        for generation in range(2):
            for index, tab in enumerate(tabs):
                if not killed or generation or index != 1:  # who had picked all of it before
                    pick_in(tab, index, most=3 if killed and not generation and not index else 6)
        hashes.append(ended(run))
        lines, confirmed = describe_replay(folder)
        assert confirmed, lines
        picks = pl.read_parquet(folder / "picks.parquet")
        assert len(picks) == 2 * 3 * 2 * 3
        assert [len(one.committed[0].picked) for one in read_rounds(folder)] == [18, 18]
        for tab in tabs:
            tab.close()
    assert hashes[0] == hashes[1]
