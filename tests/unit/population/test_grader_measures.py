"""What graders are worth: by kind, against the slow functions, with intervals that cover."""

# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from mgptn.population.measures.generation_measures import measure
from mgptn.population.measures.grade_tally import grade_bins
from mgptn.population.measures.grader_measures import ALL, ESTIMATES, measure_graders, position_bias
from mgptn.population.measures.leaving_out import without_each
from mgptn.population.measures.rates import (
    auc,
    brier,
    calibration_error,
    error_correlation,
    grader_rates,
)
from mgptn.population.records.agents import Genome
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament
from tests.graded import graded, judges

pure = settings(deadline=None, max_examples=40)
MODELS = ("gpt-1", "gpt-3")


def played(outcomes, genomes=None, **changes):
    """A generation whose outcomes these are."""
    size, seats = len(outcomes.matches.authors), outcomes.matches.graders.shape[1]
    chosen = TournamentSettings(
        problems=outcomes.matches.problems, graders=seats, threshold=0.6, context_capacity=2
    )
    genomes = genomes or [Genome(MODELS[slot % 2], 1.0) for slot in range(size)]
    tournament = Tournament(chosen, genomes, 0)
    said = replace(outcomes, matches=tournament.ask())
    told = tournament.tell(said)
    return replace(told, outcomes=replace(outcomes, **changes))


def uneven(slot, verdict, uniform):
    """Even slots see well and grade finely; odd ones poorly; some cannot be read."""
    if uniform < 0.1:
        return math.nan
    shift = (0.3 if slot % 2 else 0.6) * (1.0 if verdict else -1.0)
    return min(1.0, max(0.0, round(0.5 + shift * 0.8 + (uniform - 0.55) * 0.7, 2)))


def rows_of(generation):
    return {(m.model, m.role): m for m in measure_graders(generation, 0.6)}


def table(outcomes, slots):
    """Grades by seat of some slots' graders, [K, A]."""
    values = outcomes.grade_values().copy()
    values[~np.isin(outcomes.matches.graders, slots)] = np.nan
    return np.clip(values.T, 0.0, 1.0)


@pure
@given(st.integers(3, 7), st.integers(2, 12), st.integers(0, 10**6), st.data())
def test_values_are_those_of_the_plain_functions(size, problems, seed, data):
    graders = data.draw(st.integers(1, size - 1))
    outcomes = graded(size, problems, graders, uneven, np.random.default_rng(seed))
    found = rows_of(played(outcomes))
    groups = {ALL: range(size), "gpt-1": range(0, size, 2), "gpt-3": range(1, size, 2)}
    for model, slots in groups.items():
        row, grades = found[model, ALL], table(outcomes, list(slots))
        rates = grader_rates(grades, outcomes.verdicts, 0.6)
        expected = {
            "tpr": rates.tpr,
            "fpr": rates.fpr,
            "youden_j": rates.youden_j,
            "likelihood_ratio": rates.likelihood_ratio,
            "auc": auc(grades, outcomes.verdicts),
            "ece": calibration_error(grades, outcomes.verdicts),
            "brier": brier(grades, outcomes.verdicts),
            "correlation": error_correlation(grades, outcomes.verdicts),
        }
        for name, value in expected.items():
            assert getattr(row, name).value == pytest.approx(value, abs=1e-9, nan_ok=True), name
        asked = np.isin(outcomes.matches.graders, list(slots))
        assert row.grades == np.sum(~np.isnan(grades))
        assert row.grades + row.unreadable == asked.sum()
        assert row.agents == len(slots)


@pure
@given(st.integers(0, 10**6))
@example(106)  # all of a correlation's interval is lower than three graders can have
def test_intervals_hold_their_values_and_stay_in_range(seed):
    outcomes = graded(6, 10, 3, uneven, np.random.default_rng(seed))
    for row in measure_graders(played(outcomes), 0.6):
        for name in ESTIMATES:
            value, low, high = getattr(row, name)
            assert not low >= high, name
            if name in ("tpr", "fpr", "auc") and not math.isnan(low):
                assert 0.0 <= low <= high <= 1.0
            if name in ("tpr", "fpr", "youden_j") and not math.isnan(low):
                assert low <= value <= high


