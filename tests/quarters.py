"""Quarters of a run: a mount namespace of its own, where all that it leaves behind is seen.

Every process that is started in it belongs to it, whatever becomes of its parent, its group and its
environment, and what it keeps in ``/dev/shm`` is nobody else's. Disks can be mounted there, small
ones too, that the rest of the machine does not have.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from mgptn.agents.hosts.ray.folders import sweep

SHARED = Path("/dev/shm")
SHARED_BYTES = 1 << 30
"""More than the 256 MiB that a run's Ray asks for."""

GROUPS = Path("/sys/fs/cgroup")
"""Where control groups are mounted."""

GROUP_BYTES = 4 << 30
"""Memory of the group of `Quarters.bound_memory`: less than these tests' machines have."""

FILLING = ".filling"
"""A file that takes what is left of a disk."""

SESSIONS = Path("/tmp/ray")
"""Where Ray leaves a folder for each driver that names no other place."""


class NotAllowedError(Exception):
    """This machine gives nobody, or not this user, a mount namespace; it says what was tried."""


class Quarters:
    """A mount namespace, kept for as long as its keeper lives.

    Attributes
    ----------
    ray
        Where runs in it put their Ray's folders.
    """

    def __init__(self, keeper: int, ray: Path) -> None:
        self.ray = ray
        self._keeper = keeper
        self._here = os.readlink(f"/proc/{keeper}/ns/mnt")
        self._seen: set[int] = set()

    @property
    def entering(self) -> list[str]:
        """What a command line begins with that is to be run in it."""
        user = [] if os.getuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", f"--target={self._keeper}", *user, "--mount", "--"]

    def prefix(self, **variables: str) -> str:
        """The same for the fixture `start`, with variables of the environment."""
        told = {"RAY_TMPDIR": str(self.ray), **variables}
        set_ = [f"{name}={value}" for name, value in told.items()]
        return f'set -- {shlex.join([*self.entering, "env", *set_])} "$@";'

    def mount(self, folder: Path, size: int) -> None:
        """A new disk in memory over a folder, of so many bytes."""
        subprocess.run(
            [*self.entering, "mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
            check=True,
        )

    def bound_memory(self) -> None:
        """Put what runs here into a memory group of `GROUP_BYTES`, as Ray and we read of it."""
        self.mount(GROUPS, 1 << 20)
        (self.seen(GROUPS) / "memory.max").write_text(f"{GROUP_BYTES}\n", encoding="ascii")
        self.use_memory(0.25)

    def use_memory(self, share: float) -> None:
        """Say that so much of the group's memory is taken."""
        used = int(share * GROUP_BYTES)
        told = {
            "memory.current": f"{used}\n",
            "memory.stat": f"anon {used}\ninactive_file 0\nactive_file 0\n",
        }
        for name, text in told.items():
            beside = self.seen(GROUPS) / f"{name}.new"
            beside.write_text(text, encoding="ascii")
            beside.replace(self.seen(GROUPS) / name)

    def seen(self, path: Path) -> Path:
        """A path of the quarters, from outside."""
        return Path(f"/proc/{self._keeper}/root{path}")

    def fill(self, folder: Path) -> None:
        """Take all that is left on a folder's disk, to the last byte."""
        with (self.seen(folder) / FILLING).open("ab", buffering=0) as filling:
            for size in (1 << 20, 1 << 10, 1):
                with suppress(OSError):
                    while True:
                        filling.write(bytes(size))

    def free(self, folder: Path) -> None:
        """Give back what `fill` took."""
        (self.seen(folder) / FILLING).unlink()

    def processes(self) -> list[psutil.Process]:
        """All that run in it, and do not only wait to be asked how they ended."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if self._holds(process.pid) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        self._seen |= {process.pid for process in found}
        return found

    def end(self, timeout: float = 30.0) -> None:
        """End all that run in it, at once, as a machine does whose power is cut."""
        until = time.monotonic() + timeout
        while (running := self.processes()) and time.monotonic() < until:
            for process in running:
                with suppress(psutil.Error):
                    process.kill()
            time.sleep(0.1)

    def _holds(self, process: int) -> bool:
        here = os.readlink(f"/proc/{process}/ns/mnt") == self._here
        return here and process != self._keeper

    def left(self) -> dict[str, list[str]]:
        """What there is of runs in it, by kind; kinds of which there is nothing are left out."""
        processes = self.processes()
        found: dict[str, list[str]] = {
            "processes": [f"{process.pid} {_name(process)}" for process in processes],
            "sockets": [str(one) for process in processes for one in _listening(process)],
            "folders of Ray": [path.name for path in self.ray.iterdir()],
            "sessions of Ray": [
                path.name
                for path in (SESSIONS.iterdir() if SESSIONS.is_dir() else ())
                if path.name.rpartition("_")[2] in set(map(str, self._seen))
            ],
            "shared memory": [
                path.name for path in self.seen(SHARED).iterdir() if path.name != FILLING
            ],
        }
        return {kind: there for kind, there in found.items() if there}

    def check_empty(self, timeout: float = 90.0, *, killed: bool = False) -> None:
        """Nothing of a run is left, or soon is not: Ray's own agents outlive it a while.

        Parameters
        ----------
        killed
            Was the run ended at once? Then its Ray's folder goes when the next run starts.
        """
        until = time.monotonic() + timeout
        while left := self.left():
            if killed and set(left) == {"folders of Ray"}:
                sweep(self.ray)
                killed = False
                continue
            assert time.monotonic() < until, f"{timeout:g} s after the end there is left: {left}"
            time.sleep(0.5)


@contextmanager
def quarters() -> Iterator[Quarters]:
    """Quarters for as long as the context lasts; whatever runs in them then is ended.

    Raises
    ------
    NotAllowedError
        If this machine has none to give.
    """
    rights = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    keeping = (
        f"mount -t tmpfs -o size={SHARED_BYTES} tmpfs {SHARED} && echo ready && exec sleep infinity"
    )
    try:
        keeper = subprocess.Popen(
            ["unshare", *rights, "--mount", "--propagation=private", "bash", "-c", keeping],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    except OSError as error:
        raise NotAllowedError(f"a mount namespace: {error}") from error
    with keeper, tempfile.TemporaryDirectory(dir="/tmp", prefix="q") as ray:
        assert keeper.stdout is not None
        assert keeper.stderr is not None
        if keeper.stdout.readline() != "ready\n":
            raise NotAllowedError(f"a mount namespace: {keeper.stderr.read().strip()}")
        made = Quarters(keeper.pid, Path(ray))
        try:
            yield made
        finally:
            made.end()
            keeper.kill()


def _name(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return process.name()
    return "?"


def _listening(process: psutil.Process) -> list[tuple[str, int]]:
    with suppress(psutil.Error):
        return [
            tuple(connection.laddr)
            for connection in process.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN
        ]
    return []
