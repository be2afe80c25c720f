"""A replay in lanes: arms know nothing of each other, so that a process each may decide them again.

A lane is started as this module, without whatever the caller was started as; it is told folder and
arms, and answers with its part.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mgptn.agents.allowance import usable_cpus
from mgptn.agents.collecting import seldom_collecting
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.loop.founding import found_tournament
from mgptn.experiments.loop.telling import ContradictionError, told_again
from mgptn.experiments.record.reading import Damage
from mgptn.experiments.record.rounds import JOURNAL, RunRecord
from mgptn.population.records.arrays import Floats
from mgptn.population.records.columns import differing
from mgptn.population.records.generation import Generation

TOLERANCE = 1e-9
"""Relative difference in fitness and rates that another processor's rounding may make."""

LARGE = 64 << 20
"""Bytes of a journal from which on a process more is worth its start."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a replay of some arms found.

    Attributes
    ----------
    rounds
        That were read.
    differences
        Of each that differs: round, place of its arm, and a line.
    digests
        Of the selected arm's generations, derived again; none where it is not among the arms.
    recorded_hash, damage, bound
        As of `Replay`.
    """

    rounds: int
    differences: tuple[tuple[int, int, str], ...]
    digests: tuple[str, ...]
    recorded_hash: str | None
    damage: Damage | None
    bound: bool


def replay_arms(folder: Path, config: RunConfig, arms: Sequence[str]) -> Part:
    """Tell new tournaments what is recorded of some arms, and compare what they decide."""
    record = RunRecord(folder)
    tournaments = {arm: found_tournament(config, arm) for arm in arms}
    differences: list[tuple[int, int, str]] = []
    digests: list[str] = []
    rounds = 0
    for done in record.intact():
        for place, c in enumerate(done.committed):
            if c.arm not in tournaments:
                continue
            try:
                derived = told_again(tournaments[c.arm], c)
            except ContradictionError as error:
                differences.append((rounds, place, str(error)))
                continue
            differences += [
                (
                    rounds,
                    place,
                    f"generation {derived.index}, arm {c.arm}: {name} differ from the recorded "
                    "ones",
                )
                for name in _differing(derived, c.generation)
            ]
            if c.arm == SELECTED:
                digests.append(derived.digest)
        rounds += 1
    return Part(
        rounds,
        tuple(differences),
        tuple(digests),
        record.population_hash,
        record.damage,
        record.bound,
    )


def replay_in_lanes(folder: Path, config: RunConfig, arms: Sequence[str]) -> list[Part]:
    """All arms: where the journal is large and CPUs are several, each in a process of its own.

    Arms without births are far cheaper than others, so that as many lanes as CPUs would end late.
    """
    journal = folder / JOURNAL
    large = journal.exists() and journal.stat().st_size >= LARGE
    mine, *others = [[arm] for arm in arms] if large and usable_cpus() > 1 else [list(arms)]
    with ExitStack() as running:
        lanes = [(other, running.enter_context(_started(folder, other))) for other in others]
        for _, process in lanes:
            running.callback(process.kill)
        parts = [replay_arms(folder, config, mine)]
        for other, process in lanes:
            said, _ = process.communicate()
            # A lane that was ended from outside leaves its arms to this process.
            whole = process.returncode == 0
            parts.append(pickle.loads(said) if whole else replay_arms(folder, config, other))
    return parts


def _started(folder: Path, arms: Sequence[str]) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(place for place in sys.path if place)
    return subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder.absolute()), *arms],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,  # Ctrl-C is the caller's to answer
    )


def _differing(derived: Generation, recorded: Generation) -> list[str]:
    """Names of the fields in which two generations differ, rounding apart."""
    return [
        name
        for name in differing(derived, recorded)
        if name not in ("fitness", "rates")
        or not _close(getattr(derived, name), getattr(recorded, name))
    ]


def _close(ours: Floats, theirs: Floats) -> bool:
    return ours.shape == theirs.shape and np.allclose(
        ours, theirs, rtol=TOLERANCE, atol=0.0, equal_nan=True
    )


def serve(folder: Path, arms: Sequence[str]) -> bytes:
    """A lane's part, for who started it."""
    from mgptn.experiments.config.recorded import recorded

    with seldom_collecting():
        return pickle.dumps(replay_arms(folder, recorded(folder)[1], arms))


if __name__ == "__main__":
    # The module's own classes, by its name and not as those of a script.
    from mgptn.experiments.running.lanes import serve as serve_as_named

    sys.stdout.buffer.write(serve_as_named(Path(sys.argv[1]), sys.argv[2:]))
