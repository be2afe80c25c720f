"""Rounds of a run that is going on, as they are committed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from mgptn.experiments.record.reading import JournalError
from mgptn.experiments.record.rounds import Round, RunRecord

POLL_SECONDS = 0.5


class Follower:
    """Stands in a run's journal, and reads on from there when it is asked.

    What was read is neither read nor hashed again. A record that is being written, or was cut short
    by a kill, is waited for: a run that is resumed cuts it off, and goes on in its place.

    Parameters
    ----------
    folder
        Of the run. Its journal must be there.
    """

    def __init__(self, folder: Path) -> None:
        self._record = RunRecord(folder)
        self._file: tuple[int, int] | None = None

    @property
    def spans(self) -> list[tuple[int, int]]:
        """As of `RunRecord`."""
        return self._record.spans

    @property
    def ended(self) -> bool:
        """Has the run ended, as far as it was read?"""
        return self._record.population_hash is not None

    def new(self) -> Iterator[Round]:
        """The rounds that were committed since the last call, one at a time; never waits.

        Raises
        ------
        JournalError
            If there is no journal, or another one by now, or what is in it was altered.
        ManifestError
            If the manifest is another than the run was begun with.
        """
        self._check_same_file()
        yield from self._record.rounds()

    def _check_same_file(self) -> None:
        path = self._record.path
        try:
            found = os.stat(path)
        except OSError as error:
            raise JournalError(f"{path}: expected a journal, got: {error.strerror}") from error
        here = (found.st_dev, found.st_ino)
        if self._file not in (None, here) or found.st_size < self._record.offset:
            raise JournalError(
                f"{path}: expected the journal that was read up to byte {self._record.offset}, got "
                f"another one, of {found.st_size} bytes"
            )
        self._file = here


def follow(folder: Path, poll_seconds: float = POLL_SECONDS) -> Iterator[Round]:
    """Every round of a run: those that are there, then each as it is committed, until the run ends.

    A run that is killed does not end: it is waited for until it is resumed. Errors as of
    `Follower.new`.
    """
    follower = Follower(folder)
    while True:
        yield from follower.new()
        if follower.ended:
            return
        time.sleep(poll_seconds)
