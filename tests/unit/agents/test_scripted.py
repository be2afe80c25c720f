"""Agents without a model: what they say follows from seed, places and texts alone."""

# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.agents.behaviour import Behaviour
from mgptn.agents.hosts.fleet import FleetError, NoFleet
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.requests import Score
from mgptn.agents.scripted import WRONG_ANSWERS, ScriptedAgents, _sayable
from mgptn.agents.tiles import plan
from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.population.draws.streams import philox_key, stream, uniforms
from mgptn.population.judging.pairing import random_graders
from mgptn.population.records.agents import Agent, AgentId, Example, Genome
from mgptn.population.records.matches import Matches
from mgptn.population.theory.classification import posterior_error
from mgptn.protocols.tasks.arithmetic import Addition

TASK = Addition(3)
RUN = {
    "name": "scripted",
    "task": {"name": "addition", "size": 3},
    "population": {"size": 4, "generations": 3},
    "agents": {"model": "scripted"},
    "protocol": {"graders": 2},
    "problems_per_generation": 5,
}
behaviours = st.builds(
    Behaviour,
    task=st.just("addition"),
    size=st.just(3),
    adaptation=st.sampled_from(["none", "copy", "bayes"]),
    error=st.sampled_from([0.0, 0.4, 1.0]),
    tpr=st.sampled_from([0.0, 0.8, 1.0]),
    fpr=st.sampled_from([0.0, 0.3, 1.0]),
    correlation=st.sampled_from([0.0, 0.5, 1.0]),
    blind_spot=st.sampled_from([0.0, 0.25, 1.0]),
    spots=st.sampled_from(["shared", "disjoint"]),
    seed=st.integers(0, 99),
)


def setting(seed, size=5, problems=3, graders=3):
    """Agents with contexts of several lengths, problems and matches."""
    rng = np.random.default_rng(seed)
    drawn = tuple(TASK.draw(rng, "held-out") for _ in range(problems))
    examples = [
        Example(p.query, p.reference if right else TASK.corrupt(p, rng))
        for p in drawn
        for right in (True, False)
    ]
    agents = [
        Agent(
            AgentId(2**33 * (i % 2) + i),
            Genome("scripted", 1.0, tuple(examples[j] for j in rng.integers(6, size=i))),
            None,
            AgentId(0),
            -1,
        )
        for i in range(size)
    ]
    seats = random_graders(size, problems, graders, rng)
    return drawn, agents, Matches(np.array([agent.id for agent in agents]), problems, seats)


def played(behaviour, drawn, agents, matches, generation=2):
    scripted = ScriptedAgents(behaviour, TASK)
    return scripted.grade(
        matches, drawn, scripted.answer(matches, agents, drawn, generation), generation
    )


