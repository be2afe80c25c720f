"""All that is to be known of a card: parts that fail, or take too long, cost the others nothing."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

import pytest
import torch
from rich.console import Console

from mgptn.experiments.bench.gpu import Part, gpu, parts_of, run_parts
from mgptn.experiments.commands.bench import bench
from mgptn.experiments.config.run_config import ConfigError

WRITES = "import sys, json; print('measured'); json.dump({'a': 1}, open(sys.argv[-1], 'w'))"


def part(name: str, code: str, share: float = 0.9, *, writes: bool = True) -> Part:
    return Part(name, (sys.executable, "-c", code), share, writes)


def test_every_part_is_run_and_what_it_wrote_is_kept(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=80)
    stale = tmp_path / "fails.json"
    stale.write_text('{"of": "an earlier time"}')
    began = time.monotonic()
    done = run_parts(
        console,
        [
            part("fails", "raise SystemExit(3)"),
            part("hangs", "import time; print('began', flush=True); time.sleep(600)", 0.2),
            part("works, quick", WRITES),
            part("says", "print('only')", writes=False),
        ],
        tmp_path,
        60.0,
    )
    assert time.monotonic() - began < 60.0
    assert [one.status for one in done] == [3, None, 0, 0]
    assert [one.figures for one in done] == [None, None, {"a": 1}, None]
    assert done[1].said == ["began"]
    assert json.loads((tmp_path / "works-quick.json").read_text()) == {"a": 1}
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "fails: failed (3)" in said
    assert "hangs: time is up, 12 s" in said


def test_what_no_time_is_left_for_is_left_out(tmp_path: Path) -> None:
    console = Console(file=io.StringIO())
    sleeps = part("sleeps", "import time; time.sleep(600)", 1.0)
    done = run_parts(console, [sleeps, part("never", WRITES)], tmp_path, 0.5)
    assert [one.name for one in done] == ["sleeps"]
    assert "never: left out" in console.file.getvalue()  # type: ignore[attr-defined]


def test_its_parts_are_commands_that_there_are() -> None:
    for one in parts_of("cuda"):
        if one.writes:
            name, *options = one.command[one.command.index("bench") + 1 :]
            command = bench.commands[name]
            known = {flag for option in command.params for flag in option.opts}
            assert {"--out", *(o for o in options if o.startswith("--"))} <= known


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_without_a_card_nothing_is_begun(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a CUDA device, got none"):
        gpu(Console(quiet=True), tmp_path / "out", 1.0)
    assert not (tmp_path / "out").exists()
