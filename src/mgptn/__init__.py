"""A population simulator for language models: agents answer, grade each other, and evolve.

The names in `__all__` are what research from Python needs first (docs/python.md shows them at
work); each is imported when it is first asked for, so that importing mgptn costs nothing. All else
is in `mgptn.population`, `mgptn.protocols`, `mgptn.agents` and `mgptn.experiments`.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os.path
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mgptn.experiments.config.run_config import (
        ConfigError,
        RunConfig,
        check_config,
        load_config,
    )
    from mgptn.experiments.loop.simulation import Simulation
    from mgptn.experiments.notebook.progress import shown
    from mgptn.experiments.record.committed import Committed
    from mgptn.experiments.record.follow import follow
    from mgptn.experiments.record.journal import Journal
    from mgptn.experiments.record.reading import JournalError, read_journal
    from mgptn.experiments.record.rounds import Round, population_hash, read_rounds
    from mgptn.experiments.running.run import resume, run
    from mgptn.experiments.setting.stage import Stage
    from mgptn.experiments.tables.writing import read_tables
    from mgptn.population.measures.generation_measures import Measures, measure
    from mgptn.population.records.agents import Agent, Example, Genome
    from mgptn.population.records.generation import Generation
    from mgptn.population.records.matches import Match, Matches
    from mgptn.population.records.outcomes import Grade, Outcome, Outcomes
    from mgptn.population.settings import TournamentSettings
    from mgptn.population.tournament import Tournament
    from mgptn.protocols.interfaces.interface import Interface
    from mgptn.protocols.messages import Transcript
    from mgptn.protocols.protocol import Protocol, ProtocolOptions
    from mgptn.protocols.tasks.task import Problem, Task

__all__ = [
    "Agent",
    "Committed",
    "ConfigError",
    "Example",
    "Generation",
    "Genome",
    "Grade",
    "Interface",
    "Journal",
    "JournalError",
    "Match",
    "Matches",
    "Measures",
    "Outcome",
    "Outcomes",
    "Problem",
    "Protocol",
    "ProtocolOptions",
    "Round",
    "RunConfig",
    "Simulation",
    "Stage",
    "Task",
    "Tournament",
    "TournamentSettings",
    "Transcript",
    "check_config",
    "follow",
    "load_config",
    "measure",
    "population_hash",
    "read_journal",
    "read_rounds",
    "read_tables",
    "resume",
    "run",
    "shown",
]

__version__ = "0.1.0"

_HOMES = {
    "experiments.config.run_config": ("ConfigError", "RunConfig", "check_config", "load_config"),
    "experiments.loop.simulation": ("Simulation",),
    "experiments.notebook.progress": ("shown",),
    "experiments.record.committed": ("Committed",),
    "experiments.record.follow": ("follow",),
    "experiments.record.journal": ("Journal",),
    "experiments.record.reading": ("JournalError", "read_journal"),
    "experiments.record.rounds": ("Round", "population_hash", "read_rounds"),
    "experiments.running.run": ("resume", "run"),
    "experiments.setting.stage": ("Stage",),
    "experiments.tables.writing": ("read_tables",),
    "population.measures.generation_measures": ("Measures", "measure"),
    "population.records.agents": ("Agent", "Example", "Genome"),
    "population.records.generation": ("Generation",),
    "population.records.matches": ("Match", "Matches"),
    "population.records.outcomes": ("Grade", "Outcome", "Outcomes"),
    "population.settings": ("TournamentSettings",),
    "population.tournament": ("Tournament",),
    "protocols.interfaces.interface": ("Interface",),
    "protocols.messages": ("Transcript",),
    "protocols.protocol": ("Protocol", "ProtocolOptions"),
    "protocols.tasks.task": ("Problem", "Task"),
}
"""Module → public names that live there: what the imports above say to a type checker."""

_HOME = {name: home for home, names in _HOMES.items() for name in names}

_WINGS = ("agents", "experiments", "population", "protocols")


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _check_wings(folder: str) -> None:
    """Refuse a checkout whose links came as files of text, or not at all.

    Raises
    ------
    ImportError
        Saying which folders are not there, and how to have them.
    """
    broken = [wing for wing in _WINGS if not os.path.isdir(os.path.join(folder, wing))]
    if broken:
        raise ImportError(
            f"{folder}: expected a folder, or a link to one, for each of {', '.join(broken)}, got "
            "none: this copy was made without symbolic links. In a clone: `git config "
            "core.symlinks true`, then `git checkout -- src` (on Windows, with developer mode on). "
            "Of an archive, copy each of these folders from the root into src/mgptn; or install a "
            "wheel, which has no links"
        )


_check_wings(os.path.dirname(__file__))
