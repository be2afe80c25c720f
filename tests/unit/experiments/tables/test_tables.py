from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from mgptn.experiments.figures.files import FIGURES, write_figures
from mgptn.experiments.figures.founders import banded, founder_counts, founder_shares
from mgptn.experiments.figures.run import predicted_errors
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.tables.schemas import SCHEMAS
from mgptn.experiments.tables.writing import read_tables
from mgptn.population.records.agents import Agent, AgentId, Birth, Genome
from tests.columns import or_none, with_outcomes
from tests.reference.experiments.tables import build_tables, write_tables
from tests.synthetic import ARMS, synthetic_run, undefined

GENERATIONS, AGENTS, PROBLEMS, GRADERS = 4, 6, 5, 2


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return build_tables(*synthetic_run(ARMS, GENERATIONS, AGENTS, PROBLEMS, GRADERS))


def test_each_table_has_a_row_for_each_thing_committed(tables: dict[str, pl.DataFrame]) -> None:
    rounds = len(ARMS) * GENERATIONS
    assert {name: len(table) for name, table in tables.items()} == {
        "generations": rounds,
        "answers": rounds * AGENTS * PROBLEMS,
        "grades": rounds * AGENTS * PROBLEMS * GRADERS,
        "turns": 0,
        "births": (rounds - GENERATIONS) * AGENTS,  # nobody is born in the unselected arm
        "agents": rounds * AGENTS,
        "graders": 0,
        "reliability": 0,
    }


def test_what_counts_of_an_answer_stands_beside_it() -> None:
    committed, measures = synthetic_run()
    one = committed[-4]
    outcomes = one.generation.outcomes
    texts = (*outcomes.texts, "7")
    parts = outcomes.answers.astype(np.int64)
    parts[0] = len(texts) - 1
    said = replace(outcomes, texts=texts, parts=parts)
    told = replace(one, generation=replace(one.generation, outcomes=said))
    answers = build_tables([told], measures)["answers"]
    assert answers["counted"].to_list() == ["7", *[None] * (len(outcomes) - 1)]
    assert answers["answer"][0] == outcomes[0].answer


def test_tables_agree_with_the_records_they_come_from() -> None:
    committed, measures = synthetic_run()
    tables = build_tables(committed, measures)
    one = committed[-4]  # the last generation of the run itself
    here = (pl.col("arm") == one.arm) & (pl.col("generation") == one.generation.index)

    answers = tables["answers"].filter(here)
    assert answers["answer"].to_list() == [o.answer for o in one.generation.outcomes]
    assert answers["score"].to_list() == list(or_none(one.generation.scores))
    assert answers.filter("accepted")["index"].to_list() == one.generation.accepted.tolist()
    agents = tables["agents"].filter(here)
    assert agents["genome"].to_list() == [a.genome.digest() for a in one.generation.agents]
    assert agents["context"].to_list() == [len(a.genome.context) for a in one.generation.agents]
    assert agents["rate"].to_list() == one.generation.rates.tolist()
    row = tables["generations"].filter(here).row(0, named=True)
    assert row["gold_error"] == measures[one.arm, one.generation.index].gold_error
    assert row["seconds_grade"] == one.seconds["grade"]
    assert row["tokens_saved"] == one.counters["tokens_saved"]


def test_tables_join(tables: dict[str, pl.DataFrame]) -> None:
    key = ["arm", "generation", "index"]
    joined = tables["grades"].join(tables["answers"], on=key, how="inner", validate="m:1")
    assert len(joined) == len(tables["grades"])
    for column in ("author", "problem", "verdict"):
        assert joined[column].to_list() == joined[f"{column}_right"].to_list()
    assert (joined["author"] != joined["grader"]).all()
    means = tables["grades"].group_by(key).agg(pl.col("value").mean())
    means = tables["answers"].join(means, on=key, how="left")
    for mean, expected in zip(means["grade_mean"], means["value"], strict=True):
        assert (mean is None) == (expected is None)
        assert mean is None or mean == pytest.approx(expected, rel=1e-12)

    living = tables["agents"].select("arm", "generation", pl.col("agent").alias("author"))
    answered = tables["answers"].select("arm", "generation", "author").unique()
    assert_frame_equal(answered, living, check_row_order=False)


def test_the_born_are_the_agents_of_the_next_generation(tables: dict[str, pl.DataFrame]) -> None:
    born = tables["births"].filter(pl.col("generation") < GENERATIONS - 1)
    lived = tables["agents"].join(
        born.with_columns(pl.col("generation") + 1),
        left_on=["arm", "generation", "agent"],
        right_on=["arm", "generation", "child"],
    )
    assert len(lived) == len(born) > 0
    for column in ("parent", "founder", "genome"):
        assert lived[column].to_list() == lived[f"{column}_right"].to_list()


