"""Adversaries: what each role says, for scripted and for hosted agents, inherited and recorded."""

# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.loop.founding import found_tournament
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.seats.adversaries import ERROR_KINDS, as_said
from mgptn.experiments.seats.asking import Cast
from mgptn.population.breeding.mutation import MutationRates, mutate
from mgptn.population.breeding.recombination import one_point
from mgptn.population.judging.roles import ROLES, adjusted_grade, adjusted_levels, dealt_roles
from mgptn.population.records.agents import ORDINARY, Agent, AgentId, Example, Genome
from mgptn.population.records.matches import Match
from mgptn.protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    CompareReply,
    CompareRequest,
    GradeReply,
    GradeRequest,
    grader_seat,
)
from mgptn.protocols.tasks.arithmetic import Addition
from mgptn.protocols.tasks.task import Problem

HONEST = (0.5, 0.2, 0.1, 0.1, 0.1)
roles = st.sampled_from(sorted(ROLES))


def configured(adversaries, size=20, model="scripted", **scripted):
    return check_config(
        {
            "name": "run",
            "population": {"size": size, "generations": 3, "adversaries": adversaries},
            "agents": {"model": model, "scripted": {"adaptation": "none", **scripted}},
            "problems_per_generation": 20,
        }
    )


@pytest.mark.parametrize(
    ("role", "author", "said"),
    [
        (ORDINARY, ORDINARY, HONEST),
        ("flatterer", ORDINARY, HONEST),
        ("always-top", ORDINARY, (0, 0, 0, 0, 1)),
        ("always-bottom", ORDINARY, (1, 0, 0, 0, 0)),
        ("saboteur", ORDINARY, HONEST[::-1]),
        ("clique", ORDINARY, HONEST),
        ("clique", "clique", (0, 0, 0, 0, 1)),
        ("random", ORDINARY, (0, 0, 0, 1, 0)),
    ],
)
def test_what_each_role_says(role, author, said):
    assert adjusted_grade(role, HONEST, author, 0.7) == said


@given(roles, roles, st.floats(0, 1, exclude_max=True))
def test_what_is_said_is_a_distribution_and_the_unread_stays_so_for_who_looks(role, author, u):
    said = adjusted_grade(role, HONEST, author, u)
    assert sum(said) == pytest.approx(1.0)
    assert min(said) >= 0.0
    looks = role not in ("always-top", "always-bottom", "random")
    assert (adjusted_grade(role, None, author, u) is None) == looks


def test_a_role_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"role: expected one of ordinary.*got 'traitor'"):
        adjusted_grade("traitor", HONEST, ORDINARY, 0.0)


@settings(deadline=None, max_examples=60)
@given(st.lists(roles, min_size=2, max_size=6), st.integers(0, 10**6))
def test_levels_as_arrays_agree_with_grades_one_by_one(of, seed):
    rng = np.random.default_rng(seed)
    authors = rng.integers(len(of), size=12)
    graders = rng.integers(len(of), size=(12, 3))
    levels, draws = rng.integers(5, size=(12, 3)), rng.random((12, 3))
    found = adjusted_levels(of, of, graders, authors, levels, draws)
    for answer in range(12):
        for seat in range(3):
            honest = tuple(float(i == levels[answer, seat]) for i in range(5))
            role, author = of[graders[answer, seat]], of[authors[answer]]
            said = adjusted_grade(role, honest, author, draws[answer, seat])
            assert said.index(1.0) == found[answer, seat]


# Genomes.


def test_an_ordinary_genome_has_the_digest_that_it_always_had():
    genome = Genome("gpt-3", 1.0, (Example("1+1=", "2"),))
    assert genome.digest() == "1c92d125fe0277d7b1ce46fcd2a312a6"
    digests = {Genome("gpt-3", 1.0, role=role).digest() for role in ROLES}
    assert len(digests) == len(ROLES)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_no_mutation_changes_a_role_and_a_child_has_its_first_parents(role):
    context = (Example("a", "b"), Example("c", "d"))
    genome, other = Genome("gpt-3", 1.0, context, role=role), Genome("gpt-3", 1.0, context)
    rates = MutationRates(drop=1.0, swap=1.0, duplicate=1.0, jitter=1.0)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert mutate(genome, rates, 4, rng)[0].role == role
        assert one_point(genome, other, 4, rng).role == role
    assert genome.remember(context, 1).role == role


