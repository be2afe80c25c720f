"""Pages: short tables of what decides, captions, and what is written anew without a run."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from mgptn.experiments.claims.captions import CAPTIONS
from mgptn.experiments.claims.method.claim import claim_names, load_claim
from mgptn.experiments.claims.method.deciding import Decides, rows_of
from mgptn.experiments.claims.method.numbers import Number
from mgptn.experiments.claims.page import MOST_ROWS, page, write_pages
from mgptn.experiments.claims.running import read_recorded
from tests.rooms import ROOT

RESULTS = ROOT / "docs" / "results"
WRITTEN = [name for name in claim_names() if (RESULTS / f"{name}.json").exists()]


def number(name: str, low: float, value: float, high: float) -> Number:
    return Number(name, value, low, high, error=(high - low) / 4, units=8)


def test_a_condition_has_the_row_of_the_number_that_is_furthest_from_showing_it() -> None:
    registered = [Decides(what="a: *", above=0.0), Decides(what="b", below=1.0)]
    numbers = [
        number("a: deep", 0.5, 0.6, 0.7),
        number("a: barely", 0.1, 0.2, 0.3),
        number("a: open", -0.1, 0.1, 0.3),
        number("b", 2.0, 3.0, 4.0),
    ]
    refuted, open_ = rows_of(registered, numbers)
    assert (refuted.least.number.name, refuted.least.state) == ("b", "refuted")
    assert (open_.least.number.name, open_.of, open_.shown) == ("a: open", 3, 2)
    shown = rows_of(registered[:1], numbers[:2])
    assert [row.least.number.name for row in shown] == ["a: barely"]
    assert rows_of(registered[1:], numbers[:2]) == []


@pytest.mark.parametrize("name", WRITTEN)
def test_a_page_has_the_sentence_first_and_few_rows_before_the_appendix(name: str) -> None:
    claim = load_claim(name)
    text = page(claim, read_recorded(RESULTS / f"{name}.json"))
    shown, _, appendix = text.partition("## Appendix")
    assert shown.index(claim.registered.quote) < shown.index("![") < shown.index("## What it says")
    rows = [line for line in shown.splitlines() if line.startswith("| ")]
    assert len(rows) <= MOST_ROWS + 2
    assert shown.count("![") == 1
    assert CAPTIONS.get(name, claim.registered.metric) in shown
    assert "    mgptn experiment run" in shown
    assert claim.registered.fails_if in appendix


def test_a_page_is_written_anew_from_what_is_kept(tmp_path: Path) -> None:
    name = WRITTEN[0]
    docs = tmp_path / "docs"
    (docs / "results").mkdir(parents=True)
    shutil.copyfile(RESULTS / f"{name}.json", docs / "results" / f"{name}.json")
    written = write_pages({tmp_path / "not-run": load_claim(name)}, docs)
    assert docs / "results" / "README.md" in written
    text = (docs / "results" / f"{name}.md").read_text(encoding="utf-8")
    assert text == page(load_claim(name), read_recorded(RESULTS / f"{name}.json"))


def test_a_page_says_that_its_registration_was_changed_after_the_run() -> None:
    claim = load_claim("gaming")
    recorded = read_recorded(RESULTS / "gaming.json")
    same, other = (replace(recorded, registered=digest) for digest in (claim.digest, "another"))
    told = "The registration was changed after this run of "
    assert told not in page(claim, same)
    assert told in page(claim, other)
