"""A sweep: a grid of runs side by side on one fleet, resumable, with one table and one figure."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from rich.console import Console

from mgptn.agents.files import write_whole
from mgptn.experiments.config.arms import (
    GREEDY,
    ORACLE,
    RANDOM,
    SELECTED,
    SHUFFLED,
    UNSELECTED,
    arms_of,
)
from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config, override
from mgptn.experiments.config.sections.learning import MOST
from mgptn.experiments.config.sections.plugins import protocols
from mgptn.experiments.costs.per_right import Cost, right_answers
from mgptn.experiments.figures.sweep import write_sweep_figure
from mgptn.experiments.figures.sweep_cost import write_cost_figure
from mgptn.experiments.record.rounds import first_and_last, read_rounds
from mgptn.experiments.running.fleets import hosts, joint_settings, reading
from mgptn.experiments.running.grid import Cell, Grid, plain, run_grid, stages_of
from mgptn.experiments.running.neighbours import neighbours_of, points_of, told
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.views.measured import Measuring
from mgptn.experiments.views.printable import print_anything


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


def cells_of(base: RunConfig, axes: Axes) -> list[Cell]:
    """Every combination of the axes, each checked, in a fixed order.

    Raises
    ------
    ConfigError
        Naming the cell that cannot be run.
    """
    whole = base.model_dump()
    founders = whole["agents"]["founders"]
    if founders is not None and founders["seed"] == MOST * base.seed:
        del founders["seed"], whole["agents"]["model"]  # another seed has other founders
    cells: list[Cell] = []
    named: set[str] = set()
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
        name += "".join(f"-{plain(key)}-{plain(value)}" for key, value in further)
        if name in named:
            raise ConfigError(f"sweep: expected every cell once, got {name} twice")
        named.add(name)
        population = dict(whole["population"], size=size)
        population["selection"] = dict(population["selection"], temperature=selection)
        agents = dict(whole["agents"], sampling_temperature=sampling)
        data = dict(whole, seed=seed, population=population, agents=agents)
        data["protocol"] = dict(whole["protocol"])
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
    fleets = ("agents.endpoint", "hosts.", "limits.", "metrics.")
    if key == "agents.model" or key.startswith(fleets):
        raise ConfigError(
            f"--vary {key}: expected a key that cells on one fleet may differ in, got one of the "
            "fleet's own; run a sweep for each"
        )
    if key in ("seed", "name"):
        raise ConfigError(f"--vary {key}: expected another key; --seeds varies the seed")


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
    print_anything(console.file)
    cells = cells_of(base, axes)
    with reading(base):
        stages = stages_of(cells, folder)
    first = stages[cells[0].name]
    grid = Grid(folder, tuple(cells), arms_of(cells[0].config, controls))
    fleet = hosts(
        first,
        ray_address,
        settings_on=lambda device: joint_settings(list(stages.values()), device),
        served={name: one for stage in stages.values() for name, one in stage.served.items()},
    )
    run_grid(grid, stages, fleet, console, parallel)
    table = sweep_table(folder, cells)
    path = folder / "sweep.parquet"
    write_whole(path, table.write_parquet)
    text = folder / "sweep.csv"
    write_whole(text, table.write_csv)
    paths = [path, text, write_sweep_figure(table, folder / "sweep.png")]
    return paths + _write_neighbours(cells, stages, folder, console)


def _write_neighbours(
    cells: list[Cell], stages: dict[str, Stage], folder: Path, console: Console
) -> list[Path]:
    """How cells differ that are next to each other along a key that was varied, if any was."""
    canonical = {name: stage.task.canonical for name, stage in stages.items()}
    table = neighbours_of(cells, folder, canonical)
    if not len(table):
        return []
    for line in told(table):
        console.print(line, highlight=False, markup=False)
    path = folder / "neighbours.csv"
    write_whole(path, table.write_csv)
    points = points_of(cells, folder, canonical)
    keys = table["key"].unique().to_list()
    numbers = points["value"].cast(pl.Float64, strict=False).is_not_null().all()
    if len(keys) > 1 or not numbers or points["flops_per_answer"].is_nan().any():
        return [path]
    return [path, write_cost_figure(points, keys[0], folder / "cost.png")]


def sweep_table(folder: Path, cells: list[Cell]) -> pl.DataFrame:
    """A row a cell: its axes, the first and last gold error, its controls' last, and of the
    first generation what its graders are worth, how alike its errors are, and what is cut off; and
    what a right answer took in the last."""
    rows = []
    for cell in cells:
        # Each by itself: what a row says of a generation needs none before.
        ends = [
            Measuring(cell.config)(done) for done in first_and_last(read_rounds(folder / cell.name))
        ]
        first, last = ends[0].measures[SELECTED], ends[-1].measures[SELECTED]
        spent = next(one.counters for one in ends[-1].committed if one.arm == SELECTED)
        cost = Cost.of(right_answers(last.answers, last.gold_error), spent)
        random, unselected = (ends[-1].measures.get(arm) for arm in (RANDOM, UNSELECTED))
        shuffled, oracle, greedy = (
            ends[-1].measures.get(arm) for arm in (SHUFFLED, ORACLE, GREEDY)
        )
        rows.append(
            {
                "cell": cell.name,
                "population": cell.config.population.size,
                "selection_temperature": cell.config.population.selection.temperature,
                "sampling_temperature": cell.config.agents.sampling_temperature,
                "seed": cell.config.seed,
                **dict(cell.labels),
                "generations": ends[-1].index + 1,
                "error_first": first.gold_error,
                "error_last": last.gold_error,
                "error_last_low": last.gold_error_low,
                "error_last_high": last.gold_error_high,
                "error_random_selector": random.gold_error if random else None,
                "error_shuffled_grades": shuffled.gold_error if shuffled else None,
                "error_oracle": oracle.gold_error if oracle else None,
                "error_likeliest": greedy.gold_error if greedy else None,
                "error_unselected": unselected.gold_error if unselected else None,
                "error_best_of_n": unselected.best_of_n_error if unselected else None,
                "youden_j_first": first.youden_j,
                "grader_auc_first": first.grader_auc,
                "grader_correlation_first": first.grader_correlation,
                "effective_graders_first": first.effective_graders,
                "collision_first": first.collision,
                "truncated_first": first.truncated_answers / first.answers,
                "lineages_last": last.lineages,
                **{f"{name}_last": taken for name, taken in cost.per_right.items()},
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)
