"""Kinds of arrays, and two things done with columns of them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]
Kind = TypeVar("Kind", bound=Hashable)


def interned(values: Iterable[Kind]) -> tuple[tuple[Kind, ...], NDArray[np.int64]]:
    """Distinct values in order of appearance, and each value's index among them."""
    each = list(values)
    place = {value: place for place, value in enumerate(dict.fromkeys(each))}
    return tuple(place), np.array(list(map(place.__getitem__, each)), dtype=np.int64)


ALL_KNOWN: Final[Truths] = np.zeros(0, dtype=np.bool_)
"""Stands for a column of what is unknown, where everything is known."""
ALL_KNOWN.flags.writeable = False


def unknown_among(verdicts: Iterable[bool | None]) -> Truths:
    """Which verdicts are None, bool [N]; `ALL_KNOWN` where none is."""
    unknown = np.array([verdict is None for verdict in verdicts], dtype=np.bool_)
    return unknown if unknown.any() else ALL_KNOWN


def known_mean(values: Floats) -> float:
    """Mean of the numbers among values of any shape; NaN where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def known_means(columns: Iterable[Floats], rows: int) -> Floats:
    """Mean of what is known of each row, float64 [rows]; NaN where nothing is.

    Summed column by column from the first, so that rounding does not depend on how NumPy cuts
    sums up.

    Parameters
    ----------
    columns
        Of a table, float64 [rows] each, NaN where unknown.
    """
    total, count = np.zeros(rows), np.zeros(rows, dtype=np.int64)
    for column in columns:
        known = ~np.isnan(column)
        total += column if known.all() else np.where(known, column, 0.0)
        count += known
    means: Floats = np.full(rows, np.nan)
    return np.divide(total, count, out=means, where=count > 0)
