"""Selectors, thresholds and models at their extremes: a run ends, and says what happened."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from mgptn.agents.checkpoints import BUNDLED
from mgptn.experiments.cli import main
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.record.rounds import read_rounds
from mgptn.experiments.results.derive import write_results
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.views.measured import measured
from mgptn.population.records.outcomes import Outcome

GRADE_TOKEN = "<grade>"


def mean_grade(outcome: Outcome) -> float:
    values = [grade.value for grade in outcome.grades if grade.value is not None]
    return sum(values) / len(values)


def test_the_oracle_scores_by_the_verdict(course: Any, small: Any) -> None:
    for generation in course(small({"selector": "oracle"})):
        assert generation.scores.tolist() == [float(o.verdict) for o in generation.outcomes]
        assert generation.accepted.tolist() == [
            i for i, outcome in enumerate(generation.outcomes) if outcome.verdict
        ]


def test_shuffled_grades_are_the_peers_dealt_out_anew(course: Any, small: Any) -> None:
    generation = course(small({"selector": "shuffled"}))[0]
    grades = [mean_grade(outcome) for outcome in generation.outcomes]
    assert sorted(generation.scores) == sorted(grades)
    assert list(generation.scores) != grades
    assert generation.outcomes == course(small())[0].outcomes


def test_random_scores_do_not_look_at_the_answers(course: Any, small: Any) -> None:
    one, other = (
        course(small({"selector": "random", "agents.sampling_temperature": t}))[0]
        for t in (0.5, 2.0)
    )
    assert one.outcomes != other.outcomes
    assert one.scores.tolist() == other.scores.tolist()
    assert one.accepted.tolist() == other.accepted.tolist()


def test_no_selector_accepts_and_favours_nothing(course: Any, small: Any) -> None:
    for generation in course(small({"selector": "none"})):
        assert np.isnan(generation.scores).all()
        assert generation.accepted.size == 0
        assert np.isnan(generation.fitness).all()
        assert set(generation.rates) == {1.0}
        assert not any(agent.genome.context for agent in generation.survivors)
        assert len(generation.births) == len(generation.agents)  # drift goes on


@pytest.mark.parametrize("capacity", [0, 3, 16])
def test_at_threshold_0_everything_is_accepted(course: Any, small: Any, capacity: int) -> None:
    config = small({"protocol.threshold": 0.0, "agents.context_capacity": capacity})
    for generation in course(config):
        assert len(generation.accepted) == len(generation.outcomes)
        contexts = [len(agent.genome.context) for agent in generation.survivors]
        assert max(contexts) <= capacity


def test_at_threshold_1_no_peer_accepts_anything(course: Any, small: Any) -> None:
    for generation in course(small({"protocol.threshold": 1.0})):
        assert generation.accepted.size == 0
        assert None not in generation.fitness


@pytest.mark.usefixtures("figures")
@pytest.mark.parametrize(
    "changes",
    [
        {"selector": "none"},
        {"protocol.threshold": 1.0, "agents.context_capacity": 0},
        {
            "population.size": 2,
            "population.generations": 1,
            "protocol.graders": 1,
            "problems_per_generation": 1,
        },
        {
            "protocol.threshold": 0.0,
            "population.selection.process": "none",
            "population.selection.temperature": math.inf,
        },
        {
            "selector": "shuffled",
            "agents.sampling_temperature": 1e-6,
            "population.selection.temperature": 1e-300,
        },
        {
            "selector": "oracle",
            "agents.sampling_temperature": 100.0,
            "population.selection.process": "moran",
            "population.selection.operator": "truncation",
        },
    ],
    ids=["no selector", "none accepted", "least", "all accepted", "coldest", "hottest"],
)
def test_a_report_of_a_degenerate_run_is_written(
    write_run: Any, small: Any, tmp_path: Path, changes: dict[str, Any]
) -> None:
    config = small({"population.generations": 2, **changes})
    finished = write_results(write_run(config, tmp_path / "run"))
    assert all(path.stat().st_size > 0 for path in finished.paths)
    assert finished.verdict.sentences
    assert not any("nan" in sentence.lower().split() for sentence in finished.verdict.sentences)
    replayed = CliRunner().invoke(main, ["replay", str(finished.folder)])
    assert replayed.exit_code == 0, replayed.output


# Models that answer nothing that can be read


def damaged_model(folder: Path, everywhere: bool) -> Path:
    """A copy of gpt-3 with NaN in its embedding: of every token, or of the graders' cue alone."""
    shutil.copytree(BUNDLED / "gpt-3/0", folder)
    weights = load_file(folder / "model.safetensors")
    embedding = weights["model.embed_tokens.weight"]
    # What is read off stays as it is, so that only a prompt with the token is spoiled.
    weights["lm_head.weight"] = embedding.clone()
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
    [token] = [entry["id"] for entry in vocabulary if entry["content"] == GRADE_TOKEN]
    embedding[slice(None) if everywhere else token] = math.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    return folder


def test_grades_that_cannot_be_read_are_none_and_counted(
    ray_address: str, small: Any, config_file: Any, tmp_path: Path
) -> None:
    model = damaged_model(tmp_path / "model", everywhere=False)
    config = small({"agents.model": str(model), "population.generations": 2})
    folder = tmp_path / "run"
    done = CliRunner().invoke(main, ["run", str(config_file(config)), "--out", str(folder)])
    assert done.exit_code == 0, done.output
    assert (folder / "report.html").exists()
    check_unread(folder, config)
    answers = pl.read_parquet(folder / "answers.parquet")["answer"]
    assert (answers.str.len_chars() > 0).any()


def test_answers_that_cannot_be_read_are_counted_as_well(
    write_run: Any, small: Any, tmp_path: Path
) -> None:
    model = damaged_model(tmp_path / "model", everywhere=True)
    config = small({"agents.model": str(model), "population.generations": 2})
    folder = write_run(config, tmp_path / "run", fleet=Stage(config).local_fleet())
    assert all(path.stat().st_size > 0 for path in write_results(folder).paths)
    check_unread(folder, config)
    for done in measured(read_rounds(folder), config):
        committed = done.of(SELECTED)
        assert committed is not None
        for outcome in committed.generation.outcomes:
            assert (outcome.answer, outcome.finished, outcome.verdict) == ("", False, False)
        assert done.measures[SELECTED].gold_error == 1.0
        assert done.measures[SELECTED].truncated_answers == 16


def check_unread(folder: Path, config: RunConfig) -> None:
    """No grade of the run was read; each is counted, none is invented, nobody is favoured."""
    rounds = list(measured(read_rounds(folder), config))
    assert len(rounds) == 2
    for done in rounds:
        committed = done.of(SELECTED)
        assert committed is not None
        generation = committed.generation
        grades = [grade for outcome in generation.outcomes for grade in outcome.grades]
        assert len(grades) == 4 * 4 * 2
        assert all(grade.levels is None and grade.value is None for grade in grades)
        assert np.isnan(generation.scores).all()
        assert generation.accepted.size == 0
        assert np.isnan(generation.fitness).all()
        assert set(generation.rates) == {1.0}
        measures = done.measures[SELECTED]
        assert measures.unreadable_grades == measures.grades == len(grades)
    table = pl.read_parquet(folder / "grades.parquet")
    assert table["value"].null_count() == len(table)
    replayed = CliRunner().invoke(main, ["replay", str(folder)])
    assert replayed.exit_code == 0, replayed.output
