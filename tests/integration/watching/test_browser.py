"""The page in a real browser: what a person would do, and what hostile texts would."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mgptn.experiments.record.rounds import JOURNAL
from mgptn.population.records.agents import Agent
from tests.integration.watching.conftest import Page, ask_until, served
from tests.integration.watching.test_events import growing, write
from tests.shared_run import write_made_up
from tests.synthetic import synthetic_run

playwright = pytest.importorskip("playwright.sync_api")
axe_core = pytest.importorskip("axe_playwright_python.sync_playwright")

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium (Debian's chromium)")

TABS = ("overview", "lineage", "answers", "graders", "what-if")
HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e</td><script>alert(2)</script>"
SHOWN = "<img src=x onerror=alert(1)>\\x1b[2J\\u202e</td><script>alert(2)</script>"

UNREACHED = "net::ERR_CONNECTION_REFUSED"
"""What the browser itself says of a server that is away: no fault of the page."""

Opened = Callable[..., Any]


def until(tab: Any, expression: str) -> None:
    """Wait until an expression holds in the page, whose policy forbids it to wait."""
    ask_until(lambda: tab.evaluate(expression), bool, seconds=20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Opened]:
    """Opens a page; whatever goes wrong in it fails the test."""
    wrong: list[str] = []
    tabs: list[Any] = []

    def open_(page: Page, place: str = "", width: int = 1200, dark: bool = False) -> Any:
        scheme = "dark" if dark else "light"
        tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        tabs.append(tab)
        tab.set_default_timeout(20_000)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        tab.on(
            "console",
            lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None,
        )
        tab.goto(f"{page.address}#{place}")
        until(tab, "document.querySelector('#heading').textContent !== 'Reading …'")
        return tab

    yield open_
    for tab in tabs:
        tab.close()
    assert not [line for line in wrong if UNREACHED not in line]


def test_from_an_agent_to_its_answer_to_its_conversation(page: Page, opened: Opened) -> None:
    tab = opened(page, "tab=lineage")
    dots = tab.locator("circle.node")
    dots.first.wait_for()
    dots.nth(3).press("Enter")
    panel = tab.locator("aside")
    told = panel.locator("h2").first.inner_text()
    agent = int(re.fullmatch(r"Agent (\d+) in generation 0", told).group(1))  # type: ignore[union-attr]
    panel.get_by_text("Who graded it").wait_for()
    panel.get_by_role("button", name="Its answers").click()
    tab.get_by_text("1 to 6 of 6 answers (72 in all)").wait_for()
    assert tab.locator("tbody td:last-child").all_inner_texts() == [str(agent)] * 6
    tab.locator("tbody button").nth(2).click()
    tab.get_by_text("Grades, worst level first").wait_for()
    assert tab.locator("aside .bars").count() == 4
    tab.get_by_text("The prompt, as its author's model saw it").click()
    tab.get_by_text("These agents have no model: nothing is said to them.").wait_for()
    answer = tab.locator("tr.open button").inner_text()
    assert answer in tab.locator("aside").inner_text()
    tab.locator("aside").get_by_role("button", name=f"agent {agent}", exact=True).first.click()
    tab.get_by_text(f"Agent {agent} in generation 0").wait_for()
    tab.go_back()
    tab.get_by_text("Grades, worst level first").wait_for()


def test_filters_leave_what_they_say(page: Page, opened: Opened) -> None:
    tab = opened(page, "tab=answers&generation=0")
    tab.get_by_label("Verdict").select_option("no")
    until(tab, "!(document.querySelector('tbody')?.textContent ?? 'right').includes('right')")
    wrong = page.ask("answers", run="looked-at", arm="selected", generation=0, right="no")["total"]
    assert wrong
    tab.get_by_text(re.compile(rf"of {wrong} answers")).wait_for()
    tab.reload()
    tab.get_by_text(re.compile(rf"of {wrong} answers")).wait_for()  # the address holds it


def test_an_agent_stands_beside_its_parent(page: Page, opened: Opened) -> None:
    tree = page.ask("tree", run="looked-at")
    children = (life for life in tree["lives"] if life[1] >= 0 and life[2] < 3)
    agent, parent, born, *_ = next(one for one in children if not 0 <= one[3] <= one[2])
    tab = opened(page, f"tab=lineage&agent={agent}&generation={born + 1}&arm=selected")
    beside = tab.get_by_role("region", name="Beside its parent")
    beside.wait_for()
    told = page.ask("agent", run="looked-at", arm="selected", generation=born + 1, agent=agent)
    assert told["parent"] == parent
    assert f"agent {told['parent_told']}" in beside.inner_text()
    assert beside.locator("tr.changed").count() >= bool(told["changes"])
    assert told["beside"]["digest"] in beside.inner_text()


def test_graders_are_shown_with_what_their_grades_mean(page: Page, opened: Opened) -> None:
    tab = opened(page, "tab=graders&generation=1")
    table = tab.get_by_role("region", name="Reliability")
    table.wait_for()
    told = page.ask("graders", run="looked-at", arm="selected", generation=1)["reliability"]
    assert table.locator("tbody tr").count() == len(told) > 1
    assert tab.locator("svg circle").count() == len(told)
    assert f"{told[0]['right']:.2f}" in table.locator("tbody tr").first.inner_text()


def test_the_slider_selects_again(page: Page, opened: Opened) -> None:
    tab = opened(page, "tab=what-if")
    tab.get_by_text("The records reach 5 of 5 generations.").wait_for()
    slider = tab.get_by_label("Selection temperature", exact=True)
    slider.evaluate("s => { s.value = -3; s.dispatchEvent(new Event('input')); }")
    told = page.ask("what-if", run="looked-at", set="population.selection.temperature=0.001")
    assert told["reached"] < 5
    tab.get_by_text(f"The records reach {told['reached']} of 5 generations.").wait_for()
    assert "0.001" in tab.locator("output").inner_text()
    largest = told["generations"][0]["again"]["largest"]
    assert f"{largest:.3f}" in tab.locator("tbody").first.inner_text()
    tab.get_by_role("button", name="As recorded").click()
    tab.get_by_text("The records reach 5 of 5 generations.").wait_for()


def test_a_run_under_way_is_watched_to_its_end(
    looked_at: Path, tmp_path: Path, opened: Opened
) -> None:
    folder = tmp_path / "growing"
    ends = growing(looked_at, folder)
    write(looked_at, folder, ends[0])
    with served(folder) as page:
        ask_until(lambda: page.ask("run", run="growing"), lambda run: run["series"]["count"] == 1)
        tab = opened(page)
        tab.get_by_text("1 of 5", exact=True).wait_for()
        write(looked_at, folder, ends[2])
        tab.get_by_text("3 of 5", exact=True).wait_for()
        assert "Partial" in tab.locator(".summary").text_content()
        write(looked_at, folder, ends[4])
        tab.get_by_text("ended", exact=True).wait_for()
        assert "Partial" not in tab.locator(".summary").text_content()
        heading = page.ask("finding", run="growing")["heading"]
        assert tab.locator("h1").inner_text() == heading


@pytest.mark.slow
def test_a_run_is_watched_through_its_death_to_its_end(
    start: Callable[..., Any], tmp_path: Path, opened: Opened
) -> None:
    folder = tmp_path / "killed"
    sizes = {"agents.model": "scripted", "population.size": 1000, "population.generations": 30}
    settings = [f"--set={key}={value}" for key, value in {**sizes, "metrics.port": 0}.items()]
    run = start("run", "quickstart", *settings, "--out", folder)
    run.wait_for_commits(folder, 2)
    with served(folder) as page:
        ask_until(lambda: page.ask("run", run="killed"), lambda told: told["series"]["count"] > 1)
        tab = opened(page)
        tab.get_by_text(re.compile(r"^\d+ of 30$")).first.wait_for()
        run.kill()
        done = ask_until(lambda: page.ask("runs")["runs"][0], lambda one: one["done"] > 1)["done"]
        assert done < 30
        tab.get_by_text("going on, or stopped", exact=True).wait_for()
        start("resume", folder)
        tab.set_default_timeout(180_000)
        tab.get_by_text("ended", exact=True).wait_for()
        tab.get_by_text("30 of 30", exact=True).wait_for()
        rows = page.ask("run", run="killed")["series"]["rows"]
        assert [row["generation"] for row in rows] == list(range(30))


def test_the_page_comes_back_when_its_server_does(
    looked_at: Path, tmp_path: Path, opened: Opened
) -> None:
    folder = tmp_path / "growing"
    ends = growing(looked_at, folder)
    write(looked_at, folder, ends[1])
    with served(folder) as page:
        port = int(page.address.rpartition(":")[2].rstrip("/"))
        ask_until(lambda: page.ask("run", run="growing"), lambda run: run["series"]["count"] == 2)
        tab = opened(page)
        tab.get_by_text("2 of 5", exact=True).wait_for()
    tab.get_by_text("the page's server is away").wait_for()
    write(looked_at, folder, ends[3])
    with served(folder, port=port):
        tab.get_by_text("4 of 5", exact=True).wait_for()
        assert "away" not in tab.locator("#connection").inner_text()


def hostile_run(folder: Path) -> Path:
    """A run whose answers, questions and personas would be markup, if a page let them."""
    committed, _ = synthetic_run(generations=2)

    def dressed(agent: Agent) -> Agent:
        return replace(agent, genome=replace(agent.genome, persona=HOSTILE))

    made = []
    for one in committed:
        g = one.generation
        outcomes = replace(
            g.outcomes,
            texts=tuple(text + HOSTILE for text in g.outcomes.texts),
            queries=tuple(query + HOSTILE for query in g.outcomes.queries),
        )
        generation = replace(g, outcomes=outcomes, agents=tuple(map(dressed, g.agents)))
        made.append(replace(one, generation=generation))
    return write_made_up(folder, made, name="made-up")


def test_hostile_text_stays_text(tmp_path: Path, opened: Opened) -> None:
    folder = hostile_run(tmp_path / "b<img src=x onerror=alert(3)>")
    with served(folder) as page:
        name = page.ask("runs")["runs"][0]["name"]
        ask_until(lambda: page.ask("run", run=name), lambda run: run["series"]["count"] == 2)
        tab = opened(page, "tab=answers&generation=1&answer=0")
        tab.get_by_text("Grades, worst level first").wait_for()
        assert SHOWN in tab.locator("tbody").inner_text()
        assert SHOWN in tab.locator("aside").inner_text()
        assert name in tab.locator("#run-of").inner_text()
        tab.get_by_role("link", name="Lineage").click()
        tab.locator("circle.node").first.press("Enter")
        tab.get_by_text("persona:").wait_for()
        assert SHOWN in tab.locator("aside").inner_text()
        assert not tab.locator("main img, main script, #run-of img").count()


@pytest.mark.parametrize(
    ("width", "dark"),
    [(1200, False), pytest.param(1200, True, marks=pytest.mark.slow), (390, True)],
)
def test_anybody_can_use_it(page: Page, opened: Opened, width: int, dark: bool) -> None:
    axe = axe_core.Axe()
    (first, *_) = page.ask("answers", run="looked-at", arm="selected", generation=1)["rows"]
    for place in TABS:
        tab = opened(
            page,
            f"tab={place}&generation=1&agent={first['agent']}&answer=3",
            width=width,
            dark=dark,
        )
        tab.wait_for_timeout(500)
        found = axe.run(tab)
        said = [
            (one["id"], [node["target"] for node in one["nodes"]])
            for one in found.response["violations"]
        ]
        assert not said, place
        inner = tab.evaluate("document.documentElement.scrollWidth")
        assert inner <= width, f"{place} is {inner} pixels wide"


def test_a_sweep_is_listed_and_its_runs_stand_side_by_side(
    looked_at: Path, tmp_path: Path, opened: Opened
) -> None:
    for name in ("cells/cold", "cells/hot"):
        shutil.copytree(looked_at, tmp_path / name)
    (tmp_path / "cells" / "begun").mkdir()
    shutil.copy(looked_at / "manifest.json", tmp_path / "cells" / "begun")
    assert not (tmp_path / "cells" / "begun" / JOURNAL).exists()
    with served(tmp_path / "cells") as page:
        tab = opened(page, "tab=runs")
        tab.get_by_text("2 of 3 runs have ended; 10 of 15 generations are committed.").wait_for()
        tab.get_by_text("at the pace so far").wait_for()
        for name in ("cold", "hot"):
            ask_until(
                lambda n=name: page.ask("run", run=n), lambda run: run["series"]["count"] == 5
            )
            tab.get_by_label(f"Show {name} beside others").check()
        tab.locator(".legend li", has_text="hot").wait_for()
        assert tab.locator(".legend li").count() == 2
        tab.get_by_role("button", name="cold").click()
        tab.locator(".strip").get_by_text("5 of 5", exact=True).wait_for()
        assert "run=cold" in tab.url
