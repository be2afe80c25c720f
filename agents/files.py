"""Files and folders written whole or not at all, and files read of which the length is bounded."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mgptn.agents.disk import disk, sync_folder


class TakenError(ValueError):
    """Something lies already where a folder is to be written."""


class NoPlainFileError(OSError):
    """A pipe, a device, a folder, or a file that is longer than what is read of its kind."""


def read_bounded(path: Path, most: int) -> bytes:
    """A file's bytes, of which there may be so many; a pipe is not waited for.

    Raises
    ------
    OSError
        If it cannot be read; a `NoPlainFileError` where it is none that has an end, or too long.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind != stat.S_IFREG:
        os.close(descriptor)
        raise NoPlainFileError(_KINDS.get(kind, "no file"))
    with open(descriptor, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise NoPlainFileError(f"more than {most:,} bytes")
    return content


_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


_OS_ERROR = re.compile(r"\(os error (\d+)\)")
"""How libraries in Rust end what they say of an error of the system."""


@contextmanager
def system_faults(path: Path) -> Iterator[None]:
    """What the system refuses as a file is written is an OSError that names it.

    Whatever a library makes of it, which may be an error of its own.
    """
    try:
        yield
    except BaseException as error:
        number = error.errno if isinstance(error, OSError) else None
        if number is None and (found := _OS_ERROR.search(str(error))):
            number = int(found[1])
        if number is None or getattr(error, "filename", None) is not None:
            raise
        raise OSError(number, os.strerror(number), str(path)) from None


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place, then put it there: readers see the old or the new, whole.

    When this returns, the new one is on the disk under its name.

    Raises
    ------
    OSError
        If it cannot be written, as on a full disk; the old one, if any, is as it was.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with system_faults(path), disk().file(temporary, "wb") as file:
            write(file)
            file.flush()
            disk().fsync(file.fileno())
        disk().replace(temporary, path)
        sync_folder(path.parent)
    except BaseException:
        with suppress(FileNotFoundError):
            disk().unlink(temporary)
        raise


def make_folder(folder: Path) -> None:
    """Make a folder, and those that it is to lie in, where they are not there yet.

    When this returns, it is on the disk under its name; also where it was there: who made it may
    have been killed before that was so.

    Raises
    ------
    OSError
        If it cannot be made, or something else lies there.
    """
    if not folder.is_dir():
        make_folder(folder.parent)
        with suppress(FileExistsError):
            disk().mkdir(folder)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    with suppress(PermissionError):  # a folder that is others', in which this one was found
        sync_folder(folder.absolute().parent)


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
