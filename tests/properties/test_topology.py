"""Topologies: who may grade whom, and that graders are drawn evenly among them."""

# SPDX-License-Identifier: Apache-2.0

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from mgptn.population.draws.streams import stream
from mgptn.population.judging.pairing import graders_among, seated
from mgptn.population.judging.topology import (
    BY_STRENGTH,
    TOPOLOGIES,
    Topology,
    check_enough,
    eligible_graders,
    founders_by_strength,
)
from mgptn.population.records.agents import Genome
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament
from tests.graded import graded

pure = settings(deadline=None, max_examples=80)
MODELS = ("gpt-1", "gpt-3", "gpt-2")
STRENGTHS = {"gpt-1": 1.0, "gpt-2": 2.0, "gpt-3": 3.0}
seeds = st.integers(0, 10**6)


def models_of(size):
    return [MODELS[slot % 3] for slot in range(size)]


def chosen(name, **options):
    return Topology(name, strengths=STRENGTHS, **options)


def plain(name, size, graders, topology):
    """The slots that may grade each slot, one slot at a time; None where that is drawn."""
    models = models_of(size)

    def strength(slot):
        return STRENGTHS[models[slot]]

    def around(slot, reach):
        return {(slot + step) % size for step in range(-reach, reach + 1)}

    def judges(slot):
        return set(range(graders + 1)) if slot <= graders else set(range(graders))

    rows = max(r for r in range(1, size + 1) if r * r <= size and size % r == 0)
    columns = size // rows

    def beside(slot, wraps):
        row, column = divmod(slot, columns)
        found = set()
        for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            r, c = row + down, column + right
            if wraps:
                r, c = r % rows, c % columns
            if 0 <= r < rows and 0 <= c < columns:
                found.add(r * columns + c)
        return found

    each = size // topology.islands
    found = {
        "random": lambda s: set(range(size)),
        "all-pairs": lambda s: set(range(size)),
        "ring": lambda s: around(s, topology.neighbours // 2),
        "grid": lambda s: beside(s, wraps=False),
        "torus": lambda s: beside(s, wraps=True),
        "islands": lambda s: {o for o in range(size) if o // each == s // each},
        "central-judge": judges,
        "strong-grades-weak": lambda s: {o for o in range(size) if strength(o) >= strength(s)},
        "weak-grades-strong": lambda s: {o for o in range(size) if strength(o) <= strength(s)},
    }.get(name)
    return None if found is None else [found(s) - {s} for s in range(size)]


@pure
@given(st.sampled_from(sorted(TOPOLOGIES)), st.integers(2, 14), st.integers(1, 3), seeds, st.data())
def test_who_may_grade_is_as_the_slow_plain_version_says(name, size, graders, seed, data):
    islands = data.draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0]))
    topology = chosen(name, neighbours=data.draw(st.sampled_from([2, 4])), islands=islands)
    graders = min(graders, size - 1)
    found = eligible_graders(size, graders, topology, models_of(size), stream(seed, "topology"))
    expected = plain(name, size, graders, topology)
    for slot in range(size):
        its = found.of(slot)
        assert len(set(its)) == len(its) == found.counts[slot]
        assert slot not in its
        if expected is not None and (name not in BY_STRENGTH or len(expected[slot]) >= graders):
            assert set(its) == expected[slot]


@pure
@given(st.integers(5, 40), st.floats(0, 1), seeds)
def test_a_small_world_keeps_its_edges_and_every_edge_goes_both_ways(size, rewiring, seed):
    topology = chosen("small-world", rewiring=rewiring)
    rng = stream(seed, "topology")
    found = eligible_graders(size, 1, topology, rng=rng)
    assert found.counts.sum() == size * 4
    neighbours = [set(found.of(slot)) for slot in range(size)]
    assert all(a in neighbours[b] for a in range(size) for b in neighbours[a])
    ring = eligible_graders(size, 1, chosen("ring"))
    if rewiring == 0.0:
        assert neighbours == [set(ring.of(slot)) for slot in range(size)]


@pure
@given(st.integers(3, 12), st.integers(1, 4), st.sampled_from(BY_STRENGTH), seeds)
def test_a_population_that_has_lost_its_strong_is_graded_by_the_next(size, graders, name, seed):
    graders = min(graders, size - 1)
    models = [MODELS[i] for i in np.random.default_rng(seed).integers(3, size=size)]
    found = eligible_graders(size, graders, chosen(name), models)
    assert found.counts.min() >= graders
    sign = 1 if name == "strong-grades-weak" else -1
    for slot in range(size):
        its = {sign * STRENGTHS[models[o]] for o in found.of(slot)}
        others = [sign * STRENGTHS[models[o]] for o in range(size) if o != slot]
        mine = sign * STRENGTHS[models[slot]]
        enough = sum(o >= mine for o in others)
        assert enough == founders_by_strength(chosen(name), models)[slot]
        if enough >= graders:
            assert min(its) >= mine
        else:
            assert min(its) >= sorted(others, reverse=True)[graders - 1]


