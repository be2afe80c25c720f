"""The tournament: what holds whatever is answered, graded and drawn."""

# SPDX-License-Identifier: Apache-2.0

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from mgptn.population.breeding.mutation import MutationRates, drop, duplicate, jitter, mutate, swap
from mgptn.population.breeding.operators import OPERATORS
from mgptn.population.breeding.processes import PROCESSES, ProcessOptions
from mgptn.population.breeding.recombination import one_point
from mgptn.population.draws.streams import stream
from mgptn.population.judging import pairing
from mgptn.population.judging.pairing import random_graders
from mgptn.population.judging.selectors import SELECTORS, Evidence
from mgptn.population.records.agents import Example, Genome
from mgptn.population.records.outcomes import Grade, Outcome, Outcomes
from mgptn.population.records.population import population_digest
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament
from tests.columns import or_none

pure = settings(deadline=None, max_examples=60)
ALL = MutationRates(drop=1.0, swap=1.0, duplicate=1.0, jitter=1.0)
AT_ONCE = ("wright-fisher", "soft-survival", "islands")
SOME = MutationRates(drop=0.3, swap=0.3, duplicate=0.3, jitter=0.3)

seeds = st.integers(0, 10**6)
mutations = st.sampled_from([MutationRates(), SOME, ALL])
settings_of = st.builds(
    TournamentSettings,
    problems=st.integers(1, 4),
    graders=st.just(1),
    threshold=st.sampled_from([0.0, 0.5, 1.0]),
    context_capacity=st.integers(0, 3),
    selector=st.sampled_from(list(SELECTORS)),
    process=st.sampled_from(list(PROCESSES)),
    operator=st.sampled_from(list(OPERATORS)),
    selection_temperature=st.sampled_from([1e-3, 0.1, 1.0, float("inf")]),
    mutation=mutations,
    recombination=st.sampled_from([0.0, 0.5, 1.0]),
)
examples = st.builds(Example, st.sampled_from("abc"), st.sampled_from("xy"))
genomes = st.builds(
    Genome,
    st.just("gpt-1"),
    st.floats(0.01, 100),
    st.lists(examples, max_size=4).map(tuple),
)


@st.composite
def tournaments(draw):
    chosen, size = draw(settings_of), draw(st.integers(2, 6))
    options = ProcessOptions(
        resampling=draw(st.sampled_from(["multinomial", "systematic"])),
        demes=draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0])),
        migration=draw(st.sampled_from([0.0, 0.3, 1.0])),
    )
    chosen = replace(chosen, graders=draw(st.integers(1, size - 1)), options=options)
    return Tournament(chosen, [Genome("gpt-1", 1.0)] * size, draw(seeds))


def grade(grader, value):
    """A grade with this mean, between the worst level and the best; None if it is None."""
    levels = None if value is None else (1.0 - value, 0.0, 0.0, 0.0, value)
    return Grade(grader, levels, value)


def answer(tournament, value_of, verdict_of=lambda match: True):
    """Outcomes of what is asked: values by grader's index and match."""
    matches = tournament.ask()
    outcomes = [
        Outcome(
            match=match,
            query=f"{tournament.generation}.{match.problem}?",
            answer=f"{match.author}",
            finished=True,
            tokens=2,
            log_probability=-1.0,
            grades=tuple(grade(g, value_of(match, k)) for k, g in enumerate(match.graders)),
            verdict=verdict_of(match),
        )
        for match in matches
    ]
    return Outcomes.gather(matches, outcomes)


def by_chance(rng, unreadable=0.2):
    def value_of(match, k):
        return None if rng.random() < unreadable else float(rng.random())

    return value_of


def played(tournament, generations, seed=0):
    rng = np.random.default_rng(seed)
    return [
        tournament.tell(answer(tournament, by_chance(rng), lambda m: bool(rng.random() < 0.5)))
        for _ in range(generations)
    ]


# What is asked.


