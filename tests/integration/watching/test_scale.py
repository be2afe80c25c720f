"""Ten thousand agents for two hundred generations, on a page that stays usable."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mgptn.agents.collecting import seldom_collecting
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.running.session import Session, advance
from mgptn.experiments.setting.stage import Stage
from tests.integration.watching.conftest import Page, ask_until
from tests.integration.watching.test_browser import browser as browser  # a fixture
from tests.integration.watching.test_browser import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

AGENTS, GENERATIONS = 10_000, 200
CLICK, PAINT, MOST_BYTES = 0.2, 2.0, 1.5 * 2**30


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without controls: a minute of a processor, and 350 MB."""
    folder = tmp_path_factory.mktemp("large") / "large"
    config = check_config(
        {
            "name": "large",
            "task": {"size": 4},
            "population": {"size": AGENTS, "generations": GENERATIONS},
            "agents": {"model": "scripted"},
            "protocol": {"graders": 4},
            "metrics": {"port": 0},
            "problems_per_generation": 4,
        }
    )
    stage = Stage(config)
    fleet = stage.local_fleet()
    with seldom_collecting():
        session = Session.create(folder, config, ("selected",), stage, "cpu")
        while not session.finished:
            advance([session], fleet)
            session.tell()
        session.end()
        session.close()
    return folder


@pytest.fixture(scope="module")
def served_alone(large: Path) -> Iterator[tuple[Page, psutil.Process]]:
    """Its page, by a process of its own."""
    command = [sys.executable, "-m", "mgptn.experiments", "watch", str(large), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        address = server.stdout.readline().split()[2]
        yield Page(address), psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(20)


def spent(server: psutil.Process) -> float:
    """Seconds of a processor that the server has taken so far."""
    times = server.cpu_times()
    return float(times.user + times.system)


CLICKS: dict[str, tuple[str, dict[str, Any]]] = {
    "answers of a generation": ("answers", {"generation": 150, "order": "disputed"}),
    "others of the same": ("answers", {"generation": 150, "right": "no", "text": "1"}),
    "a conversation": ("conversation", {"generation": 150, "answer": 20_000}),
    "who grades whom": ("graders", {"generation": 150}),
    "the tree": ("tree", {}),
    "what if, as recorded": ("what-if", {}),
    "what if, colder": ("what-if", {"set": "population.selection.temperature=0.01"}),
    "what if, warmer": ("what-if", {"set": "population.selection.temperature=3.0"}),
}


def test_a_click_takes_little_and_memory_is_bounded(
    served_alone: tuple[Page, psutil.Process], browser: Any
) -> None:
    """Seconds are of the server's processor, so that other work on the machine is not counted."""
    page, server = served_alone
    tab = browser.new_page(viewport={"width": 1200, "height": 900})
    tab.set_default_timeout(60_000)
    began = time.monotonic()
    tab.goto(page.address)
    until(tab, "document.querySelector('#heading').textContent !== 'Reading …'")
    painted = time.monotonic() - began
    ask_until(lambda: page.ask("run", run="large"), lambda run: run["ended"], seconds=600)
    read = server.memory_info().rss
    before = spent(server)
    page.ask("tree", run="large")
    took = {"the tree, the first time": round(spent(server) - before, 3)}
    for name, (path, query) in CLICKS.items():
        page.ask(path, run="large", arm="selected", **query)  # what is read is kept
        before = spent(server)
        page.ask(path, run="large", arm="selected", **query)
        took[name] = round(spent(server) - before, 3)
    for generation in range(0, GENERATIONS, 10):
        page.ask("answers", run="large", arm="selected", generation=generation)
    most = server.memory_info().rss
    told = f"painted within {painted:.2f} s; {read >> 20}, then {most >> 20} MiB; {took}"
    logging.getLogger(__name__).info(told)  # pytest --log-cli-level=info
    assert painted < PAINT
    assert most < MOST_BYTES
    assert max(took.values()) < CLICK, took
    tab.close()
