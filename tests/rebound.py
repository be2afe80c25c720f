"""Journals written anew as a forger would: records altered, their links made to hold."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mgptn.experiments.record.binding import KIND, first_record
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.manifest import MANIFEST, write_manifest
from mgptn.experiments.record.reading import read_journal
from mgptn.experiments.record.rounds import JOURNAL

Records = list[dict[str, Any]]


def rewrite(folder: Path, change: Callable[[Records], Any]) -> None:
    """Alter the records of a journal, and link them anew."""
    records = [copy.deepcopy(record) for record in read_journal(folder / JOURNAL).records]
    change(records)
    (folder / JOURNAL).unlink()
    with Journal.create(folder / JOURNAL) as journal:
        for record in records:
            journal.append(record)


def rebind(folder: Path, change: dict[str, Any]) -> None:
    """Alter a manifest, and what a journal says of it, as if the run had been begun with it."""
    manifest = {**json.loads((folder / MANIFEST).read_text()), **change}
    write_manifest(folder, manifest)

    def begin(records: Records) -> None:
        bound = bool(records) and records[0].get("kind") == KIND
        records[: 1 if bound else 0] = [first_record(manifest)]

    rewrite(folder, begin)
