"""Lineages of real tournaments against plain searches through their records."""

# SPDX-License-Identifier: Apache-2.0

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.breeding.mutation import MutationRates
from mgptn.population.measures.lineage import (
    ancestors,
    ancestral_lineages,
    coalescence_time,
    common_ancestor,
    fixation_time,
    muller_table,
    neutral_labels,
    trace_lineage,
)
from mgptn.population.records.agents import Birth, Genome
from mgptn.population.records.outcomes import Outcome, Outcomes
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament


def evolve(process, size, generations, seed):
    """Neutral drift of agents that never answer anything, some born with another temperature."""
    chosen = TournamentSettings(
        1, 1, 1.0, 0, selector="none", process=process, mutation=MutationRates(jitter=0.5)
    )
    tournament = Tournament(chosen, [Genome("gpt-1", 1.0)] * size, seed)
    return [
        tournament.tell(
            Outcomes.gather(
                tournament.ask(),
                [Outcome(m, "", "", True, 0, 0.0, (), False) for m in tournament.ask()],
            )
        )
        for _ in range(generations)
    ]


runs = st.builds(
    evolve,
    st.sampled_from(["wright-fisher", "moran", "none"]),
    st.integers(2, 6),
    st.integers(1, 9),
    st.integers(0, 10**6),
)
pure = settings(deadline=None, max_examples=40)


class Plain:
    """The same questions, answered by climbing from agent to agent."""

    def __init__(self, generations):
        living = [g.agents for g in generations] + [generations[-1].survivors]
        self.alive = [{agent.id for agent in agents} for agents in living]
        self.parents = {b.child: b.parent for g in generations for b in g.births}

    def line(self, agent):
        """The agent, then its ancestors."""
        line = [agent]
        while line[-1] in self.parents:
            line.append(self.parents[line[-1]])
        return line

    def at(self, agent, time):
        """The agent of a time that a later one is or descends from."""
        return next(a for a in self.line(agent) if a in self.alive[time])


@pure
@given(runs)
def test_lives_are_those_of_the_records(generations):
    lineage, plain = trace_lineage(generations), Plain(generations)
    assert lineage.generations == len(generations)
    assert lineage.living == tuple(agent.id for agent in generations[-1].survivors)
    assert len(lineage.lives) == len(plain.alive[0]) + sum(len(g.births) for g in generations)
    for time, alive in enumerate(plain.alive):
        lived = lineage.lives.values()
        span = {x.id for x in lived if x.born < time and (x.died is None or x.died >= time)}
        assert span == alive
    seen = {}
    for generation in generations:
        for agent in (*generation.agents, *generation.survivors):
            seen.setdefault(agent.id, agent)
    for life in lineage.lives.values():
        assert (life.id in seen) == (life.died is None or life.died > life.born)
        if life.id in seen:
            agent = seen[life.id]
            assert (life.parent, life.born) == (agent.parent, agent.born)
            assert life.genome == agent.genome.digest()
        else:
            assert life.genome is None
        assert ancestors(lineage, life.id) == tuple(plain.line(life.id)[1:])


@pure
@given(runs, st.data())
def test_common_ancestors_and_coalescence(generations, data):
    lineage, plain = trace_lineage(generations), Plain(generations)
    everybody = sorted(lineage.living)
    some = data.draw(st.sets(st.sampled_from(everybody), min_size=1))
    for agents in (None, some):
        lines = [plain.line(a) for a in (everybody if agents is None else agents)]
        shared = set.intersection(*map(set, lines))
        assert common_ancestor(lineage, agents) == next((a for a in lines[0] if a in shared), None)
        met = [
            lineage.generations - time
            for time in range(lineage.generations + 1)
            if len({plain.at(line[0], time) for line in lines}) == 1
        ]
        assert coalescence_time(lineage, agents) == min(met, default=None)


@pure
@given(runs)
def test_ancestral_lineages_only_multiply(generations):
    lineage, plain = trace_lineage(generations), Plain(generations)
    counts = [len({plain.at(a, t) for a in lineage.living}) for t in range(len(plain.alive))]
    got = ancestral_lineages(lineage)
    assert got.tolist() == counts
    assert got[-1] == len(lineage.living)
    assert np.all(np.diff(got) >= 0)


@pure
@given(runs, st.data())
def test_labels_are_inherited_and_a_muller_table_counts_them(generations, data):
    lineage, plain = trace_lineage(generations), Plain(generations)
    since = data.draw(st.integers(0, len(generations)))
    labels = neutral_labels(lineage, since)
    table = muller_table(lineage, since)
    assert set(table.labels) == plain.alive[since]
    assert table.shares.shape == (len(plain.alive) - since, len(table.labels))
    np.testing.assert_allclose(table.shares.sum(axis=1), 1.0, rtol=1e-12)
    for time, alive in enumerate(plain.alive[since:], start=since):
        assert all(labels[agent] == plain.at(agent, since) for agent in alive)
        counts = Counter(labels[agent] for agent in alive)
        shares = [counts[label] / len(alive) for label in table.labels]
        assert table.shares[time - since].tolist() == pytest.approx(shares)


@pure
@given(runs)
def test_founders_fix_when_their_label_is_the_only_one(generations):
    lineage = trace_lineage(generations)
    labels = neutral_labels(lineage)
    populations = [g.agents for g in generations] + [generations[-1].survivors]
    for agents in populations:
        assert all(labels[agent.id] == agent.founder for agent in agents)
    for founder in populations[0]:
        fixed = [
            time
            for time, agents in enumerate(populations)
            if {agent.founder for agent in agents} == {founder.id}
        ]
        assert fixation_time(lineage, founder.id) == min(fixed, default=None)


def test_records_that_contradict_each_other_are_refused():
    first, second = evolve("moran", 4, 2, seed=1)
    with pytest.raises(ValueError, match="at least one"):
        trace_lineage([])
    with pytest.raises(ValueError, match="expected index 0, got 1"):
        trace_lineage([second])
    with pytest.raises(ValueError, match=r"generations\[1\].survivors"):
        trace_lineage([first, replace(second, deaths=second.deaths[:-1])])
    orphan = Birth(second.births[0].child, 999, ())
    with pytest.raises(ValueError, match=r"generations\[1\].births: .*999"):
        trace_lineage([first, replace(second, births=(orphan, *second.births[1:]))])


def test_unknown_agents_and_times_are_refused():
    lineage = trace_lineage(evolve("wright-fisher", 4, 3, seed=1))
    for question in (ancestors, lambda k, a: common_ancestor(k, [a]), fixation_time):
        with pytest.raises(ValueError, match="999"):
            question(lineage, 999)
    with pytest.raises(ValueError, match="living"):
        coalescence_time(lineage, [0])
    with pytest.raises(ValueError, match="founder"):
        fixation_time(lineage, lineage.living[0])
    with pytest.raises(ValueError, match="at least one"):
        common_ancestor(lineage, [])
    with pytest.raises(ValueError, match="since: expected 0 to 3, got 4"):
        muller_table(lineage, 4)
