"""A run on disk: its folder, its arms, and the commit that everything else follows."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from mgptn.agents.hosts.fleet import Fleet
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.loop.simulation import Simulation, step_together
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.journal import Contents, Journal, JournalError
from mgptn.experiments.record.manifest import write_manifest
from mgptn.experiments.record.rounds import JOURNAL, Round, joint_hash, rounds_of
from mgptn.experiments.setting.same_ground import make_manifest
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.views.measured import measured_round

Observer = Callable[[Round], None]


class Session:
    """A run under way in its folder. Use `create` or `reopen`.

    Attributes
    ----------
    digests
        Of the selected arm's population after each generation that has been committed.
    last
        The round that was committed last; None before the first.
    observers
        Called with each round after it is committed, and only then.
    """

    def __init__(
        self, folder: Path, config: RunConfig, arms: Sequence[str], stage: Stage, journal: Journal
    ) -> None:
        self.folder = folder
        self.config = config
        self.digests: list[str] = []
        self.last: Round | None = None
        self.observers: list[Observer] = []
        self.ended = False
        self.simulations = [Simulation(config, arm=arm, stage=stage) for arm in arms]
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
            folder.mkdir(parents=True, exist_ok=True)
            write_manifest(folder, make_manifest(config, arms, stage, device))
        except OSError as error:
            raise ConfigError(
                f"--out {folder}: expected a folder to write to, got: {error}"
            ) from None
        return cls(folder, config, arms, stage, Journal.create(folder / JOURNAL))

    @classmethod
    def reopen(
        cls, folder: Path, config: RunConfig, arms: Sequence[str], stage: Stage, contents: Contents
    ) -> Session:
        """Carry a run on from the intact records of its journal.

        Raises
        ------
        JournalError
            If the records are not what the configuration leads to.
        """
        journal = Journal.reopen(folder / JOURNAL, contents)
        session = cls(folder, config, arms, stage, journal)
        for committed in rounds_of(contents.records):
            for simulation, recorded in zip(session.simulations, committed, strict=True):
                again = simulation.tournament.tell(recorded.generation.outcomes)
                if again.digest != recorded.generation.digest:
                    raise JournalError(
                        f"{folder / JOURNAL}: expected generation {again.index} of arm "
                        f"{recorded.arm} to end in population {recorded.generation.digest[:16]}…, "
                        f"got {again.digest[:16]}… from the recorded answers"
                    )
            session._remember(committed)
        session.ended = any(record["kind"] == "end" for record in contents.records)
        return session

    @property
    def finished(self) -> bool:
        """Has every arm run all its generations?"""
        return all(simulation.finished for simulation in self.simulations)

    def commit(self, committed: Sequence[Committed]) -> None:
        """Make a round durable; then, and only then, let it be seen."""
        self._journal.append(
            {
                "kind": "generation",
                "index": committed[0].generation.index,
                "arms": [c.to_plain() for c in committed],
            }
        )
        done = self._remember(committed)
        for observer in self.observers:
            observer(done)

    def end(self) -> str:
        """Record that the run is complete; its population hash."""
        hashed = joint_hash(self.digests)
        if not self.ended:
            self._journal.append({"kind": "end", "population_hash": hashed})
            self.ended = True
        return hashed

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _remember(self, committed: Sequence[Committed]) -> Round:
        self.last = measured_round(committed, self.last, self.config)
        self.digests += [c.generation.digest for c in committed if c.arm == SELECTED]
        return self.last


def advance(sessions: Sequence[Session], fleet: Fleet) -> None:
    """One generation of several runs side by side on one fleet, each committed in its journal."""
    simulations = [s for session in sessions for s in session.simulations]
    committed = iter(step_together(simulations, fleet))
    for session in sessions:
        session.commit([next(committed) for _ in session.simulations])


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
