"""Files and folders written whole or not at all."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class TakenError(ValueError):
    """Something lies already where a folder is to be written."""


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place, then put it there: readers see the old or the new, whole.

    When this returns, the new one is on the disk under its name.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def folder_made_whole(out: Path) -> Iterator[Path]:
    """A folder to write to, which stands in its place when all is written.

    Raises
    ------
    TakenError
        If there is something already.
    """
    if out.exists() or out.is_symlink():
        raise TakenError(f"{out}: expected nothing there yet, got something: never overwritten")
    parts = out.with_name(f".{out.name}.parts")
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    try:
        yield parts
        parts.rename(out)
    finally:
        shutil.rmtree(parts, ignore_errors=True)
