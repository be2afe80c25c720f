"""Three people, each in a page of a real browser: what they see, and what is written of it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mgptn.experiments.people.exchange import PICKED, PICKS
from tests.integration.picking.conftest import put, served

axe_core = pytest.importorskip("axe_playwright_python.sync_playwright")

QUESTIONS = [(f"question {i}", ("red", "green", "blue")) for i in range(4)]
HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e</button><script>alert(2)</script>"
SHOWN = "<img src=x onerror=alert(1)>\\x1b[2J\\u202e</button><script>alert(2)</script>"
PEOPLE = ("ann", "ben", "cleo")
Opened = Callable[..., Any]


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / PICKS / PICKED).read_text().splitlines()]


def progress(tab: Any, done: int, total: int = 4) -> None:
    tab.get_by_text(f"{done} of {total}", exact=True).wait_for()


def test_three_people_pick_one_closes_and_comes_back(tmp_path: Path, opened: Opened) -> None:
    put(tmp_path, QUESTIONS)
    with served(tmp_path, PEOPLE, note="Whichever you like best.") as links:
        ann, ben, cleo = (opened(link) for link in links)
        assert ann.get_by_text("Whichever you like best.").is_visible()
        for done in range(4):
            progress(ann, done)
            ann.keyboard.press("0")
        ann.get_by_text("All picked. Thank you.").wait_for()
        ben.get_by_role("button", name="green").click()
        progress(ben, 1)
        ben.keyboard.press("2")
        progress(ben, 2)
        third = ben.locator(".question").inner_text()
        ben.keyboard.press("1")
        progress(ben, 3)
        fourth = ben.locator(".question").inner_text()
        ben.keyboard.press("u")
        progress(ben, 2)
        assert ben.locator(".question").inner_text() == third
        order = ben.locator(".choices .text").all_inner_texts()
        ben.close()
        again = opened(links[1], width=390)
        progress(again, 2)
        assert again.locator(".choices .text").all_inner_texts() == order
        assert again.locator(".question").inner_text() == third
        again.get_by_role("button", name="blue").click()
        progress(again, 3)
        assert again.locator(".question").inner_text() == fourth
        cleo.get_by_role("button", name="None of them").click()
        progress(cleo, 1)
    lines = written(tmp_path)
    counts = {who: sum(line["who"] == who for line in lines) for who in PEOPLE}
    assert counts == {"ann": 4, "ben": 5, "cleo": 1}  # one of which takes one back
    assert [line["pick"] for line in lines if line["who"] == "ann"] == [None] * 4
    assert lines[4]["pick"] == 1
    assert all(0.0 < line["seconds"] < 60.0 for line in lines if "seconds" in line)


def test_the_page_waits_for_a_run_that_is_away(tmp_path: Path, opened: Opened) -> None:
    put(tmp_path, QUESTIONS[:1])
    with served(tmp_path, PEOPLE) as links:
        tab = opened(links[0])
        progress(tab, 0, 1)
        tab.keyboard.press("1")
        tab.get_by_text("All picked. Thank you.").wait_for()
    tab.get_by_text("the run is away; waiting for it").wait_for()
    put(tmp_path, QUESTIONS[1:])
    with served(tmp_path, PEOPLE) as after:
        assert after == links  # also the port, so that it is the same page
        progress(tab, 1)
        assert tab.locator("#connection").inner_text() == ""


def test_a_strangers_link_shows_nothing(tmp_path: Path, opened: Opened) -> None:
    put(tmp_path, QUESTIONS)
    with served(tmp_path, PEOPLE) as links:
        tab = opened(f"{links[0].partition('#')[0]}?x=1")
        tab.get_by_text("This link is not of this run").wait_for()
        assert "question" not in tab.locator("main").inner_text()
        tab.close()


def test_hostile_text_stays_text(tmp_path: Path, opened: Opened) -> None:
    put(tmp_path, [(HOSTILE, (HOSTILE + "a", HOSTILE + "b"))])
    with served(tmp_path, (HOSTILE,), note=HOSTILE) as links:
        tab = opened(links[0])
        progress(tab, 0, 1)
        assert tab.locator(".question").inner_text() == SHOWN
        assert {SHOWN + "a", SHOWN + "b"} <= set(tab.locator(".text").all_inner_texts())
        assert tab.locator("#who").inner_text() == SHOWN
        assert tab.locator("img, main script").count() == 0
        tab.keyboard.press("2")
        tab.get_by_text("All picked. Thank you.").wait_for()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, False), (1280, True)])
def test_axe_finds_nothing(tmp_path: Path, opened: Opened, width: int, dark: bool) -> None:
    put(tmp_path, [("A long question. " * 80, ("an answer " * 200, "another"))])
    with served(tmp_path, PEOPLE, note="A note.") as links:
        tab = opened(links[0], width=width, dark=dark)
        progress(tab, 0, 1)
        for state in ("asked", "done"):
            found = axe_core.Axe().run(tab)
            assert found.violations_count == 0, (state, found.generate_report())
            wide = tab.evaluate("document.documentElement.scrollWidth > window.innerWidth")
            assert not wide
            tab.keyboard.press("1")
            tab.get_by_text("All picked. Thank you.").wait_for()
