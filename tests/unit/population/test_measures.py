"""Measures of a generation, against numbers worked out by hand."""

# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.breeding.mutation import MutationRates
from mgptn.population.breeding.processes import PROCESSES
from mgptn.population.judging.selectors import SELECTORS
from mgptn.population.measures.answer_errors import (
    agent_errors,
    best_of_n_errors,
    majority_errors,
    problem_errors,
)
from mgptn.population.measures.descent import ancestor_slots, offspring_numbers
from mgptn.population.measures.generation_measures import measure
from mgptn.population.records.agents import (
    Agent,
    AgentId,
    Birth,
    Example,
    Genome,
)
from mgptn.population.records.columns import differing
from mgptn.population.records.generation import Generation
from mgptn.population.records.matches import Match
from mgptn.population.records.outcomes import Grade, Outcome, Outcomes
from mgptn.population.records.population import population_digest
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament
from tests.columns import columns

GENOME = Genome("gpt-1", 1.0)


def founders(count):
    return tuple(Agent(AgentId(i), GENOME, None, AgentId(i), -1) for i in range(count))


def outcome(author, problem, answer, verdict, *values, finished=True):
    others = [i for i in range(9) if i != author]
    grades = tuple(
        Grade(AgentId(g), None if v is None else (1 - v, 0.0, 0.0, 0.0, v), v)
        for g, v in zip(others, values, strict=False)
    )
    match = Match(AgentId(author), problem, tuple(g.grader for g in grades))
    return Outcome(match, f"{problem}?", answer, finished, 3, -1.5, grades, verdict)


def generation(outcomes, agents, threshold=0.6, births=(), survivors=None, index=0):
    outcomes = columns(outcomes)
    scores = outcomes.mean_grades()
    each = len(outcomes) // len(agents)
    fitness = []
    for slot in range(len(agents)):
        own = [s for s in scores[slot * each : (slot + 1) * each].tolist() if not math.isnan(s)]
        fitness.append(sum(own) / len(own) if own else math.nan)
    survivors = agents if survivors is None else survivors
    return Generation(
        index=index,
        agents=agents,
        outcomes=outcomes,
        scores=scores,
        accepted=np.array([i for i, s in enumerate(scores.tolist()) if s >= threshold], dtype=int),
        fitness=np.array(fitness),
        rates=np.ones(len(agents)),
        births=tuple(births),
        deaths=(),
        survivors=survivors,
        digest=population_digest(survivors, index),
    )


# Three agents, two problems, two graders: 3 right, 3 wrong.
BY_HAND = [
    outcome(0, 0, "a", True, 0.9, 0.7),  # accepted
    outcome(0, 1, "x", False, 0.8, 0.6),  # accepted
    outcome(1, 0, "a", True, 0.5, 0.6),  # refused: 0.55
    outcome(1, 1, "y", True, 1.0, None),  # accepted, one grade unread
    outcome(2, 0, "b", False, 0.1, 0.3),  # refused
    outcome(2, 1, "x", False, None, None, finished=False),  # no score
]


def test_a_generation_worked_out_by_hand():
    measured = measure(generation(BY_HAND, founders(3)), None, 0.6)
    expected = {
        "generation": 0,
        "agents": 3,
        "answers": 6,
        "grades": 12,
        "tokens": 18,
        "births": 0,
        "deaths": 0,
        "fitness_mean": (0.75 + 0.775 + 0.2) / 3,
        "fitness_max": 0.775,
        "gold_error": 3 / 6,
        "acceptance_rate": 3 / 6,
        "accepted_error": 1 / 3,
        "tpr": 2 / 3,
        "fpr": 1 / 2,  # of the wrong answers that have a score
        "youden_j": 2 / 3 - 1 / 2,
        "likelihood_ratio": 4 / 3,
        "grader_tpr": 4 / 5,  # 0.9 0.7 0.6 1.0 of five
        "grader_fpr": 2 / 4,  # 0.8 0.6 of four
        "grader_j": 4 / 5 - 2 / 4,
        # right .9 .7 .5 .6 1. over wrong .8 .6 .1 .3: 4 + 3 + 2 + 2.5 + 4 of 20
        "grader_auc": 15.5 / 20,
        "grader_brier": (0.01 + 0.09 + 0.25 + 0.16 + 0 + 0.64 + 0.36 + 0.01 + 0.09) / 9,
        "majority_error": (0 + 1) / 2,
        "best_of_n_error": (0 + 0) / 2,
        "unreadable_grades": 3,
        "truncated_answers": 1,
        "unknown_verdicts": 0,
        "context_mean": 0.0,
        "lineages": 3,
        "lineage_diversity": 3.0,
        "genotypes": 1,
    }
    for name, value in expected.items():
        assert getattr(measured, name) == pytest.approx(value, abs=1e-12), name
    # Two graders graded two of the same wrong answers, 0.8 0.1 and 0.6 0.3: of one mind.
    assert measured.grader_correlation == pytest.approx(1.0)
    assert measured.effective_graders == pytest.approx(1.0)
    assert 0.0 <= measured.gold_error_low <= 0.5 <= measured.gold_error_high <= 1.0
    assert math.isnan(measured.price_selection)
    assert math.isnan(measured.price_transmission)
    assert math.isnan(measured.fitness_price_selection)
    assert math.isnan(measured.fitness_price_transmission)


