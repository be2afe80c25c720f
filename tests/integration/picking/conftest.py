"""A page on which people pick, and a browser for each of them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mgptn.experiments.people.exchange import PICKS, QUESTIONS, invite
from mgptn.experiments.people.lines import Writer
from mgptn.experiments.picking.serving import serve

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def put(folder: Path, questions: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Have questions and their candidates stand in a run's folder as the run writes them."""
    Writer(folder / PICKS / QUESTIONS).add(
        {"kind": "asked", "key": f"key {query}", "query": query, "candidates": list(candidates)}
        for query, candidates in questions
    )


@contextmanager
def served(folder: Path, labels: Sequence[str], note: str = "") -> Iterator[list[str]]:
    """The page of a run's folder until the block ends: everybody's link, in the labels' order."""
    invite(folder, labels, note)
    until, told = threading.Event(), queue.Queue[str]()
    arguments = {"port": None, "told": told.put, "until": until}
    thread = threading.Thread(target=serve, args=(folder,), kwargs=arguments)
    thread.start()
    try:
        yield [told.get(timeout=20).partition(": ")[2] for _ in labels]
    finally:
        until.set()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if BROWSER is None:
        pytest.skip("needs Chromium (Debian's chromium)")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page for a person of their own; whatever goes wrong in it fails the test."""
    wrong: list[str] = []
    tabs: list[Any] = []

    def open_(link: str, width: int = 1280, dark: bool = False) -> Any:
        scheme = "dark" if dark else "light"
        tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        tabs.append(tab)
        tab.set_default_timeout(20_000)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        tab.on(
            "console",
            lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None,
        )
        tab.goto(link)
        return tab

    yield open_
    for tab in tabs:
        tab.close()
    # What the browser itself says of a server that is away, or refuses a stranger.
    expected = ("net::ERR_CONNECTION_REFUSED", "status of 401")
    assert not [line for line in wrong if not any(said in line for said in expected)]
