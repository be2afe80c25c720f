"""A run timed beside another's: ratios are run by run, and what fails says why."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from mgptn.agents.hosts.fleet import FleetError
from mgptn.experiments.bench.seconds import Seconds, table_of, timed
from mgptn.experiments.record.rounds import JOURNAL
from tests.rooms import ROOT

GOLDEN = next((ROOT / "tests/golden/journals/format-4").rglob(JOURNAL)).parent


def test_ratios_are_those_of_runs_side_by_side():
    ours = [Seconds(1.0, 2.0, 3.0, 6.0), Seconds(2.0, 2.0, 3.0, 7.0)]
    theirs = [Seconds(3.0, 2.0, 3.0, 8.0), Seconds(2.0, 1.0, 3.0, 6.0)]
    console = Console(file=io.StringIO(), width=80)
    console.print(table_of({"ours": ours, "against": theirs}, "[b]there[/b] run"))
    said = console.file.getvalue()
    assert "[b]there[/b] run" in said
    assert max(map(len, said.splitlines())) <= 80
    first = next(line for line in said.splitlines() if "to the first" in line)
    assert [cell.strip() for cell in first.split("│")[2:6]] == [
        "1.5",
        "2.5",
        "2.00",
        "1.00 to 3.00",
    ]


def test_a_run_is_timed_by_what_it_commits(tmp_path: Path):
    """A stand-in that takes its time: a journal as it is begun, and then whole."""
    script = tmp_path / "stand_in.py"
    script.write_text(
        f"""
import shutil, sys, time
from pathlib import Path
folder = Path(sys.argv[sys.argv.index("--out") + 1])
folder.mkdir()
time.sleep(0.3)
shutil.copytree({str(GOLDEN)!r}, folder, dirs_exist_ok=True)
time.sleep(0.4)
""",
        encoding="utf-8",
    )
    found = timed((sys.executable, str(script)), Path("quickstart"), ())
    assert 0.3 <= found.first < found.whole
    assert found.end >= 0.3
    assert found.whole == pytest.approx(found.first + found.rest + found.end)


def test_a_run_that_fails_says_why(tmp_path: Path):
    command = (sys.executable, "-c", "raise SystemExit('no such thing')")
    with pytest.raises(FleetError, match="expected it to run, got: no such thing"):
        timed(command, Path("quickstart"), ())
