from __future__ import annotations

import base64
import hashlib
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.figures import files
from mgptn.experiments.figures.files import FIGURES, figures_of
from mgptn.experiments.figures.style import DARK
from mgptn.experiments.results import arm_sheets, picked_answers
from mgptn.experiments.results.picked_answers import pick_answers
from mgptn.experiments.results.report import write_report
from mgptn.experiments.results.settings import departures
from mgptn.experiments.results.sheet import Sheet, sheet
from mgptn.experiments.results.shown import flat, shown, with_interval
from mgptn.experiments.views.printable import visible
from mgptn.protocols.tasks.arithmetic import Addition
from tests.columns import with_outcomes
from tests.reference.experiments.tables import build_tables
from tests.synthetic import ARMS, synthetic_run, undefined, with_answer

MANIFEST: dict[str, Any] = {
    "config": {
        "name": "first-light",
        "population": {"size": 6, "selection": {"temperature": math.inf}},
        "agents": {"model": "gpt-3"},
    },
    "seed": 7,
    "weights": {"gpt-3": "9b0c2c6c"},
    "versions": {"mgptn": "0.1.0", "polars": "2.1.0"},
    "population_hash": "ab12cd34",
    "command": ["mgptn", "run", "first.yaml"],
}


class Page(HTMLParser):
    """What a browser would see: elements, what they would load, and the text."""

    void = frozenset({"meta", "link", "img", "br", "hr", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.pieces: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.pieces).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.void:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} has a handler: {name}"
            if name in {"src", "href", "xlink:href", "srcset", "data", "action", "poster"}:
                self.loads.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.void:
            assert self.open.pop() == tag, "elements are not nested"

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.pieces.append(data)


def written(folder: Path, tables: dict[str, pl.DataFrame], **changed: Any) -> str:
    arguments = {
        "manifest": MANIFEST,
        "tables": tables,
        "answers": tables["answers"].lazy(),
        "grades": tables["grades"].lazy(),
        "summary": ["Gold error fell.", "So did drift's."],
        "verdict_heading": "Amplified",
    }
    path = write_report(folder, **{**arguments, **changed})
    assert path == folder / "report.html"
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return build_tables(*synthetic_run(problems=8, graders=3))


