"""Arrays as plain data: bytes with dtype and shape, in little room, no bit of a value lost."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Plain = dict[str, Any]

_SAMPLE, _FEW = 1024, 256
"""Floats of which so few are distinct are written as a table and an index for each."""


def pack(values: NDArray[Any]) -> Plain:
    """An array of truths, integers or floats as a dict of strings, integers and bytes.

    Truths take a bit each, and integers the smallest type that holds them all; floats of few
    distinct values are written once each.

    Raises
    ------
    TypeError
        If the array holds anything else.
    """
    kind = values.dtype.kind
    if kind == "b":
        return _plain("bits", values.shape, np.packbits(values))
    if kind in "iu":
        low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
        # A signed type that holds high holds −high − 1.
        fitting = np.min_scalar_type(high if low >= 0 else min(low, -high - 1))
        small = values.astype(fitting, copy=False)
        return _plain(small.dtype.newbyteorder("<").str, values.shape, small)
    if kind != "f":
        raise TypeError(f"values: expected truths, integers or floats, got {values.dtype}")
    # As bit patterns, among which NaN and −0 are values like any other.
    patterns = np.ascontiguousarray(values, dtype="<f8").view(np.uint64).ravel()
    if patterns.size > _SAMPLE and len(np.unique(patterns[:: patterns.size // _SAMPLE])) <= _FEW:
        distinct = np.unique(patterns)
        if len(distinct) <= _FEW:
            places = np.searchsorted(distinct, patterns).astype(np.uint8)
            return _plain("<f8", values.shape, places) | {"distinct": distinct.tobytes()}
    return _plain("<f8", values.shape, patterns)


def unpack(plain: Plain) -> NDArray[Any]:
    """The inverse of `pack`; integers keep the small type that they were written in.

    Raises
    ------
    ValueError
        If bytes and shape do not fit each other.
    """
    dtype, shape, data = plain["dtype"], tuple(plain["shape"]), plain["data"]
    if dtype == "bits":
        bits = np.frombuffer(data, dtype=np.uint8)
        return np.unpackbits(bits, count=int(np.prod(shape))).astype(np.bool_).reshape(shape)
    if "distinct" in plain:
        distinct = np.frombuffer(plain["distinct"], dtype=dtype)
        return distinct[np.frombuffer(data, dtype=np.uint8)].reshape(shape)
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def _plain(dtype: str, shape: tuple[int, ...], data: NDArray[Any]) -> Plain:
    return {"dtype": dtype, "shape": list(shape), "data": data.tobytes()}