def test_offspring_sum_to_the_population(tables: dict[str, pl.DataFrame]) -> None:
    sums = tables["agents"].group_by("arm", "generation").agg(pl.col("offspring").sum())
    assert set(sums["offspring"]) == {AGENTS}
    assert set(tables["agents"].filter(pl.col("arm") == "unselected")["offspring"]) == {1}


def test_a_child_of_a_child_counts_for_the_agent_that_answered() -> None:
    """Moran events follow on one another: 0 → 10 → 11, and 10 dies before the generation ends."""
    committed, measures = synthetic_run(arms=("selected",), generations=1, agents=3)
    one = committed[0]
    genome = Genome("gpt-1", 1.0)
    child = Agent(AgentId(11), genome, AgentId(10), AgentId(0), 0)
    generation = replace(
        one.generation,
        births=(
            Birth(AgentId(10), AgentId(0), ()),
            Birth(AgentId(11), AgentId(10), ("drop", "jitter"), AgentId(2)),
        ),
        deaths=(AgentId(1), AgentId(10)),
        survivors=(one.generation.agents[0], child, one.generation.agents[2]),
    )
    tables = build_tables([replace(one, generation=generation)], measures)
    assert tables["agents"]["offspring"].to_list() == [2, 0, 1]
    assert tables["births"]["founder"].to_list() == [0, 0]
    assert tables["births"]["other_parent"].to_list() == [None, 2]
    assert tables["births"]["genome"].to_list() == [None, genome.digest()]
    assert tables["births"]["mutations"].to_list() == [[], ["drop", "jitter"]]
    shares = founder_shares(founder_counts(tables["agents"]))
    assert shares[0].tolist() == [pytest.approx(1 / 3), pytest.approx(2 / 3)]


