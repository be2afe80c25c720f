"""The live table keeps what matters, however narrow the terminal is."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from mgptn.experiments.record.rounds import Round
from mgptn.experiments.views.live import COLUMNS, LiveTable, columns_within
from mgptn.experiments.views.measured import MeasuredRound
from tests.synthetic import synthetic_run

HEADS = [column.head for column in COLUMNS]


def rounds() -> list[MeasuredRound]:
    committed, measures = synthetic_run(arms=("selected",), generations=3)
    found = [Round((one,)) for one in committed]
    return [MeasuredRound(r.committed, {"selected": measures["selected", r.index]}) for r in found]


def shown(width: int, terminal: bool) -> list[str]:
    console = Console(
        file=StringIO(), width=width, height=40, force_terminal=terminal, color_system=None
    )
    with LiveTable(console, "a run", 3) as table:
        for done in rounds():
            table.add(done)
    said: str = console.file.getvalue()  # type: ignore[attr-defined]
    return re.sub(r"\x1b\[[?\d;]*[A-Za-z]|\r", "\n", said).splitlines()


@pytest.mark.parametrize(
    ("width", "kept"),
    [
        (30, ["gen", "gold error [95 %]"]),
        (50, ["gen", "fitness", "gold error [95 %]", "J"]),
        (80, ["gen", "fitness", "gold error [95 %]", "J", "lineages", "answers/s", "time left"]),
        (200, HEADS),
    ],
)
def test_a_terminal_shows_what_it_has_room_for(width: int, kept: list[str]) -> None:
    assert [column.head for column in columns_within(width)] == kept
    lines = shown(width, terminal=True)
    assert max(map(len, lines)) <= width
    heads = [line for line in lines if "gold error" in line]
    assert heads
    assert all(name in line for line in heads for name in kept)


def test_every_width_shows_the_most_important_first() -> None:
    before: set[str] = set()
    for width in range(8, 140):
        now = {column.head for column in columns_within(width)}
        assert before <= now
        assert sum(c.width + 2 for c in COLUMNS if c.head in now) <= width
        before = now
    assert before == set(HEADS)
    assert len({column.rank for column in COLUMNS}) == len(COLUMNS)


def test_elsewhere_than_on_a_terminal_all_is_said_line_by_line() -> None:
    title, head, *lines = shown(50, terminal=False)
    assert title == "a run"
    assert [head.index(name) for name in HEADS] == sorted(head.index(name) for name in HEADS)
    assert [line.split()[0] for line in lines] == ["0", "1", "2"]
    assert len({len(line) for line in (head, *lines)}) == 1