def plain(behaviour, drawn, agents, matches, generation=2):
    """The same, answer by answer and grade by grade."""

    def one(name, *where):
        key = philox_key(behaviour.seed, name, generation)
        return uniforms(key, *(np.array([w]) for w in where))[:, 0]

    def error_of(agent):
        shown = [TASK.verify(e.query, e.answer) for e in agent.genome.context]
        if behaviour.adaptation == "bayes":
            wrong = shown.count(False)
            return posterior_error(behaviour.skills, behaviour.prior, len(shown), wrong)
        if behaviour.adaptation == "none" or not shown:
            return behaviour.error
        return shown.count(False) / len(shown)

    def wrong_to(problem):
        rng = stream(behaviour.seed, "wrong answers", problem.query)
        return [TASK.corrupt(problem, rng) for _ in range(WRONG_ANSWERS)]

    wrong = [wrong_to(problem) for problem in drawn]
    outcomes = []
    for agent in agents:
        for q, problem in enumerate(drawn):
            draws = one("answer", agent.id, q)
            errs = draws[0] < error_of(agent)
            answer = wrong[q][int(draws[1] * WRONG_ANSWERS)] if errs else problem.reference
            probability = error_of(agent) if errs else 1 - error_of(agent)
            values = []
            for seat in range(matches.graders.shape[1]):
                own = one("grade", agent.id, q, seat // 4)[seat % 4]
                passed = own < (behaviour.fpr if errs else behaviour.tpr)
                if errs:
                    look = one("look", agent.id, q, seat // 4)[seat % 4]
                    if look < math.sqrt(behaviour.correlation):
                        common = stream(behaviour.seed, "common draw", problem.query, answer)
                        passed = common.random() < behaviour.fpr
                    blind = stream(behaviour.seed, "blind spot", problem.query).random()
                    first = seat * behaviour.blind_spot if behaviour.spots == "disjoint" else 0.0
                    passed |= first <= blind < first + behaviour.blind_spot
                values.append(float(passed))
            outcomes.append((answer, not errs, math.log(max(probability, 1e-300)), values))
    return outcomes


@settings(deadline=None, max_examples=25)
@given(behaviours, st.integers(0, 50), st.integers(1, 4))
def test_the_arrays_say_what_one_by_one_would_be_said(behaviour, seed, graders):
    where = setting(seed, graders=graders)
    outcomes = played(behaviour, *where)
    for outcome, (answer, right, log, values) in zip(
        outcomes, plain(behaviour, *where), strict=True
    ):
        assert (outcome.answer, outcome.verdict) == (answer, right)
        assert outcome.log_probability == pytest.approx(log, rel=1e-12)
        assert [grade.value for grade in outcome.grades] == values
        assert all(grade.levels[4] == grade.value for grade in outcome.grades)
        assert (outcome.finished, outcome.tokens) == (True, len(answer))


def test_disjoint_spots_never_meet_and_a_flatterer_errs_in_the_first_seats():
    behaviour = Behaviour(
        "addition", 3, "none", error=0.0, tpr=0.0, fpr=0.0, blind_spot=0.2, spots="disjoint"
    )
    drawn, agents, matches = setting(5, size=6, problems=80, graders=5)
    flatterers = [replace(a, genome=replace(a.genome, role="flatterer")) for a in agents]
    passed = played(replace(behaviour, error=1.0), drawn, agents, matches).grade_values()
    # Every problem is in just one of five spots of a fifth each.
    assert np.all(passed.sum(axis=1) == 1.0)
    told = played(behaviour, drawn, flatterers, matches)
    assert 0 < (~told.verdicts).sum() < len(told)
    assert np.array_equal(told.verdicts, passed[:, 0] == 0.0)


def test_disjoint_spots_need_room():
    scripted = {"blind_spot": 0.4, "spots": "disjoint"}
    run = RUN | {"agents": {"model": "scripted", "scripted": scripted}}
    assert check_config(run).agents.scripted.spots == "disjoint"
    with pytest.raises(ConfigError, match=r"agents.scripted.blind_spot: expected at most 1/3"):
        check_config(run | {"protocol": {"graders": 3}})


def test_wrong_answers_drawn_once_are_those_drawn_anew():
    first = Simulation(check_config(RUN))
    again = Simulation(check_config(RUN | {"task": {"name": "addition", "size": 2}}))
    texts = [next(iter(simulation)).outcomes.texts for simulation in (first, again)]
    _sayable.cache_clear()
    assert next(iter(Simulation(check_config(RUN)))).outcomes.texts == texts[0] != texts[1]


def test_neither_order_nor_company_matters():
    behaviour = Behaviour("addition", 3, correlation=0.4, blind_spot=0.3, fpr=0.5)
    drawn, agents, matches = setting(1, size=9)
    everybody = list(played(behaviour, drawn, agents, matches))
    chosen = [7, 2, 4]
    answers = [slot * len(drawn) + q for slot in chosen for q in range(len(drawn))]
    few = replace(matches, authors=matches.authors[chosen], graders=np.zeros((9, 3), dtype=int))
    some = played(behaviour, drawn, [agents[slot] for slot in chosen], few)
    for outcome, a in zip(some, answers, strict=True):
        assert outcome.answer == everybody[a].answer
        assert [g.value for g in outcome.grades] == [g.value for g in everybody[a].grades]


def test_other_seeds_generations_and_agents_draw_otherwise():
    drawn, agents, matches = setting(3, size=20, problems=10)
    behaviour = Behaviour("addition", 3)
    first = played(behaviour, drawn, agents, matches)
    others = replace(matches, authors=matches.authors + 2**32)
    for other in (
        played(replace(behaviour, seed=1), drawn, agents, matches),
        played(behaviour, drawn, agents, matches, generation=3),
        played(behaviour, drawn, agents, others),
    ):
        assert np.mean(first.answers == other.answers) < 0.9
        assert np.mean(first.grades == other.grades) < 0.9


def test_the_same_run_twice_ends_in_the_same_population():
    config = check_config(RUN)
    first, second = ([g.digest for g in Simulation(config)] for _ in range(2))
    assert first == second
    other = [g.digest for g in Simulation(check_config(RUN | {"seed": 1}))]
    assert other != first


def test_perfect_graders_leave_nothing_wrong_in_a_context():
    scripted = {"error": 0.5, "tpr": 1.0, "fpr": 0.0}
    config = check_config(RUN | {"agents": {"model": "scripted", "scripted": scripted}})
    *_, last = Simulation(config)
    assert last.outcomes.verdicts[last.accepted].all()
    assert last.outcomes.verdicts.all()


def test_a_fleet_without_hosts_does_nothing():
    fleet = NoFleet(HostSettings("scripted", "w"))
    assert (fleet.run([]), fleet.alive, fleet.restarts) == ([], 0, 0)
    tiles = plan([Score((), (1,), ((2,),))], "w", 4).tiles
    with pytest.raises(FleetError, match="expected none without a model, got 1"):
        fleet.run(tiles)
    fleet.close()


def test_a_prior_that_is_none_is_refused():
    scripted = {"skills": [0.1, 0.9], "prior": [0.5, 0.6]}
    with pytest.raises(ConfigError, match=r"agents\.scripted.*prior: expected 2 probabilities"):
        check_config(RUN | {"agents": {"model": "bayes", "scripted": scripted}})


class Moved(Addition):
    """Addition whose right answers are off by something."""

    def __init__(self, off: int) -> None:
        super().__init__(3)
        self.off = off

    def reference(self, query: str) -> str:
        return str(int(super().reference(query)) + self.off)

    def verify(self, query: str, answer: str) -> bool:
        return answer == self.reference(query)


def test_one_task_set_in_two_ways_is_two_tasks():
    """Runs of one process share what is drawn: never that of other options, and no verdicts."""
    drawn, agents, matches = setting(5)
    behaviour = Behaviour("addition", 3, adaptation="none", error=0.0, seed=41)
    for off in (0, 1):
        scripted = ScriptedAgents(behaviour, Moved(off), options=repr([("off", off)]))
        said = scripted.answer(matches, agents, drawn, 0)
        assert {said.sheet.texts[i] for i in said.sheet.choices[:, 0]} == {
            Moved(off).reference(problem.query) for problem in drawn
        }
        asked = []

        def judge(pairs, asked=asked, off=off):
            asked.extend(pairs)
            return [Moved(off).verify(*pair) for pair in pairs]

        again = ScriptedAgents(behaviour, Moved(off), judge, options=repr([("off", off)]))
        again.answer(matches, agents, drawn, 0)
        assert len(asked) >= len(drawn) * (1 + WRONG_ANSWERS)
