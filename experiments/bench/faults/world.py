"""A run's folder on a simulated disk, and one process after another that carries the run on.

What a process does is what `mgptn run` and `mgptn resume` do, but for tables and pictures.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from mgptn.agents.disk import Disk, standing_in
from mgptn.agents.learning.numbers import NumbersError
from mgptn.experiments.bench.faults import oracle
from mgptn.experiments.bench.faults.cluster import SimulatedCluster
from mgptn.experiments.bench.faults.disk import ProcessGone, SimulatedDisk
from mgptn.experiments.bench.faults.kinds import LYING
from mgptn.experiments.bench.faults.oracle import BrokenPromiseError, Digests, expect
from mgptn.experiments.bench.faults.populations import Population
from mgptn.experiments.bench.faults.schedule import Due
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.manifest import MANIFEST, ManifestError
from mgptn.experiments.record.reading import JournalError
from mgptn.experiments.record.rounds import JOURNAL, Round, ended_with, read_run
from mgptn.experiments.running.session import Session, advance
from mgptn.experiments.seats.lessons import contents_of
from mgptn.experiments.setting.same_ground import check_same_ground
from mgptn.population.draws.streams import stream

Broken = Callable[[Disk], Disk]
"""Makes of a disk one that is not asked for all that it should be: to see whether that is found."""

END, STOPPED, DIED = "ended", "stopped", "died"
"""How a process ends: the run's end, an error or Ctrl-C, or no end at all."""


class World:
    """Where a run lives.

    Parameters
    ----------
    root
        An empty folder.
    course
        How it should go on; None of a run that is to show it.

    Attributes
    ----------
    lied
        Has a sync said that something was on the disk that was not?
    """

    def __init__(
        self,
        of: Population,
        hosts: int,
        seed: int,
        root: Path,
        course: Digests | None = None,
        broken: Broken | None = None,
    ) -> None:
        self.folder = root / "runs" / "run"
        self.lied = False
        self._of, self._hosts, self._seed = of, hosts, seed
        self._course = course
        self._disk = SimulatedDisk(root, stream(seed, "simulated faults: disk"))
        self._calls: Disk = self._disk if broken is None else broken(self._disk)
        self._told = self._recorded = 0
        self._living: set[str] = set()
        self._hashed = ""

    def lived(self, due: Due, life: int) -> tuple[str, BaseException | None]:
        """How a process ends, and in which error."""
        try:
            self._hashed = self.live(due, life)
            return END, None
        except ProcessGone:
            return DIED, None
        except KeyboardInterrupt:
            return STOPPED, None
        except BrokenPromiseError:
            raise
        except Exception as error:  # noqa: BLE001  # the oracle judges it
            return STOPPED, error
        finally:
            self._disk.end()
            self.lied |= any(fault.kind == LYING for fault in due.struck)

    def live(self, due: Due, life: int) -> str:
        """A process from its start to the run's end; the hash that it ends in."""
        self._disk.begin(due)
        rng = stream(self._seed, "simulated faults: cluster", life)
        cluster = SimulatedCluster(self._of.hosts, due, rng)
        with standing_in(self._calls), ExitStack() as stack:
            if (self.folder / JOURNAL).exists():
                return self._resume(cluster, stack)
            return self._begin(cluster, stack)

    def check(self) -> None:
        """Is all there that was told, as the run's course is?"""
        assert self._course is not None
        try:
            there = oracle.intact(self.folder)
        except (JournalError, ManifestError) as error:
            expect(self.lied, f"the journal cannot be read: {error}")
            there = ()
        expect(there == self._course[: len(there)], "the journal holds another course")
        if self.lied:
            self._told = len(there)
        expect(
            len(there) >= self._told,
            f"{self._told} generations were told as committed, {len(there)} are there",
        )

    def check_end(self, hashed: str) -> bool:
        """Did the run end as it should, and is that still so without power?

        Where the disk lied it need not be: then there is more to be done.
        """
        keep = self._of.config.agents.learning.keep
        expect(self._hashed == hashed, f"it ended in another hash, {self._hashed[:16]}…")
        oracle.check_end(self.folder, hashed)
        oracle.check_nothing_left(self.folder, self._living, keeps_all=keep == "all")
        before = [(self.folder / name).read_bytes() for name in (JOURNAL, MANIFEST)]
        self._disk.pull_the_plug()
        files = (self.folder / name for name in (JOURNAL, MANIFEST))
        there = [file.read_bytes() for file in files if file.exists()] == before
        expect(there or self.lied, "the run had ended, and is gone with the power")
        return there

    def mended(self, error: BaseException | None) -> bool:
        """Do what an error says that is to be done, where the disk has lied."""
        found = re.match(r"(\S+): .*delete it", str(error))
        if not self.lied or not isinstance(error, NumbersError) or found is None:
            return False
        self._disk.pull_the_plug()
        self._disk.platter.remove(Path(found[1]))
        return True

    def _begin(self, cluster: SimulatedCluster, stack: ExitStack) -> str:
        fleet = self._of.fleet(cluster, self._hosts)
        stack.callback(fleet.close)
        session = Session.create(
            self.folder, self._of.config, self._of.arms, self._of.stage, fleet.settings.device
        )
        stack.callback(session.close)
        self._recorded = 0
        session.observers.append(self._seen)
        while not session.finished:
            advance([session], fleet)
        return session.end()

    def _resume(self, cluster: SimulatedCluster, stack: ExitStack) -> str:
        manifest, config = recorded(self.folder)
        journal = stack.enter_context(Journal.reopen(self.folder / JOURNAL, read_run))
        ended = ended_with(journal.contents)
        if ended is not None:
            journal.trim()
            return ended
        stage = self._of.stage
        check_same_ground(manifest, stage, self.folder, other_versions=False)
        fleet = self._of.fleet(cluster, self._hosts)
        stack.callback(fleet.close)
        self._recorded = len(journal.contents.records) - 1
        session = Session.reopen(
            self.folder, config, manifest["arms"], stage, journal, [self._seen], fleet
        )
        while not session.finished:
            advance([session], fleet)
        return session.end()

    def _seen(self, done: Round) -> None:
        """Look at what is told as it is told."""
        survivors = [one for c in done.committed for one in c.generation.survivors]
        self._living = contents_of(survivors)
        if self._course is None:
            return
        digests = tuple(one.generation.digest for one in done.committed)
        expect(digests == self._course[done.index], f"generation {done.index} is another one")
        self._told = max(self._told, done.index + 1)
        if not self.lied and not self._disk.lying:
            living = sorted(self._living) if done.index >= self._recorded else []
            oracle.check_durable(self.folder, self._disk.platter.durable, living)
