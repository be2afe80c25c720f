"""`mgptn export`: the forms in which a run is passed on, and a folder made of one, whole."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mgptn.agents.files import folder_made_whole
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.record.compacted import check_conversations
from mgptn.experiments.record.rounds import JOURNAL
from mgptn.experiments.sharing.best import write_best
from mgptn.experiments.sharing.csv_files import write_csv
from mgptn.experiments.sharing.hf import write_dataset
from mgptn.experiments.sharing.inspect_logs import write_logs
from mgptn.experiments.sharing.source import Source

Write = Callable[[Source, Path], str]

FORMATS: dict[str, Write] = {"hf": write_dataset, "inspect": write_logs, "csv": write_csv}
"""Name → what writes a run into a folder that is empty, and says what it wrote."""


def export_run(run: Path, to: str, out: Path) -> list[str]:
    """Pass a run on in one of `FORMATS`; lines about what was written.

    Raises
    ------
    ConfigError, ManifestError, JournalError
        If `run` holds no run, or no generation that is committed.
    mgptn.experiments.record.compacted.DroppedError
        If conversations were dropped from its journal.
    mgptn.agents.files.TakenError
        If there is something at `out`, which is left as it is.
    """
    recorded(run)
    check_conversations(run / JOURNAL)
    return _written(run, FORMATS[to], out)


def export_best(run: Path, out: Path, arm: str = SELECTED) -> list[str]:
    """Pass a run's best agent on; lines about which, and by what it is the best.

    Raises
    ------
    ConfigError, ManifestError, JournalError, TakenError
        As of `export_run`; or if the run has no such arm, or nobody with a fitness.
    mgptn.agents.learning.numbers.NumbersError, mgptn.agents.checkpoints.CheckpointError
        If its weights evolved, and cannot be had.
    """
    return _written(run, partial(write_best, arm=arm), out)


def _written(run: Path, write: Write, out: Path) -> list[str]:
    source = Source(run)
    with folder_made_whole(out) as folder:
        said = write(source, folder)
    return [f"{out}: {said}", source.state, *source.faults]