@pure
@given(st.integers(2, 9), st.integers(1, 5), seeds, st.data())
def test_graders_are_distinct_others(size, problems, seed, data):
    graders = data.draw(st.integers(1, size - 1))
    seats = random_graders(size, problems, graders, stream(seed, "graders"))
    assert seats.shape == (size * problems, graders)
    for answered, row in enumerate(seats):
        assert len(set(row.tolist())) == graders
        assert answered // problems not in row
        assert all(0 <= slot < size for slot in row)


@pytest.mark.parametrize("sorted_at_most", [256, 3])
def test_every_other_grades_as_often(monkeypatch, sorted_at_most):
    """One and two graders of 6 agents' answers to 3 000 problems: χ² of which sets grade whom.

    By sorting and in turn. False-alarm probability 2e-6 (5e-7 a test); the seed is fixed.
    """
    monkeypatch.setattr(pairing, "SORTED_AT_MOST", sorted_at_most)
    size, problems = 6, 3000
    for graders in (1, 2):
        seats = random_graders(size, problems, graders, stream(5, "graders", graders))
        sets = [(answered // problems, *sorted(row)) for answered, row in enumerate(seats.tolist())]
        possible = [
            (author, *others)
            for author in range(size)
            for others in itertools.combinations([s for s in range(size) if s != author], graders)
        ]
        counts = np.array([sets.count(cell) for cell in possible])
        expected = len(sets) / len(possible)
        statistic = ((counts - expected) ** 2 / expected).sum()
        assert chi2.sf(statistic, len(possible) - size) > 5e-7


@pytest.mark.parametrize("graders", [1, 8, 150, 299])
def test_graders_of_a_large_population_are_distinct_others(graders):
    seats = random_graders(300, 4, graders, stream(2, "graders"))
    assert seats.shape == (1200, graders)
    ascending = np.sort(seats.astype(int), axis=1)
    assert (np.diff(ascending, axis=1) > 0).all()
    assert (ascending[:, -1] < 300).all()
    assert not (seats == np.repeat(np.arange(300), 4)[:, None]).any()


def test_more_graders_than_others_are_refused():
    with pytest.raises(ValueError, match=r"expected at most population.size − 1 = 2, got 3"):
        random_graders(3, 1, 3, stream(0, "graders"))


@pure
@given(tournaments())
def test_everybody_answers_everything_once_and_nobody_grades_itself(tournament):
    for _ in range(2):
        matches = tournament.ask()
        assert tournament.ask() == matches
        assert [(m.author, m.problem) for m in matches] == [
            (agent.id, problem)
            for agent in tournament.agents
            for problem in range(tournament.settings.problems)
        ]
        for match in matches:
            assert len(set(match.graders)) == tournament.settings.graders
            assert match.author not in match.graders
            assert set(match.graders) <= {agent.id for agent in tournament.agents}
        played(tournament, 1)


# What is decided.


@pure
@given(tournaments())
def test_the_population_keeps_its_size_and_its_books(tournament):
    size = len(tournament.agents)
    used = {agent.id for agent in tournament.agents}
    before = tournament.agents
    for generation in played(tournament, 3):
        assert generation.agents == before
        assert len(generation.survivors) == size
        assert len({agent.id for agent in generation.survivors}) == size
        assert len(generation.births) == len(generation.deaths)
        born = [birth.child for birth in generation.births]
        assert len(set(born)) == len(born)
        assert not used & set(born)
        used |= set(born)
        started = {agent.id for agent in generation.agents}
        ended = {agent.id for agent in generation.survivors}
        assert len(set(generation.deaths)) == len(generation.deaths)
        assert (started | set(born)) - set(generation.deaths) == ended
        assert np.mean(generation.rates) == pytest.approx(1.0, abs=1e-9)
        assert generation.rates.min() >= 0.0
        assert generation.digest == population_digest(generation.survivors, generation.index)
        before = generation.survivors
    assert tournament.agents == before
    assert tournament.generation == 3


@pure
@given(tournaments())
def test_every_parent_is_alive_when_it_gives_birth(tournament):
    for generation in played(tournament, 3):
        alive = {agent.id for agent in generation.agents}
        all_at_once = tournament.settings.process in AT_ONCE
        for birth, death in zip(generation.births, generation.deaths, strict=True):
            assert birth.parent in alive
            assert birth.other_parent is None or birth.other_parent in alive
            assert birth.other_parent != birth.parent
            assert death in alive
            if not all_at_once:
                assert birth.other_parent != death
                alive = alive - {death} | {birth.child}
        if tournament.settings.process in ("wright-fisher", "islands"):
            assert set(generation.deaths) == alive
        if tournament.settings.process == "soft-survival":
            best = int(np.argmax(generation.rates))
            assert generation.survivors[best].id == generation.agents[best].id
        if tournament.settings.process == "death-birth":
            assert all(
                b.parent != d for b, d in zip(generation.births, generation.deaths, strict=True)
            )


@pure
@given(tournaments())
def test_descent_is_as_the_births_say(tournament):
    generations = played(tournament, 3)
    agents = {a.id: a for g in generations for a in (*g.agents, *g.survivors)}
    for generation in generations:
        parents = {birth.child: birth.parent for birth in generation.births}
        for agent in generation.survivors:
            if agent.id in parents:
                assert (agent.parent, agent.born) == (parents[agent.id], generation.index)
            else:
                assert agent.born < generation.index
            ancestor = agent.id
            while ancestor in parents:
                ancestor = parents[ancestor]
            assert agents[ancestor].founder == agent.founder


@pure
@given(tournaments())
def test_a_mutant_differs_from_its_parent_and_only_a_mutant_does(tournament):
    for generation in played(tournament, 3):
        capacity = tournament.settings.context_capacity
        genome_of = {}
        for slot, agent in enumerate(generation.agents):
            first = slot * tournament.settings.problems
            own = range(first, first + tournament.settings.problems)
            lessons = tuple(
                Example(generation.outcomes[i].query, generation.outcomes[i].answer)
                for i in own
                if i in generation.accepted
            )
            genome_of[agent.id] = agent.genome.remember(lessons, capacity)
        survivors = {agent.id: agent.genome for agent in generation.survivors}
        for birth in generation.births:
            if birth.other_parent is not None:
                continue
            if birth.parent in genome_of and birth.child in survivors:
                assert bool(birth.mutations) == (survivors[birth.child] != genome_of[birth.parent])
        for agent in generation.survivors:
            if agent.id in genome_of:
                assert agent.genome == genome_of[agent.id]
            assert len(agent.genome.context) <= capacity


@pure
@given(tournaments(), seeds)
def test_told_the_same_two_tournaments_decide_the_same(tournament, seed):
    twin = Tournament(tournament.settings, [a.genome for a in tournament.agents], tournament.seed)
    assert played(tournament, 3, seed) == played(twin, 3, seed)


def test_another_seed_decides_otherwise():
    chosen = TournamentSettings(
        problems=3, graders=2, threshold=0.5, context_capacity=3, selection_temperature=10.0
    )
    digests = {
        played(Tournament(chosen, [Genome("gpt-1", 1.0)] * 6, seed), 2)[-1].digest
        for seed in range(5)
    }
    assert len(digests) == 5


@pure
@given(tournaments(), st.data())
def test_the_outcomes_of_other_matches_are_refused_and_nothing_changes(tournament, data):
    played(tournament, data.draw(st.integers(0, 1)))
    twin = Tournament(
        tournament.settings, [Genome("gpt-1", 1.0)] * len(tournament.agents), tournament.seed
    )
    played(twin, tournament.generation)
    right = answer(tournament, by_chance(np.random.default_rng(3)))
    matches, graders = right.matches, right.matches.graders.astype(np.int64)
    i, k = (data.draw(st.integers(0, size - 1)) for size in graders.shape)
    other_grader = graders.copy()
    other_grader[i, k] += 1
    for wrong in (
        Outcomes.gather(replace(matches, graders=graders[:0]), []),
        replace(right, answers=right.answers[:-1]),
        replace(right, answers=np.append(right.answers, 0)),
        replace(right, matches=replace(matches, authors=np.roll(matches.authors, 1))),
        replace(right, matches=replace(matches, problems=matches.problems + 1)),
        replace(right, matches=replace(matches, graders=other_grader)),
        replace(right, matches=replace(matches, graders=graders[:, 1:])),
        replace(right, grades=np.hstack([right.grades, right.grades])),
    ):
        with pytest.raises(ValueError, match=r"outcomes"):
            tournament.tell(wrong)
    assert tournament.tell(right) == twin.tell(right)


def test_the_refused_outcome_is_named():
    chosen = TournamentSettings(problems=2, graders=1, threshold=0.5, context_capacity=1)
    tournament = Tournament(chosen, [Genome("gpt-1", 1.0)] * 2, 0)
    outcomes = answer(tournament, lambda m, k: 0.5)
    others = replace(outcomes.matches, authors=np.array([0, 7]))
    said = (
        r"outcomes\[2\]: expected the outcome of author 1 and problem 0, .* got one of author 7 and"
    )
    with pytest.raises(ValueError, match=said):
        tournament.tell(replace(outcomes, matches=others))
    with pytest.raises(ValueError, match=r"outcomes: expected 4 of generation 0, got 3"):
        tournament.tell(replace(outcomes, answers=outcomes.answers[:3]))


def test_one_founder_is_no_population():
    chosen = TournamentSettings(problems=1, graders=1, threshold=0.5, context_capacity=1)
    with pytest.raises(ValueError, match="expected at least 2 founders, got 1"):
        Tournament(chosen, [Genome("gpt-1", 1.0)], 0)


# Corners.


def corner(size=4, value_of=lambda m, k: 0.5, **changes):
    chosen = TournamentSettings(problems=3, graders=2, threshold=0.6, context_capacity=4)
    tournament = Tournament(replace(chosen, **changes), [Genome("gpt-1", 1.0)] * size, 1)
    return tournament, tournament.tell(answer(tournament, value_of))


@pytest.mark.parametrize("operator", list(OPERATORS))
@pytest.mark.parametrize("process", list(PROCESSES))
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0, None])
def test_equal_fitness_gives_everybody_a_rate_of_exactly_one(operator, process, value):
    _, generation = corner(value_of=lambda m, k: value, operator=operator, process=process)
    assert generation.rates.tolist() == [1.0] * 4
    assert or_none(generation.fitness) == (value,) * 4


