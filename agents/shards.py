"""A checkpoint's safetensors files: which ones are loaded, and whether they are whole.

Headers and the index say it, before a number is read.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, BinaryIO

WHOLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
MOST_HEADER = 100_000_000
"""Bytes of a header, as safetensors has it."""

POINTER = b"version https://git-lfs"
"""What a file begins with that git has left in another's place."""


class CheckpointError(ValueError):
    """A model that cannot be used: says what was expected and what was got."""


class BeyondEngineError(CheckpointError):
    """A model whose layers the engine cannot compute."""


def find_shards(folder: Path) -> tuple[Path, ...]:
    """The files that transformers loads: one of the whole model, or those of its index.

    Raises
    ------
    CheckpointError
        If there are none, or the index cannot be read, or names files that are not there.
    """
    if (folder / WHOLE).exists():
        return (folder / WHOLE,)
    others = sorted(path.name for path in folder.glob("*.safetensors"))
    if (folder / INDEX).exists():
        names = sorted(set(_weight_map(folder).values()))
        strange = [name for name in names if Path(name).name != name]
        if strange:
            raise CheckpointError(
                f"agents.model: expected names of files in {folder / INDEX}, got {listed(strange)}"
            )
        missing = [name for name in names if not (folder / name).exists()]
        if missing or not names:
            raise CheckpointError(
                f"agents.model: expected the files that {folder / INDEX} names, got "
                f"{len(names) - len(missing)} of {len(names)}, without {listed(missing)}; "
                "fetch the rest"
            )
        return tuple(folder / name for name in names)
    if others:
        raise CheckpointError(
            f"agents.model: expected {WHOLE} or {INDEX} in {folder}, got {listed(others)} alone"
        )
    pickled = sorted(p.name for p in (*folder.glob("*.bin"), *folder.glob("*.pt*")))
    got = f"only pickled weights ({', '.join(pickled)})" if pickled else "no weights"
    raise CheckpointError(
        f"agents.model: expected safetensors in {folder}, got {got}; pickles can run code and "
        "are never loaded: convert them with save_pretrained"
    )


def check_index(folder: Path) -> None:
    """Every weight that the index names stands in the file that it names for it.

    Raises
    ------
    CheckpointError
        Naming those that do not.
    """
    if (folder / WHOLE).exists() or not (folder / INDEX).exists():
        return
    held = {path.name: set(read_header(path)) for path in find_shards(folder)}
    lost = sorted(name for name, file in _weight_map(folder).items() if name not in held[file])
    if lost:
        raise CheckpointError(
            f"agents.model: expected the weights that {folder / INDEX} names, got files without "
            f"{listed(lost)}"
        )


def read_header(path: Path) -> dict[str, dict[str, Any]]:
    """Name → ``dtype``, ``shape`` and ``data_offsets`` of each tensor of a file.

    Raises
    ------
    CheckpointError
        As of `header_of`.
    """
    with path.open("rb") as stream:
        return header_of(stream, path)


def header_of(stream: BinaryIO, path: Path) -> dict[str, dict[str, Any]]:
    """As `read_header`, of an open file, from its start.

    Raises
    ------
    CheckpointError
        If the file is shorter or longer than its header says, or has none.

    Source
    ------
    The safetensors format: eight bytes of length, little-endian, then a JSON header, then data.
    """
    check_pointer(stream, path)
    size = stream.seek(0, 2)
    stream.seek(0)
    length = int.from_bytes(stream.read(8), "little")
    if size < 8 or length > min(size - 8, MOST_HEADER):
        raise CheckpointError(
            f"agents.model: expected safetensors in {path}, got {size} bytes, too few for a "
            "header: the file is cut off, or of another kind; fetch it again"
        )
    try:
        header = json.loads(stream.read(length))
        tensors = {name: dict(about) for name, about in header.items() if name != "__metadata__"}
        end = 8 + length + max((about["data_offsets"][1] for about in tensors.values()), default=0)
    except (ValueError, AttributeError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise CheckpointError(
            f"agents.model: expected safetensors in {path}, got a header that cannot be read: "
            f"{type(error).__name__}: {error}"
        ) from None
    if size != end:
        raise CheckpointError(
            f"agents.model: expected {end} bytes in {path}, as its header says, got {size}: the "
            "file is cut off or damaged; fetch it again"
        )
    return tensors


def check_pointer(stream: BinaryIO, path: Path) -> None:
    """Refuse what Git LFS leaves where a file was not fetched.

    Raises
    ------
    CheckpointError
        Naming the file.
    """
    stream.seek(0)
    if stream.read(len(POINTER)) == POINTER:
        raise CheckpointError(
            f"agents.model: expected the content of {path}, got a pointer of Git LFS; fetch it "
            "with: git lfs pull"
        )


def count_parameters(folder: Path) -> int:
    """How many numbers a checkpoint's files hold, by their headers; each tied one once."""
    headers = (read_header(path) for path in find_shards(folder))
    return sum(math.prod(about["shape"]) for header in headers for about in header.values())


def _weight_map(folder: Path) -> dict[str, str]:
    """Name → file of each weight, as the index says."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        return {str(name): str(file) for name, file in index["weight_map"].items()}
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"agents.model: expected an index of weights in {folder / INDEX}, got: "
            f"{type(error).__name__}: {error}"
        ) from None


def listed(names: list[str]) -> str:
    """Names, of which there may be many."""
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
