"""Lineages of real tournaments against plain searches through their records."""

# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.breeding.mutation import MutationRates
from mgptn.population.measures.lineage import descendants, trace_lineage
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
    for agent, reached in descendants(lineage, lineage.living).items():
        assert reached == sum(agent in plain.line(living) for living in lineage.living)


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