@pytest.mark.parametrize("operator", list(OPERATORS))
@pytest.mark.parametrize("process", list(PROCESSES))
@pytest.mark.parametrize("selector", list(SELECTORS))
def test_neutral_drift_gives_everybody_a_rate_of_exactly_one(operator, process, selector):
    rng = np.random.default_rng(0)
    _, generation = corner(
        size=6,
        value_of=by_chance(rng),
        operator=operator,
        process=process,
        selector=selector,
        selection_temperature=float("inf"),
    )
    assert generation.rates.tolist() == [1.0] * 6


def test_where_nobody_is_accepted_nobody_learns():
    tournament, generation = corner(value_of=lambda m, k: 0.59)
    assert generation.accepted.size == 0
    assert all(agent.genome.context == () for agent in tournament.agents)


def test_where_all_have_top_marks_everybody_learns_everything():
    tournament, generation = corner(value_of=lambda m, k: 1.0)
    assert generation.accepted.tolist() == list(range(12))
    assert generation.fitness.tolist() == [1.0] * 4
    for agent in tournament.agents:
        assert agent.genome.context == tuple(
            Example(f"0.{problem}?", str(agent.parent)) for problem in range(3)
        )


def test_a_score_at_the_threshold_is_accepted():
    _, generation = corner(value_of=lambda m, k: 0.6)
    assert len(generation.accepted) == 12


