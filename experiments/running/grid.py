"""Cells: runs side by side on one fleet, carried on after a kill, none run twice."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console

from mgptn.agents.endpoints.endpoint import EndpointFault, LimitReached
from mgptn.agents.hosts.fleet import Fleet, FleetError
from mgptn.experiments.config.arms import possible_arms
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.loop.probing import check_mass
from mgptn.experiments.loop.room import check_room
from mgptn.experiments.record.journal import Journal
from mgptn.experiments.record.manifest import MANIFEST, read_manifest
from mgptn.experiments.record.reading import read_journal
from mgptn.experiments.record.rounds import JOURNAL, ended_with, read_run
from mgptn.experiments.running.session import Session, advance
from mgptn.experiments.seats.humans import asks_people
from mgptn.experiments.setting.same_ground import begun_on, check_same_ground
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.views.planned import write_planned
from mgptn.experiments.views.progress import progress

LONGEST = 40
"""Letters of a value in the name of a cell's folder: names of files have an end."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run among several.

    Attributes
    ----------
    name
        Of its folder.
    labels
        Its place among the others: what is varied, and its value, as texts.
    arms
        Its own; none where it has those of the grid.
    """

    name: str
    config: RunConfig
    labels: tuple[tuple[str, str], ...] = ()
    arms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells in a folder, and the arms of those that have none of their own."""

    folder: Path
    cells: tuple[Cell, ...]
    arms: tuple[str, ...]

    def left(self) -> list[Cell]:
        """Cells that have not ended.

        Raises
        ------
        ConfigError
            If one was begun under another configuration, or with other arms.
        """
        for cell in self.cells:
            _check_begun(self.folder / cell.name, cell, self.arms_of(cell))
        return [cell for cell in self.cells if not _ended(self.folder / cell.name)]

    def arms_of(self, cell: Cell) -> tuple[str, ...]:
        """The arms of one cell."""
        return possible_arms(cell.config, cell.arms or self.arms)


def run_grid(
    grid: Grid,
    stages: dict[str, Stage],
    fleet_of: AbstractContextManager[Fleet],
    console: Console,
    parallel: int,
) -> None:
    """Run every cell that has not ended, `parallel` of them at once, with one progress bar.

    Parameters
    ----------
    stages
        By the names of cells.
    fleet_of
        The hosts; entered only if there is something to run.
    """
    left = grid.left()
    if not left:
        return
    for remark in dict.fromkeys(said for stage in stages.values() for said in stage.remarks):
        console.print(remark, highlight=False, markup=False)
    planned = {cell.name: cell.config.population.generations for cell in grid.cells}
    total = sum(planned.values())
    to_run = sum(cell.config.population.generations for cell in left)
    with ExitStack() as stack:
        fleet = stack.enter_context(fleet_of)
        _check_masses(grid, left, stages, fleet)
        write_planned(grid.folder, planned)
        stack.enter_context(_what_is_left_can_be_run())
        bar = stack.enter_context(progress(console))
        shown = bar.add_task("generations", total=total)
        bar.update(shown, completed=total - to_run)
        waiting = (_open(grid, cell, stages[cell.name], fleet) for cell in left)
        for steps in _side_by_side(waiting, fleet, parallel):
            bar.advance(shown, steps)


@contextmanager
def _what_is_left_can_be_run() -> Iterator[None]:
    """What ends a grid says how it is carried on."""
    try:
        yield
    except (EndpointFault, LimitReached, FleetError) as fault:
        raise type(fault)(f"{fault}; the same command runs what is left") from None


def stages_of(cells: Sequence[Cell], folder: Path) -> dict[str, Stage]:
    """The stage of each cell, by name; whatever cannot be run is refused here.

    Parameters
    ----------
    folder
        Of the grid: a cell that was begun there goes on with the date that it was begun on.

    Raises
    ------
    ConfigError
        If people are to pick on a page, which a run alone has.
    """
    for cell in cells:
        if asks_people(cell.config):
            raise ConfigError(
                "human.source: expected simulated, prompt or file where several runs go on side by "
                "side, got 'page'"
            )
    return {cell.name: Stage(cell.config, _begun_on(folder / cell.name)) for cell in cells}


def _check_masses(grid: Grid, left: Sequence[Cell], stages: dict[str, Stage], fleet: Fleet) -> None:
    """Refuse grading questions that models would hardly answer, and contexts that servers do not
    take; each is asked once."""
    asked: set[tuple[object, ...]] = set()
    for cell in left:
        stage, protocol = stages[cell.name], cell.config.protocol
        key = tuple(stage.weights.values()), str(protocol.question), protocol.reading
        if key not in asked and not (grid.folder / cell.name / MANIFEST).exists():
            check_mass(stage, fleet)
        agents = cell.config.agents
        room = *stage.served, agents.context_capacity, agents.max_answer_tokens
        if room not in asked:
            check_room(stage, fleet)
        asked |= {key, room}


def _begun_on(folder: Path) -> date | None:
    return begun_on(read_manifest(folder)) if (folder / MANIFEST).exists() else None


def plain(text: str) -> str:
    """A text as part of a folder's name; a long one by its beginning and its digest."""
    name = re.sub(r"[^A-Za-z0-9.]+", "_", text).strip("_")
    if len(name) <= LONGEST:
        return name
    return f"{name[:LONGEST]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _side_by_side(waiting: Iterator[Session], fleet: Fleet, parallel: int) -> Iterator[int]:
    """Keep `parallel` sessions under way until all have ended; yields generations done.

    No more than these are held at any time, however many there are.
    """
    active: list[Session] = []
    try:
        active.extend(itertools.islice(waiting, parallel))
        while active:
            going = [session for session in active if not session.finished]
            if going:
                advance(going, fleet)
                yield len(going)
            for session in [session for session in active if session.finished]:
                session.end()
                session.close()
                active.remove(session)
                active.extend(itertools.islice(waiting, 1))
    finally:
        for session in active:
            session.close()


def _open(grid: Grid, cell: Cell, stage: Stage, fleet: Fleet) -> Session:
    """A cell's session, begun or carried on."""
    path, arms = grid.folder / cell.name, grid.arms_of(cell)
    if not (path / JOURNAL).exists():
        return Session.create(path, cell.config, arms, stage, fleet.settings.device)
    manifest, _ = recorded(path)
    check_same_ground(manifest, stage, path)
    journal = Journal.reopen(path / JOURNAL, read_run)
    try:
        return Session.reopen(path, cell.config, arms, stage, journal, fleet=fleet)
    except BaseException:
        journal.close()
        raise


def _check_begun(path: Path, cell: Cell, arms: tuple[str, ...]) -> None:
    if not (path / JOURNAL).exists():
        return
    manifest, config = recorded(path)
    if config != cell.config or tuple(manifest["arms"]) != arms:
        raise ConfigError(
            f"{path}: expected a run of this configuration, got one begun with another; "
            "choose another --out"
        )


def _ended(path: Path) -> bool:
    journal = path / JOURNAL
    return journal.exists() and ended_with(read_journal(journal)) is not None
