"""The report in a real browser, from its file: what a person would do, and hostile texts would."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mgptn.experiments.figures import files
from mgptn.experiments.figures.files import FIGURES
from mgptn.experiments.results.report import write_report
from mgptn.population.measures.grader_measures import measure_graders
from tests.columns import with_outcomes
from tests.reference.experiments.tables import build_tables
from tests.synthetic import THRESHOLD, synthetic_run

playwright = pytest.importorskip("playwright.sync_api")
axe_core = pytest.importorskip("axe_playwright_python.sync_playwright")

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium (Debian's chromium)")

HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e</li></details><script>alert(2)</script>"
SHOWN = "<img src=x onerror=alert(1)>\\x1b[2J\\u202e</li></details><script>alert(2)</script>"

MODEL = "<script>alert(3)</script>$\\frac{1}{0}$&amp;"

Opened = Callable[..., Any]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run whose questions, answers, models and personas would all be markup."""
    committed, measures = synthetic_run(problems=6, graders=3, generations=2)
    graders = {
        (one.arm, one.generation.index): tuple(
            replace(kind, model=kind.model if kind.model == "all" else MODEL)
            for kind in measure_graders(one.generation, THRESHOLD)
        )
        for one in committed
    }
    wild = []
    for one in committed:
        outcomes = [
            replace(o, query=f"{HOSTILE}{o.query}", answer=f"{HOSTILE}{o.answer}" + "9" * 2_000)
            for o in one.generation.outcomes
        ]
        wild.append(replace(one, generation=with_outcomes(one.generation, outcomes)))
    tables = build_tables(wild, measures, graders)
    with pytest.MonkeyPatch.context() as patch:
        few = {name: FIGURES[name] for name in ("error", "reliability")}
        patch.setattr(files, "FIGURES", few)
        return write_report(
            tmp_path_factory.mktemp("report"),
            manifest={
                "config": {"name": "wild", "agents": {"personas": [HOSTILE], "model": MODEL}},
                "weights": {MODEL: "9b0c"},
            },
            tables=tables,
            answers=tables["answers"].lazy(),
            grades=tables["grades"].lazy(),
            summary=[f"Faults: {HOSTILE}", "Gold error fell."],
            verdict_heading=f"Not amplified: {HOSTILE}",
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[Opened]:
    """Opens the report; whatever goes wrong in it fails the test."""
    wrong: list[str] = []
    tabs: list[Any] = []

    def open_(width: int = 1280, dark: bool = False, script: bool = True, place: str = "") -> Any:
        tab = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        tabs.append(tab)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        tab.on("console", lambda said: wrong.append(said.text))
        tab.on("request", lambda asked: asked.url.startswith("file:") or wrong.append(asked.url))
        tab.goto(f"{report.as_uri()}{place}")
        return tab

    yield open_
    for tab in tabs:
        tab.close()
    assert not wrong


def test_filters_leave_what_they_say(opened: Opened) -> None:
    tab = opened()
    shown = tab.locator(".answers li:visible")
    total = tab.locator(".answers li").count()
    assert tab.get_by_role("status").inner_text() == f"20 of {total} answers"
    tab.get_by_role("button", name="Show more").click()
    assert shown.count() == 40
    for label, choice, said in (
        ("Verdict", "wrong", "wrong,"),
        ("Accepted", "not", "not accepted"),
        ("Show", "the most disputed", ""),
    ):
        tab.get_by_label(label).select_option(label=choice)
        told = tab.get_by_role("status").inner_text()
        assert shown.count() == int(re.match(r"\d+", told)[0])  # type: ignore[index]
        assert all(said in text for text in shown.all_inner_texts())
    assert 0 < shown.count() < total
    tab.get_by_label("Order").select_option(label="most disputed first")
    order = shown.evaluate_all("all => all.map((one) => Number(one.dataset.disputed))")
    assert order == sorted(order, reverse=True)
    tab.get_by_label("Length").select_option(label="cut off")
    assert "No answer here is like that." in tab.get_by_role("status").inner_text()
    tab.reload()
    tab.get_by_label("Holds").fill("no such text")
    assert shown.count() == 0
    tab.get_by_label("Holds").fill("ONERROR")
    assert shown.count() == 20


def test_contents_lead_to_what_is_folded(opened: Opened) -> None:
    tab = opened()
    hash_of = tab.locator("#provenance dl")
    assert not hash_of.is_visible()
    tab.get_by_role("navigation").get_by_role("link", name="Provenance").click()
    hash_of.wait_for()
    folded = opened(place="#provenance")
    folded.locator("#provenance dl").wait_for()
    for name in ("Reliability of the graders", "Answers", "What was set"):
        tab.get_by_role("navigation").get_by_role("link", name=name).click()
        assert (
            tab.evaluate("document.querySelector(location.hash).getBoundingClientRect().top") < 900
        )


def test_without_a_script_everything_can_be_read(opened: Opened) -> None:
    tab = opened(script=False)
    assert tab.locator(".answers li:visible").count() == tab.locator(".answers li").count() > 40
    assert not tab.locator("#filters").is_visible()
    tab.locator("#provenance summary").click()
    assert tab.locator("#provenance dl").is_visible()


def test_hostile_texts_stay_texts(opened: Opened, report: Path) -> None:
    tab = opened()
    tab.get_by_text("Every setting").click()
    for place in ("h1", ".summary", ".answers", "#settings table", "#settings dl"):
        assert SHOWN in tab.locator(place).first.text_content(), place
    for place in ("#settings table", "#provenance dl", "#worth"):
        assert MODEL in tab.locator(place).first.text_content(), place
    assert tab.locator("script").count() == 1
    assert not tab.locator("img").count()
    assert "alert(3)" in tab.locator("#figure-reliability").text_content()
    assert report.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("width", "dark"),
    [
        (390, True),
        pytest.param(1280, False, marks=pytest.mark.slow),
        pytest.param(1280, True, marks=pytest.mark.slow),
    ],
)
def test_anybody_can_use_it(opened: Opened, width: int, dark: bool) -> None:
    tab = opened(width=width, dark=dark)
    tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = axe_core.Axe().run(tab)
    said = [
        (one["id"], [(node["target"], node["failureSummary"]) for node in one["nodes"]][:3])
        for one in found.response["violations"]
    ]
    assert not said
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    column, figure = (
        tab.evaluate(f"document.querySelector({place!r}).getBoundingClientRect().width")
        for place in (
            "#figures",
            "#figure-error svg:not([style*=none])" if width > 600 else ".narrow svg",
        )
    )
    assert figure == column
    assert tab.get_by_text("scrolls sideways").count() == 0  # it is no text of the page
    cue = tab.evaluate(
        "getComputedStyle(document.querySelector('.scroll.wide'), '::before').content"
    )
    assert ("scrolls sideways" in cue) == (width < 600)