def test_an_unreadable_grade_is_left_out_of_the_mean_and_not_counted_as_zero():
    def value_of(match, k):
        if match.author == 0:
            return None if (k == 0 or match.problem == 2) else 0.9
        return None if match.author == 1 else 0.4

    _, generation = corner(value_of=value_of)
    assert or_none(generation.scores[:6]) == (0.9, 0.9, None, None, None, None)
    assert or_none(generation.fitness) == (
        pytest.approx(0.9),
        None,
        pytest.approx(0.4),
        pytest.approx(0.4),
    )
    assert generation.accepted.tolist() == [0, 1]
    assert generation.rates[0] > generation.rates[1] > generation.rates[2] == generation.rates[3]


def test_the_oldest_examples_are_forgotten_first():
    tournament, _ = corner(
        size=2, value_of=lambda m, k: 1.0, process="none", graders=1, context_capacity=4
    )
    tournament.tell(answer(tournament, lambda m, k: 1.0))
    assert [e.query for e in tournament.agents[0].genome.context] == [
        "0.2?",
        "1.0?",
        "1.1?",
        "1.2?",
    ]


def test_no_capacity_is_no_context():
    tournament, generation = corner(value_of=lambda m, k: 1.0, context_capacity=0, mutation=ALL)
    assert len(generation.accepted) == 12
    assert all(agent.genome.context == () for agent in tournament.agents)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_without_a_process_the_agents_stay_and_go_on_learning(value):
    tournament, generation = corner(
        value_of=lambda m, k: value, process="none", mutation=ALL, selection_temperature=1e-3
    )
    assert (len(generation.births), generation.deaths) == (0, ())
    assert [a.id for a in tournament.agents] == [0, 1, 2, 3]
    assert {len(a.genome.context) for a in tournament.agents} == {3 if value else 0}


