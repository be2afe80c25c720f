"""A simulated disk: the calls by which files are changed, each of which may be the last.

It stands in for the system's calls (`mgptn.agents.disk`). Files are changed for real, in a folder
of this machine's that is swept afterwards, and what would be left of them is kept beside it
(`platter`).
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np

from mgptn.agents.disk import Disk
from mgptn.experiments.bench.faults.kinds import (
    DISK,
    EIO,
    FULL,
    INTERRUPTED,
    KILLED,
    LYING,
    POWER,
    SHORT,
)
from mgptn.experiments.bench.faults.platter import Node, Platter
from mgptn.experiments.bench.faults.schedule import Due, Fault

T = TypeVar("T")

DROPS = 0.5
"""How often a sync that fails forgets what it was to sync."""


class ProcessGone(BaseException):
    """The process has ended: nothing that it would do as it is left is done."""


class SimulatedDisk(Disk):
    """A disk with faults, of one process after another.

    Parameters
    ----------
    root
        An empty folder of this machine's.
    rng
        For what is lost as the power goes.

    Attributes
    ----------
    lying
        Does a sync do nothing?
    """

    def __init__(self, root: Path, rng: np.random.Generator) -> None:
        self.platter = Platter(root)
        self._rng = rng
        self._due = Due((), [])
        self._open: dict[int, tuple[Path, Node]] = {}
        self.lying = False
        self._gone = self._full = self._short = False

    def begin(self, due: Due) -> None:
        """Let another process begin, with faults of its own."""
        self.end()
        self._due = due
        self._gone = self._full = self._short = self.lying = False

    def end(self) -> None:
        """Close what the process left open."""
        for descriptor in list(self._open):
            self._forget(descriptor)

    def pull_the_plug(self) -> None:
        """Lose power."""
        self.end()
        self.platter.lose_power(self._rng)

    def open(self, path: Path, flags: int, mode: int = 0o644) -> int:
        """As of `Disk`."""
        return self._call(f"open {path.name}", lambda: self._opened(path, flags, mode), path)

    def file(self, path: Path, mode: str) -> BinaryIO:
        """As of `Disk`."""
        flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if mode == "xb" else os.O_TRUNC)
        made = self._call(f"create {path.name}", lambda: self._opened(path, flags, 0o644), path)
        return io.BufferedWriter(_Written(self, made))

    def write(self, descriptor: int, data: Any) -> int:
        """As of `Disk`."""
        path, _ = self._of(descriptor)
        return self._call(
            f"write {len(data)} bytes of {path.name}",
            lambda: self._written(descriptor, bytes(data)),
            partly=lambda share: self._written(descriptor, bytes(data), share),
        )

    def fsync(self, descriptor: int) -> None:
        """As of `Disk`."""
        path, node = self._of(descriptor)

        def failing() -> None:
            self.platter.drop(path, node)

        self._call(f"sync {path.name}", lambda: self._synced(path, node), failing=failing)

    def truncate(self, descriptor: int, length: int) -> None:
        """As of `Disk`."""
        path, node = self._of(descriptor)

        def cut() -> None:
            os.ftruncate(descriptor, length)
            node.changes.append(length)

        self._call(f"cut {path.name} to {length}", cut)

    def close(self, descriptor: int) -> None:
        """As of `Disk`; never fails."""
        self._forget(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """As of `Disk`."""

        def renamed() -> None:
            os.replace(source, target)
            self.platter.rename({source: None, target: self.platter.shown[source]})

        self._call(f"rename {source.name} to {target.name}", renamed, source)

    def unlink(self, path: Path) -> None:
        """As of `Disk`."""

        def unlinked() -> None:
            os.unlink(path)
            self.platter.rename({path: None})

        self._call(f"unlink {path.name}", unlinked, path)

    def mkdir(self, path: Path) -> None:
        """As of `Disk`."""

        def made() -> None:
            os.mkdir(path)
            self.platter.rename({path: Node(folder=True)})

        self._call(f"mkdir {path.name}", made, path)

    def _call(
        self,
        what: str,
        do: Callable[[], T],
        path: Path | None = None,
        partly: Callable[[float], object] | None = None,
        failing: Callable[[], object] | None = None,
    ) -> T:
        """A call, or what befalls it.

        Parameters
        ----------
        path
            That an error of it names.
        partly
            Does a share of it only.
        failing
            What else may come of it where it fails.
        """
        if self._gone:
            raise ProcessGone
        number = self._due.counts.get(DISK, 0)
        for fault in self._due.at(DISK):
            told = f"call {number}, {what}"
            if fault.kind in (KILLED, POWER):
                self._end_process(fault, told, partly)
            if fault.kind == INTERRUPTED:
                self._due.strikes(fault, told)
                if fault.amount >= 0.5:
                    do()
                raise KeyboardInterrupt
            if fault.kind == EIO:
                self._due.strikes(fault, told)
                if failing is not None and fault.amount < DROPS:
                    failing()
                raise _error(errno.EIO, path)
            if fault.kind == FULL:
                self._full = True
                self._due.strikes(fault, told)
            if fault.kind == LYING:
                self.lying = True
                self._due.strikes(fault, told)
            if fault.kind == SHORT:
                self._short = True
        if self._full and what.startswith(("create", "mkdir")):
            raise _error(errno.ENOSPC, path)
        return do()

    def _of(self, descriptor: int) -> tuple[Path, Node]:
        """What a descriptor is of, which a process that is gone has none of."""
        if self._gone:
            raise ProcessGone
        return self._open[descriptor]

    def _end_process(
        self, fault: Fault, told: str, partly: Callable[[float], object] | None
    ) -> None:
        self._due.strikes(fault, told)
        if partly is not None and fault.amount < 0.5:
            partly(2.0 * fault.amount)
        self._gone = True
        if fault.kind == POWER:
            self.pull_the_plug()
        raise ProcessGone

    def _opened(self, path: Path, flags: int, mode: int) -> int:
        new = path not in self.platter.shown
        descriptor = os.open(path, flags, mode)
        if new:
            self.platter.rename({path: Node()})
        node = self.platter.shown[path]
        if flags & os.O_TRUNC and not new:
            node.changes.append(0)
        self._open[descriptor] = path, node
        return descriptor

    def _written(self, descriptor: int, data: bytes, share: float = 1.0) -> int:
        path, node = self._open[descriptor]
        length = int(share * len(data))
        if self._full:
            if len(data) == 1 or not data:
                raise _error(errno.ENOSPC)
            length //= 2
        elif self._short and len(data) > 1:
            length, self._short = len(data) // 2, False
            for fault in self._due.faults:
                if fault.kind == SHORT:
                    self._due.strikes(fault, f"{length} of {len(data)} bytes of {path.name}")
        if length:
            node.changes.append((os.lseek(descriptor, 0, os.SEEK_CUR), data[:length]))
            os.write(descriptor, data[:length])
        return length

    def _synced(self, path: Path, node: Node) -> None:
        if self.lying:
            self.platter.claim(path, node)
        else:
            self.platter.sync(path, node)

    def _forget(self, descriptor: int) -> None:
        if self._open.pop(descriptor, None) is not None:
            os.close(descriptor)


class _Written(io.RawIOBase):
    """A file that is written by a simulated disk's calls."""

    def __init__(self, disk: SimulatedDisk, descriptor: int) -> None:
        self._disk, self._descriptor = disk, descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: Any) -> int:
        return self._disk.write(self._descriptor, data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._disk.close(self._descriptor)


def _error(number: int, path: Path | None = None) -> OSError:
    said = (number, os.strerror(number))
    return OSError(*said) if path is None else OSError(*said, str(path))
