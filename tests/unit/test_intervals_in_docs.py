"""No interval in the documentation is of width zero: findings as they are, texts as they print."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
NUMBER = r"([-−+]?\d*\.?\d+)"
INTERVALS = [
    re.compile(form.format(n=NUMBER))
    for form in (r"\({n} to {n}[,)]", r"\({n}–{n}\)", r"\[{n}, {n}\]", r"\[{n} to {n}\]")
]
"""As pages print them: (.20 to .31), (.20–.31), [0.20, 0.31]."""

EARLIER: dict[str, str] = {}
"""Findings of an earlier method, by name, that were not made again, and why."""


def pages() -> list[Path]:
    """Everything that is read; pages of results print what their findings hold."""
    found = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return sorted(path for path in found if path.parent != RESULTS)


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_no_number_of_a_finding_has_an_interval_of_width_zero(path: Path) -> None:
    if path.stem in EARLIER:
        pytest.skip(EARLIER[path.stem])
    groups = json.loads(path.read_text(encoding="utf-8"))["finding"]["numbers"]
    rows = [row for of in groups.values() for row in of if row["low"] is not None]
    assert rows
    assert [row["name"] for row in rows if not row["low"] < row["high"]] == []


def test_no_page_prints_an_interval_of_width_zero() -> None:
    found, empty = 0, []
    for path in pages():
        for line in path.read_text(encoding="utf-8").splitlines():
            for one in INTERVALS:
                for low, high in one.findall(line):
                    found += 1
                    if low == high:
                        empty.append(f"{path.name}: {line[:80]}")
    assert empty == []
    assert found > 100  # or the forms are no longer those that pages have
