"""One schedule: a run begun, struck, resumed and struck again, until it ends; in one process."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mgptn.experiments.bench.faults import oracle
from mgptn.experiments.bench.faults.oracle import BrokenPromiseError, Digests, expect
from mgptn.experiments.bench.faults.populations import CONFIGS, population
from mgptn.experiments.bench.faults.schedule import FAULTY_LIVES, Due, Fault, cast, faults_of
from mgptn.experiments.bench.faults.world import END, Broken, World

HEALING_LIVES = 4
"""Lives without faults that a run may need until it ends."""

MEMORY = Path("/dev/shm")
"""Where folders are held in memory, if this machine has such a place."""


@dataclass(frozen=True, slots=True)
class Life:
    """How one process ended: its faults, those that struck, and what came of it."""

    faults: tuple[Fault, ...]
    struck: tuple[Fault, ...]
    how: str
    said: str = ""


@dataclass(slots=True)
class Ended:
    """How a schedule's run ended.

    Attributes
    ----------
    failure
        What did not hold, of what must; empty where all did.
    named
        The error that the run ended in for good, where the disk lied: what is lost was named.
    told
        What happened, a line each.
    """

    seed: int
    population: str
    hosts: int
    lives: list[Life] = field(default_factory=list)
    failure: str = ""
    named: str = ""
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reference:
    """A run that nothing befell: its course, its hash, and what happens in it, site by site."""

    course: Digests
    hashed: str
    sizes: dict[str, int]


@cache
def reference(name: str) -> Reference:
    """Of a population."""
    with _root() as root:
        world = World(population(name), 2, 0, root)
        due = Due((), [])
        hashed = world.live(due, 0)
        return Reference(oracle.intact(world.folder), hashed, due.counts)


def run_schedule(seed: int, broken: Broken | None = None) -> Ended:
    """A schedule from its beginning to its end.

    Parameters
    ----------
    broken
        Stands between the run and its disk.
    """
    drawn = cast(seed, tuple(CONFIGS))
    expected = reference(drawn.population)
    ended = Ended(seed, drawn.population, drawn.hosts)
    with _root() as root, _quiet():
        of = population(drawn.population)
        world = World(of, drawn.hosts, seed, root, expected.course, broken)
        try:
            _all_lives(world, ended, expected)
        except BrokenPromiseError as fault:
            ended.failure = str(fault)
            ended.told.append(f"FAILED: {fault}")
    return ended


def _all_lives(world: World, ended: Ended, expected: Reference) -> None:
    """Life after life, until a run has ended and is still there when the power has gone."""
    for life in range(FAULTY_LIVES + HEALING_LIVES):
        faults = faults_of(ended.seed, life, expected.sizes)
        ended.told += [f"life {life}", *(f"  drawn: {fault}" for fault in faults)]
        due = Due(faults, ended.told)
        try:
            how, error = world.lived(due, life)
        except BrokenPromiseError:
            ended.lives.append(Life(faults, tuple(due.struck), "failed"))
            raise
        said = "" if error is None else f"{type(error).__name__}: {error}"
        said = said.replace(str(world.folder), "RUN")
        ended.told.append(f"  {how} {said}".rstrip())
        ended.lives.append(Life(faults, tuple(due.struck), how, said))
        if error is not None:
            expect(oracle.clear(error), f"expected an error of one line, got {said}")
        if how == END and world.check_end(expected.hashed):
            return
        world.check()
        if life >= FAULTY_LIVES and how != END and not world.mended(error):
            expect(world.lied, f"nothing befell it, and it {how}: {said}")
            ended.named = said
            return
    raise BrokenPromiseError("it did not end")


@contextmanager
def _root() -> Iterator[Path]:
    """An empty folder, in memory where that can be had."""
    here = MEMORY if MEMORY.is_dir() else None
    root = Path(tempfile.mkdtemp(prefix="mgptn-faults-", dir=here))
    try:
        yield root
    finally:
        shutil.rmtree(root)


@contextmanager
def _quiet() -> Iterator[None]:
    """What fleets say of hosts that are late or lost is not said."""
    logger = logging.getLogger("mgptn.fleet")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
