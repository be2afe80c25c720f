"""A file of questions: JSON, one object a line or all in one list, checked whole before a run."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgptn.agents.files import read_bounded
from mgptn.experiments.config.run_config import ConfigError
from mgptn.protocols.tasks.task import Problem

MOST_BYTES = 2**28
"""Of a file, as it is written and when it is unpacked."""

MOST_CHARACTERS = 10**6
"""Of a question or an answer."""

GZIP = b"\x1f\x8b"
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """What a file holds: its questions in order, and a hexadecimal hash of its bytes, unpacked."""

    problems: tuple[Problem, ...]
    digest: str


def read_questions(
    path: Path,
    question_field: str,
    answer_field: str,
    fault: Callable[[str], str | None] = lambda answer: None,
) -> QuestionFile:
    """Read a file of questions; other fields than the two and ``id`` are left alone.

    An answer is text, or a list of texts of which each is right and the first is shown. A number
    is taken as it is written. Empty lines are skipped, and so is a byte order mark; the file may be
    compressed by gzip.

    Parameters
    ----------
    fault
        Says of a right answer why none could match it, as what was expected and got, or None.

    Raises
    ------
    ConfigError
        If there is no such file, or a line is not as it should be, with the file and the line;
        or if a question or an id is there twice, with both lines.
    """
    content = _content(path)
    problems: list[Problem] = []
    seen: dict[tuple[str, str], int] = {}
    for number, fields in _objects(_text_of(content, path), path):
        where = f"{path}, line {number}"
        query = _text(fields, question_field, where)
        reference, *also = _answers(fields, answer_field, where)
        for answer in (reference, *also):
            if (wrong := fault(answer)) is not None:
                raise ConfigError(f"{where}: {wrong} in {answer_field!r}")
        problem = Problem(query, reference, tuple(also))
        _note(seen, ("question", " ".join(problem.query.split())), number, where)
        if fields.get("id") is not None:
            _note(seen, ("id", _text(fields, "id", where)), number, where)
        problems.append(problem)
    if not problems:
        raise ConfigError(f"{path}: expected at least one question, got an empty file")
    return QuestionFile(tuple(problems), hashlib.blake2b(content, digest_size=32).hexdigest())


def _content(path: Path) -> bytes:
    """The bytes of a file, unpacked."""
    try:
        content = read_bounded(path.expanduser(), MOST_BYTES)
        if content.startswith(GZIP):
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        got = "nothing at this path" if isinstance(error, FileNotFoundError) else str(error)
        raise ConfigError(
            f"task.file: expected a file of JSON lines in UTF-8 at {path}, got {got}"
        ) from None
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path}: expected at most {MOST_BYTES / 2**20:g} MiB, got more")
    return content


def _text_of(content: bytes, path: Path) -> str:
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"task.file: expected a file of JSON lines in UTF-8 at {path}, got {error}"
        ) from None


def _objects(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object of a file, with the number of the line that it begins in."""
    if text.lstrip(_SPACE).startswith("["):
        yield from _listed(text, path)
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{path}, line {number}"
            fields, end = _decoded(line, len(line) - len(line.lstrip()), where)
            if line[end:].strip():
                raise ConfigError(f"{where}: expected a JSON object, got more behind it")
            yield number, fields


def _listed(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file that is one list."""
    place, line, counted = _behind_space(text, text.index("[") + 1), 1, 0
    while text[place : place + 1] != "]":
        line, counted = line + text.count("\n", counted, place), place
        where = f"{path}, line {line}"
        fields, place = _decoded(text, place, where)
        yield line, fields
        place = _behind_space(text, place)
        if text[place : place + 1] == ",":
            place = _behind_space(text, place + 1)
        elif text[place : place + 1] != "]":
            raise ConfigError(f"{where}: expected a comma or the list's end behind the object")
    if text[place + 1 :].strip():
        raise ConfigError(f"{path}: expected one list of JSON objects, got more behind it")


def _behind_space(text: str, place: int) -> int:
    while place < len(text) and text[place] in _SPACE:
        place += 1
    return place


def _decoded(text: str, place: int, where: str) -> tuple[dict[str, Any], int]:
    """The object at a place of a text, and where it ends."""
    try:
        fields, end = _DECODER.raw_decode(text, place)
    except json.JSONDecodeError as error:
        told = f"{error.msg} at column {error.colno}"
        raise ConfigError(f"{where}: expected a JSON object, got: {told}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: expected a JSON object, got: {error}") from None
    if not isinstance(fields, dict):
        raise ConfigError(f"{where}: expected a JSON object, got {_kind(fields)}")
    return fields, end


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} more than once")
    return fields


# Numbers stay as they are written: 0.10 is no 0.1, and no float has all of its digits.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_each_key_once, parse_int=str, parse_float=str, parse_constant=str
)


def _answers(fields: dict[str, Any], name: str, where: str) -> list[str]:
    """The right answers in a field, at least one."""
    given = fields.get(name)
    if not isinstance(given, list):
        return [_text(fields, name, where)]
    if not given:
        raise ConfigError(f"{where}: expected text in {name!r}, got an empty list")
    answers = [_text({name: one}, name, where) for one in given]
    return list(dict.fromkeys(answers))


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
    if len(value) > MOST_CHARACTERS:
        raise ConfigError(
            f"{where}: expected at most {MOST_CHARACTERS:,} characters in {name!r}, got "
            f"{len(value):,}"
        )
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
