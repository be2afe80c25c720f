"""Makes the golden journals of a format: `python -m tests.golden.make_journals`, once per format.

They were run by the version that stands in their manifests, and are kept as they were written: no
test runs this, and it overwrites nothing. A new format gets a folder of its own beside the others;
what a format has learned to hold since, another journal in its folder.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from mgptn.experiments.config.arms import arms_of
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.record.reading import FORMAT
from mgptn.experiments.running.compact import ALL, compact
from mgptn.experiments.running.fleets import fleet_here
from mgptn.experiments.running.session import WEIGHTS, Session, advance
from mgptn.experiments.setting.stage import Stage
from tests.rebound import rebind
from tests.said import said

GOLDEN = Path(__file__).parent / "journals" / f"format-{FORMAT}"
EXPECTED = "expected.json"

COMMON: dict[str, Any] = {
    "hosts": {"count": 1, "device": "cpu"},
    "metrics": {"port": 0},
    "problems_per_generation": 3,
}
RUNS: dict[str, tuple[dict[str, Any], bool]] = {
    "scripted": (
        {
            "name": "scripted",
            "seed": 11,
            "population": {"size": 4, "generations": 2, "adversaries": {"saboteur": 0.25}},
            "agents": {"model": "scripted"},
            "protocol": {"graders": 2, "self_grading": "also"},
        },
        True,
    ),
    "hosted": (
        {
            "name": "hosted",
            "seed": 12,
            "population": {"size": 4, "generations": 2},
            "agents": {"model": "gpt-2", "context_capacity": 4},
            "protocol": {"name": "critique-revise", "graders": 2, "threshold": 0.3},
        },
        False,
    ),
    "learning": (
        {
            "name": "learning",
            "seed": 13,
            "task": {"name": "addition", "growth": {"from": 2, "by": "schedule", "largest": 3}},
            "population": {
                "size": 4,
                "generations": 2,
                "mutation": {"noise": 0.5, "merging": 0.5},
            },
            "agents": {
                "founders": {
                    "sizes": "1-2", "count": 2, "layers": 1, "width": 16, "heads": 2, "steps": 40,
                    "documents": 16, "rate": 0.01, "offsets": 2, "places": 12,
                },
                "learning": {"method": "full", "steps": 2, "documents": 4},
                "context_capacity": 0,
            },
            "protocol": {"name": "majority", "graders": 1, "threshold": 0.0},
        },
        False,
    ),
    "bound": (
        {
            "name": "bound",
            "seed": 14,
            "population": {"size": 3, "generations": 2},
            "agents": {"model": "scripted"},
            "protocol": {"graders": 2},
        },
        False,
    ),
    "compact": (
        {
            "name": "compact",
            "seed": 15,
            "population": {"size": 12, "generations": 3},
            "agents": {"model": "scripted"},
            "protocol": {"graders": 3, "self_grading": "also"},
        },
        True,
    ),
}  # fmt: skip
"""Folder → configuration, and whether the control arms run beside it."""

COMPACT = ("compact",)
"""Those that are made compact when they have ended."""


def make(name: str) -> None:
    """Run one, and write down what its journal holds."""
    settings, controls = RUNS[name]
    config, folder = check_config({**COMMON, **settings}), GOLDEN / name
    stage = Stage(config)
    session = Session.create(folder, config, arms_of(config, controls), stage, "cpu")
    fleet = fleet_here([stage])
    while not session.finished:
        advance([session], fleet)
    hashed = session.end()
    session.close()
    # A journal is read and replayed without the weights that it tells of.
    shutil.rmtree(folder / WEIGHTS, ignore_errors=True)
    # Of the machine that ran it nothing is kept.
    here = {"platform": "", "processor": "", "command": "python -m tests.golden.make_journals"}
    rebind(folder, here)
    if name in COMPACT:
        compact(folder, ALL)
    expected = {"population_hash": hashed, "arms": said(folder)}
    (folder / EXPECTED).write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    for run in RUNS:
        if not (GOLDEN / run).exists():
            make(run)
