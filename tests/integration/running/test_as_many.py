"""Founders asked as often as a run: against plain counts, replayed, and beside an equal run."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from mgptn.experiments.config.arms import AS_MANY, SELECTED, UNSELECTED, arms_of
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.figures.files import FIGURES
from mgptn.experiments.record.rounds import generations_of, read_rounds
from mgptn.experiments.results.derive import Finished
from mgptn.experiments.running.replay import replay
from mgptn.experiments.running.run import run


@pytest.fixture(scope="module")
def finished(small: Any, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("as-many") / "run"
    return run(small({"as_many": 2}), folder, Console(quiet=True))


def test_founders_answer_the_last_problems_as_often_as_is_asked(finished: Finished) -> None:
    rounds = list(read_rounds(finished.folder))
    founders = generations_of(rounds, AS_MANY)
    # Twice 4 members in 3 generations; one problem until the last, which has all 4.
    assert [len(one.agents) for one in founders] == [24] * 3
    assert [len(one.outcomes.queries) for one in founders] == [1, 1, 4]
    own = generations_of(rounds, SELECTED)[-1]
    assert founders[-1].outcomes.queries == own.outcomes.queries
    assert not any(agent.genome.context for agent in founders[-1].agents)
    # The first of them are the unselected founders, and answer as these do.
    alone = generations_of(rounds, UNSELECTED)[-1]
    texts = [[o.answer for o in list(one.outcomes)[:16]] for one in (founders[-1], alone)]
    assert texts[0] == texts[1]


def test_the_curve_is_what_a_plain_count_says(finished: Finished) -> None:
    last = generations_of(list(read_rounds(finished.folder)), AS_MANY)[-1]
    table = pl.read_parquet(finished.folder / "as-many.parquet")
    found = {(way, k): error for way, k, error, *_ in table.iter_rows()}
    said = [[o.answer for o in list(last.outcomes)[problem::4]] for problem in range(4)]
    wrong = [[not o.verdict for o in list(last.outcomes)[problem::4]] for problem in range(4)]
    assert found["vote", 1] == pytest.approx(np.mean(wrong))
    assert found["best by the verifier", 24] == pytest.approx(np.mean([all(w) for w in wrong]))
    for k in (2, 8, 12):
        errors = []
        for answers, errs in zip(said, wrong, strict=True):
            for first in range(0, 24 - k + 1, k):
                block = list(zip(answers, errs, strict=True))[first : first + k]
                counts = Counter(answer for answer, _ in block)
                errors.append(
                    np.mean([w for a, w in block if counts[a] == max(counts.values())]) / (24 // k)
                )
        assert found["vote", k] == pytest.approx(np.sum(errors) / 4), k
    assert (table["low"] < table["high"]).all()


def test_the_finding_compares_at_equal_answers_and_flops(finished: Finished) -> None:
    text = " ".join(finished.verdict.sentences)
    assert "Against the vote of 12 founders' answers" in text
    assert "At equal answers (12 to a problem)" in text
    assert "The run's FLOPs would pay for" in text


def test_it_is_drawn(finished: Finished, tmp_path: Path) -> None:
    tables = {"as-many": pl.read_parquet(finished.folder / "as-many.parquet")}
    assert FIGURES["as-many"].has(tables)
    assert not FIGURES["as-many"].has({})
    FIGURES["as-many"].draw(tables, 7.2).savefig(tmp_path / "as-many.png")
    assert (tmp_path / "as-many.png").stat().st_size > 10_000


def test_nothing_else_of_a_run_is_changed_by_it(
    finished: Finished, small: Any, tmp_path: Path
) -> None:
    assert replay(finished.folder).differences == ()
    plain = run(small(), tmp_path / "plain", Console(quiet=True))
    assert plain.population_hash == finished.population_hash
    assert not (tmp_path / "plain" / "as-many.parquet").exists()


def test_a_task_that_grows_has_no_last_problems_beforehand() -> None:
    growing = {"name": "grows", "task": {"name": "addition", "growth": {"from": 2}}}
    assert AS_MANY not in arms_of(check_config(growing), controls=True)
    with pytest.raises(ValueError, match="as_many: expected 0 where a task grows"):
        check_config({**growing, "as_many": 1})
