"""The answers of a run that its report shows: the newest, the most disputed, and the first."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from markupsafe import escape

from mgptn.experiments.figures.drawing import RUN
from mgptn.experiments.results.shown import UNDEFINED, cut
from mgptn.experiments.views.printable import visible

NEWEST = DISPUTED = 200
"""Answers at most of the last generation, spread evenly over it, and of any whose grades differ."""

OF_A_KIND = 2
"""Of each kind, of the first generation, on different problems."""

LONGEST_TEXT = 400
"""Characters that are shown of a text."""

MOST_BYTES = 900_000
"""Of all texts together, as they stand in the page."""

GRADES_SHOWN = 8

KINDS: tuple[tuple[str, pl.Expr], ...] = (
    ("right, accepted", pl.col("verdict") & pl.col("accepted")),
    ("right, not accepted", pl.col("verdict") & ~pl.col("accepted")),
    ("wrong, not accepted", ~pl.col("verdict") & ~pl.col("accepted")),
    ("wrong, yet accepted", ~pl.col("verdict") & pl.col("accepted")),
    ("not known to be right or wrong", pl.col("verdict").is_null()),
    ("cut off at their maximum length", ~pl.col("finished")),
)
"""A kind of answers → which they are."""

_PLACE = ("generation", "index")


@dataclass(frozen=True, slots=True)
class Picked:
    """Answers that are shown.

    Attributes
    ----------
    answers
        The newest first: columns of the table of answers; ``"grades"``, as text; ``"unread"``; and
        whether each is of the ``"newest"``, the ``"disputed"``, or of the ``"first"``.
    counts
        Generation → kind → how many of its answers are of it.
    of
        Answers of the last generation.
    """

    answers: list[dict[str, Any]]
    counts: dict[int, dict[str, int]]
    of: int


def pick_answers(answers: pl.LazyFrame, grades: pl.LazyFrame) -> Picked:
    """Pick a run's answers to be shown, by its tables of that name."""
    own = answers.filter(pl.col("arm") == RUN)
    ends = own.select(pl.col("generation").min(), last=pl.col("generation").max()).collect().row(0)
    if ends[0] is None:
        return Picked([], {}, 0)
    both = own.filter(pl.col("generation").is_in(sorted(set(ends)))).sort(_PLACE).collect()
    first, last = (both.filter(pl.col("generation") == end) for end in ends)
    disputed = (
        own.filter(pl.col("disagreement") > 0.0)
        .select(*_PLACE, "disagreement")
        .top_k(DISPUTED, by=["disagreement", "generation", "index"])
        .collect()
    )
    groups = {"newest": _evenly(last), "disputed": _at(own, disputed), "first": _of_kinds(first)}
    rows = [
        dict(row, **{name: (row["generation"], row["index"]) in places[name] for name in groups})
        for places in [{name: set(group.select(_PLACE).rows()) for name, group in groups.items()}]
        for row in pl.concat(groups.values())
        .unique(_PLACE)
        .sort(_PLACE, descending=[True, False])
        .iter_rows(named=True)
    ]
    counted = {end: _counts(table) for end, table in zip(ends, (first, last), strict=True)}
    return Picked(list(_bounded(_graded(rows, grades))), counted, len(last))


def _evenly(table: pl.DataFrame) -> pl.DataFrame:
    """As many rows as are shown, at equal distances."""
    return table[np.unique(np.linspace(0, len(table) - 1, NEWEST).round().astype(np.int64))]


def _of_kinds(table: pl.DataFrame) -> pl.DataFrame:
    found = [
        table.filter(condition).unique("problem", keep="first", maintain_order=True).head(OF_A_KIND)
        for _, condition in KINDS
    ]
    return pl.concat(found).unique(_PLACE)


def _counts(table: pl.DataFrame) -> dict[str, int]:
    return {kind: len(table.filter(condition)) for kind, condition in KINDS} | {"all": len(table)}


def _at(table: pl.LazyFrame, places: pl.DataFrame) -> pl.DataFrame:
    """The rows at some places; the others' texts are not read."""
    stride = max(places["index"].to_list(), default=0) + 1
    keys = (places["generation"] * stride + places["index"]).to_list()
    key = pl.col("generation") * stride + pl.col("index")
    return table.filter((pl.col("index") < stride) & key.is_in(keys)).collect()


def _graded(rows: Sequence[dict[str, Any]], grades: pl.LazyFrame) -> Iterator[dict[str, Any]]:
    """Answers with what their graders said."""
    places = pl.DataFrame(
        {name: [row[name] for row in rows] for name in _PLACE},
        schema=dict.fromkeys(_PLACE, pl.Int64()),
    )
    own = grades.filter(pl.col("arm") == RUN).select(*_PLACE, "value")
    found = _at(own, places).group_by(_PLACE, maintain_order=True).agg("value")
    values: Mapping[tuple[int, int], list[float | None]] = {
        (generation, index): given for generation, index, given in found.iter_rows()
    }
    for row in rows:
        given = values.get((row["generation"], row["index"]), [])
        told = " ".join(UNDEFINED if one is None else f"{one:.2f}" for one in given[:GRADES_SHOWN])
        more = f" and {len(given) - GRADES_SHOWN} more" if len(given) > GRADES_SHOWN else ""
        yield row | {"grades": told + more, "unread": None in given}


def _bounded(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows with texts cut, up to so much text in all."""
    spent = 0
    for row in rows:
        texts = {name: cut(row[name], LONGEST_TEXT) for name in ("query", "answer")}
        spent += sum(len(escape(visible(text)).encode()) for text in texts.values())
        if spent > MOST_BYTES:
            return
        yield row | texts
