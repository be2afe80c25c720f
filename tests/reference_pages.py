"""The reference that is made from code: ``python -m tests.reference_pages`` writes it anew.

Its pages are kept in the repository, so that they are read where no site is built; a test holds
them to be what this makes.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import inspect
import json
import re
import warnings
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path
from typing import Any

import click
from pydantic.json_schema import PydanticJsonSchemaWarning

from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import NAMED, RunConfig
from mgptn.experiments.record import committed, reading, rounds
from mgptn.experiments.results.shown import flat
from mgptn.experiments.sharing.columns import EXPLAINED, KEPT
from mgptn.experiments.tables.schemas import SCHEMAS
from mgptn.experiments.views.metrics import RunMetrics

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
COMMAND = "`python -m tests.reference_pages`"
WIDTH = 100
"""Of help, in characters."""


def schema() -> str:
    """The JSON Schema of a configuration; a name alone may stand for some sections."""
    plain = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_schema()}
    for section in (plain, *plain["$defs"].values()):
        for name in NAMED:
            if name in section.get("properties", {}):
                whole = section["properties"][name]
                section["properties"][name] = {"anyOf": [whole, {"type": "string"}]}
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _schema() -> dict[str, Any]:
    with warnings.catch_warnings():
        # Defaults that are sections have no place in it: their own keys have.
        warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
        return RunConfig.model_json_schema()


def keys() -> str:
    """Every key with its form and default."""
    defaults = dict(flat(RunConfig(name="run").model_dump(mode="json")))
    lines = [
        "# Keys and their forms",
        "",
        f"Made by {COMMAND} from the models that check a configuration; [what they mean]"
        "(configuration.md). [The JSON Schema](configuration.schema.json) has the same for "
        "editors, which take it from a first line `# yaml-language-server: $schema=…`.",
        "",
        "| Key | Form | Default |",
        "| --- | --- | --- |",
    ]
    whole = _schema()
    for key, one in _leaves(whole, whole["$defs"]):
        default = defaults.get(key) or one.get("default")
        told = "none" if default in (None, "", "–") else f"`{default}`"
        lines.append(
            f"| `{key}` | {_form(one, whole['$defs'])} | {told if key != 'name' else ''} |"
        )
    return "\n".join(lines) + "\n"


def _leaves(
    node: dict[str, Any], known: dict[str, Any], prefix: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, one in node["properties"].items():
        key = f"{prefix}{name}"
        section = next(
            (
                known[option["$ref"].rpartition("/")[2]]
                for option in (one, *one.get("anyOf", ()))
                if "$ref" in option
            ),
            {},
        )
        if "properties" in section:
            yield from _leaves(section, known, f"{key}.")
        else:
            yield key, one


def _form(one: dict[str, Any], known: dict[str, Any]) -> str:
    """What may stand there, in words."""
    if "$ref" in one:
        return _form(known[one["$ref"].rpartition("/")[2]], known)
    if "anyOf" in one:
        told = dict.fromkeys(_form(o, known) for o in one["anyOf"] if o.get("type") != "null")
        return ", or ".join(told)
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    if "const" in one:
        return f"`{one['const']}`"
    kind = one.get("type", "any")
    if kind == "array":
        return f"a list of: {_form(one.get('items', {}), known)}"
    bounds = [
        f"{sign} {one[name]:g}"
        for name, sign in (
            ("exclusiveMinimum", ">"),
            ("minimum", "≥"),
            ("exclusiveMaximum", "<"),
            ("maximum", "≤"),
        )
        if name in one
    ]
    names = {"number": "a number", "integer": "a whole number", "string": "text"}
    named = {"object": "a section", "boolean": "true or false", "any": "anything"}
    return " ".join([{**names, **named}[kind], *([" and ".join(bounds)] if bounds else [])])


def commands() -> str:
    """The help of every command."""
    lines = ["# The command line", "", f"Made by {COMMAND} of what `--help` says."]
    for path, command in _all_commands(main, ("mgptn",)):
        lines += ["", f"## {' '.join(path)}", "", "```text", _help(path, command), "```"]
    return "\n".join(lines) + "\n"


def _help(path: tuple[str, ...], command: click.Command) -> str:
    """What a command says of itself, whatever has been asked of it in this process before."""
    fresh = copy(command)
    fresh._help_option = None  # click keeps the first that was made, by the names of its context
    settings = main.context_settings
    context = click.Context(fresh, info_name=" ".join(path), terminal_width=WIDTH, **settings)
    return fresh.get_help(context)


def _all_commands(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    for name, one in getattr(command, "commands", {}).items():
        yield from _all_commands(one, (*path, name))


def tables() -> str:
    """Every column of every table."""
    lines = [
        "# Tables",
        "",
        f"Made by {COMMAND}. A run's folder holds a Parquet file of each; `mgptn export` passes on "
        "those that others read. An undefined measure is NaN; what nobody could say is null. "
        "`answers`, `grades` and `turns` join on arm, generation and index.",
    ]
    told = EXPLAINED | KEPT
    for name, columns in SCHEMAS.items():
        lines += ["", f"## {name}", "", "| Column | Type | Is |", "| --- | --- | --- |"]
        lines += [f"| `{c}` | {kind} | {_cell(told[name][c])} |" for c, kind in columns.items()]
    return "\n".join(lines) + "\n"


def metrics() -> str:
    """Every metric of a run."""
    lines = [
        "# Metrics",
        "",
        f"Made by {COMMAND}. [How to watch them](../../monitoring/README.md).",
        "",
        "| Metric | Kind | Is |",
        "| --- | --- | --- |",
    ]
    families = RunMetrics("run", "task", ["selected"])._series.collect()
    for one in sorted(families, key=lambda family: family.name):
        name = f"{one.name}_total" if one.type == "counter" else one.name
        lines.append(f"| `{name}` | {one.type} | {_cell(one.documentation)} |")
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
                f"Made by {COMMAND} from `experiments/record/`.",
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


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


PAGES: dict[str, Callable[[], str]] = {
    "configuration.schema.json": schema,
    "keys.md": keys,
    "command-line.md": commands,
    "tables.md": tables,
    "metrics.md": metrics,
    "journal.md": journal,
}
"""File in `docs/reference/` → what makes it."""


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, make in PAGES.items():
        (FOLDER / file).write_text(make(), encoding="utf-8")
