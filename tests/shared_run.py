"""A run's folder, made of generations that are made up, for tests of what is passed on of it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.manifest import write_manifest
from mgptn.experiments.record.rounds import JOURNAL, Round

CONFIG: dict[str, Any] = {
    "name": "made-up",
    "population": {"size": 6, "generations": 4},
    "protocol": {"graders": 2},
    "problems_per_generation": 5,
}


def write_made_up(folder: Path, committed: Sequence[Committed], **config: Any) -> Path:
    """Committed generations as a run's folder: arms of a generation one after another."""
    arms = list(dict.fromkeys(one.arm for one in committed)) or ["selected"]
    checked = check_config(CONFIG | config).model_dump(mode="json")
    folder.mkdir()
    write_manifest(
        folder,
        {
            "config": checked,
            "arms": arms,
            "weights": {"gpt-1": "0123"},
            "versions": {"mgptn": "9.8.7", "numpy": "1.2.3"},
        },
    )
    with Journal.create(folder / JOURNAL) as journal:
        for first in range(0, len(committed), len(arms)):
            journal.append(Round(tuple(committed[first : first + len(arms)])).to_plain())
    return folder