@pytest.fixture(scope="module")
def html(tables: dict[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("report"), tables)


@pytest.fixture
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports with the first figure alone, where it is another part that matters."""
    monkeypatch.setattr(files, "FIGURES", {"error": FIGURES["error"]})


def test_nothing_is_loaded_and_one_script_runs_by_its_hash(html: str) -> None:
    page = Page(html)
    assert page.open == []
    assert all(link.startswith("#") for link in page.loads)
    assert not {"link", "iframe", "object", "embed", "img", "base"} & set(page.tags)
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    (script,) = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{digest}'"


def test_links_within_the_page_meet_exactly_one_element(html: str) -> None:
    page = Page(html)
    assert len(page.ids) == len(set(page.ids))
    pointed = {link[1:] for link in page.loads} | set(re.findall(r"url\(#([^)]*)\)", html))
    assert pointed
    assert pointed <= set(page.ids)


def test_what_was_run_and_found_is_there(html: str, tables: dict[str, pl.DataFrame]) -> None:
    text = Page(html).text
    for expected in (
        "first-light",
        "Amplified",
        "Gold error fell.",
        "population.selection.temperature ∞ 0.1",
        "weights.gpt-3 9b0c2c6c",
        "population_hash ab12cd34",
        "command mgptn, run, first.yaml",
        "not seeds",
        *ARMS,
        *(plot.title for plot in figures_of(tables).values()),
        *(plot.caption for plot in figures_of(tables).values()),
    ):
        assert expected in text, expected
    last = tables["generations"].filter(pl.col("arm") == "selected").sort("generation").tail(1)
    error, low, high = last.select("gold_error", "gold_error_low", "gold_error_high").row(0)
    assert f"{error:.3f} [{low:.3f}, {high:.3f}]" in text
    assert "No controls" not in text
    total = tables["generations"]["tokens_saved"].sum()
    assert f"{total:,}".replace(",", "\u202f") in html


def test_answers_are_the_newest_the_most_disputed_and_the_first(
    tables: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picked_answers, "DISPUTED", 7)
    picked = pick_answers(tables["answers"].lazy(), tables["grades"].lazy())
    run = tables["answers"].filter(pl.col("arm") == "selected")
    last = run.filter(pl.col("generation") == 3)
    assert picked.of == len(last) == 48

    def places(name: str) -> set[tuple[int, int]]:
        return {(a["generation"], a["index"]) for a in picked.answers if a[name]}

    assert places("newest") == {(3, i) for i in range(48)}
    plain = sorted(
        run.filter(pl.col("disagreement") > 0).iter_rows(named=True),
        key=lambda a: (a["disagreement"], a["generation"], a["index"]),
    )
    assert places("disputed") == {(a["generation"], a["index"]) for a in plain[-7:]}
    assert {generation for generation, _ in places("first")} == {0}
    right = run.filter(pl.col("generation") == 0, pl.col("verdict") & pl.col("accepted"))
    assert picked.counts[0]["right, accepted"] == len(right)
    assert {(0, i) for i in right["index"].head(1)} <= places("first")
    order = [(-a["generation"], a["index"]) for a in picked.answers]
    assert order == sorted(order)
    for answer in picked.answers[:5]:
        its = tables["grades"].filter(
            pl.col("arm") == "selected",
            pl.col("generation") == answer["generation"],
            pl.col("index") == answer["index"],
        )
        assert answer["grades"] == " ".join(f"{v:.2f}" for v in its["value"])


def test_of_many_answers_some_are_shown_at_equal_distances(
    tables: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picked_answers, "NEWEST", 5)
    monkeypatch.setattr(picked_answers, "DISPUTED", 0)
    picked = pick_answers(tables["answers"].lazy(), tables["grades"].lazy())
    newest = [a["index"] for a in picked.answers if a["newest"]]
    assert len(newest) == 5
    assert {newest[0], newest[-1]} == {0, 47}
    monkeypatch.setattr(picked_answers, "MOST_BYTES", 40)
    few = pick_answers(tables["answers"].lazy(), tables["grades"].lazy()).answers
    assert 0 < len(few) < 5


@pytest.mark.usefixtures("one_figure")
def test_no_answers_make_a_report_large(tmp_path: Path) -> None:
    """Each of 384 questions and answers could be five thousand quotation marks."""
    committed, measures = synthetic_run(("selected",), generations=2, agents=24, problems=8)
    wild = []
    for one in committed:
        outcomes = [
            replace(outcome, query=f"{'東'}{i}" + '"' * 5_000, answer="\u202e" * 5_000)
            for i, outcome in enumerate(one.generation.outcomes)
        ]
        wild.append(replace(one, generation=with_outcomes(one.generation, outcomes)))
    tables = build_tables(wild, measures)
    written(tmp_path, tables)
    picked = pick_answers(tables["answers"].lazy(), tables["grades"].lazy())
    assert len(picked.answers) > 100
    assert (tmp_path / "report.html").stat().st_size < 2_000_000


def test_how_sums_are_written_is_said_of_them_alone(
    tables: dict[str, pl.DataFrame], one_figure: None, tmp_path: Path
) -> None:
    said = "least significant digit first"
    for task, expected in (("addition", True), ("parity", False), ("questions", False)):
        manifest = {**MANIFEST, "config": {**MANIFEST["config"], "task": {"name": task}}}
        assert (said in written(tmp_path, tables, manifest=manifest)) == expected
    assert Addition(2).solve_plainly("67+61=") == "821"


def test_a_table_has_neither_rows_nor_columns_that_say_nothing() -> None:
    found = sheet(
        ["run", "control", "silent"],
        [("a", [0.5, math.nan, None]), ("b", [None, math.nan, None]), ("c", [0, 0, None])],
    )
    assert found == Sheet(("run",), (("a", ("0.500",)),), ("b",), ("c",))
    assert sheet([], [("a", [])]) == Sheet((), ())


def test_an_interval_without_a_width_is_said_to_be_none() -> None:
    assert with_interval(0.5, 0.4, 0.6) == "0.500 [0.400,\u00a00.600]"
    assert with_interval(1.0, 1.0, 1.0) == "1.000, no spread"
    assert with_interval(math.inf, math.inf, math.inf) == "∞, no spread"
    assert with_interval(0.5, math.nan, math.nan) == "0.500"


def test_settings_are_told_where_they_depart_from_the_default() -> None:
    plain = RunConfig(name="mine").model_dump(mode="json")
    assert departures(plain) == []
    changed = check_config({"name": "mine", "population": {"selection": {"temperature": math.inf}}})
    assert departures(changed.model_dump()) == [("population.selection.temperature", "∞", "0.1")]


@pytest.mark.usefixtures("one_figure")
def test_what_models_wrote_is_text(tmp_path: Path) -> None:
    committed, measures = synthetic_run()
    wild = "<script>alert(1)</script>\"'{{ 7*7 }}\x1b[31m\x00\u202eend\ud800"
    for index in range(5):
        committed[0] = with_answer(committed[0], index, wild)
    html = written(tmp_path, build_tables(committed, measures), verdict_heading="<b>T&C</b>")
    page = Page(html)
    assert page.tags.count("script") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "{{ 7*7 }}\\x1b[31m\\x00\\u202eend\\ud800" in page.text
    assert not set("\x1b\x00\u202e") & set(html)
    assert "<b>T&C</b>" in page.text


@pytest.mark.usefixtures("one_figure")
def test_long_answers_are_cut_and_say_so(tmp_path: Path) -> None:
    committed, measures = synthetic_run(generations=1)
    committed[0] = with_answer(committed[0], 0, "9" * 5_000)
    for index in range(1, 5):
        committed[0] = with_answer(committed[0], index, "")
    text = Page(written(tmp_path, build_tables(committed, measures))).text
    assert "9" * 400 + " … (4600 more characters)" in text
    assert "9" * 401 not in text
    assert "(empty)" in text


@pytest.mark.parametrize("arms", [ARMS, ("selected",)])
def test_one_undefined_generation_is_reported_with_dashes(
    arms: tuple[str, ...], tmp_path: Path
) -> None:
    committed, measures = synthetic_run(arms=arms, generations=1)
    measures = {key: undefined(value) for key, value in measures.items()}
    html = written(tmp_path, build_tables(committed, measures))
    text = Page(html).text
    left_out = text.partition("Undefined or not measured, and left out: ")[2]
    assert "gold error [95 % interval]" in left_out
    assert "gold error [95 % interval]" not in text.partition("left out: ")[0]
    assert "undefined" in text
    assert not re.search(r"\bnan\b", text, flags=re.IGNORECASE)
    assert ("No controls were run" in text) == (arms == ("selected",))


def test_an_empty_run_is_reported(tmp_path: Path) -> None:
    html = written(tmp_path, build_tables([], {}), manifest={}, summary=[])
    assert "No answers were recorded." in Page(html).text


def test_equal_runs_give_equal_reports(html: str, tmp_path: Path) -> None:
    assert written(tmp_path, build_tables(*synthetic_run(problems=8, graders=3))) == html


@pytest.mark.usefixtures("one_figure")
def test_a_failed_write_leaves_the_old_report(
    tables: dict[str, pl.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written(tmp_path, tables)
    monkeypatch.setattr("os.replace", _disk_full)
    with pytest.raises(OSError, match="No space left"):
        written(tmp_path, tables, verdict_heading="Other")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == before
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def _disk_full(*paths: object) -> None:
    raise OSError("No space left on device")


def test_every_colour_of_the_figures_follows_the_theme(html: str) -> None:
    body = html.split("</style>", 1)[1]
    for colour in DARK:
        assert colour not in body
    assert "var(--c0072b2)" in body


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, "–"),
        (None, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (0.0, "0.000"),
        (-0.1254, "−0.125"),
        (0.00012, "1.20e−04"),
        (123.456, "123.5"),
        (True, "yes"),
        (1234567, "1\u202f234\u202f567"),
        (2**62, str(2**62)),
    ],
)
def test_values_are_shown_short(value: object, expected: str) -> None:
    assert shown(value) == expected


def test_settings_are_shown_exactly() -> None:
    nested = {"a": {"b": 0.123456, "port": 9464}, "c": [1, 2], "d": [{"e": None}], "f": False}
    assert flat(nested) == [
        ("a.b", "0.123456"),
        ("a.port", "9464"),
        ("c", "1, 2"),
        ("d.0.e", "–"),
        ("f", "no"),
    ]


def test_the_invisible_is_made_visible() -> None:
    assert visible("a\tb\nc\u2028\u200bé✓") == "a\\tb\nc\\u2028\\u200bé✓"


def test_every_result_names_a_measure() -> None:
    columns = build_tables([], {})["generations"].columns
    for column, _ in (*arm_sheets.RESULTS, *arm_sheets.WORTH):
        assert column in columns