def test_the_interval_is_of_problems():
    rng = np.random.default_rng(0)
    errors = rng.random((9, 4)) < 0.3
    outcomes = [outcome(a, q, "a", not errors[q, a], 0.5) for a in range(4) for q in range(9)]
    measured = measure(generation(outcomes, founders(4)), None, 0.6)
    # Wilson's of as many trials as nine problems' means are worth, as wide as Student's eight.
    means, wide = errors.mean(axis=1), 2.306
    share, worth = means.mean(), means.mean() * (1 - means.mean()) / (means.var(ddof=1) / 9)
    centre = (share + wide**2 / (2 * worth)) / (1 + wide**2 / worth)
    assert (measured.gold_error_low + measured.gold_error_high) / 2 == pytest.approx(centre, 1e-3)
    # Every problem has the same error: that others have is not ruled out by nine.
    alike = [outcome(a, q, "a", a > 0, 0.5) for a in range(4) for q in range(9)]
    measured = measure(generation(alike, founders(4)), None, 0.6)
    assert 0.1 < measured.gold_error_low < 0.25 < measured.gold_error_high < 0.5


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (["ax", "ax", "by"], 0.0),
        (["ax", "by", "by"], 1.0),
        (["ax", "by"], 0.5),
        (["ax", "by", "cy"], 2 / 3),
        (["ax", "ax", "by", "by", "cy"], 0.5),
    ],
)
def test_a_majority_tie_counts_by_share(answers, error):
    """Answers as letters; x marks a right one."""
    outcomes = [outcome(i, 0, a[0], a[1] == "x", 0.5) for i, a in enumerate(answers)]
    errors = majority_errors(generation(outcomes, founders(len(answers))))
    assert errors.tolist() == [pytest.approx(error)]


def test_a_majority_does_not_depend_on_who_sits_where():
    """The same text may be right where it was finished and wrong where it was cut off."""
    outcomes = [
        outcome(0, 0, "a", True, 0.5),
        outcome(1, 0, "a", False, 0.5, finished=False),
        outcome(2, 0, "b", False, 0.5),
    ]
    there = majority_errors(generation(outcomes, founders(3)))
    back = majority_errors(generation(outcomes[::-1], founders(3)))
    assert there.tolist() == back.tolist()


@pytest.mark.parametrize(
    ("graded", "error"),
    [
        ([(True, 0.9), (False, 0.8)], 0.0),
        ([(True, 0.7), (False, 0.8)], 1.0),
        ([(True, 0.8), (False, 0.8)], 0.5),
        ([(True, 0.8), (False, 0.8), (False, 0.8), (True, 0.1)], 2 / 3),
        ([(True, None), (False, 0.0)], 1.0),
        ([(True, None), (False, None), (False, None)], 2 / 3),
    ],
)
def test_a_tie_for_the_best_answer_counts_by_share(graded, error):
    outcomes = [outcome(i, 0, str(i), v, g) for i, (v, g) in enumerate(graded)]
    errors = best_of_n_errors(generation(outcomes, founders(len(graded))))
    assert errors.tolist() == [pytest.approx(error)]


def test_best_and_majority_are_taken_problem_by_problem():
    one = generation(BY_HAND, founders(3))
    assert majority_errors(one).tolist() == [0.0, 1.0]
    assert best_of_n_errors(one).tolist() == [0.0, 0.0]
    assert problem_errors(one).tolist() == [1 / 3, 2 / 3]
    assert agent_errors(one).tolist() == [0.5, 0.0, 1.0]


