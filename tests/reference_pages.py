"""The reference that is made from code: ``python -m tests.reference_pages`` writes it anew.

Its pages are kept in the repository, so that they are read where no site is built; a test holds
them to be what this makes.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

from mgptn.experiments.record import committed, reading, rounds
from mgptn.experiments.sharing.columns import EXPLAINED, KEPT
from mgptn.experiments.tables.schemas import SCHEMAS
from mgptn.experiments.views.metrics import RunMetrics
from tests.reference_commands import commands
from tests.reference_configuration import configuration, schema
from tests.reference_words import cell, made_by

FOLDER = Path(__file__).parents[1] / "docs" / "reference"


def tables() -> str:
    """Every column of every table."""
    lines = [
        "# Tables",
        "",
        f"{made_by()}. A run's folder holds a Parquet file of each; `mgptn export` passes on "
        "those that others read. An undefined measure is NaN; what nobody could say is null. "
        "`answers`, `grades` and `turns` join on arm, generation and index.",
    ]
    told = EXPLAINED | KEPT
    for name, columns in SCHEMAS.items():
        lines += ["", f"## {name}", "", "| Column | Type | Is |", "| --- | --- | --- |"]
        lines += [f"| `{c}` | {kind} | {cell(told[name][c])} |" for c, kind in columns.items()]
    return "\n".join(lines) + "\n"


def metrics() -> str:
    """Every metric of a run."""
    lines = [
        "# Metrics",
        "",
        f"{made_by()}. [How to watch them](../../monitoring/README.md).",
        "",
        "| Metric | Kind | Is |",
        "| --- | --- | --- |",
    ]
    families = RunMetrics("run", "task", ["selected"])._series.collect()
    for one in sorted(families, key=lambda family: family.name):
        name = f"{one.name}_total" if one.type == "counter" else one.name
        lines.append(f"| `{name}` | {one.type} | {cell(one.documentation)} |")
    return "\n".join(lines) + "\n"


def journal() -> str:
    """How a journal's bytes are, and what a record holds."""
    told = [
        inspect.getdoc(reading) or "",
        f"The format is version {reading.FORMAT}; the first bytes of a file are "
        f"`{reading.MAGIC!r}`. A record is a map with a `kind`: `generation` has the number of the "
        "generation as `index`, and in `arms` a map for each arm, written by this:",
        f"```python\n{inspect.getsource(committed.Committed.to_plain)}```",
        "Arrays are packed: see `experiments/record/packed_arrays.py`. In Python, "
        "`mgptn.experiments.record.rounds.read_rounds(folder)` yields rounds as objects, and "
        "`follow` yields them as they are committed.",
        inspect.getdoc(committed.Committed) or "",
    ]
    fields = told.pop().replace("``", "`")
    head, _, attributes = fields.partition("Attributes\n----------\n")
    entries = re.findall(r"^(\w+)\n((?:    .*\n?)+)", attributes, flags=re.M)
    listed = "\n".join(f"- `{name}`: {' '.join(text.split())}" for name, text in entries)
    text, frames, rest = told[0].partition("    file")
    block, _, after = (frames + rest).partition("\n\n")
    return (
        "\n\n".join(
            [
                "# The journal's format",
                f"{made_by()} from `experiments/record/`.",
                text.strip(),
                f"```text\n{inspect.cleandoc(block)}\n```",
                after.strip(),
                *told[1:],
                f"## {rounds.JOURNAL}: what an arm's record tells",
                head.strip(),
                listed,
            ]
        )
        + "\n"
    )


PAGES: dict[str, Callable[[], str]] = {
    "configuration.schema.json": schema,
    "configuration.md": configuration,
    "commands.md": commands,
    "tables.md": tables,
    "metrics.md": metrics,
    "journal.md": journal,
}
"""File in `docs/reference/` → what makes it."""


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, make in PAGES.items():
        (FOLDER / file).write_text(make(), encoding="utf-8")
