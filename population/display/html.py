"""Records as HTML for notebooks: a table, a list, what is folded; every text escaped."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence

LONGEST = 300
"""Characters of a text that are shown."""


def visible(text: str, kept: str = "\n") -> str:
    """Text with control, formatting and surrogate characters written as escapes.

    So nothing that a model said moves a cursor, colours what follows, or turns a line around.

    Parameters
    ----------
    kept
        Characters that stay as they are: line ends.
    """
    return "".join(
        c
        if c in kept or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


def escaped(value: object) -> str:
    """A value as text within HTML: a number in few digits, a long text cut off."""
    if isinstance(value, float):
        return f"{value:.3f}" if value == value else "–"
    text = str(value)
    shown = visible(text[:LONGEST])
    return html.escape(shown if len(text) <= LONGEST else f"{shown}…")


def heading(text: str) -> str:
    """A line above what follows."""
    return f"<p><strong>{escaped(text)}</strong></p>"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; without rows nothing."""
    cells = [
        "".join(f"<td style='text-align:left'>{escaped(value)}</td>" for value in row)
        for row in rows
    ]
    if not cells:
        return ""
    names = "".join(f"<th style='text-align:left'>{escaped(name)}</th>" for name in head)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def listed(sentences: Iterable[str]) -> str:
    """Sentences one under the other."""
    return "<ul>" + "".join(f"<li>{escaped(one)}</li>" for one in sentences) + "</ul>"


def folded(summary: str, content: str) -> str:
    """What is shown when it is asked for."""
    return f"<details><summary>{escaped(summary)}</summary>{content}</details>"
