"""What is on a simulated disk for good, beside what its files seem to hold.

The files themselves lie in a folder of this machine's, as the system would show them: whoever
reads them reads what was written, synced or not. What is kept here is what would be left if the
power went: of every file its bytes as they were synced and the changes since, of every folder
likewise its names. Names of one folder reach the disk in their order, as journaling file systems
have it; bytes of a file in any, each write whole, in part or not at all.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

Change = tuple[int, bytes] | int
"""Bytes at an offset, or a length that a file is cut to."""

KEPT_WHOLE, KEPT_IN_PART = 0.4, 0.2
"""Of what was not synced as the power goes: how likely a write is kept, and how likely in part."""


@dataclass(eq=False, slots=True)
class Node:
    """A file or a folder, by whatever name.

    Attributes
    ----------
    synced
        A file's bytes on the disk.
    changes
        Of a file, since then, in their order.
    claimed
        Was it said to be synced when it was not?
    """

    folder: bool = False
    synced: bytes = b""
    changes: list[Change] = field(default_factory=list)
    claimed: bool = False

    def sync(self) -> None:
        """Bring a file's bytes to the disk."""
        self.synced, self.changes, self.claimed = applied(self.synced, self.changes), [], False


Names = dict[Path, Node | None]
"""What names come to mean; None takes a name away."""


def applied(content: bytes, changes: list[Change]) -> bytes:
    """A file's bytes after changes; what nothing was written to is zeros."""
    data = bytearray(content)
    for change in changes:
        if isinstance(change, int):
            del data[change:]
            data.extend(bytes(change - len(data)))
        else:
            offset, written = change
            data.extend(bytes(max(0, offset - len(data))))
            data[offset : offset + len(written)] = written
    return bytes(data)


class Platter:
    """All that would be left of a folder, and all that there seems to be.

    Parameters
    ----------
    root
        An empty folder, that is there for good itself.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shown: dict[Path, Node] = {root: Node(folder=True)}
        self._synced: dict[Path, Node] = dict(self.shown)
        self._waiting: dict[Path, list[Names]] = {}
        self._claimed: set[Path] = set()

    @property
    def lied(self) -> bool:
        """Is there anything that was said to be synced and is not?"""
        return bool(self._claimed) or any(node.claimed for node in self.shown.values())

    def rename(self, names: Names) -> None:
        """Names of one folder come to mean something else, not synced yet."""
        for path, node in names.items():
            if node is None:
                self.shown.pop(path, None)
            else:
                self.shown[path] = node
        self._waiting.setdefault(next(iter(names)).parent, []).append(names)

    def sync(self, path: Path, node: Node) -> None:
        """Bring a file's bytes, or a folder's names, to the disk."""
        if not node.folder:
            node.sync()
            return
        for names in self._waiting.pop(path, []):
            self._take(names)
        self._claimed.discard(path)

    def drop(self, path: Path, node: Node) -> None:
        """Forget what was to be synced, as some systems do where a sync fails."""
        if not node.folder:
            node.changes = []

    def claim(self, path: Path, node: Node) -> None:
        """Say that something is synced when it is not."""
        if node.folder and self._waiting.get(path):
            self._claimed.add(path)
        elif not node.folder and node.changes:
            node.claimed = True

    def durable(self, path: Path) -> bytes | None:
        """What would be left of a file in any case; None where even its name might be lost."""
        if any(parent not in self._synced for parent in self._above(path)):
            return None
        node = self._synced.get(path)
        renamed = any(path in names for names in self._waiting.get(path.parent, ()))
        return None if node is None or node.changes or renamed else node.synced

    def lose_power(self, rng: np.random.Generator) -> None:
        """Lose what was not synced, or a drawn part of it: the files are what is left."""
        for waiting in self._waiting.values():
            for names in waiting[: int(rng.integers(len(waiting) + 1))]:
                self._take(names)
        left = dict(self._synced)
        for path in sorted(left):
            if path != self.root and path.parent not in left:
                del left[path]
        for node in {id(node): node for node in left.values()}.values():
            node.synced, node.changes = applied(node.synced, _kept(node.changes, rng)), []
            node.claimed = False
        self._synced, self.shown = left, dict(left)
        self._waiting, self._claimed = {}, set()
        self._lay_out()

    def remove(self, path: Path) -> None:
        """Somebody deletes a file, for good."""
        path.unlink()
        self.shown.pop(path)
        self._synced.pop(path, None)

    def _above(self, path: Path) -> list[Path]:
        """The folders that a file lies in, down from the root."""
        return [self.root, *(p for p in path.parents if self.root in p.parents)]

    def _take(self, names: Names) -> None:
        for path, node in names.items():
            if node is None:
                self._synced.pop(path, None)
            else:
                self._synced[path] = node

    def _lay_out(self) -> None:
        """Make the files of this machine's folder what is left."""
        for inside in self.root.iterdir():
            shutil.rmtree(inside) if inside.is_dir() else inside.unlink()
        for path, node in sorted(self.shown.items()):
            if path == self.root:
                continue
            if node.folder:
                path.mkdir()
            else:
                path.write_bytes(node.synced)


def _kept(changes: list[Change], rng: np.random.Generator) -> list[Change]:
    """A drawn part of changes that were not synced."""
    kept: list[Change] = []
    for change in changes:
        drawn = float(rng.random())
        if drawn < KEPT_WHOLE:
            kept.append(change)
        elif drawn < KEPT_WHOLE + KEPT_IN_PART and not isinstance(change, int):
            offset, written = change
            kept.append((offset, written[: int(rng.integers(len(written) + 1))]))
    return kept
