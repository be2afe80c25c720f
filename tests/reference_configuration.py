"""The reference of a configuration, made from the models that check one: a page, a JSON Schema."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import PydanticJsonSchemaWarning

from mgptn.experiments.config.run_config import NAMED, RunConfig
from mgptn.experiments.results.shown import flat
from tests.reference_words import cell, made_by

Node = dict[str, Any]
"""A part of a JSON Schema."""

ONE_OR_MORE = ("endpoint", "trainable", "modules")
"""Keys of a list, of which one alone may stand there too."""

INTRODUCTION = (
    "One YAML file, checked whole before anything starts; an unknown or impossible value is an "
    "error that names the key. Words are read as YAML 1.2 has them (`010` is ten, `on` is text), "
    "and a key that stands twice is refused. `mgptn init` writes a commented file to start from; "
    "`--set key=value` changes a key on the command line. Only `name` is required.",
    f"{made_by()} from the models that check a configuration. [The JSON Schema]"
    "(configuration.schema.json) has the same for editors, which take it from a first line "
    "`# yaml-language-server: $schema=…`, and show what a key means.",
)


def schema() -> str:
    """The JSON Schema of a configuration; a name alone may stand for some sections."""
    plain = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_schema()}
    for section in (plain, *plain["$defs"].values()):
        for name in NAMED:
            if name in section.get("properties", {}):
                _also(section["properties"], name, {"type": "string"})
        for name in ONE_OR_MORE:
            if name in section.get("properties", {}):
                _also(section["properties"], name, section["properties"][name]["items"])
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _also(properties: Node, name: str, other: Node) -> None:
    """Let something else stand under a key, too."""
    usual = properties[name]
    told = {key: usual.pop(key) for key in ("description", "default") if key in usual}
    properties[name] = {"anyOf": [usual, other], **told}


def configuration() -> str:
    """A table for each section: every key with its form, default and meaning."""
    defaults = dict(flat(RunConfig(name="run").model_dump(mode="json")))
    lines = ["# Configuration", *(f"\n{text}" for text in INTRODUCTION)]
    whole = _schema()
    for path, section in _sections("", whole, whole["$defs"]):
        if path:
            level = "#" * min(4, 2 + path.count("."))
            lines += ["", f"{level} {path}", "", linked(section["description"])]
        lines += ["", "| Key | Form | Default | Meaning |", "| --- | --- | --- | --- |"]
        for name, one in section["properties"].items():
            key = f"{path}.{name}" if path else name
            if _below(one, whole["$defs"]) and not _form(one, whole["$defs"]):
                continue
            meaning = linked(cell(one["description"]))
            form = _form(one, whole["$defs"])
            needed = name in section.get("required", ())
            default = "required" if needed else _default(key, one, defaults)
            lines.append(f"| `{key}` | {form} | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def linked(text: str) -> str:
    """Pages of `docs/` that a text names, as links from another folder of it."""
    return re.sub(r"\bdocs/([\w/-]+\.md(?:#[\w-]+)?)", r"[docs/\1](../\1)", text)


def _schema() -> Node:
    with warnings.catch_warnings():
        # Defaults that are sections have no place in it: their own keys have.
        warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
        made = RunConfig.model_json_schema()
    for section in (made, *made["$defs"].values()):
        for one in (section, *section.get("properties", {}).values()):
            if "description" in one:
                one["description"] = " ".join(one["description"].split()).replace("``", "`")
    return made


def _sections(path: str, section: Node, known: Node) -> Iterator[tuple[str, Node]]:
    """A section's path and itself, and then those below it."""
    yield path, section
    for name, one in section["properties"].items():
        below = _below(one, known)
        if below is not None:
            yield from _sections(f"{path}.{name}" if path else name, below, known)


def _below(one: Node, known: Node) -> Node | None:
    """The section that may stand under a key, alone or in a list."""
    for option in (one, *one.get("anyOf", ()), one.get("items", {})):
        section = known.get(option.get("$ref", "").rpartition("/")[2], {})
        if "properties" in section:
            return dict(section)
    return None


def _default(key: str, one: Node, defaults: dict[str, str]) -> str:
    default = defaults.get(key) or one.get("default")
    return "none" if default in (None, "", "–", "[]", [], {}) else f"`{default}`"


def _form(one: Node, known: Node) -> str:
    """What may stand there, in words; nothing for a section, whose keys say it."""
    if "$ref" in one:
        target = known[one["$ref"].rpartition("/")[2]]
        return "" if "properties" in target else _form(target, known)
    if "anyOf" in one:
        options = [option for option in one["anyOf"] if option.get("type") != "null"]
        told = dict.fromkeys(_form(option, known) or "a section" for option in options)
        return "" if list(told) == ["a section"] else ", or ".join(told)
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    if "const" in one:
        return f"`{one['const']}`"
    kind = one.get("type", "any")
    if kind == "array":
        return f"a list of: {_form(one.get('items', {}), known) or 'sections'}"
    bounds = [
        f"{sign} {_number(one[name])}"
        for name, sign in (
            ("exclusiveMinimum", ">"),
            ("minimum", "≥"),
            ("exclusiveMaximum", "<"),
            ("maximum", "≤"),
        )
        if name in one
    ]
    names = {"number": "a number", "integer": "a whole number", "string": "text"}
    named = {"object": "a mapping", "boolean": "true or false", "any": "anything"}
    return " ".join([{**names, **named}[kind], *([" and ".join(bounds)] if bounds else [])])


def _number(value: float) -> str:
    """Without an exponent, unless it is very large."""
    return f"{value:g}" if abs(value) >= 1e10 or value != int(value) else str(int(value))
