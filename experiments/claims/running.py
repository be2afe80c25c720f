"""An experiment from its registration to its finding: runs, analysis, figure and table."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from mgptn.agents.files import write_whole
from mgptn.agents.hosts.fleet import Fleet, NoFleet
from mgptn.agents.hosts.host import HostSettings
from mgptn.experiments.claims.method.claim import Claim, Scale
from mgptn.experiments.claims.method.costs import Cost, cell_table, hash_of_cells, total_cost
from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.measuring import Ground, measure_all
from mgptn.experiments.claims.table import ANALYSES
from mgptn.experiments.config.run_config import ConfigError, RunConfig, override, read_value
from mgptn.experiments.record.manifest import library_versions, read_manifest
from mgptn.experiments.record.reading import read_journal
from mgptn.experiments.record.rounds import JOURNAL, ended_with
from mgptn.experiments.running.fleets import fleet_here, hosts, joint_settings
from mgptn.experiments.running.grid import Cell, Grid, run_grid, stages_of
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.views.doing import doing

FINDING, FIGURE, TABLE = "finding.json", "figure.png", "cells.parquet"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finding with where it comes from.

    Attributes
    ----------
    changes
        Keys set in every cell, besides what was registered.
    cells, seeds
        How many.
    joint_hash
        Over the population hashes of all cells, then the hashes of what was measured.
    measured
        Tables that were measured, of all seeds.
    registered
        Hash of the registration that it was run under.
    """

    name: str
    scale: Scale
    changes: dict[str, Any]
    cells: int
    seeds: int
    command: str
    joint_hash: str
    cost: Cost
    versions: dict[str, str]
    finding: Finding
    measured: int = 0
    registered: str = ""

    def write(self, folder: Path) -> Path:
        """As `finding.json` in a folder."""
        plain = {**asdict(self), "finding": self.finding.to_plain()}
        text = json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_whole(folder / FINDING, lambda file: file.write(text.encode()))
        return folder / FINDING


def read_recorded(path: Path) -> Recorded:
    """A finding from its file.

    Raises
    ------
    ConfigError
        If there is none.
    """
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError) as error:
        raise ConfigError(
            f"{path}: expected the finding of an experiment that was run, got: {error}"
        ) from None
    cost, finding = Cost(**plain.pop("cost")), Finding.from_plain(plain.pop("finding"))
    return Recorded(**plain, cost=cost, finding=finding)


def run_claim(
    claim: Claim,
    scale: Scale,
    folder: Path,
    console: Console,
    *,
    changes: Mapping[str, Any] | None = None,
    fleet: Fleet | None = None,
    ray_address: str | None = None,
    parallel: int = 8,
    command: str = "",
) -> Recorded:
    """Run the cells that have not ended, measure, then analyse; writes finding, figure and table.

    Parameters
    ----------
    fleet
        Hosts of somebody else's, left open; without, one host in this process, or the hosts of a
        Ray cluster where there is an address.

    Raises
    ------
    ConfigError
        If a cell cannot be run, or was begun under another configuration.
    """
    cells, options = claim.cells(scale, changes), claim.options(scale, changes)
    seeds = claim.registered.scales[scale].drawn
    grid = Grid(folder, tuple(cells), claim.arms)
    with doing("preparing models and problems"):
        stages = stages_of(cells, folder)
    run_grid(grid, stages, _fleet(fleet, list(stages.values()), ray_address), console, parallel)
    results, analysis = Results(folder, tuple(cells)), ANALYSES[claim.name]
    table = cell_table(folder, cells)
    asked = [Stage(claim.ground(model)) for model in claim.registered.models]
    weights = {name: hashed for stage in asked for name, hashed in stage.weights.items()}
    ground = Ground(options, weights, hash_of_cells(table))
    measured = measure_all(
        analysis.measures, results, ground, seeds, _fleet(fleet, asked, ray_address), console
    )
    table = pl.concat([table, measured], how="diagonal")
    finding = analysis.analyse(results)
    recorded = Recorded(
        name=claim.name,
        scale=scale,
        changes=dict(changes or {}),
        cells=len(cells),
        seeds=len(seeds),
        command=command,
        joint_hash=hash_of_cells(table),
        cost=total_cost(table),
        versions=library_versions(),
        finding=finding,
        measured=len(measured),
        registered=claim.digest,
    )
    write_whole(folder / TABLE, table.write_parquet)
    analysis.draw(results, finding, folder / FIGURE)
    recorded.write(folder)
    return recorded


