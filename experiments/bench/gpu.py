"""`mgptn bench gpu`: all that is to be known of a card, part by part, within a time.

Each part is a process of its own that may fail or run out of its time; what it printed and wrote
stays. Ray is not needed, nor are the tests: without their folder, theirs is a part left out.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from mgptn.agents.files import write_whole
from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.record.manifest import library_versions

TESTS = Path("tests/gpu")


@dataclass(frozen=True, slots=True)
class Part:
    """A command, and how much of the whole time it may take at most.

    `writes` says whether it takes ``--out FILE``, where its figures then are.
    """

    name: str
    command: tuple[str, ...]
    share: float
    writes: bool = True


@dataclass(frozen=True, slots=True)
class Done:
    """How a part ended.

    Attributes
    ----------
    status
        The process's own; None where the time was up.
    seconds
        Of wall time.
    figures
        What it wrote as JSON; None for nothing.
    said
        Its last lines.
    """

    name: str
    command: str
    status: int | None
    seconds: float
    figures: Any
    said: list[str]

    @property
    def ended(self) -> str:
        """In a word or two."""
        if self.status is None:
            return "time is up"
        return "done" if self.status == 0 else f"failed ({self.status})"


def parts_of(device: str) -> list[Part]:
    """What is run, the most important first."""
    mgptn, on = (sys.executable, "-m", "mgptn.experiments", "bench"), ("--device", device)
    tests = (sys.executable, "-m", "pytest", str(TESTS), "-q", "-rs", "-p", "no:cacheprovider")
    return [
        *([Part("tests", tests, 0.3, writes=False)] if TESTS.exists() else []),
        Part("engine, quick", (*mgptn, "engine", *on, "--quick"), 0.15),
        Part("learning, quick", (*mgptn, "learning", *on, "--quick"), 0.15),
        Part("engine", (*mgptn, "engine", *on), 0.5),
        Part("learning", (*mgptn, "learning", *on), 0.5),
    ]


def gpu(console: Console, folder: Path, minutes: float, device: str = "cuda") -> int:
    """Run every part, say how each ended, and write ``gpu.json``; 0 if all is well.

    Raises
    ------
    ConfigError
        If there is no such device here, before anything is run.
    """
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("bench gpu: expected a CUDA device, got none that torch sees")
    card = torch.cuda.get_device_name() if device == "cuda" else device
    console.print(f"{card}: at most {minutes:g} minutes", highlight=False)
    done = run_parts(console, parts_of(device), folder, minutes * 60.0)
    whole = {
        "device": card,
        "versions": library_versions(),
        "minutes": minutes,
        "parts": [asdict(part) for part in done],
    }
    text = json.dumps(whole, indent=2) + "\n"
    write_whole(folder / "gpu.json", lambda file: file.write(text.encode()))
    console.print(str(folder / "gpu.json"), highlight=False)
    return 0 if done and all(part.status == 0 for part in done) else 1


def run_parts(console: Console, parts: Sequence[Part], folder: Path, seconds: float) -> list[Done]:
    """Run parts one after another, each within its share of the time and what is left of it.

    What each prints is shown, and kept as ``<name>.log`` in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    began, done = time.monotonic(), list[Done]()
    for part in parts:
        left = seconds - (time.monotonic() - began)
        if left <= 0.0:
            console.print(f"{part.name}: left out, time is up", highlight=False)
            continue
        done.append(_run(part, folder, min(left, seconds * part.share)))
        last = done[-1]
        console.print("\n".join(last.said), highlight=False, markup=False)
        console.print(f"{part.name}: {last.ended}, {last.seconds:.0f} s", highlight=False)
    return done


def _run(part: Part, folder: Path, seconds: float) -> Done:
    plain = part.name.replace(", ", "-")
    log, out = folder / f"{plain}.log", folder / f"{plain}.json"
    out.unlink(missing_ok=True)
    command = [*part.command, *(("--out", str(out)) if part.writes else ())]
    began, status = time.monotonic(), None
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            process.kill()
            process.wait()
    took = time.monotonic() - began
    try:
        figures = json.loads(out.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not written, or not to its end
        figures = None
    said = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return Done(part.name, " ".join(command[1:]), status, took, figures, said[-60:])
