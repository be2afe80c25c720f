"""Numbers of weights as files: safetensors, named by the hash of their bytes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
from collections.abc import Collection
from contextlib import suppress
from operator import methodcaller
from pathlib import Path

from mgptn.agents.disk import disk, sync_folder
from mgptn.agents.files import make_folder, write_whole

SUFFIX = ".safetensors"


class NumbersError(ValueError):
    """A file of numbers that is missing, or is not what its name says."""


def hash_of(numbers: bytes) -> str:
    """Hexadecimal hash of a file's bytes."""
    return hashlib.blake2b(numbers, digest_size=32, person=b"mgptn.numbers").hexdigest()


class Numbers:
    """Files of numbers by their hashes, in memory: of a run that writes nothing."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def __call__(self, content: str) -> bytes:
        """The bytes with a hash.

        Raises
        ------
        NumbersError
            If there are none.
        """
        if content not in self._held:
            raise NumbersError(f"weights {content}: expected their numbers, got nothing")
        return self._held[content]

    def keep(self, numbers: bytes) -> str:
        """Put a file among them; its hash."""
        content = hash_of(numbers)
        self._held[content] = numbers
        return content

    def prune(self, living: Collection[str]) -> None:
        """Let go of all but some."""
        self.forget(living)

    def forget(self, living: Collection[str]) -> None:
        """Hold all but some no longer in memory."""
        for content in set(self._held) - set(living):
            del self._held[content]


class NumbersFolder(Numbers):
    """Files of numbers in a folder, each on the disk before its hash is told.

    What was read or written last is held in memory too.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self._settled = False

    def path(self, content: str) -> Path:
        """Where the file of a hash lies."""
        return self.folder / f"{content}{SUFFIX}"

    def __call__(self, content: str) -> bytes:
        """The bytes with a hash, which they are held to.

        Raises
        ------
        NumbersError
            If the file is missing or has been altered.
        """
        if content not in self._held:
            path = self.path(content)
            try:
                numbers = path.read_bytes()
            except OSError as error:
                raise NumbersError(f"{path}: expected weights, got: {error.strerror}") from None
            if (got := hash_of(numbers)) != content:
                raise NumbersError(
                    f"{path}: expected weights of this hash, got {got}: the file was altered; "
                    "delete it, and a resumed run learns them again"
                )
            self._held[content] = numbers
        return self._held[content]

    def keep(self, numbers: bytes) -> str:
        """Write a file whole, and wait until it is on the disk; its hash.

        Raises
        ------
        NumbersError
            If it cannot be written, as on a full disk; nothing that was there is changed.
        """
        content = hash_of(numbers)
        path = self.path(content)
        if not self._settled or not path.exists():
            try:
                self._settle()
                if not path.exists():
                    write_whole(path, methodcaller("write", numbers))
            except OSError as error:
                raise NumbersError(
                    f"{path}: expected to write {len(numbers)} bytes, got: {error.strerror}; "
                    "everything before is intact"
                ) from error
        self._held[content] = numbers
        return content

    def prune(self, living: Collection[str]) -> None:
        """Delete the files of all but some."""
        super().prune(living)
        self.sweep()
        for path in self.folder.glob(f"*{SUFFIX}"):
            if path.name.removesuffix(SUFFIX) not in living:
                with suppress(FileNotFoundError):
                    disk().unlink(path)

    def sync(self) -> None:
        """Return once what was deleted is gone for good."""
        if self.folder.exists():
            sync_folder(self.folder)

    def sweep(self) -> None:
        """Delete what a kill left half written."""
        for path in self.folder.glob(f".*{SUFFIX}.tmp"):
            with suppress(FileNotFoundError):
                disk().unlink(path)

    def missing(self, wanted: Collection[str]) -> list[Path]:
        """Files that are not there; those that are, are held to their names.

        Raises
        ------
        NumbersError
            If one has been altered.
        """
        found = []
        for content in sorted(wanted):
            if content in self._held or self.path(content).exists():
                self(content)
            else:
                found.append(self.path(content))
        return found

    def _settle(self) -> None:
        """Once: the folder, and the files that are found in it, are on the disk by their names.

        Who put them there may have been killed before that was so.
        """
        if not self._settled:
            make_folder(self.folder)
            sync_folder(self.folder)
            self._settled = True
