"""A sweep: a grid of runs side by side on one fleet, resumable, with one table and one figure."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agents.fleet import Fleet
from experiments.arms import RANDOM, SELECTED, UNSELECTED, arms_of
from experiments.config import ConfigError, RunConfig, check_config, override
from experiments.journal import read_journal
from experiments.manifest import check_same_ground, read_manifest
from experiments.plugins import protocols
from experiments.run import hosts
from experiments.session import JOURNAL, Session, advance, first_and_last, measured_rounds
from experiments.stage import Stage
from experiments.sweep_figure import write_sweep_figure
from experiments.tables import write_whole


@dataclass(frozen=True, slots=True)
class Axes:
    """What a sweep varies; an empty axis stays as the configuration has it.

    `seeds` counts; `further` has other keys of a configuration, each with its values as texts.
    """

    population: tuple[int, ...] = ()
    selection_temperature: tuple[float, ...] = ()
    sampling_temperature: tuple[float, ...] = ()
    seeds: int = 1
    further: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a sweep: the name of its folder, its configuration, its place on further axes."""

    name: str
    config: RunConfig
    further: tuple[tuple[str, str], ...] = ()


def cells_of(base: RunConfig, axes: Axes) -> list[Cell]:
    """Every combination of the axes, each checked, in a fixed order.

    Raises
    ------
    ConfigError
        Naming the cell that cannot be run.
    """
    plain = base.model_dump()
    cells: list[Cell] = []
    for key, _ in axes.further:
        _check_axis(key)
    places = itertools.product(
        *([(key, value) for value in values] for key, values in axes.further)
    )
    for size, selection, sampling, seed, further in itertools.product(
        axes.population or (base.population.size,),
        axes.selection_temperature or (base.population.selection.temperature,),
        axes.sampling_temperature or (base.agents.sampling_temperature,),
        range(base.seed, base.seed + axes.seeds),
        places,
    ):
        name = f"m{size}-selection{selection!r}-sampling{sampling!r}-seed{seed}"
        name += "".join(f"-{_plain(key)}-{_plain(value)}" for key, value in further)
        if name in (cell.name for cell in cells):
            raise ConfigError(f"sweep: expected every cell once, got {name} twice")
        population = dict(plain["population"], size=size)
        population["selection"] = dict(population["selection"], temperature=selection)
        agents = dict(plain["agents"], sampling_temperature=sampling)
        data = dict(plain, seed=seed, population=population, agents=agents)
        data["protocol"] = dict(plain["protocol"])
        for key, value in further:
            override(data, f"{key}={value}")
        # A small population has fewer peers than may be asked for: all of them grade.
        protocol = protocols().get(data["protocol"]["name"])
        peers = size - 1 - (protocol.partners if protocol else 0)
        if isinstance(data["protocol"]["graders"], int):
            data["protocol"]["graders"] = min(data["protocol"]["graders"], max(1, peers))
        cells.append(Cell(name, check_config(data, source=f"cell {name}"), further))
    return cells


def _check_axis(key: str) -> None:
    """Refuse what all cells of a sweep share."""
    if key == "agents.model" or key.startswith(("hosts.", "metrics.")):
        raise ConfigError(
            f"--vary {key}: expected a key that cells on one fleet may differ in, got one of the "
            "fleet's own; run a sweep for each"
        )
    if key in ("seed", "name"):
        raise ConfigError(f"--vary {key}: expected another key; --seeds varies the seed")


def _plain(text: str) -> str:
    """A text as part of a folder's name."""
    return re.sub(r"[^A-Za-z0-9.]+", "_", text).strip("_")


def run_sweep(
    base: RunConfig,
    axes: Axes,
    folder: Path,
    console: Console,
    *,
    parallel: int,
    controls: bool,
    ray_address: str | None,
) -> list[Path]:
    """Run every cell that has not ended, several at once; the table and the figure written.

    A cell begun under another configuration, or with other controls, is refused before anything
    starts. Cells have no metrics endpoint.
    """
    cells = cells_of(base, axes)
    stages = [Stage(cell.config) for cell in cells]
    arms = arms_of(controls)
    for cell in cells:
        _check_begun(folder / cell.name, cell, arms)
    left = [i for i, cell in enumerate(cells) if not _ended(folder / cell.name)]
    generations = base.population.generations
    if left:
        with ExitStack() as stack:
            fleet = stack.enter_context(hosts(stages[0], ray_address))
            bar = stack.enter_context(_progress(console))
            shown = bar.add_task("generations", total=len(cells) * generations)
            bar.update(shown, completed=(len(cells) - len(left)) * generations)
            waiting = (_open(folder, cells[i], stages[i], arms, fleet, stack) for i in left)
            for steps in _run_side_by_side(waiting, fleet, parallel):
                bar.advance(shown, steps)
    table = sweep_table(folder, cells)
    path = folder / "sweep.parquet"
    write_whole(path, table.write_parquet)
    text = folder / "sweep.csv"
    write_whole(text, table.write_csv)
    return [path, text, write_sweep_figure(table, folder / "sweep.png")]


def sweep_table(folder: Path, cells: list[Cell]) -> pl.DataFrame:
    """A row a cell: its axes, the first and last gold error, its controls' last, its last J."""
    rows = []
    for cell in cells:
        ends = first_and_last(measured_rounds(folder / cell.name, cell.config))
        first, last = ends[0].measures[SELECTED], ends[-1].measures[SELECTED]
        random, unselected = (ends[-1].measures.get(arm) for arm in (RANDOM, UNSELECTED))
        rows.append(
            {
                "cell": cell.name,
                "population": cell.config.population.size,
                "selection_temperature": cell.config.population.selection.temperature,
                "sampling_temperature": cell.config.agents.sampling_temperature,
                "seed": cell.config.seed,
                **dict(cell.further),
                "generations": ends[-1].index + 1,
                "error_first": first.gold_error,
                "error_last": last.gold_error,
                "error_last_low": last.gold_error_low,
                "error_last_high": last.gold_error_high,
                "error_random_selector": random.gold_error if random else None,
                "error_unselected": unselected.gold_error if unselected else None,
                "error_best_of_n": unselected.best_of_n_error if unselected else None,
                "youden_j_first": first.youden_j,
                "lineages_last": last.lineages,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def _run_side_by_side(waiting: Iterator[Session], fleet: Fleet, parallel: int) -> Iterator[int]:
    """Keep `parallel` sessions under way until all have ended; yields generations done."""
    active: list[Session] = list(itertools.islice(waiting, parallel))
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


def _open(
    folder: Path, cell: Cell, stage: Stage, arms: tuple[str, ...], fleet: Fleet, stack: ExitStack
) -> Session:
    """A cell's session, begun or carried on."""
    path = folder / cell.name
    if (path / JOURNAL).exists():
        manifest, _ = read_manifest(path)
        check_same_ground(manifest, stage, path)
        session = Session.reopen(path, cell.config, arms, stage, read_journal(path / JOURNAL))
    else:
        session = Session.create(path, cell.config, arms, stage, fleet.settings.device)
    stack.callback(session.close)
    return session


def _check_begun(path: Path, cell: Cell, arms: tuple[str, ...]) -> None:
    if not (path / JOURNAL).exists():
        return
    manifest, config = read_manifest(path)
    if config != cell.config or tuple(manifest["arms"]) != arms:
        raise ConfigError(
            f"{path}: expected a run of this sweep's configuration, got one begun with another; "
            "choose another --out"
        )


def _ended(path: Path) -> bool:
    journal = path / JOURNAL
    return journal.exists() and any(r["kind"] == "end" for r in read_journal(journal).records)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )
