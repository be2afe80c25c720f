"""A run that everybody looks at, and a page of it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import queue
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.figures.files import FIGURES
from mgptn.experiments.running.run import run
from mgptn.experiments.watching.serving import serve

LOOKED_AT: dict[str, Any] = {
    "name": "looked-at",
    "seed": 3,
    "agents": {"model": "scripted", "sampling_temperature": 1.0},
    "population": {
        "size": 12,
        "generations": 5,
        "selection": {"process": "moran"},
        "mutation": {"jitter": 0.3, "drop": 0.1},
    },
    "protocol": {"graders": 3, "self_grading": "also"},
    "metrics": {"port": 0},
    "problems_per_generation": 6,
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is being served."""

    address: str

    def ask(self, path: str, **query: Any) -> Any:
        """What the page's server replies, as it understands it."""
        with urllib.request.urlopen(self.url(path, **query)) as reply:
            return json.load(reply)

    def refused(self, path: str, **query: Any) -> tuple[int, str]:
        """The status of a refusal, and what it says."""
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(self.url(path, **query))
        return caught.value.code, json.load(caught.value)["error"]

    def url(self, path: str, **query: Any) -> str:
        """The address of a request."""
        return f"{self.address}api/{path}?{urllib.parse.urlencode(query)}"


@contextmanager
def served(*folders: Path, port: int = 0) -> Iterator[Page]:
    """The page of some folders, until the block ends."""
    until, told = threading.Event(), queue.Queue[str]()
    arguments = (folders, port, told.put)
    thread = threading.Thread(target=serve, args=arguments, kwargs={"until": until})
    thread.start()
    try:
        yield Page(told.get(timeout=20))
    finally:
        until.set()
        thread.join(20)
        assert not thread.is_alive()


def made_run(folder: Path, **changes: Any) -> Path:
    """A run of scripted agents, from start to end, with two figures."""
    with pytest.MonkeyPatch.context() as patch:
        few = {name: FIGURES[name] for name in ("reach", "error")}
        patch.setattr("mgptn.experiments.figures.files.FIGURES", few)
        run(check_config(LOOKED_AT | changes), folder, Console(file=StringIO()))
    return folder


@pytest.fixture(scope="session")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has ended; nobody changes it."""
    return made_run(tmp_path_factory.mktemp("runs") / "looked-at")


@pytest.fixture(scope="module")
def page(looked_at: Path) -> Iterator[Page]:
    """Its page."""
    with served(looked_at) as found:
        ask_until(lambda: found.ask("run", run="looked-at"), lambda run: run["ended"])
        yield found


def ask_until(ask: Callable[[], Any], wanted: Callable[[Any], bool], seconds: float = 30.0) -> Any:
    """Ask until the reply is as wanted, which it is to be soon."""
    done = threading.Event()
    for _ in range(round(seconds / 0.1)):
        reply = ask()
        if wanted(reply):
            return reply
        done.wait(0.1)
    raise AssertionError(f"not within {seconds} s: {reply!r:.300}")
