"""A sweep: each cell as if it were run alone, carried on after a kill, nothing run twice."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from rich.console import Console

from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config, load_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.rounds import JOURNAL, population_hash, read_rounds
from mgptn.experiments.running.run import run
from mgptn.experiments.running.session import Session
from mgptn.experiments.running.sweep import Axes, cells_of, run_sweep
from mgptn.experiments.views.measured import measured

AXES = Axes(population=(3, 4), selection_temperature=(0.05, 1.0), sampling_temperature=(), seeds=1)
OPTIONS = ("--population", "3,4", "--selection-temperature", "0.05,1.0")
QUICKSTART = Path(__file__).parents[3] / "experiments" / "configs" / "quickstart.yaml"
WRITTEN = ("sweep.parquet", "sweep.csv", "sweep.png")


@pytest.fixture(scope="module")
def base(small: Any) -> RunConfig:
    """Three graders, which a population of three has not got."""
    made: RunConfig = small({"protocol.graders": 3, "hosts.count": 2})
    return made


def sweep(base: RunConfig, folder: Path, axes: Axes = AXES, **options: Any) -> list[Path]:
    settings: dict[str, Any] = {"parallel": 4, "controls": False, "ray_address": None, **options}
    return run_sweep(base, axes, folder, Console(quiet=True), **settings)


@pytest.fixture(scope="module")
def swept(ray_address: str, base: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a 2 × 2 sweep, all cells side by side."""
    folder = tmp_path_factory.mktemp("swept") / "sweep"
    assert sweep(base, folder) == [folder / name for name in WRITTEN]
    return folder


def test_cells_side_by_side_are_as_if_each_were_alone(
    swept: Path, base: RunConfig, course: Any, recorded: Any
) -> None:
    cells = cells_of(base, AXES)
    assert len({cell.name for cell in cells}) == 4
    assert [cell.config.protocol.graders for cell in cells] == [2, 2, 3, 3]
    for cell in cells:
        assert recorded(swept / cell.name) == course(cell.config), cell.name
    hashes = {population_hash(recorded(swept / cell.name)) for cell in cells}
    assert len(hashes) == 4


def test_another_seed_has_other_founders_unless_they_are_named() -> None:
    base = load_config("closed_games")
    names = [cell.config.agents.founders.names for cell in cells_of(base, Axes(seeds=3))]
    assert [name.rpartition("/")[2] for (name,) in names] == ["0", "1000", "2000"]
    base = check_config({"name": "named", "agents": {"founders": {"seed": 7, "count": 1}}})
    assert {cell.config.agents.founders.seed for cell in cells_of(base, Axes(seeds=3))} == {7}


def test_a_cell_is_an_ordinary_run(swept: Path, base: RunConfig) -> None:
    cell = cells_of(base, AXES)[0]
    with pytest.raises(ConfigError, match="never overwritten"):
        run(cell.config, swept / cell.name, Console(quiet=True))
    assert len(list(measured(read_rounds(swept / cell.name), cell.config))) == 3


