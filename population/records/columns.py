"""Records that hold arrays: what it means that two of them are equal."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

import numpy as np


class Columns:
    """Base of dataclasses with array fields: equal where types, shapes and all values are.

    NaN, which stands for the unknown, equals NaN; an array's dtype does not matter.
    """

    __slots__ = ()
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and not differing(self, other)


def differing(one: Any, other: Any) -> list[str]:
    """Names of the fields in which two records of one class differ, in their order."""
    return [
        field.name
        for field in fields(one)
        if field.compare and not same(getattr(one, field.name), getattr(other, field.name))
    ]


def same(one: Any, other: Any) -> bool:
    """Are two values equal, arrays value by value?"""
    if not isinstance(one, np.ndarray) or not isinstance(other, np.ndarray):
        return type(one) is type(other) and bool(one == other)
    floats = one.dtype.kind == other.dtype.kind == "f"
    return one.shape == other.shape and np.array_equal(one, other, equal_nan=floats)