def test_parquet_gives_back_the_same_tables(
    tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    write_tables(tables, tmp_path / "new" / "tables")
    back = read_tables(tmp_path / "new" / "tables")
    assert list(back) == list(SCHEMAS)
    for name, table in tables.items():
        assert_frame_equal(back[name], table, check_exact=True)
        assert dict(back[name].schema) == SCHEMAS[name]


def test_equal_runs_give_equal_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_tables(build_tables(*synthetic_run()), tmp_path / folder)
    for name in SCHEMAS:
        a, b = (tmp_path / folder / f"{name}.parquet" for folder in ("a", "b"))
        assert a.read_bytes() == b.read_bytes()


def test_empty_tables_keep_their_types(tmp_path: Path) -> None:
    write_tables(build_tables([], {}), tmp_path)
    for name, table in read_tables(tmp_path).items():
        assert len(table) == 0
        assert dict(table.schema) == SCHEMAS[name]


def test_a_failed_write_leaves_the_old_table_and_nothing_else(
    tables: dict[str, pl.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tables(tables, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def half_written(self: pl.LazyFrame, file: object, **options: object) -> None:
        file.write(b"PAR1")  # type: ignore[attr-defined]
        raise OSError("No space left on device")

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", half_written)
    with pytest.raises(OSError, match="No space left"):
        write_tables(tables, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_counter_without_a_column_is_not_dropped_in_silence() -> None:
    committed, measures = synthetic_run(generations=1)
    odd = replace(committed[0], counters={**committed[0].counters, "tokens_lost": 1})
    with pytest.raises(ValueError, match="tokens_lost"):
        build_tables([odd], measures)


def test_the_unknown_is_null_and_the_undefined_is_nan() -> None:
    committed, measures = synthetic_run(generations=1, arms=("selected",))
    one: Committed = committed[0]
    outcomes = list(one.generation.outcomes)
    unread = tuple(replace(g, levels=None, value=None) for g in outcomes[0].grades)
    outcomes[0] = replace(outcomes[0], grades=unread)
    scores = np.append(np.nan, one.generation.scores[1:])
    generation = replace(with_outcomes(one.generation, outcomes), scores=scores)
    gone = {key: undefined(value) for key, value in measures.items()}
    tables = build_tables([replace(one, generation=generation, seconds={})], gone)
    assert tables["answers"].row(0, named=True)["score"] is None
    assert tables["answers"].row(0, named=True)["grade_mean"] is None
    assert tables["grades"].row(0, named=True)["level_5"] is None
    assert math.isnan(tables["generations"]["tpr"][0])
    assert tables["generations"]["seconds_total"][0] is None


def test_the_recurrence_compounds_from_the_first_error_and_stops_where_undefined() -> None:
    rows = pl.DataFrame(
        {
            "gold_error": [0.5, 0.9, 0.9, 0.9],
            "tpr": [0.8, 0.9, math.nan, 0.9],
            "fpr": [0.2, 0.3, math.nan, 0.3],
        }
    )
    # odds 1, then 1/4, then 1/12: the later measured errors play no part
    assert predicted_errors(rows) == pytest.approx([1 / 2, 1 / 5, 1 / 13])
    assert predicted_errors(rows.with_columns(tpr=0.0, fpr=0.0)) == [0.5]
    assert predicted_errors(rows.with_columns(gold_error=math.nan)) == []
    assert predicted_errors(rows.clear()) == []


def test_founders_shares_start_even_sum_to_one_and_end_after_the_last_selection(
    tables: dict[str, pl.DataFrame],
) -> None:
    shares = founder_shares(founder_counts(tables["agents"]))
    assert all(share[0] == pytest.approx(1 / AGENTS) for share in shares.values())
    for column in zip(*shares.values(), strict=True):
        assert len(shares) == AGENTS
        assert sum(column) == pytest.approx(1)
    last = tables["births"].filter(
        (pl.col("arm") == "selected") & (pl.col("generation") == GENERATIONS - 1)
    )
    counts = dict(last.group_by("founder").len().iter_rows())
    assert {f: s[-1] for f, s in shares.items() if s[-1]} == pytest.approx(
        {f: n / AGENTS for f, n in counts.items()}
    )


@given(
    shares=st.dictionaries(
        st.integers(0, 10_000), st.lists(st.floats(0, 1), min_size=3, max_size=3), max_size=40
    ),
    most=st.integers(1, 9),
)
def test_bands_of_many_founders_are_few_and_add_up(
    shares: dict[int, list[float]], most: int
) -> None:
    bands = banded({name: np.array(share) for name, share in shares.items()}, most)
    own = [name for name, _ in bands if name is not None]
    assert len(own) == min(most, len(shares))
    assert len(bands) <= 2 * most + 1
    assert own == [name for name in shares if name in own]
    assert all(band.tolist() == shares[name] for name, band in bands if name is not None)
    heights = np.cumsum([band for _, band in bands], axis=0) if bands else np.zeros((0, 3))
    whole = np.cumsum(list(shares.values()), axis=0) if shares else np.zeros((0, 3))
    # Each founder's own band begins and ends where it would among all.
    for place, (name, _) in enumerate(bands):
        if name is not None:
            assert heights[place] == pytest.approx(whole[list(shares).index(name)])
    smallest = min((shares[name][-1] for name in own), default=0.0)
    assert all(s[-1] <= smallest for name, s in shares.items() if name not in own)


@pytest.mark.parametrize("run", ["whole", "one undefined generation", "empty"])
def test_every_figure_is_written(run: str, tmp_path: Path) -> None:
    committed, measures = synthetic_run(generations=4 if run == "whole" else 1)
    if run == "one undefined generation":
        measures = {key: undefined(value) for key, value in measures.items()}
    tables = build_tables([] if run == "empty" else committed, measures)
    paths = write_figures(tables, tmp_path)
    assert [path.name for path in paths] == [
        f"{name}.png" for name in FIGURES if name not in ("reach", "as-many")
    ]
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths}
    for path in paths:
        head = path.read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert int.from_bytes(head[16:20], "big") >= 1000  # pixels wide


def test_the_error_figure_shows_each_arm_the_votes_and_the_prediction(
    tables: dict[str, pl.DataFrame],
) -> None:
    drawn = FIGURES["error"].draw(tables, 7.2).axes[0].get_legend_handles_labels()
    lines = {label: list(line.get_ydata()) for line, label in zip(*drawn, strict=True)}
    assert set(lines) == {
        "selected, 95 % interval",
        "neutral-drift",
        "random-selector",
        "unselected",
        f"unselected: best of {AGENTS}",
        f"unselected: majority of {AGENTS}",
        "predicted by the recurrence",
    }
    measured = tables["generations"].filter(pl.col("arm") == "random-selector")["gold_error"]
    assert lines["random-selector"] == measured.to_list()
    alone = {name: table.filter(pl.col("arm") == "selected") for name, table in tables.items()}
    drawn = FIGURES["error"].draw(alone, 7.2).axes[0].get_legend_handles_labels()
    assert drawn[1] == ["selected, 95 % interval", "predicted by the recurrence"]


@pytest.mark.parametrize("width", [3.8, 7.2])
def test_the_muller_plot_has_kinship_and_collision_on_the_same_generations(
    tables: dict[str, pl.DataFrame], width: float
) -> None:
    upper, lower = FIGURES["muller"].draw(tables, width).axes
    assert upper.get_xlim() == lower.get_xlim() == (0, GENERATIONS)
    assert len(upper.collections) == AGENTS
    rows = tables["generations"].filter(pl.col("arm") == "selected")
    lines = {line.get_label(): line for line in lower.get_lines()}
    for label, column in {
        "both wrong: same answer": "collision",
        "same founder": "identity_by_descent",
        "same founder, expected": "identity_expected",
    }.items():
        assert list(lines[label].get_xdata()) == list(range(GENERATIONS))
        assert list(lines[label].get_ydata()) == rows[column].to_list()
