"""A run on disk: its folder, its arms, and the commit that everything else follows."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from mgptn.agents.endpoints.fleet import JointFleet
from mgptn.agents.files import make_folder
from mgptn.agents.hosts.fleet import Fleet
from mgptn.agents.learning.numbers import NumbersError, NumbersFolder
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.loop.relearning import relearn
from mgptn.experiments.loop.simulation import Simulation, step_together
from mgptn.experiments.loop.telling import ContradictionError, told_again
from mgptn.experiments.record.binding import first_record
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.manifest import read_manifest, write_manifest
from mgptn.experiments.record.reading import JournalError
from mgptn.experiments.record.rounds import JOURNAL, Round, ended_with, joint_hash, rounds_in
from mgptn.experiments.seats.lessons import contents_of
from mgptn.experiments.setting.same_ground import make_manifest
from mgptn.experiments.setting.stage import Stage

WEIGHTS = "weights"
"""Where in a run's folder the numbers of weights lie that have learned."""

Observer = Callable[[Round], None]
"""Is told of a round: after it is committed, and only then."""


class Session:
    """A run under way in its folder. Use `create` or `reopen`.

    Attributes
    ----------
    digests
        Of the selected arm's population after each generation that has been committed.
    observers
        Told of each round that is committed.
    """

    def __init__(
        self, folder: Path, config: RunConfig, arms: Sequence[str], stage: Stage, journal: Journal
    ) -> None:
        self.folder = folder
        self.config = config
        self.digests: list[str] = []
        self.observers: list[Observer] = []
        self._untold: list[Round] = []
        self.ended = False
        self.numbers = NumbersFolder(folder / WEIGHTS)
        self.simulations = [
            Simulation(config, arm=arm, stage=stage, numbers=self.numbers) for arm in arms
        ]
        self._journal = journal

    @classmethod
    def create(
        cls, folder: Path, config: RunConfig, arms: tuple[str, ...], stage: Stage, device: str
    ) -> Session:
        """Begin a run in a folder that has none.

        Raises
        ------
        ConfigError
            If there is a run already, or the folder cannot be made; nothing there is changed.
        """
        check_vacant(folder)
        try:
            make_folder(folder)
            manifest = make_manifest(config, arms, stage, device)
            write_manifest(folder, manifest)
        except OSError as error:
            raise ConfigError(
                f"--out {folder}: expected a folder to write to, got: {error}"
            ) from None
        journal = Journal.create(folder / JOURNAL)
        journal.append(first_record(manifest))
        return cls(folder, config, arms, stage, journal)

    @classmethod
    def reopen(
        cls,
        folder: Path,
        config: RunConfig,
        arms: Sequence[str],
        stage: Stage,
        journal: Journal,
        observers: Sequence[Observer] = (),
        fleet: Fleet | None = None,
    ) -> Session:
        """Carry a run on from the intact records of its journal, which is open already.

        Parameters
        ----------
        observers
            Told of the rounds that are recorded too.
        fleet
            Where weights that are missing are learned again.

        Raises
        ------
        JournalError
            If the records are not what the configuration leads to.
        mgptn.agents.learning.numbers.NumbersError
            If weights of somebody alive are altered, or missing and cannot be learned again.
        """
        session = cls(folder, config, arms, stage, journal)
        session.observers += observers
        if not journal.contents.records:
            journal.append(first_record(read_manifest(folder)))
        for done in rounds_in(journal.contents):
            for simulation, one in zip(session.simulations, done.committed, strict=True):
                try:
                    again = told_again(simulation.tournament, one)
                except ContradictionError as error:
                    raise JournalError(f"{journal.path}: {error}") from None
                if again.digest != one.generation.digest:
                    raise JournalError(
                        f"{journal.path}: expected generation {again.index} of arm "
                        f"{one.arm} to end in population {one.generation.digest[:16]}…, "
                        f"got {again.digest[:16]}… from the recorded answers"
                    )
            session.digests += [c.generation.digest for c in done.committed if c.arm == SELECTED]
            session._untold.append(done)
            session.tell()
        session.ended = ended_with(journal.contents) is not None
        if not session.ended:
            session.numbers.sweep()
            session._tidy()
        if not session.finished:
            session._restore(fleet)
        return session

    @property
    def finished(self) -> bool:
        """Has every arm run all its generations?"""
        return all(simulation.finished for simulation in self.simulations)

    def commit(self, committed: Sequence[Committed]) -> None:
        """Make a round durable; it is seen after that, as `tell` is called."""
        done = Round(tuple(committed))
        self._journal.append(done.to_plain())
        self.digests += [c.generation.digest for c in done.committed if c.arm == SELECTED]
        self._untold.append(done)
        self._tidy()

    def tell(self) -> None:
        """Let rounds that are committed be seen, each once."""
        while self._untold:
            done = self._untold.pop(0)
            for observer in self.observers:
                observer(done)

    def end(self) -> str:
        """Record that the run is complete; its population hash."""
        self.tell()
        hashed = joint_hash(self.digests)
        if not self.ended:
            self.numbers.sync()  # whoever finds the end looks after nothing more
            self._journal.append({"kind": "end", "population_hash": hashed})
            self.ended = True
        return hashed

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _tidy(self) -> None:
        """Let go of the numbers of those who are no longer alive, as far as they are not kept."""
        if self.config.agents.learning.keep == "living":
            self.numbers.prune(self._living())
        else:
            self.numbers.forget(self._living())

    def _living(self) -> set[str]:
        """Hashes of the files of numbers of everybody who is alive."""
        return contents_of([a for one in self.simulations for a in one.tournament.agents])

    def _restore(self, fleet: Fleet | None) -> None:
        """Learn what is missing of the weights of the living again, as the journal has it."""
        missing = self.numbers.missing(self._living())
        if not missing:
            return
        if fleet is None:
            raise NumbersError(f"{missing[0]}: expected weights of somebody alive, got nothing")
        arms = [
            one.arm
            for one in self.simulations
            if contents_of(one.tournament.agents) & {path.stem for path in missing}
        ]
        rounds = rounds_in(self._journal.contents)
        again = relearn(self.config, arms, rounds, self.simulations[0].stage, fleet)
        for path in missing:
            self.numbers.keep(again(path.stem))


def advance(sessions: Sequence[Session], fleet: Fleet) -> None:
    """One generation of several runs side by side on one fleet, each committed in its journal.

    The one before is seen while hosts are at work, and this one with the next, or with `tell`.

    Raises
    ------
    mgptn.agents.endpoints.endpoint.LimitReached
        If what may be spent is spent; what is committed stays, and the runs can be carried on.
    """
    if isinstance(fleet, JointFleet):
        fleet.budget.check()
    simulations = [s for session in sessions for s in session.simulations]

    def tell() -> None:
        for session in sessions:
            session.tell()

    committed = iter(step_together(simulations, fleet, tell))
    for session in sessions:
        session.commit([next(committed) for _ in session.simulations])
    if isinstance(fleet, JointFleet):
        fleet.committed()


def check_vacant(folder: Path) -> None:
    """Refuse a folder that holds a run already.

    Raises
    ------
    ConfigError
        Saying what can be done instead.
    """
    if (folder / JOURNAL).exists():
        raise ConfigError(
            f"{folder}: expected no run there yet, got one, which is never overwritten; carry it "
            f"on with 'mgptn resume {folder}', or choose another --out, name or seed"
        )
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise ConfigError(
            f"--out {folder}: expected a folder to write to, got {nearest}, which is "
            + ("not writable" if nearest.is_dir() else "not a folder")
        )
