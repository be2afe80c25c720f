"""A run that is passed on: where it came from, and its rounds, gone through once."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.record.rounds import Round, RunRecord, joint_hash, read_rounds
from mgptn.experiments.views.measured import MeasuredRound, measured
from mgptn.protocols.interfaces.chat import ChatInterface


class Source:
    """A run, whole or in progress, and what is known of it once its rounds are gone through.

    Attributes
    ----------
    folder, manifest, config
        The run's.
    generations
        Rounds gone through.
    faults
        A sentence for each measure that could not be made.

    Raises
    ------
    ConfigError, ManifestError, JournalError
        If the folder holds no run, or none of its generations is committed.
    """

    def __init__(self, folder: Path) -> None:
        manifest, self.config = recorded(folder)
        self.folder, self.manifest = folder, manifest
        if next(read_rounds(folder), None) is None:
            raise ConfigError(f"{folder}: expected a generation that was committed, got none yet")
        self.generations = 0
        self.faults: list[str] = []
        self._record = RunRecord(folder)
        self._digests: list[str] = []

    def read(self) -> Iterator[Round]:
        """Every intact round, one at a time; once, be it here or in `rounds`."""
        for done in self._record.rounds():
            self.generations += 1
            own = done.of(SELECTED)
            if own is not None:
                self._digests.append(own.generation.digest)
            yield done

    def rounds(self) -> Iterator[MeasuredRound]:
        """Every intact round with its measures, one at a time; once."""
        for done in measured(self.read(), self.config):
            self.faults += done.faults
            yield done

    @property
    def talks(self) -> bool:
        """Were agents asked in turns of a chat?"""
        return self.manifest.get("interface") == ChatInterface.name

    @property
    def state(self) -> str:
        """How much of the run there is, as a sentence."""
        planned = self.config.population.generations
        if self._record.population_hash is not None:
            return f"The run has ended, after {self.generations} generations."
        damage = self._record.damage
        if damage is not None:
            return (
                f"Its journal is damaged at byte {damage.offset} ({damage.reason}): these are the "
                f"{self.generations} generations before that, of {planned}."
            )
        return f"The run has not ended: these are {self.generations} generations of {planned}."

    @property
    def provenance(self) -> dict[str, str]:
        """What a second run with the same population has to share, by what it is called."""
        known: dict[str, Any] = self.manifest
        config = self.config
        versions = dict(known.get("versions", {}))
        facts = {
            "mgptn": versions.pop("mgptn", "unknown"),
            "seed": str(config.seed),
            **{f"weights of {name}": hashed for name, hashed in known.get("weights", {}).items()},
            "population hash": joint_hash(self._digests),
            "problems": known.get("problems"),
            "file of questions": known.get("task_file"),
            "arms": ", ".join(known["arms"]),
            "device": known.get("device"),
            "dtype": known.get("dtype"),
            "threads": known.get("threads"),
            "slots": known.get("slots"),
            "processor": known.get("processor"),
            "libraries": ", ".join(f"{name} {version}" for name, version in versions.items()),
        }
        return {name: str(fact) for name, fact in facts.items() if fact not in (None, "")}
