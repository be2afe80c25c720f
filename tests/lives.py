"""A run as a command in quarters of its own: begun, disturbed, carried on, and gone."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.record.reading import JournalError, read_journal
from mgptn.experiments.record.rounds import JOURNAL, generations_of, read_rounds
from mgptn.population.records.generation import Generation
from tests.quarters import Quarters

SOON = 300.0
"""Seconds in which a command ends, on a machine that has much else to do."""


class Life:
    """A run in quarters, from its beginning to wherever it ends.

    Parameters
    ----------
    start
        The fixture.
    folder
        The run's, as it is called in the quarters.
    """

    def __init__(self, start: Any, quarters: Quarters, folder: Path) -> None:
        self._start, self.quarters, self.folder = start, quarters, folder

    def begin(self, config: Path, commits: int = 2, **variables: str) -> Any:
        """Start the run; returns the command once so many generations are committed."""
        return self._command(
            commits, variables, "run", config, "--out", self.folder, "--no-controls"
        )

    def resume(self, *options: Any, commits: int = 0, **variables: str) -> Any:
        """Carry it on."""
        return self._command(commits, variables, "resume", self.folder, *options)

    def _command(self, commits: int, variables: dict[str, str], *arguments: Any) -> Any:
        prefix = self.quarters.prefix(**variables)
        command = self._start(*arguments, prefix=prefix)
        if commits:
            command.wait_for_commits(self.quarters.seen(self.folder), commits, SOON)
        return command

    def process(self, name: str) -> psutil.Process:
        """One of the run's processes with this name."""
        return self.processes(name)[0]

    def processes(self, name: str) -> list[psutil.Process]:
        """The run's processes with this name."""
        found = []
        for process in self.quarters.processes():
            with suppress(psutil.Error, IndexError):
                if process.name().startswith(name) or process.cmdline()[0].startswith(name):
                    found.append(process)
        return found

    def ends_in(self, command: Any, undisturbed: str) -> None:
        """The command ends with this hash, and leaves nothing."""
        assert command.wait(SOON) == 0, command.output
        assert command.output.rstrip().endswith(f"population hash: {undisturbed}")
        self.quarters.check_empty()

    def stops_with(self, command: Any, said: str, status: int = 1) -> None:
        """The command ends with one line that says so, and leaves a whole journal."""
        assert command.wait(SOON) == status, command.output
        assert said in command.output.rstrip().splitlines()[-1], command.output
        assert "Traceback" not in command.output
        assert read_journal(self.quarters.seen(self.folder / JOURNAL)).damage is None


def generations_at(folder: Path) -> list[Generation]:
    """What a folder's journal holds of the selected arm; nothing before it is begun."""
    try:
        return generations_of(list(read_rounds(folder)), SELECTED)
    except (JournalError, OSError, ValueError):
        return []
