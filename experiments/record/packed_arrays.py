"""Arrays as plain data: bytes with dtype and shape, in little room, no bit of a value lost."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plain = dict[str, Any]

_SAMPLE, _FEW = 1024, 256
"""Floats of which so few are distinct are written as a table and an index for each."""

_BITS, _FLOATS = "bits", "<f8"
_TYPES = (_BITS, "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", _FLOATS)
"""All that an array is written as, and all that is read."""

_SQUEEZED, _UNSQUEEZED = 128, 2**20
"""How many times as long squeezed data may become; and up to which length it may anyway."""

_LONGEST = 2**40
"""Of a dimension: what is longer would have no array without bytes either."""


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
        return _plain(_BITS, values.shape, np.packbits(values))
    if kind in "iu":
        low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
        # A signed type that holds high holds −high − 1.
        fitting = np.min_scalar_type(high if low >= 0 else min(low, -high - 1))
        small = values.astype(fitting, copy=False)
        return _plain(small.dtype.newbyteorder("<").str, values.shape, small)
    if kind != "f":
        raise TypeError(f"values: expected truths, integers or floats, got {values.dtype}")
    # As bit patterns, among which NaN and −0 are values like any other.
    patterns = np.ascontiguousarray(values, dtype=_FLOATS).view(np.uint64).ravel()
    if patterns.size > _SAMPLE and len(np.unique(patterns[:: patterns.size // _SAMPLE])) <= _FEW:
        distinct = np.unique(patterns)
        if len(distinct) <= _FEW:
            places = np.searchsorted(distinct, patterns).astype(np.uint8)
            return _plain(_FLOATS, values.shape, places) | {"distinct": distinct.tobytes()}
    return _plain(_FLOATS, values.shape, patterns)


def unpack(plain: Plain) -> NDArray[Any]:
    """The inverse of `pack`; integers keep the small type that they were written in.

    No more is allocated than the bytes that are there can fill.

    Raises
    ------
    KeyError, TypeError
        If it is no array as plain data.
    ValueError
        If it is of a type that `pack` does not write, or bytes and shape do not fit each other.
    """
    dtype, data, shape = plain["dtype"], plain["data"], plain["shape"]
    if not isinstance(dtype, str) or dtype not in _TYPES:
        raise ValueError(f"dtype: expected one of {', '.join(_TYPES)}, got {dtype!r:.40}")
    if not isinstance(data, bytes):
        raise TypeError(f"data: expected bytes, got a {type(data).__name__}")
    known = isinstance(shape, list | tuple) and all(type(length) is int for length in shape)
    if not known or not all(0 <= length <= _LONGEST for length in shape):
        raise ValueError(f"shape: expected lengths ≥ 0, got {shape!r:.60}")
    size, table = math.prod(shape), plain.get("distinct")
    item = 0 if dtype == _BITS else 1 if table is not None else np.dtype(dtype).itemsize
    needed = size * item if item else -(-size // 8)
    if "squeezed" in plain:
        data = _unsqueezed(data, needed)
    if table is not None:
        return _from_table(dtype, data, table, size).reshape(shape)
    if len(data) != needed:
        raise ValueError(
            f"data: expected {needed} bytes for an array of {' × '.join(map(str, shape))}, got "
            f"{len(data)}"
        )
    if dtype == _BITS:
        bits = np.frombuffer(data, dtype=np.uint8)
        return np.unpackbits(bits, count=size).astype(np.bool_).reshape(shape)
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def squeezed(plain: Plain) -> Plain:
    """An array as `pack` makes it in less room, to be read by `unpack`; as it is if that is none.

    Data that would take less than a 128th stays as it is: nobody who reads a journal is made to
    fill more memory than that many times its length.
    """
    data = plain["data"]
    small = zlib.compress(data, 6)
    if len(small) > 0.9 * len(data) or len(data) > max(_SQUEEZED * len(small), _UNSQUEEZED):
        return plain
    return {**plain, "data": small, "squeezed": True}


def _unsqueezed(data: bytes, needed: int) -> bytes:
    """What was squeezed, of a length that is known.

    Raises
    ------
    ValueError
        If it is of another, or more than may come of so little.
    """
    if needed > max(_SQUEEZED * len(data), _UNSQUEEZED):
        raise ValueError(
            f"data: expected at most {_SQUEEZED} times {len(data)} bytes, got {needed}"
        )
    reader = zlib.decompressobj()
    try:
        found = reader.decompress(data, needed) if needed else b""
    except zlib.error as error:
        raise ValueError(f"data: expected bytes squeezed by zlib ({error})") from None
    if len(found) != needed or reader.decompress(reader.unconsumed_tail, 1):
        raise ValueError(f"data: expected {needed} bytes when unsqueezed, got others")
    return found


def _from_table(dtype: str, data: bytes, table: Any, size: int) -> NDArray[Any]:
    """Floats by their places among few distinct ones."""
    if dtype != _FLOATS or not isinstance(table, bytes) or len(table) % 8:
        raise ValueError(f"distinct: expected bytes of floats, got a {type(table).__name__}")
    distinct, places = np.frombuffer(table, dtype=dtype), np.frombuffer(data, dtype=np.uint8)
    if len(places) != size:
        raise ValueError(f"data: expected {size} places, a byte each, got {len(places)}")
    if size and int(places.max()) >= len(distinct):
        raise ValueError(
            f"data: expected places among {len(distinct)} floats, got {int(places.max())}"
        )
    known: NDArray[Any] = distinct[places]
    return known


def _plain(dtype: str, shape: tuple[int, ...], data: NDArray[Any]) -> Plain:
    return {"dtype": dtype, "shape": list(shape), "data": data.tobytes()}