def judge_again(claim: Claim, folder: Path) -> Recorded:
    """Analyse a recorded run anew, of which nothing is left to run; finding and figure rewritten.

    Cost, hash and versions stay those of the run, which may be of a version with other defaults.

    Raises
    ------
    ConfigError
        If a cell has not ended, or was run with something else than is registered.
    """
    before = read_recorded(folder / FINDING)
    cells = claim.cells(before.scale, before.changes)
    grid = Grid(folder, tuple(cells), claim.arms)
    for cell in cells:
        _check_recorded(folder / cell.name, cell, grid.arms_of(cell))
    results, analysis = Results(folder, tuple(cells)), ANALYSES[claim.name]
    recorded = replace(before, finding=analysis.analyse(results), registered=claim.digest)
    analysis.draw(results, recorded.finding, folder / FIGURE)
    recorded.write(folder)
    return recorded


def _check_recorded(path: Path, cell: Cell, arms: tuple[str, ...]) -> None:
    """Refuse a cell that was not run to its end, with what is set in its registration."""
    if not (path / JOURNAL).exists() or ended_with(read_journal(path / JOURNAL)) is None:
        raise ConfigError(f"{path}: expected a run that has ended; 'mgptn experiment run' ends it")
    manifest = read_manifest(path)
    if tuple(manifest["arms"]) != arms:
        raise ConfigError(f"{path}: expected the arms {', '.join(arms)}, got {manifest['arms']}")
    default = RunConfig(name=cell.config.name).model_dump(mode="json")
    wanted = cell.config.model_dump(mode="json")
    if other := _set_otherwise(manifest["config"], wanted, default):
        raise ConfigError(f"{path}: expected {other} as registered, got another in what was run")


def _set_otherwise(ran: Any, wanted: Any, default: Any, key: str = "") -> str:
    """The first key that is not what it was run with, and not what it is where nobody sets it."""
    if isinstance(wanted, dict) and isinstance(ran, dict):
        known = default if isinstance(default, dict) else {}
        parts = (
            _set_otherwise(ran[name], value, known.get(name), f"{key}.{name}".strip("."))
            for name, value in wanted.items()
            if name in ran  # else its version had no such key
        )
        return next(filter(None, parts), "")
    return "" if wanted in (ran, default) else key


def parse_changes(overrides: Sequence[str]) -> dict[str, Any]:
    """``KEY=VALUE`` texts, values read as YAML.

    Raises
    ------
    ConfigError
        If one is not of this form.
    """
    changes: dict[str, Any] = {}
    for text in overrides:
        override({}, text)
        key, _, value = text.partition("=")
        changes[key] = read_value(value, f"--set {text}")
    return changes


@contextmanager
def _fleet(
    given: Fleet | None, stages: Sequence[Stage], ray_address: str | None
) -> Iterator[Fleet]:
    hosted = [stage for stage in stages if stage.scripted is None]
    if given is not None:
        yield given
    elif not stages:
        yield NoFleet(HostSettings("none", ""))
    elif ray_address is not None and hosted:
        with hosts(
            hosted[0], ray_address, settings_on=lambda device: joint_settings(hosted, device)
        ) as fleet:
            yield fleet
    else:
        fleet = fleet_here(stages)
        try:
            yield fleet
        finally:
            fleet.close()