def test_the_table_has_a_row_a_cell_and_the_figure_is_drawn(swept: Path, base: RunConfig) -> None:
    table = pl.read_parquet(swept / "sweep.parquet")
    assert table["cell"].to_list() == [cell.name for cell in cells_of(base, AXES)]
    assert table["population"].to_list() == [3, 3, 4, 4]
    assert table["selection_temperature"].to_list() == [0.05, 1.0, 0.05, 1.0]
    assert table["generations"].to_list() == [3] * 4
    assert table["error_last"].is_between(0, 1).all()
    assert table["error_random_selector"].null_count() == 4
    tokens = table["tokens_per_right_last"]
    assert (tokens > 0).all()
    flops = table["flops_per_right_last"] / tokens
    assert flops.to_list() == pytest.approx([flops[0]] * 4)  # one model: operations by the token
    assert len(pl.read_csv(swept / "sweep.csv")) == 4
    assert (swept / "sweep.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_no_more_cells_are_held_than_run_side_by_side(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell that has ended leaves nothing behind: of ten thousand agents it would be a lot."""
    living: weakref.WeakSet[Session] = weakref.WeakSet()
    begin, most = Session.__init__, []

    def counted(session: Session, *arguments: Any, **options: Any) -> None:
        begin(session, *arguments, **options)
        living.add(session)
        gc.collect()
        most.append(len(living))

    monkeypatch.setattr(Session, "__init__", counted)
    base = small({"agents.model": "scripted", "population.generations": 1})
    sweep(base, tmp_path / "sweep", Axes(population=(3,), seeds=7), parallel=2)
    assert len(most) == 7
    assert max(most) <= 4  # two that end together, until both have given up their places


def test_a_finished_sweep_runs_nothing_again(
    swept: Path, base: RunConfig, host_processes: Any
) -> None:
    before = journals(swept)
    (swept / "sweep.csv").unlink()
    sweep(base, swept)
    assert journals(swept) == before
    assert (swept / "sweep.csv").exists()


def test_more_cells_leave_the_finished_ones_alone(
    small: Any, tmp_path: Path, recorded: Any
) -> None:
    base, folder = small({"protocol.graders": 3, "agents.model": "scripted"}), tmp_path / "sweep"
    sweep(base, folder)
    before = journals(folder)
    assert len(before) == 4
    wider = Axes((3, 4), (0.05, 1.0, float("inf")), (), 1)
    sweep(base, folder, wider)
    after = journals(folder)
    assert {name: after[name] for name in before} == before
    assert len(after) == 6
    for cell in cells_of(base, wider):
        assert recorded(folder / cell.name) == list(Simulation(cell.config)), cell.name


def test_another_configuration_in_the_same_folder_is_refused(
    swept: Path, base: RunConfig, small: Any, contents_of: Any
) -> None:
    before = contents_of(swept)
    other = small({"protocol.graders": 3, "hosts.count": 2, "protocol.threshold": 0.9})
    with pytest.raises(ConfigError, match="begun with another; choose another --out"):
        sweep(other, swept)
    with pytest.raises(ConfigError, match="begun with another; choose another --out"):
        sweep(base, swept, controls=True)
    assert contents_of(swept) == before


def test_a_killed_sweep_is_carried_on(
    ray_address: str,
    start: Any,
    small: Any,
    config_file: Any,
    tmp_path: Path,
    course: Any,
    recorded: Any,
) -> None:
    base = small({"protocol.graders": 3, "population.generations": 4})
    cells = cells_of(base, AXES)
    folder = tmp_path / "sweep"
    command = start(
        *("sweep", config_file(base), *OPTIONS, "--parallel", 1, "--no-controls"),
        *("--out", folder, "--ray-address", ray_address),
    )
    command.wait_for_commits(folder / cells[1].name, 1)
    command.kill()
    assert not (folder / cells[3].name).exists()
    finished = journals(folder)[cells[0].name]
    sweep(base, folder)
    assert journals(folder)[cells[0].name] == finished
    for cell in cells:
        assert recorded(folder / cell.name) == course(cell.config), cell.name
    assert all((folder / name).exists() for name in WRITTEN)


def journals(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Each cell's journal, and when it was last written to."""
    return {
        path.parent.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.glob(f"*/{JOURNAL}"))
    }


def test_any_key_can_be_varied(base: RunConfig) -> None:
    axes = Axes(
        population=(3, 4),
        further=(("protocol.name", ("survey", "pairwise")), ("selector", ("peers", "random"))),
    )
    cells = cells_of(base, axes)
    assert len({cell.name for cell in cells}) == len(cells) == 8
    chosen = [(c.config.population.size, c.config.protocol.name, c.config.selector) for c in cells]
    assert len(set(chosen)) == 8
    # Of three, two answer in a pairwise match, and one is left to grade.
    graders = {
        (c.config.population.size, c.config.protocol.name): c.config.protocol.graders for c in cells
    }
    assert graders == {(3, "survey"): 2, (3, "pairwise"): 1, (4, "survey"): 3, (4, "pairwise"): 2}
    assert cells[0].labels == (("protocol.name", "survey"), ("selector", "peers"))


def test_the_file_need_not_be_possible_where_a_key_is_varied(tmp_path: Path) -> None:
    sizes = {"task.name": "facts", "population.size": 4, "protocol.graders": 1}
    small = {"agents.model": "scripted", "population.generations": 1, "problems_per_generation": 4}
    options = [
        part for key, value in {**sizes, **small}.items() for part in ("--set", f"{key}={value}")
    ]
    command = ["sweep", str(QUICKSTART), "--no-controls", "--vary", "task.size=6,8", *options]
    done = CliRunner().invoke(main, [*command, "--out", str(tmp_path / "sweep")])
    assert done.exit_code == 0, done.output
    assert pl.read_parquet(tmp_path / "sweep" / "sweep.parquet")["task.size"].to_list() == [
        "6",
        "8",
    ]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("agents.model", "gpt-1", "expected a key that cells on one fleet may differ in"),
        ("hosts.slots", "4", "expected a key that cells on one fleet may differ in"),
        ("seed", "4", "--seeds varies the seed"),
        ("protocol.nome", "survey", "unknown key"),
        ("protocol.threshold", "much", "protocol.threshold: expected"),
    ],
)
def test_a_key_that_cannot_be_varied_is_named(
    base: RunConfig, key: str, value: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        cells_of(base, Axes(further=((key, (value,)),)))
