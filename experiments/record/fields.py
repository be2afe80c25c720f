"""What is read of a record, field by field: of the kind that is written, and no larger.

Anybody can write a journal whose links hold, so nothing in it is believed: a field has its type, an
array its shape and its range, and a text no more than the frame that it came in.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from mgptn.experiments.record.packed_arrays import unpack
from mgptn.population.records.arrays import Floats, Integers, Truths

LARGEST = 2**63 - 1
"""Of the integers that are read."""

Shape = tuple[int | None, ...]
"""Lengths that an array must have, None where any will do."""


class RecordError(ValueError):
    """A record that no run writes: names the field, what was expected, what was got."""


class Fields:
    """A mapping of a record, and where in the record it stands.

    Every method takes the name of a field, and raises `RecordError` if it is not there or of
    another kind.

    Parameters
    ----------
    plain
        What should be a mapping.
    place
        How errors name it; empty for the record itself.
    """

    def __init__(self, plain: Any, place: str = "") -> None:
        if not isinstance(plain, dict):
            raise RecordError(f"{place or 'record'}: expected a mapping, got {_shown(plain)}")
        self._plain = plain
        self._place = place

    def __contains__(self, name: str) -> bool:
        return name in self._plain

    def place(self, name: str) -> str:
        """A field's name from the record on."""
        return f"{self._place}.{name}" if self._place else name

    def wrong(self, name: str, expected: str, got: Any) -> RecordError:
        """An error about a field."""
        return RecordError(f"{self.place(name)}: expected {expected}, got {_shown(got)}")

    def section(self, name: str) -> Fields:
        """A mapping within this one."""
        return Fields(self._value(name), self.place(name))

    def sections(self, name: str) -> Iterator[Fields]:
        """A list of mappings."""
        for i, one in enumerate(self.several(name)):
            yield Fields(one, f"{self.place(name)}[{i}]")

    def several(self, name: str) -> list[Any]:
        """A list of anything."""
        value = self._value(name)
        if not isinstance(value, list | tuple):
            raise self.wrong(name, "a list", value)
        return list(value)

    def text(self, name: str) -> str:
        """A text."""
        value = self._value(name)
        if not isinstance(value, str):
            raise self.wrong(name, "text", value)
        return value

    def hashed(self, name: str) -> str:
        """A hash of 32 bytes, as hexadecimal text."""
        value = self.text(name)
        if not re.fullmatch(r"[0-9a-f]{64}", value):
            raise self.wrong(name, "64 hexadecimal digits", value)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Several texts."""
        values = self.several(name)
        for i, value in enumerate(values):
            if not isinstance(value, str):
                raise self.wrong(f"{name}[{i}]", "text", value)
        return tuple(values)

    def whole(self, name: str, *, low: int = 0, high: int = LARGEST) -> int:
        """An integer in a range, both ends included."""
        value = self._value(name)
        if type(value) is not int or not low <= value <= high:
            raise self.wrong(name, f"a whole number {_range(low, high)}", value)
        return value

    def numbers(self, name: str, kind: type[int] | type[float]) -> dict[str, Any]:
        """A mapping from names to whole numbers ≥ 0, or to any numbers."""
        found = self.section(name)._plain
        for key, value in found.items():
            if not isinstance(key, str):
                raise self.wrong(name, "texts as keys", key)
            right = isinstance(value, int) and not isinstance(value, bool)
            if kind is int and not (right and 0 <= value <= LARGEST):
                raise self.wrong(f"{name}.{key}", "a whole number ≥ 0", value)
            if not (right or isinstance(value, float)):
                raise self.wrong(f"{name}.{key}", "a number", value)
        return dict(found)

    def truths(self, name: str, shape: Shape) -> Truths:
        """An array of truth values."""
        return self._array(name, "b", shape)

    def floats(self, name: str, shape: Shape) -> Floats:
        """An array of floats; NaN is among them."""
        return self._array(name, "f", shape)

    def integers(self, name: str, shape: Shape, *, low: int = 0, high: int = LARGEST) -> Integers:
        """An array of integers in a range, both ends included, in the small type it was written in.

        With `low` = −1 nobody, or nothing, may stand there.
        """
        values: Integers = self._array(name, "iu", shape)
        if values.size and not (low <= int(values.min()) and int(values.max()) <= high):
            outside = values[(values < low) | (values > high)]
            raise self.wrong(name, f"whole numbers {_range(low, high)}", int(outside[0]))
        return values

    def places(self, name: str, shape: Shape, count: int, *, low: int = 0) -> Integers:
        """An array of indices of `count` things."""
        return self.integers(name, shape, low=low, high=count - 1)

    def _array(self, name: str, kinds: str, shape: Shape) -> NDArray[Any]:
        packed = self.section(name)
        try:
            values = unpack(packed._plain)
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(f"{self.place(name)}: {_said(error)}") from None
        if values.dtype.kind not in kinds:
            kind = {"b": "truth values", "f": "floats", "iu": "integers"}[kinds]
            raise self.wrong(name, kind, str(values.dtype))
        wanted = len(shape) == values.ndim and all(
            expected in (None, found) for expected, found in zip(shape, values.shape, strict=True)
        )
        if not wanted:
            form = " × ".join("any" if length is None else str(length) for length in shape)
            raise RecordError(
                f"{self.place(name)}: expected an array of {form}, got one of "
                f"{' × '.join(map(str, values.shape)) or 'one value'}"
            )
        return values

    def _value(self, name: str) -> Any:
        if name not in self._plain:
            raise RecordError(f"{self.place(name)}: expected a field of this name, got none")
        return self._plain[name]


def _range(low: int, high: int) -> str:
    return f"≥ {low}" if high == LARGEST else f"from {low} to {high}"


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"expected an array with {error.args[0]!r}, got one without"
    return str(error)


def _shown(value: Any) -> str:
    """A value in few characters; of a large one, what it is."""
    if isinstance(value, str | bytes):
        return repr(value[:40]) + ("…" if len(value) > 40 else "")
    if isinstance(value, int) and not -(10**20) < value < 10**20:
        return "a larger number"
    if isinstance(value, int | float | None):
        return repr(value)
    return f"a {type(value).__name__}"
