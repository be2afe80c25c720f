"""A configuration's faults in plain words, and the keys that there are."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel

LONGEST_SHOWN = 400
"""Characters of a value in an error."""

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxdict, _SHORT.maxlist, _SHORT.maxtuple = 3, 8, 8, 8
_SHORT.maxstring, _SHORT.maxlong, _SHORT.maxother = 200, 60, 100


def keys_of(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Dotted paths of every key that a section may have."""
    keys: list[str] = []
    for name, field in model.model_fields.items():
        name = field.alias or name
        keys.append(prefix + name)
        kinds = set(get_args(field.annotation)) - {type(None), ...} or {field.annotation}
        for kind in kinds if len(kinds) == 1 else ():
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                keys += keys_of(kind, f"{prefix}{name}.")
    return keys


def explained(fault: Any, known: Sequence[str]) -> str:
    """One line of plain words for one of pydantic's faults.

    Parameters
    ----------
    known
        Keys that there are, of which the nearest is suggested for one that there is not.
    """
    path = ".".join(str(part) for part in fault["loc"] if not _is_tag(str(part)))
    if fault["type"] == "extra_forbidden":
        return f"{path}: unknown key{_nearest_key(path, known)}"
    if fault["type"] == "missing":
        return f"{path}: expected a value, got nothing"
    if fault["type"] == "invalid_key":
        return f"{path}: expected a word as a key, got {_shown(fault['input'])}"
    if fault["type"] == "string_type" and isinstance(fault["input"], int | float):
        return f"{path}: expected text (in quotes, a number is), got {_shown(fault['input'])}"
    message = fault["msg"].removeprefix("Value error, ").partition(", got a number with")[0]
    if not path:
        return str(message)
    if ", got " in message:
        return f"{path}: {message}"
    expected = message
    for beginning in ("Input should be ", "String should have ", "expected "):
        expected = expected.removeprefix(beginning)
    return f"{path}: expected {expected}, got {_shown(fault['input'])}"


def _shown(value: Any) -> str:
    """A value, however long it is, in few characters."""
    shown = _SHORT.repr(value)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"


def _nearest_key(path: str, known: Sequence[str]) -> str:
    """A suggestion for an unknown key, by its last part first, then by the whole path."""
    section, _, leaf = path.rpartition(".")
    parted = [key.rpartition(".") for key in known]
    near = difflib.get_close_matches(leaf, [last for _, _, last in parted], n=5, cutoff=0.7)
    # A key of the very section, if there is one that is very near; else the nearest of all.
    nearer = difflib.get_close_matches(leaf, near, n=5, cutoff=0.8)
    here = [last for last in nearer if (section, ".", last) in parted]
    for last in here[:1] or near[:1]:
        homes = [home for home, _, name in reversed(parted) if name == last]
        home = max(homes, key=lambda home: difflib.SequenceMatcher(None, home, section).ratio())
        return f"; did you mean {home}.{last}?" if home else f"; did you mean {last}?"
    whole = difflib.get_close_matches(path, known, n=1, cutoff=0.5)
    return f"; did you mean {whole[0]}?" if whole else ""


def _is_tag(part: str) -> bool:
    """Does pydantic name a member of a union here, and not a key of ours?"""
    return (
        part == "int"
        or part.endswith("Config")
        or part.startswith(("literal[", "constrained-", "function-"))
    )