def test_the_unselected_are_founders_for_ever():
    _, generation = corner(process="none", selector="none", value_of=lambda m, k: 1.0)
    assert generation.survivors == generation.agents
    assert or_none(generation.fitness) == (None,) * 4


def test_the_coldest_selection_leaves_only_the_fittest_line():
    for process in ("wright-fisher", "soft-survival", "moran"):
        tournament, _ = corner(
            value_of=lambda m, k: 1.0 if m.author == 2 else 0.0,
            process=process,
            selection_temperature=1e-3,
        )
        children = [agent for agent in tournament.agents if agent.born == 0]
        assert children
        assert {agent.founder for agent in children} == {2}


# Islands.


def on_islands(migration, **changes):
    """Eight agents on four islands; agents 0 and 1, of the first, are fitter than all others."""
    return corner(
        size=8,
        value_of=lambda m, k: {0: 1.0, 1: 0.9}.get(m.author, 0.1 + 0.01 * m.author),
        process="islands",
        options=ProcessOptions(demes=4, migration=migration),
        **changes,
    )


def test_agents_of_an_island_compete_with_each_other_only():
    _, generation = on_islands(0.0, selection_temperature=1e-5)
    assert generation.rates.tolist() == [2.0, 0.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0]
    assert [birth.parent for birth in generation.births] == [0, 0, 3, 3, 5, 5, 7, 7]