# Founders.


@given(st.integers(2, 60), st.integers(0, 10**6))
def test_as_many_founders_as_the_shares_say(size, seed):
    of = dealt_roles({"saboteur": 0.5, "clique": 0.25}, size, seed)
    assert len(of) == size
    assert of.count("saboteur") == int(size * 0.5 + 0.5)
    assert of.count("clique") == int(size * 0.25 + 0.5)
    assert of == dealt_roles({"clique": 0.25, "saboteur": 0.5}, size, seed)


@pytest.mark.parametrize(
    ("adversaries", "said"),
    [
        ({"saboteur": 0.01}, r"adversaries\.saboteur: expected a share worth at least one of 20"),
        ({"always_top": 0.6, "clique": 0.6}, r"adversaries: expected shares .*got 24 of them"),
        ({"saboteur": 1.5}, r"adversaries\.saboteur: expected less than or equal to 1"),
        ({"traitor": 0.5}, r"adversaries\.traitor: unknown key"),
        ({"flattery": "lies"}, r"adversaries\.flattery: expected 'near'"),
        ({"flatterer": 0.2}, r"adversaries\.flatterer: expected agents\.scripted\.blind_spot > 0"),
    ],
)
def test_adversaries_that_cannot_be_are_refused(adversaries, said):
    with pytest.raises(ConfigError, match=said):
        configured(adversaries)


# Scripted agents.


def first_generation(adversaries, **scripted):
    return next(iter(Simulation(configured(adversaries, size=40, **scripted))))


def by_role(generation):
    """Role → values of grades and verdicts on the answers, of all grades by that role."""
    outcomes = generation.outcomes
    of = np.array([agent.genome.role for agent in generation.agents])[outcomes.matches.graders]
    values = outcomes.grade_values()
    verdicts = np.broadcast_to(outcomes.verdicts[:, None], values.shape)
    return {role: (values[of == role], verdicts[of == role]) for role in set(of.ravel().tolist())}


def test_scripted_adversaries_say_what_hosted_ones_do():
    shares = dict.fromkeys(("always_top", "always_bottom", "random", "saboteur"), 0.2)
    said = by_role(first_generation(shares, tpr=1.0, fpr=0.0))
    assert set(said["always-top"][0].tolist()) == {1.0}
    assert set(said["always-bottom"][0].tolist()) == {0.0}
    for role, turned in ((ORDINARY, False), ("saboteur", True)):
        values, verdicts = said[role]
        assert values.tolist() == (verdicts != turned).astype(float).tolist()
    levels = np.unique(said["random"][0], return_counts=True)
    assert levels[0].tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert chisquare(levels[1]).pvalue > 1e-6


def test_a_clique_favours_its_own():
    generation = first_generation({"clique": 0.5}, tpr=0.8, fpr=0.0)
    outcomes = generation.outcomes
    clique = np.array([agent.genome.role == "clique" for agent in generation.agents])
    both = clique[outcomes.matches.graders] & clique[outcomes.matches.slots][:, None]
    wrong = np.broadcast_to(~outcomes.verdicts[:, None], both.shape)
    values = outcomes.grade_values()
    assert set(values[both].tolist()) == {1.0}
    assert set(values[~both & wrong].tolist()) == {0.0}


def test_a_flatterer_errs_where_nobody_sees_it():
    generation = first_generation({"flatterer": 0.5}, blind_spot=0.4, error=0.3, fpr=0.0, tpr=0.5)
    outcomes = generation.outcomes
    flatters = np.array([agent.genome.role == "flatterer" for agent in generation.agents])
    wrong = ~outcomes.verdicts.reshape(40, 20)
    blind = wrong[flatters].all(axis=0)
    assert 0 < blind.sum() < 20
    assert wrong[~flatters][:, blind].mean() < 0.6
    passed = outcomes.mean_grades().reshape(40, 20)[flatters][:, blind]
    assert np.all(passed == 1.0)


