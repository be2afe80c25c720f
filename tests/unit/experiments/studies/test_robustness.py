"""What adversaries cost each aggregation: counted right, and as the theory of votes says."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from scipy.stats import binom

from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import ConfigError, load_config
from mgptn.experiments.studies.robustness import TOLERATED, adversarial, tally, youden
from mgptn.population.measures.rates import grader_rates
from tests.graded import graded, judges

CONFIG = "experiments/configs/robustness.yaml"


def test_counts_lead_to_the_same_j_as_the_plain_rates():
    outcomes = graded(6, 20, 3, judges(lambda slot: 0.8), np.random.default_rng(0))
    scores = outcomes.mean_grades()
    expected = grader_rates(scores, outcomes.verdicts, 0.6).youden_j
    counts = tally(scores, outcomes, 0.6)
    assert counts.shape == (20, 5)
    assert youden(counts) == pytest.approx(expected)
    assert counts[:, 1].sum() + counts[:, 3].sum() == len(outcomes)


def test_an_answer_without_a_score_is_not_accepted():
    outcomes = graded(4, 5, 2, judges(lambda slot: 1.0), np.random.default_rng(1))
    counts = tally(np.full(len(outcomes), np.nan), outcomes, 0.6)
    assert counts[:, [0, 2]].sum() == 0
    assert counts[:, 4].sum() == len(outcomes)
    assert youden(counts) == 0.0


def test_youden_of_one_sort_of_answers_is_undefined():
    assert np.isnan(youden(np.array([[3.0, 4.0, 0.0, 0.0, 0.0]])))


def test_only_the_one_share_of_adversaries_is_left():
    from pathlib import Path

    base = load_config(Path(CONFIG), ("population.adversaries.random=0.5",))
    changed = adversarial(base, "saboteur", 0.25, 7)
    assert changed.population.adversaries.shares == {"saboteur": 0.25}
    assert changed.seed == 7
    assert adversarial(base, "saboteur", 0.0, 7).population.adversaries.shares == {}
    with pytest.raises(ConfigError, match=r"saboteur=0\.001, seed=0"):
        adversarial(base, "saboteur", 0.001, 0)


def test_three_saboteurs_of_ten_break_the_mean_and_not_those_that_learn(tmp_path):
    """4,800 answers a share: J's standard error is below .012, and the mean's J must lie within
    six of them of what four graders' votes give; false alarm below 1e-8."""
    arguments = ["robustness", CONFIG, "--shares", "0.3", "--seeds", "1"]
    done = CliRunner().invoke(
        main, [*arguments, "--set", "population.generations=5", "--out", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    table = pl.read_parquet(tmp_path / "robustness.parquet")
    assert (tmp_path / "robustness.png").stat().st_size > 0
    assert "<svg" in (tmp_path / "robustness.svg").read_text()

    def row(share, name):
        chosen = (pl.col("share") == share) & (pl.col("aggregation") == name)
        return table.filter(chosen).row(0, named=True)

    def accepts(rate):
        """Three of four graders, at least, pass: a mean grade of at least .6."""
        return binom.sf(2, 4, rate)

    honest = accepts(0.9) - accepts(0.1)
    # Each of the four is a saboteur or not: as many of 12 saboteurs among 39 others, nearly.
    mixed = accepts(0.7 * 0.9 + 0.3 * 0.1) - accepts(0.7 * 0.1 + 0.3 * 0.9)
    assert row(0.0, "mean")["youden_j"] == pytest.approx(honest, abs=0.07)
    assert row(0.3, "mean")["youden_j"] == pytest.approx(mixed, abs=0.07)
    assert not row(0.3, "mean")["kept"]
    for name in ("reputation", "dawid-skene"):
        found = row(0.3, name)
        assert found["kept"]
        assert found["lost"] <= TOLERATED
        assert found["youden_j_low"] > row(0.3, "mean")["youden_j_high"] + 0.2