def test_all_together_say_what_the_generations_measures_say():
    generation = played(graded(6, 20, 3, uneven, np.random.default_rng(1)))
    row, whole = rows_of(generation)[ALL, ALL], measure(generation, None, 0.6)
    assert row.tpr.value == pytest.approx(whole.grader_tpr)
    assert row.auc.value == pytest.approx(whole.grader_auc)
    assert row.correlation.value == pytest.approx(whole.grader_correlation)
    assert row.effective_graders.value == pytest.approx(whole.effective_graders)
    assert row.unreadable == whole.unreadable_grades


def test_one_kind_alone_is_all_there_are():
    outcomes = graded(5, 8, 2, uneven, np.random.default_rng(2))
    both, alone = measure_graders(played(outcomes, [Genome("gpt-2", 1.0)] * 5), 0.6)
    assert (both.model, alone.model) == (ALL, "gpt-2")
    assert replace(both, model="gpt-2") == alone or str(replace(both, model="gpt-2")) == str(alone)


def test_roles_have_rows_of_their_own():
    outcomes = graded(6, 40, 3, judges(lambda s: 0.05 if s < 2 else 0.95), np.random.default_rng(3))
    genomes = [Genome("gpt-1", 1.0, role="saboteur" if s < 2 else "ordinary") for s in range(6)]
    found = rows_of(played(outcomes, genomes))
    assert list(found) == [
        (ALL, ALL), ("gpt-1", ALL), ("gpt-1", "ordinary"), ("gpt-1", "saboteur"),
    ]  # fmt: skip
    assert found["gpt-1", "saboteur"].youden_j.high < -0.7
    assert found["gpt-1", "ordinary"].youden_j.low > 0.7


def test_a_share_of_none_or_all_has_wilsons_interval_of_its_problems():
    outcomes = graded(4, 9, 2, judges(lambda slot: 1.0), np.random.default_rng(4))
    row = rows_of(played(outcomes))[ALL, ALL]
    assert row.tpr.value == 1.0
    assert 0.5 < row.tpr.low < 1.0 == row.tpr.high
    assert 0.0 == row.fpr.low < row.fpr.high < 0.5
    assert row.likelihood_ratio.value == math.inf
    assert math.isnan(row.correlation.value)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """Of 200 intervals of J, and of TPR, at 95 %, of 12 problems: binomial, false alarm 1e-6."""
    hits = {"youden_j": 0, "tpr": 0}
    for seed in range(200):
        outcomes = graded(6, 12, 2, judges(lambda slot: 0.8), np.random.default_rng(1000 + seed))
        row = rows_of(played(outcomes))[ALL, ALL]
        for name, truth in (("youden_j", 0.6), ("tpr", 0.8)):
            _, low, high = getattr(row, name)
            hits[name] += low <= truth <= high
    for of in hits.values():
        assert binom.cdf(of, 200, 0.95) > 1e-6
        assert of < 200


def favouring(outcomes, gain):
    """The same, and in one more seat the author's grade: others' mean with some gain."""
    own = np.clip(outcomes.mean_grades() + gain, 0.0, 1.0)
    values, places = np.unique(own, return_inverse=True)
    matches = outcomes.matches
    return replace(
        outcomes,
        matches=replace(matches, graders=np.column_stack([matches.graders, matches.slots])),
        values=np.append(outcomes.values, values),
        levels=np.zeros((len(outcomes.values) + len(values), 5)),
        grades=np.column_stack([outcomes.grades, places + len(outcomes.values)]),
    )


def test_self_preference_is_what_was_put_in_and_leaves_the_peers_measures_alone():
    def says(slot, verdict, uniform):
        return round(0.3 + 0.3 * verdict + 0.1 * (uniform - 0.5), 2)

    outcomes = graded(6, 20, 3, says, np.random.default_rng(5))
    generation, asked = played(outcomes), favouring(outcomes, 0.25)
    with_own = rows_of(replace(generation, outcomes=asked))[ALL, ALL]
    without = rows_of(generation)[ALL, ALL]
    assert with_own.self_preference.value == pytest.approx(0.25)
    own, verdicts = asked.own_values(), outcomes.verdicts
    assert with_own.own_bias.value == pytest.approx(np.mean(own - verdicts))
    assert with_own.own_tpr.value == pytest.approx(np.mean(own[verdicts] >= 0.6))
    assert with_own.own_fpr.value == pytest.approx(np.mean(own[~verdicts] >= 0.6))
    assert math.isnan(without.self_preference.value)
    for name in ("tpr", "fpr", "auc", "ece", "brier", "correlation", "effective_graders"):
        assert getattr(with_own, name) == pytest.approx(getattr(without, name), nan_ok=True)
    assert with_own.grades == without.grades


