"""What graders are worth, as tables, figure, report and metrics show it."""

# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace

import polars as pl
import pytest

from mgptn.experiments.figures.files import FIGURES
from mgptn.experiments.figures.graders import reliability
from mgptn.experiments.figures.style import NARROW, WIDE
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.results.grader_sheet import KINDS, graders_of
from mgptn.experiments.tables.schemas import SCHEMAS
from mgptn.experiments.views.metric_names import GRADER_GAUGES, MODELS_SHOWN
from mgptn.experiments.views.metrics import RunMetrics
from mgptn.population.measures.grader_measures import ESTIMATES, measure_graders
from mgptn.population.records.agents import Genome
from tests.reference.experiments.tables import build_tables
from tests.synthetic import THRESHOLD, synthetic_run, undefined


def of_models(committed: Committed, names: list[str]) -> Committed:
    """The same commit, its agents being copies of these models in turn."""
    agents = tuple(
        replace(agent, genome=Genome(names[slot % len(names)], 1.0))
        for slot, agent in enumerate(committed.generation.agents)
    )
    return replace(committed, generation=replace(committed.generation, agents=agents))


@pytest.fixture(scope="module")
def run():
    committed, measures = synthetic_run(problems=8, graders=3)
    committed = [of_models(one, ["gpt-1/0", "gpt-3/0"]) for one in committed]
    graders = {
        (one.arm, one.generation.index): measure_graders(one.generation, THRESHOLD)
        for one in committed
    }
    return committed, measures, graders


def test_a_row_for_all_and_for_each_model(run):
    tables = build_tables(*run)
    table = tables["graders"]
    assert dict(table.schema) == SCHEMAS["graders"]
    assert len(table) == len(run[0]) * 3
    assert table["model"].head(3).to_list() == ["all", "gpt-1/0", "gpt-3/0"]
    arm, index, model, value, low = table.select(
        "arm", "generation", "model", "auc", "auc_low"
    ).row(4)
    mine = {g.model: g for g in run[2][arm, index]}[model]
    assert (value, low) == (mine.auc.value, mine.auc.low)
    both = table.filter(pl.col("model") != "all").group_by("arm", "generation")
    sums = both.agg(pl.col("grades").sum()).sort("arm", "generation")
    alls = table.filter(pl.col("model") == "all").sort("arm", "generation")
    assert sums["grades"].to_list() == alls["grades"].to_list()


def test_the_reliability_table_holds_every_grade_once(run):
    tables = build_tables(*run)
    bins = tables["reliability"].group_by("arm", "generation", "model").agg(pl.col("grades").sum())
    joined = bins.join(tables["graders"], on=["arm", "generation", "model"])
    assert len(joined) == len(tables["graders"])
    assert joined["grades"].to_list() == joined["grades_right"].to_list()
    inside = pl.col("grade_mean").is_between(pl.col("bin_low"), pl.col("bin_high"))
    assert tables["reliability"].filter(~inside).is_empty()


def test_answers_know_their_disagreement(run):
    answers = build_tables(*run)["answers"]
    one = run[0][0].generation.outcomes[0]
    values = [grade.value for grade in one.grades if grade.value is not None]
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))
    assert answers["disagreement"][0] == pytest.approx(spread)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_figure_draws_each_model_and_survives_without_any(run, width):
    figure = reliability(build_tables(*run), width)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["gpt-1/0", "gpt-3/0"]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["generation 0", "generation 3"]
    reliability(build_tables(run[0], run[1]), width)
    assert "reliability" in FIGURES


def test_the_report_shows_every_estimate_with_its_interval(run):
    assert {name for name, _ in KINDS} == set(ESTIMATES)
    shown = graders_of(build_tables(*run)["graders"])
    assert shown.head == ("all (6)", "gpt-1/0 (3)", "gpt-3/0 (3)")
    assert all("[" in cell for cell in dict(shown.rows)["TPR"])
    assert graders_of(build_tables(run[0], run[1])["graders"]).head == ()
    alone = build_tables(*run)["graders"].filter(pl.col("model") != "gpt-3/0")
    assert graders_of(alone).head == ("gpt-1/0 (3)",)


def test_metrics_have_a_series_for_each_model_up_to_a_bound(run):
    committed, measures, graders = run
    metrics = RunMetrics("night", "addition", ["selected"])
    first = committed[0]
    rows = graders["selected", 0]
    metrics.commit(first, measures["selected", 0], 1, rows)
    labels = {"run": "night", "run_id": "", "task": "addition", "arm": "selected"}

    def value(name, model):
        return metrics.registry.get_sample_value(f"mgptn_{name}", {**labels, "model": model})

    for name, field, text in GRADER_GAUGES:
        for row in rows[1:]:
            estimate = getattr(row, field).value
            assert value(name, row.model) == (None if math.isnan(estimate) else estimate)
        assert value(name, "all") is None
        assert text.endswith(".")
    many = [replace(rows[1], model=f"m{i:03d}") for i in range(40)]
    fresh = RunMetrics("night", "addition", ["selected"])
    fresh.commit(first, undefined(measures["selected", 0]), 1, many)
    (family,) = (f for f in fresh.registry.collect() if f.name == "mgptn_grader_model_auc")
    assert len(family.samples) == MODELS_SHOWN