def test_what_is_undefined_is_not_a_number():
    right = [outcome(a, 0, "a", True, 0.7, 0.7) for a in range(2)]
    measured = measure(generation(right, founders(2)), None, 0.6)
    for name in ("fpr", "youden_j", "likelihood_ratio", "grader_fpr", "grader_auc"):
        assert math.isnan(getattr(measured, name)), name
    assert (measured.tpr, measured.accepted_error) == (1.0, 0.0)
    wrong = [outcome(a, 0, "a", False, None, None) for a in range(2)]
    measured = measure(generation(wrong, founders(2)), None, 0.6)
    for name in (
        "tpr",
        "fpr",
        "accepted_error",
        "fitness_mean",
        "fitness_max",
        "grader_tpr",
        "grader_brier",
        "grader_ece",
        "grader_correlation",
        "effective_graders",
    ):
        assert math.isnan(getattr(measured, name)), name
    assert (measured.gold_error, measured.best_of_n_error) == (1.0, 1.0)
    assert measured.unreadable_grades == 4


def test_the_mass_of_options_is_over_grades_that_were_read_from_logits():
    masses = {(0, 0): (0.9, 0.5), (1, 0): (None, 0.1), (0, 1): (0.9, None), (1, 1): (None, None)}
    outcomes = [
        replace(one, grades=tuple(map(with_mass, one.grades, masses[one.match.author, problem])))
        for author in range(2)
        for problem in range(2)
        for one in [outcome(author, problem, "a", True, 0.8, None if problem else 0.6)]
    ]
    measured = measure(generation(outcomes, founders(2)), None, 0.6)
    # Read from logits: .9 and .5, .1, and .9 again, which is one grade that was given twice.
    assert measured.option_mass == pytest.approx((0.9 + 0.5 + 0.1 + 0.9) / 4)
    assert measured.option_mass_least == 0.1
    bare = [outcome(author, 0, "a", True, 0.8) for author in range(2)]
    unread = measure(generation(bare, founders(2)), None, 0.6)
    assert math.isnan(unread.option_mass)
    assert math.isnan(unread.option_mass_least)


def with_mass(grade, mass):
    return replace(grade, mass=mass)


def test_only_wrong_answers_refused_is_an_infinite_ratio():
    outcomes = [outcome(0, 0, "a", True, 0.9), outcome(1, 0, "b", False, 0.1)]
    measured = measure(generation(outcomes, founders(2)), None, 0.6)
    assert measured.likelihood_ratio == math.inf
    assert measured.youden_j == 1.0


def test_offspring_are_counted_through_a_parent_born_in_the_same_generation():
    agents = founders(3)
    child = Agent(AgentId(3), GENOME, AgentId(0), AgentId(0), 0)
    grandchild = Agent(AgentId(4), GENOME, AgentId(3), AgentId(0), 0)
    births = [Birth(AgentId(3), AgentId(0), ()), Birth(AgentId(4), AgentId(3), ())]
    one = generation(BY_HAND, agents, births=births, survivors=(grandchild, agents[1], child))
    assert ancestor_slots(one).tolist() == [0, 1, 0]
    assert offspring_numbers(one).tolist() == [2, 1, 0]
    orphan = replace(one, births=(Birth(AgentId(3), AgentId(9), ()), births[1]))
    with pytest.raises(LookupError, match="got 9"):
        ancestor_slots(orphan)
    measured = measure(one, None, 0.6)
    assert (measured.lineages, measured.births) == (2, 2)
    assert measured.lineage_diversity == pytest.approx(
        math.exp(-(2 / 3) * math.log(2 / 3) - (1 / 3) * math.log(1 / 3))
    )


def test_prices_parts_worked_out_by_hand():
    """Errors 0.5, 0, 1 before; 1 leaves two children, 0 one, 2 none; their errors 0.5, 0, 1."""
    agents = founders(3)
    survivors = tuple(
        Agent(AgentId(3 + i), GENOME, AgentId(parent), AgentId(parent), 0)
        for i, parent in enumerate((1, 1, 0))
    )
    births = [Birth(a.id, a.parent, ()) for a in survivors]
    before = generation(BY_HAND, agents, births=births, survivors=survivors)
    outcomes = [
        replace(o, match=replace(o.match, author=AgentId(3 + int(o.match.author)))) for o in BY_HAND
    ]
    measured = measure(generation(outcomes, survivors, index=1), before, 0.6)
    # cov(w, z)/w̄ of w = (1, 2, 0), z = (½, 0, 1); then (1·(1 − ½) + 2·(¼ − 0))/3
    assert measured.price_selection == pytest.approx(0.5 / 3 - 0.5)
    assert measured.price_transmission == pytest.approx((0.5 + 2 * 0.25) / 3)
    # of fitness ¾, 0.775, 0.2, with children of 0.2, of ¾ and 0.775, and none
    assert measured.fitness_price_selection == pytest.approx((0.75 + 2 * 0.775) / 3 - 0.575)
    assert measured.fitness_price_transmission == pytest.approx((0.2 - 0.75 + 0.75 - 0.775) / 3)