@pure
@given(st.sampled_from(sorted(TOPOLOGIES)), st.integers(2, 12), st.integers(1, 4), seeds)
def test_graders_are_distinct_and_eligible(name, size, problems, seed):
    found = eligible_graders(size, 1, chosen(name, islands=1), models_of(size))
    least = int(found.counts.min())
    assume(least >= 1)
    for graders in range(1, min(least, 4) + 1):
        seats = graders_among(found, problems, graders, stream(seed, "graders"))
        assert seats.shape == (size * problems, graders)
        for answer, row in enumerate(seats.tolist()):
            assert len(set(row)) == graders
            assert set(row) <= set(found.of(answer // problems))
    with pytest.raises(ValueError, match=f"at most {least}"):
        graders_among(found, 1, least + 1, stream(seed, "graders"))


def test_every_ordered_choice_of_eligible_graders_is_as_likely():
    """Three of five, of an author within its stretch and one outside: false alarm 1e-6 in all."""
    found = eligible_graders(9, 5, chosen("central-judge"))
    problems, graders = 60_000, 3
    seats = graders_among(found, problems, graders, stream(3, "graders")).reshape(9, problems, 3)
    for author in (2, 8):
        orders = list(itertools.permutations(found.of(author), graders))
        assert len(orders) == 60
        codes = seats[author] @ np.array([100, 10, 1])
        counts = np.array([np.sum(codes == a * 100 + b * 10 + c) for a, b, c in orders])
        assert counts.sum() == problems
        expected = problems / len(orders)
        statistic = np.sum((counts - expected) ** 2) / expected
        assert chi2.sf(statistic, len(orders) - 1) > 5e-7


def test_many_agents_are_seated_within_bounds_of_time_and_type():
    found = eligible_graders(10**4, 8, chosen("small-world", neighbours=16), rng=stream(1, "t"))
    seats = graders_among(found, 64, 8, stream(1, "graders"))
    assert seats.shape == (640_000, 8)
    assert seats.dtype == np.uint16


def test_too_few_graders_are_refused_by_name():
    grid = eligible_graders(12, 3, chosen("grid"))
    check_enough(grid, 2, "grid")
    with pytest.raises(ValueError, match=r"protocol\.graders: expected at most 2.*slot 0.*got 3"):
        check_enough(grid, 3, "grid")


def test_islands_of_unequal_size_are_refused():
    with pytest.raises(ValueError, match=r"population\.islands\.count: expected a divisor of .* 7"):
        eligible_graders(7, 1, chosen("islands", islands=2))


def settled(name, size=9, graders=2, **more):
    return TournamentSettings(
        problems=3,
        graders=graders,
        threshold=0.5,
        context_capacity=2,
        topology=chosen(name, islands=3),
        **more,
    )


@pytest.mark.parametrize("name", sorted(TOPOLOGIES))
def test_a_tournament_asks_those_whom_its_topology_allows(name):
    graders = 8 if name == "all-pairs" else 2
    founders = [Genome(model, 1.0) for model in models_of(9)]
    tournament = Tournament(settled(name, graders=graders), founders, 4)
    asked = tournament.ask()
    again = Tournament(settled(name, graders=graders), founders, 4).ask()
    assert asked == again
    allowed = eligible_graders(
        9, graders, chosen(name, islands=3), models_of(9), stream(4, "topology")
    )
    for answer, row in enumerate(asked.graders.tolist()):
        assert set(row) <= set(allowed.of(answer // 3))
        assert len(set(row)) == graders


def test_an_author_that_grades_itself_has_the_last_seat_and_moves_no_other_draw():
    founders = [Genome("gpt-1", 1.0)] * 9
    others = Tournament(settled("random"), founders, 4).ask()
    also = Tournament(settled("random", self_grading=True), founders, 4).ask()
    assert also.graders[:, :-1].tolist() == others.graders.tolist()
    assert also.graders[:, -1].tolist() == np.arange(9).repeat(3).tolist()
    assert also.own.sum() == len(also) == also.own[:, -1].sum()
    assert not others.own.any()
    assert seated(others.graders, 3).tolist() == also.graders.tolist()


def test_an_own_grade_is_not_the_peers_word_unless_nobody_else_was_asked():
    founders = [Genome("gpt-1", 1.0)] * 3
    asked = Tournament(settled("random", self_grading=True), founders, 4).ask()
    wrong = np.zeros(9, dtype=np.bool_)
    blank = graded(3, 3, 1, lambda *_: 0.5, np.random.default_rng(0), truth=wrong)
    grades = np.tile([0, 1, 2], (9, 1))
    said = replace(blank, matches=asked, values=np.array([0.2, 0.4, 0.9]), grades=grades)
    assert said.mean_grades() == pytest.approx(np.full(9, 0.3))
    assert said.own_values().tolist() == [0.9] * 9
    assert said.peers_asked == 2
    assert said.peer_grade_counts().tolist() == [[0, 9, 9, 0], [0, 0, 0, 0]]
    unread = replace(said, grades=np.tile([-1, -1, 2], (9, 1)))
    assert np.isnan(unread.mean_grades()).all()
    alone = replace(
        said, matches=replace(asked, graders=asked.graders[:, 2:]), grades=grades[:, 2:]
    )
    assert alone.mean_grades().tolist() == [0.9] * 9
    assert alone.peers_asked == 1