@pytest.mark.parametrize("seed", range(5))
def test_without_migration_islands_stay_apart_under_recombination_too(seed):
    chosen = TournamentSettings(
        problems=2,
        graders=2,
        threshold=0.0,
        context_capacity=4,
        process="islands",
        options=ProcessOptions(demes=2, migration=0.0),
        selection_temperature=1.0,
        recombination=1.0,
    )
    tournament = Tournament(chosen, [Genome("gpt-1", 1.0)] * 6, seed)
    island = {agent.id: slot // 3 for slot, agent in enumerate(tournament.agents)}
    others = 0
    for generation in played(tournament, 4, seed):
        for slot, agent in enumerate(generation.survivors):
            island[agent.id] = slot // 3
        for birth in generation.births:
            assert island[birth.parent] == island[birth.child]
            assert birth.other_parent is not None
            assert island[birth.other_parent] == island[birth.child]
            others += 1
    assert others == 24


def test_demes_of_unequal_size_are_refused():
    with pytest.raises(ValueError, match="demes: expected a number that divides 4 agents, got 3"):
        corner(process="islands", options=ProcessOptions(demes=3))


# Recombination.


@pytest.mark.parametrize("process", [name for name in PROCESSES if name != "none"])
def test_a_child_of_two_has_the_older_examples_of_one_and_the_newer_of_the_other(process):
    tournament, generation = corner(
        value_of=lambda m, k: 1.0 if (m.author + k) % 2 else 0.7,
        process=process,
        recombination=1.0,
        selection_temperature=1.0,
    )
    lessons = {
        agent.id: tuple(Example(f"0.{problem}?", f"{agent.id}") for problem in range(3))
        for agent in generation.agents
    }
    survivors = {agent.id: agent for agent in generation.survivors}
    seen = 0
    for birth in generation.births:
        assert birth.other_parent is not None
        if birth.child not in survivors or not {birth.parent, birth.other_parent} <= set(lessons):
            continue
        child = survivors[birth.child]
        assert (child.parent, child.founder) == (birth.parent, birth.parent)
        first, second = lessons[birth.parent], lessons[birth.other_parent]
        possible = {
            one_point(
                Genome("gpt-1", 1.0, first), Genome("gpt-1", 1.0, second), 4, stream(0, "cut", i)
            ).context
            for i in range(60)
        }
        assert len(possible) == 4
        assert child.genome.context in possible
        assert birth.mutations == ()
        seen += 1
    assert seen or process in ("soft-survival", "moran", "death-birth")
    assert tournament.agents == generation.survivors


def test_recombination_disturbs_no_other_draw():
    without, other = (
        corner(value_of=by_chance(np.random.default_rng(1)), mutation=SOME, recombination=r)[1]
        for r in (0.0, 1.0)
    )
    assert [b.parent for b in without.births] == [b.parent for b in other.births]
    assert all(b.other_parent is None for b in without.births)
    assert all(b.other_parent is not None for b in other.births)


def test_where_nobody_else_may_breed_there_is_one_parent():
    _, generation = corner(
        value_of=lambda m, k: 1.0 if m.author == 2 else 0.0,
        selection_temperature=1e-3,
        recombination=1.0,
    )
    assert [(b.parent, b.other_parent) for b in generation.births] == [(2, None)] * 4


def test_second_parents_come_as_often_as_they_should_and_by_rate():
    """4 000 births of six agents: χ² of how many have two parents, and of which the second is.

    False-alarm probability 1e-6 (5e-7 a test); the seed is fixed.
    """
    chosen = TournamentSettings(
        problems=1, graders=1, threshold=1.0, context_capacity=0, recombination=0.4
    )
    second, first = np.zeros(6), np.zeros(6)
    total = 0
    for seed in range(700):
        tournament = Tournament(chosen, [Genome("gpt-1", 1.0)] * 6, seed)
        told = tournament.tell(answer(tournament, lambda m, k: 0.5 + 0.05 * m.author))
        for birth in told.births:
            total += 1
            if birth.other_parent is not None:
                first[birth.parent] += 1
                second[birth.other_parent] += 1
    mixed = second.sum()
    assert chi2.sf((mixed - total * 0.4) ** 2 / (total * 0.24), 1) > 5e-7
    rates = np.array(told.rates)
    expected = sum(
        first[i] * np.where(np.arange(6) == i, 0.0, rates) / (6.0 - rates[i]) for i in range(6)
    )
    assert chi2.sf(((second - expected) ** 2 / expected).sum(), 5) > 5e-7


# Selectors.


def test_each_selector_sees_what_it_should_and_nothing_else():
    rng = np.random.default_rng(2)
    chosen = TournamentSettings(problems=5, graders=2, threshold=0.5, context_capacity=4)
    tournament = Tournament(chosen, [Genome("gpt-1", 1.0)] * 4, 1)
    values = {}

    def value_of(match, k):
        return values.setdefault((match.author, match.problem, k), round(float(rng.random()), 3))

    outcomes = answer(tournament, value_of, lambda m: (m.author + m.problem) % 3 == 0)
    flipped = replace(outcomes, verdicts=~outcomes.verdicts)
    first_only = np.where([True, False], outcomes.grades, -1)
    other_grades = replace(outcomes, grades=first_only)

    def scored(name, outcomes):
        evidence = Evidence(outcomes, outcomes.mean_grades())
        return or_none(SELECTORS[name](evidence, stream(0, "s")))

    for name in SELECTORS:
        scores = scored(name, outcomes)
        assert len(scores) == len(outcomes)
        assert all(s is None or 0.0 <= s <= 1.0 for s in scores)
        assert (scored(name, flipped) != scores) == (name in ("oracle", "human"))
        assert (scored(name, other_grades) != scores) == (name in ("peers", "shuffled"))
    peers = scored("peers", outcomes)
    assert peers[0] == pytest.approx((values[0, 0, 0] + values[0, 0, 1]) / 2)
    assert sorted(scored("shuffled", outcomes)) == sorted(peers)
    assert scored("shuffled", outcomes) != peers
    assert scored("oracle", outcomes) == tuple(float(o.verdict) for o in outcomes)
    assert set(scored("none", outcomes)) == {None}


# Mutations.


@pure
@given(genomes, seeds, st.integers(0, 4))
def test_every_operator_changes_the_genome_or_does_not_apply(genome, seed, capacity):
    rng = stream(seed, "mutation")
    for operator in (
        lambda: drop(genome, rng),
        lambda: swap(genome, rng),
        lambda: duplicate(genome, rng, capacity),
        lambda: jitter(genome, rng, 0.1),
    ):
        changed = operator()
        assert changed is None or changed != genome
    dropped, swapped = drop(genome, rng), swap(genome, rng)
    assert (dropped is None) == (not genome.context)
    assert (swapped is None) == (len(set(genome.context)) < 2)
    if dropped is not None:
        assert len(dropped.context) == len(genome.context) - 1
    if swapped is not None:
        assert sorted(map(repr, swapped.context)) == sorted(map(repr, genome.context))
        assert sum(a != b for a, b in zip(swapped.context, genome.context, strict=True)) == 2


@pure
@given(genomes, mutations, seeds)
def test_a_genome_has_named_mutations_just_when_it_differs(genome, rates, seed):
    changed, names = mutate(genome, rates, 3, stream(seed, "mutation"))
    assert bool(names) == (changed != genome)
    assert len(set(names)) == len(names)
    assert 0.01 <= changed.sampling_temperature <= 100.0
    if rates == MutationRates():
        assert changed is genome


def test_mutations_come_as_often_as_they_should():
    """2 000 births of a genome to which every operator applies; χ² with one degree for each.

    False-alarm probability 1e-6 (2.5e-7 a test); the seed is fixed.
    """
    genome = Genome("gpt-1", 1.0, tuple(Example(str(i), str(i)) for i in range(4)))
    rates = MutationRates(drop=0.1, swap=0.2, duplicate=0.3, jitter=0.5)
    drawn = [mutate(genome, rates, 8, stream(9, "m", i))[1] for i in range(2000)]
    for name, rate in (("drop", 0.1), ("swap", 0.2), ("duplicate", 0.3), ("jitter", 0.5)):
        count = sum(name in names for names in drawn)
        statistic = (count - 2000 * rate) ** 2 / (2000 * rate * (1 - rate))
        assert chi2.sf(statistic, 1) > 2.5e-7


def test_a_jittered_temperature_is_log_normal():
    """Mean and variance of ln T over 2 000 births, 5.2 standard errors: 4e-7 together."""
    genome = Genome("gpt-1", 2.0)
    rates = MutationRates(jitter=1.0, jitter_scale=0.2)
    logs = np.log(
        [
            mutate(genome, rates, 0, stream(4, "m", i))[0].sampling_temperature / 2.0
            for i in range(2000)
        ]
    )
    assert abs(logs.mean()) < 5.2 * 0.2 / np.sqrt(2000)
    assert abs(logs.var() - 0.04) < 5.2 * 0.04 * np.sqrt(2 / 2000)
