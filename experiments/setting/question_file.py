"""A file of questions: JSON, one object a line, all of it read and checked before a run."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgptn.experiments.config.run_config import ConfigError
from mgptn.protocols.tasks.task import Problem


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """What a file holds: its questions in order, and a hexadecimal hash of its bytes."""

    problems: tuple[Problem, ...]
    digest: str


def read_questions(path: Path, question_field: str, answer_field: str) -> QuestionFile:
    """Read a file of questions; other fields than the two and ``id`` are left alone.

    A number as an answer is taken as it is written. Empty lines are skipped.

    Raises
    ------
    ConfigError
        If there is no such file, or a line is not as it should be, with the file and the line;
        or if a question or an id is there twice, with both lines.
    """
    try:
        content = path.expanduser().read_bytes()
        lines = content.decode().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        got = "nothing at this path" if isinstance(error, FileNotFoundError) else str(error)
        raise ConfigError(
            f"task.file: expected a file of JSON lines in UTF-8 at {path}, got {got}"
        ) from None
    problems: list[Problem] = []
    seen: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            where = f"{path}, line {number}"
            fields = _fields(line, where)
            problem = Problem(
                _text(fields, question_field, where), _text(fields, answer_field, where)
            )
            _note(seen, ("question", " ".join(problem.query.split())), number, where)
            if fields.get("id") is not None:
                _note(seen, ("id", _text(fields, "id", where)), number, where)
            problems.append(problem)
    if not problems:
        raise ConfigError(f"{path}: expected at least one question, got an empty file")
    return QuestionFile(tuple(problems), hashlib.blake2b(content, digest_size=32).hexdigest())


def _fields(line: str, where: str) -> dict[str, Any]:
    try:
        # Numbers stay as they are written: 0.10 is no 0.1, and no float has all of its digits.
        fields = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: expected a JSON object, got: {error}") from None
    if not isinstance(fields, dict):
        raise ConfigError(f"{where}: expected a JSON object, got {_kind(fields)}")
    return fields


def _text(fields: dict[str, Any], name: str, where: str) -> str:
    """A field's text, without the space around it."""
    if name not in fields:
        there = ", ".join(fields) or "none"
        raise ConfigError(f"{where}: expected a field {name!r}, got these: {there}")
    value = fields[name]
    if not isinstance(value, str):
        raise ConfigError(f"{where}: expected text in {name!r}, got {_kind(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ConfigError(
            f"{where}: expected text in {name!r}, got half of a surrogate pair in {value!r}"
        ) from None
    if not value.strip():
        raise ConfigError(f"{where}: expected text in {name!r}, got {value!r}")
    return value.strip()


def _note(seen: dict[tuple[str, str], int], thing: tuple[str, str], line: int, where: str) -> None:
    """Remember what must not come twice."""
    if thing in seen:
        kind, text = thing
        shown = text if len(text) <= 60 else text[:59] + "…"
        raise ConfigError(
            f"{where}: expected every {kind} once, got the {kind} of line {seen[thing]} again: "
            f"{shown!r}"
        )
    seen[thing] = line


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text or a number", bool: "a truth value"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
