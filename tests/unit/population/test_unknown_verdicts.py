"""A verdict that is not known: left out of every rate, and counted; nowhere a wrong answer."""

# SPDX-License-Identifier: Apache-2.0

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.fields import RecordError
from mgptn.experiments.tables.frames import answer_frame, grade_frame, turn_frame
from mgptn.experiments.views.caveats import hardly_said
from mgptn.population.judging.growth import Growth, next_size
from mgptn.population.judging.selectors import SELECTORS, Evidence
from mgptn.population.measures.generation_measures import Measures, measure
from mgptn.population.measures.grader_measures import measure_graders
from mgptn.population.measures.jury import accuracy, agreed_error, collision, peer_rates
from mgptn.population.records.generation import Generation
from mgptn.population.records.outcomes import Outcome, Outcomes
from mgptn.population.records.turns import Turn, Turns
from tests.columns import with_outcomes


@pytest.fixture(scope="module")
def whole() -> Generation:
    """A generation of scripted agents, all of whose verdicts are known."""
    config = RunConfig.model_validate(
        {
            "name": "unknown",
            "agents": {"model": "scripted"},
            "task": {"name": "addition", "size": 2},
            "problems_per_generation": 12,
            "population": {"size": 8, "generations": 1},
            "protocol": {"graders": 3},
        }
    )
    return next(iter(Simulation(config)))


@pytest.fixture(scope="module")
def partly(whole: Generation) -> Generation:
    """The same, three in ten of whose verdicts are not known, and none of problem 0."""
    outcomes = whole.outcomes
    unknown = np.random.default_rng(1).random(len(outcomes)) < 0.3
    unknown |= outcomes.matches.asked == 0
    told = replace(outcomes, unknown=unknown, verdicts=outcomes.verdicts & ~unknown)
    return replace(whole, outcomes=told)


def measured(generation: Generation) -> Measures:
    """As a run measures it."""
    return measure(generation, None, 0.6)


def judged(generation: Generation) -> list[tuple[int, Outcome]]:
    """Answers with a verdict, and their places."""
    return [(i, o) for i, o in enumerate(generation.outcomes) if o.verdict is not None]


def share(truths: list[bool]) -> float:
    """Of how many it is so."""
    return sum(truths) / len(truths) if truths else math.nan


def test_rates_are_those_of_the_answers_with_a_verdict(partly: Generation):
    known, found = judged(partly), measured(partly)
    by_problem = {o.match.problem: [] for _, o in known}
    for _, outcome in known:
        by_problem[outcome.match.problem].append(not outcome.verdict)
    assert 0 not in by_problem
    assert found.gold_error == pytest.approx(np.mean([share(w) for w in by_problem.values()]))
    assert found.gold_error_low <= found.gold_error <= found.gold_error_high
    assert found.unknown_verdicts == len(partly.outcomes) - len(known) >= 8
    taken = set(partly.accepted.tolist())
    assert found.accepted_error == pytest.approx(
        share([not o.verdict for i, o in known if i in taken])
    )
    for name, right in (("tpr", True), ("fpr", False)):
        scores = [partly.scores[i] >= 0.6 for i, o in known if o.verdict is right]
        assert getattr(found, name) == pytest.approx(share(scores))
        grades = [g.value >= 0.6 for _, o in known if o.verdict is right for g in o.grades]
        assert getattr(found, f"grader_{name}") == pytest.approx(share(grades))
    squares = [(g.value - o.verdict) ** 2 for _, o in known for g in o.grades]
    assert found.grader_brier == pytest.approx(np.mean(squares))
    assert accuracy(partly.outcomes) == pytest.approx(share([bool(o.verdict) for _, o in known]))


def test_a_vote_errs_by_its_answers_with_a_verdict(partly: Generation):
    errors = []
    for problem in range(1, 12):
        said = [o for o in partly.outcomes if o.match.problem == problem]
        votes = Counter(o.answer for o in said)
        won = [o for o in said if votes[o.answer] == max(votes.values())]
        errors.append(share([not o.verdict for o in won if o.verdict is not None]))
    assert measured(partly).majority_error == pytest.approx(np.nanmean(errors))
    assert agreed_error(partly.outcomes, 2) <= 1.0


def test_graders_are_measured_on_answers_with_a_verdict(partly: Generation):
    (everyone, *_) = measure_graders(partly, 0.6)
    known = judged(partly)
    for name, right in (("tpr", True), ("fpr", False)):
        grades = [g.value >= 0.6 for _, o in known if o.verdict is right for g in o.grades]
        assert getattr(everyone, name).value == pytest.approx(share(grades))
    assert everyone.grades == 3 * len(known)