@pytest.mark.parametrize("unknown", [0, 1])
def test_prices_parts_of_fitness_are_undefined_where_one_is_unknown(unknown):
    agents = founders(3)
    both = [generation(BY_HAND, agents, index=i) for i in range(2)]
    fitness = np.append(np.nan, both[unknown].fitness[1:])
    both[unknown] = replace(both[unknown], fitness=fitness)
    measured = measure(both[1], both[0], 0.6)
    assert math.isnan(measured.fitness_price_selection)
    assert math.isnan(measured.fitness_price_transmission)
    assert (measured.price_selection, measured.price_transmission) == (0.0, 0.0)


@settings(deadline=None, max_examples=40)
@given(
    process=st.sampled_from(list(PROCESSES)),
    size=st.sampled_from([2, 4, 6]),
    temperature=st.sampled_from([0.02, 0.5, math.inf]),
    seed=st.integers(0, 10**6),
)
def test_prices_parts_sum_to_the_changes_of_mean_error_and_fitness(
    process, size, temperature, seed
):
    chosen = TournamentSettings(
        problems=3,
        graders=1,
        threshold=0.5,
        context_capacity=2,
        process=process,
        selection_temperature=temperature,
        mutation=MutationRates(jitter=0.5),
    )
    tournament = Tournament(chosen, [GENOME] * size, seed)
    rng = np.random.default_rng(seed)
    before = None
    for _ in range(3):
        outcomes = [
            Outcome(
                match,
                f"{match.problem}?",
                "a",
                True,
                1,
                -1.0,
                tuple(Grade(g, (0.5, 0, 0, 0, 0.5), float(rng.random())) for g in match.graders),
                bool(rng.random() < 0.5),
            )
            for match in tournament.ask()
        ]
        now = tournament.tell(Outcomes.gather(tournament.ask(), outcomes))
        measured = measure(now, before, 0.5)
        if before is not None:
            error, earlier = (np.mean([not o.verdict for o in g.outcomes]) for g in (now, before))
            assert measured.price_selection + measured.price_transmission == pytest.approx(
                error - earlier, abs=1e-9
            )
            assert measured.fitness_price_selection + measured.fitness_price_transmission == (
                pytest.approx(np.mean(now.fitness) - np.mean(before.fitness), abs=1e-9)
            )
            if process == "none":
                assert measured.price_selection == pytest.approx(0.0, abs=1e-12)
                assert measured.fitness_price_selection == pytest.approx(0.0, abs=1e-12)
        before = now


def test_records_that_contradict_each_other_are_refused():
    agents = founders(3)
    before = generation(BY_HAND, agents)
    now = generation(BY_HAND, agents, index=1)
    measure(now, before, 0.6)
    without_one = replace(before, survivors=agents[:2])
    with pytest.raises(ArithmeticError, match="generation 1: expected Price's parts to sum"):
        measure(now, without_one, 0.6)


@pytest.mark.parametrize(
    "selector", [name for name in SELECTORS if name not in ("oracle", "human")]
)
def test_no_selector_but_the_oracle_and_the_human_sees_a_verdict(selector):
    """Turning every verdict round changes neither fitness, acceptance, rates nor births."""
    chosen = TournamentSettings(
        problems=2, graders=2, threshold=0.6, context_capacity=3, selector=selector
    )
    decided = []
    for flip in (False, True):
        tournament = Tournament(chosen, [GENOME] * 3, 5)
        outcomes = [
            replace(
                o,
                match=m,
                verdict=o.verdict != flip,
                grades=tuple(
                    replace(g, grader=who) for g, who in zip(o.grades, m.graders, strict=True)
                ),
            )
            for o, m in zip(BY_HAND, tournament.ask(), strict=True)
        ]
        decided.append(tournament.tell(Outcomes.gather(tournament.ask(), outcomes)))
    assert differing(*decided) == ["outcomes"]


def test_contexts_are_counted_as_the_agents_answered():
    agents = founders(3)
    lesson = (Example("0?", "a"),)
    taught = tuple(replace(a, genome=a.genome.remember(lesson, 4)) for a in agents)
    measured = measure(generation(BY_HAND, agents, survivors=taught[:1] + agents[1:]), None, 0.6)
    assert (measured.context_mean, measured.genotypes) == (0.0, 2)