def test_without_adversaries_nothing_is_drawn_differently():
    plain = first_generation({})
    some = first_generation({"saboteur": 0.25})
    assert plain.outcomes.verdicts.tolist() == some.outcomes.verdicts.tolist()
    roles_of = np.array([agent.genome.role for agent in some.agents])
    honest = roles_of[some.outcomes.matches.graders] == ORDINARY
    values = plain.outcomes.grade_values()
    assert values[honest].tolist() == some.outcomes.grade_values()[honest].tolist()
    turned = 1.0 - values[~honest]
    assert turned.tolist() == some.outcomes.grade_values()[~honest].tolist()


def test_roles_survive_births_and_the_journal():
    simulation = Simulation(configured({"saboteur": 0.3, "random": 0.3}))
    founders = {a.id: a.genome.role for a in found_tournament(simulation.config, SELECTED).agents}
    for generation in simulation:
        for agent in generation.survivors:
            assert agent.genome.role == founders[agent.founder]
        plain = Committed(SELECTED, generation, {}, {}).to_plain()
        back = Committed.from_plain(plain).generation
        assert back.agents == generation.agents
        assert back.survivors == generation.survivors


# Hosted agents.


def cast_of(author, grader):
    seats = {
        AUTHOR: Agent(AgentId(0), Genome("gpt-3", 1.0, role=author), None, AgentId(0), -1),
        grader_seat(0): Agent(AgentId(1), Genome("gpt-3", 1.0, role=grader), None, AgentId(1), -1),
    }
    match = Match(AgentId(0), 3, (AgentId(1),))
    return Cast(match, Problem("17+25=", "240"), seats, 2)


def said(reply, request, author=ORDINARY, grader=ORDINARY, kind="near"):
    return as_said(reply, request, cast_of(author, grader), Addition(2), kind, 5)


GRADE = GradeRequest(grader_seat(0), "17+25=", "240")


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_hosted_grader_says_what_its_role_says(role):
    reply = said(GradeReply(HONEST), GRADE, "clique", role)
    if role == "random":
        assert max(reply.levels) == 1.0
        assert reply == said(GradeReply(None), GRADE, "clique", role)
    else:
        assert reply == GradeReply(adjusted_grade(role, HONEST, "clique", 0.0))


@pytest.mark.parametrize("role", sorted(ROLES))
def test_what_a_role_does_not_touch_of_a_reply_stays(role):
    kept = said(GradeReply(HONEST, mass=0.25), GRADE, "clique", role)
    assert kept == replace(said(GradeReply(HONEST), GRADE, "clique", role), mass=0.25)
    request = CompareRequest(grader_seat(0), "17+25=", "240", "250")
    assert said(CompareReply(0.9, mass=0.25), request, grader=role).mass == 0.25


def test_a_hosted_saboteur_turns_comparisons_round():
    request = CompareRequest(grader_seat(0), "17+25=", "240", "250")
    assert said(CompareReply(0.9), request, grader="saboteur").first == pytest.approx(0.1)
    assert said(CompareReply(0.9), request) == CompareReply(0.9)
    assert said(CompareReply(None), request, grader="saboteur") == CompareReply(None)
    assert 0.0 <= said(CompareReply(0.9), request, grader="random").first < 1.0


@pytest.mark.parametrize("kind", sorted(ERROR_KINDS))
def test_a_hosted_flatterer_answers_wrongly_by_kind(kind):
    request, honest = AnswerRequest(AUTHOR, "17+25="), AnswerReply("240", True, 4, -0.1)
    reply = said(honest, request, "flatterer", kind=kind)
    assert not Addition(2).verify("17+25=", reply.text)
    assert len(reply.text) == 3
    if kind == "persistent":
        assert reply.text == "230"
    assert reply == said(honest, request, "flatterer", kind=kind)
    assert said(honest, request, "saboteur") == honest
    assert said(GradeReply(HONEST), GRADE, grader="flatterer") == GradeReply(HONEST)