def test_position_bias_is_the_mean_order_effect():
    effects = np.array([0.5, 0.2, np.nan, 0.2])
    kept = without_each(3)
    found = position_bias(effects, np.array([0, 0, 1, 2]), kept)
    assert found.value == pytest.approx(0.3)
    assert found.low < 0.3 <= found.high
    assert math.isnan(position_bias(np.array([np.nan]), np.array([0]), kept).value)
    outcomes = graded(4, 6, 2, uneven, np.random.default_rng(6))
    effects = np.where(outcomes.matches.graders % 2, 0.4, 0.0)
    found = rows_of(played(outcomes, order_effects=effects))
    assert found["gpt-1", ALL].position_bias.value == 0.0
    assert found["gpt-3", ALL].position_bias.value == pytest.approx(0.4)


def test_reliability_adds_up_to_the_calibration_error():
    outcomes = graded(6, 30, 3, uneven, np.random.default_rng(7))
    row = rows_of(played(outcomes))[ALL, ALL]
    gaps = [b.grades * abs(b.right.value - b.grade_mean) for b in row.reliability]
    assert sum(gaps) / row.grades == pytest.approx(row.ece.value)
    assert sum(b.grades for b in row.reliability) == row.grades
    assert all(0.0 <= b.right.low <= b.right.high <= 1.0 for b in row.reliability)


def test_many_distinct_grades_are_binned_without_crossing_an_edge():
    grades = np.random.default_rng(8).random(5000)
    places, values = grade_bins(grades, 0.6)
    assert len(values) < 300
    assert np.all(np.diff(values) > 0)
    for place in range(len(values)):
        its = grades[places == place]
        assert values[place] == pytest.approx(its.mean())
        assert len({g >= 0.6 for g in its}) == len({int(g * 10) for g in its}) == 1


def test_binning_moves_an_interval_by_less_than_its_width():
    def finely(slot, verdict, uniform):
        return min(1.0, max(0.0, 0.5 + (0.2 if verdict else -0.2) + uniform - 0.5))

    outcomes = graded(8, 60, 3, finely, np.random.default_rng(9))
    row = rows_of(played(outcomes))[ALL, ALL]
    assert len(outcomes.values) > 1000
    for name in ("tpr", "fpr", "auc", "brier", "ece"):
        value, low, high = getattr(row, name)
        assert low < value < high or name == "ece"
        assert high - low < 0.15


def test_nobody_asked_is_nothing_measured():
    outcomes = graded(4, 6, 2, uneven, np.random.default_rng(10))
    silent = replace(outcomes, grades=np.full(outcomes.grades.shape, -1), values=np.zeros(0),
                     levels=np.zeros((0, 5)))  # fmt: skip
    nobody = replace(silent, grades=np.zeros((len(outcomes), 0), dtype=np.int64))
    for said in (silent, nobody):
        row = rows_of(replace(played(outcomes), outcomes=said))[ALL, ALL]
        assert row.grades == 0
        assert all(math.isnan(getattr(row, name).value) for name in ESTIMATES)
        assert row.reliability == ()


def test_measures_are_the_same_from_the_small_types_of_a_journal():
    outcomes = graded(6, 10, 3, judges(lambda slot: 0.8), np.random.default_rng(11))
    own = favouring(outcomes, 0.1)
    small = replace(
        own,
        grades=own.grades.astype(np.uint8),
        matches=replace(own.matches, graders=own.matches.graders.astype(np.uint8)),
    )
    genomes = [Genome(MODELS[slot % 2], 1.0) for slot in range(6)]
    generation = played(outcomes, genomes)
    there, here = (replace(generation, outcomes=o) for o in (own, small))
    assert str(measure_graders(there, 0.6)) == str(measure_graders(here, 0.6))
    assert str(measure(there, None, 0.6)) == str(measure(here, None, 0.6))
    assert own.mean_grades().tolist() == small.mean_grades().tolist()
    assert own.own_values().tolist() == small.own_values().tolist()
