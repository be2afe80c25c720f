from __future__ import annotations

from pathlib import Path

import polars as pl

from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.record.rounds import Round
from mgptn.experiments.sharing.columns import EXPLAINED
from mgptn.experiments.sharing.shared_tables import SHARED, lineage_frame, shared_frames
from mgptn.experiments.views.measured import measured
from tests.reference.experiments.tables import build_tables
from tests.shared_run import CONFIG
from tests.synthetic import ARMS, synthetic_run

committed, measures = synthetic_run()


def test_every_column_is_explained_in_order() -> None:
    assert {name: list(columns) for name, columns in SHARED.items()} == {
        name: [column for column in SHARED[name] if column in told]
        for name, told in EXPLAINED.items()
    }
    for name, told in EXPLAINED.items():
        assert set(told) == set(SHARED[name])
        assert all(line and line.endswith((".", "?")) for line in told.values())
        assert not any("|" in line or "\n" in line for line in told.values())


def test_everybody_who_ever_lived_stands_in_the_lineage_once() -> None:
    lineage = pl.concat([lineage_frame(one) for one in committed])
    tables = build_tables(committed, measures)
    for arm in ARMS:
        here = lineage.filter(arm=arm)
        assert here["agent"].is_unique().all()
        lived = tables["agents"].filter(arm=arm)["agent"].unique()
        assert set(lived) <= set(here["agent"])
        founders = here.filter(pl.col("parent").is_null())
        assert founders["agent"].to_list() == list(range(6))
        assert founders["born"].to_list() == [-1] * 6
        born = tables["births"].filter(arm=arm)
        children = here.filter(pl.col("parent").is_not_null())
        for mine, theirs in (("agent", "child"), ("parent", "parent"), ("founder", "founder")):
            assert children[mine].to_list() == born[theirs].to_list()
        assert children["born"].to_list() == born["generation"].to_list()
        assert children["genome"].to_list() == born["genome"].to_list()
        # Whoever has a parent descends from its founder.
        line = dict(here.select("agent", "founder").iter_rows())
        assert all(line[parent] == own for parent, own in
                   children.select("parent", "founder").iter_rows())  # fmt: skip


def test_other_tables_are_those_of_the_run() -> None:
    some, arms = committed[: 2 * len(ARMS)], len(ARMS)
    rounds = [Round(tuple(some[i : i + arms])) for i in range(0, len(some), arms)]
    parts = [shared_frames(done) for done in measured(rounds, check_config(CONFIG))]
    tables = build_tables(some, measures)
    for name in ("answers", "grades", "generations", "turns"):
        table = pl.concat([part[name] for part in parts])
        assert table.schema == tables[name].schema
        # What is made up of measures is not measured: the rest is the same.
        same = ["arm", "generation"] if name == "generations" else table.columns
        assert table.select(same).equals(tables[name].select(same))


def test_no_heavy_library_is_needed_to_write(tmp_path: Path) -> None:
    import mgptn.experiments.sharing as room

    assert room.__file__ is not None
    for module in Path(room.__file__).parent.glob("*.py"):
        text = module.read_text()
        for library in ("inspect_ai", "datasets", "tensorboard", "wandb", "mlflow", "pandas"):
            assert f"\nimport {library}" not in text
            assert f"\nfrom {library}" not in text