def test_wrong_is_what_is_known_to_be(partly: Generation):
    outcomes = partly.outcomes
    assert [o.verdict is False for o in outcomes] == outcomes.wrong.tolist()
    pairs = same = 0
    for problem in range(12):
        wrong = [o.answer for o in outcomes if o.match.problem == problem and o.verdict is False]
        pairs += len(wrong) * (len(wrong) - 1)
        same += sum(n * (n - 1) for n in Counter(wrong).values())
    assert collision(outcomes) == pytest.approx(same / pairs)
    assert 0.0 <= peer_rates(outcomes).fpr <= 1.0
    assert outcomes.grade_counts().sum() == 3 * outcomes.known.sum()
    assert outcomes.given_counts().sum() == 3 * len(outcomes)


def test_selectors_that_go_by_verdicts_have_nothing_to_say_without(partly: Generation):
    outcomes, rng = partly.outcomes, np.random.default_rng(0)
    evidence = Evidence(outcomes, outcomes.mean_grades())
    for name in ("oracle", "human"):
        scores = SELECTORS[name](evidence, rng)
        assert np.array_equal(np.isnan(scores), outcomes.unknown)
    assert not np.isnan(SELECTORS["peers"](evidence, rng)).any()


def test_a_task_grows_by_verdicts_that_there_are(partly: Generation):
    right = partly.outcomes.known
    most = replace(partly.outcomes, verdicts=right)
    assert next_size(Growth(1, 3, by="gold", gate=1.0), 1, 0, most) == 2
    nobody = replace(most, verdicts=np.zeros_like(right), unknown=np.ones_like(right))
    assert next_size(Growth(1, 3, by="gold", gate=0.0), 1, 0, nobody) == 1


def test_nothing_is_known_at_all(whole: Generation):
    every = np.ones(len(whole.outcomes), dtype=np.bool_)
    found = measured(
        replace(whole, outcomes=replace(whole.outcomes, unknown=every, verdicts=~every))
    )
    assert found.unknown_verdicts == 96
    for name in ("gold_error", "gold_error_low", "majority_error", "accepted_error", "tpr"):
        assert math.isnan(getattr(found, name))
    assert "96 have no verdict" in hardly_said(found)[0]


def test_one_that_is_not_known_comes_back_as_such(whole: Generation, partly: Generation):
    assert with_outcomes(partly, list(partly.outcomes)).outcomes.unknown.sum() > 8
    for one in (whole, partly):
        kept = Committed("selected", one, {}, {})
        plain = kept.to_plain()
        assert ("unknown" in plain["generation"]["outcomes"]) is (one is partly)
        back = Committed.from_plain(plain).generation.outcomes
        assert [o.verdict for o in back] == [o.verdict for o in one.outcomes]
        assert Committed.from_plain(plain).to_plain() == plain
        asked = answer_frame(kept)["verdict"]
        assert asked.to_list() == [o.verdict for o in one.outcomes]
        assert grade_frame(kept)["verdict"].null_count() == 3 * asked.null_count()


def test_a_record_that_calls_an_answer_right_and_unknown_is_refused(partly: Generation):
    told = replace(partly.outcomes, verdicts=np.ones(96, dtype=np.bool_))
    plain = Committed("selected", replace(partly, outcomes=told), {}, {}).to_plain()
    with pytest.raises(RecordError, match=r"outcomes\.unknown: expected answers that are not"):
        Committed.from_plain(plain)


def test_turns_of_which_it_is_not_known(whole: Generation):
    said = [
        Turn("draft", "a", True, None, None),
        Turn("draft", "b", True, False, None),
        Turn("critique", "c", True, None, None),
        Turn("rival", "d", True, True, 0.5),
    ]
    turns = Turns.gather([said])
    assert turns.of(0) == tuple(said)
    assert turns.error() == 0.5
    assert not len(Turns.gather([said[1:]]).unknown)
    told: Outcomes = replace(whole.outcomes, turns=turns)
    kept = Committed("selected", replace(whole, outcomes=told), {}, {})
    assert turn_frame(kept)["verdict"].to_list() == [None, False, None, True]
    back = Committed.from_plain(kept.to_plain()).generation.outcomes
    assert back.turns.of(0) == tuple(said)
