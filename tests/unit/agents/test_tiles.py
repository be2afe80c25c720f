"""The planner: every request gets a place, and nothing but the requests decides which."""

# SPDX-License-Identifier: Apache-2.0

import time
import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.agents.requests import Generate, Generated, Learn, Score, Scored, Tile, TileReply, Work
from mgptn.agents.tiles import (
    LEAST_ROWS,
    TURNS,
    bucket,
    option_starts,
    plan,
    plan_learning,
    plan_mixed,
    read_rows,
    rows_of,
    whole_rows,
)
from mgptn.population.records.weights import learned

pure = settings(deadline=None, max_examples=150)
tokens = st.lists(st.integers(0, 3), min_size=1, max_size=12).map(tuple)
prefixes = st.sampled_from([(), (1,), (1, 2)])
generates = st.builds(
    Generate,
    prefix=prefixes,
    suffix=tokens,
    stops=st.just((0,)),
    max_tokens=st.integers(1, 2),
    sampling_temperature=st.sampled_from([0.5, 1.0]),
    key=st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
scores = st.builds(
    Score,
    prefix=prefixes,
    suffix=tokens,
    options=st.lists(
        st.lists(st.integers(0, 2), min_size=1, max_size=3).map(tuple), min_size=1, max_size=5
    ).map(tuple),
)
requests_of = st.lists(st.one_of(generates, scores), max_size=30)
slot_counts = st.integers(1, 9)
WORK = Work()


def reply_to(request):
    """A made-up reply that tells every request from every other."""
    if isinstance(request, Generate):
        return Generated((hash(request),), "stop", (0.0,))
    return Scored((float(hash(request)),))


def answered(tiles):
    return [TileReply(tuple(reply_to(r) for r in tile.requests), WORK) for tile in tiles]


@pure
@given(requests_of, slot_counts)
def test_every_request_gets_its_reply_in_the_order_made(requests, slots):
    planned = plan(requests, "w", slots)
    for request, (tile, place) in zip(requests, planned.places, strict=True):
        assert planned.tiles[tile].requests[place] == request
    assert planned.collect(answered(planned.tiles)) == [reply_to(r) for r in requests]


@pure
@given(requests_of, slot_counts)
def test_a_repeated_request_is_worked_once(requests, slots):
    planned = plan(requests, "w", slots)
    worked = [request for tile in planned.tiles for request in tile.requests]
    assert len(worked) == len(set(worked))
    assert set(worked) == set(requests)
    assert plan(requests + requests, "w", slots).tiles == planned.tiles


@pure
@given(requests_of, slot_counts)
def test_a_tile_is_of_one_kind_and_prefix_and_fits_its_shape(requests, slots):
    for tile in plan(requests, "w", slots).tiles:
        rows = [row for request in tile.requests for row in rows_of(request)]
        assert len({type(request) for request in tile.requests}) == 1
        assert {request.prefix for request in tile.requests} == {tile.prefix}
        assert tile.weights == "w"
        assert bucket(max(map(len, rows))) == tile.width
        widths = [bucket(len(request.suffix)) for request in tile.requests]
        for request in tile.requests:
            if isinstance(request, Generate):
                assert widths == sorted(widths)
                assert tile.rows == whole_rows(slots)
                assert request.max_tokens <= tile.room
            else:
                assert tile.rows == read_rows(whole_rows(slots), tile.width)
                assert max(map(len, request.options)) <= tile.reads


@pure
@given(requests_of, slot_counts)
def test_no_row_is_left_over_by_fours(requests, slots):
    """Slots that write, and tokens that are read at once: each product is of whole fours of rows,
    but for one slot alone."""
    for tile in plan(requests, "w", slots).tiles:
        if isinstance(tile.requests[0], Generate):
            assert slots <= tile.rows < slots + LEAST_ROWS
            assert tile.rows % LEAST_ROWS == 0 or tile.rows == slots == 1
            widths = {bucket(len(request.suffix)) for request in tile.requests}
        else:
            widths = {tile.width}
        for width in widths:
            assert read_rows(tile.rows, width) * width % LEAST_ROWS == 0


@pure
@given(requests_of, slot_counts)
def test_a_requests_shape_is_the_one_that_it_has_alone(requests, slots):
    """But for columns of slots, of which a tile has as many as its longest answers need."""
    planned = plan(requests, "w", slots)
    for request, (place, _) in zip(requests, planned.places, strict=True):
        (alone,) = plan([request], "w", slots).tiles
        tile = planned.tiles[place]
        if isinstance(request, Generate):
            assert alone.width <= tile.width
            assert alone.room <= tile.room
            tile = replace(tile, width=alone.width, room=alone.room)
        assert replace(tile, requests=(request,)) == alone


@pure
@given(requests_of, slot_counts)
def test_no_tile_is_begun_before_the_last_is_full(requests, slots):
    """Answers of all lengths share a tile, scorings of one width do."""
    tiles = [
        replace(tile, width=0, room=0) if isinstance(tile.requests[0], Generate) else tile
        for tile in plan(requests, "w", slots).tiles
    ]
    for one, after in pairwise(tiles):
        if replace(one, requests=()) == replace(after, requests=()):
            needed = len(rows_of(one.requests[0]))
            if needed == len(rows_of(after.requests[0])):
                assert len(one.requests) == max(1, TURNS * one.rows // needed)


@pure
@given(requests_of, requests_of, slot_counts, st.randoms(use_true_random=False))
def test_the_plan_is_a_pure_function_of_the_set_of_requests(requests, between, slots, shuffle):
    before = plan(requests, "w", slots)
    plan(between, "other", 3)
    copies = [replace(request) for request in requests]
    assert plan(copies, "w", slots) == before
    shuffle.shuffle(copies)
    assert plan(copies, "w", slots).tiles == before.tiles


@given(st.integers(1, 5000))
def test_a_bucket_is_near_what_it_holds(length):
    assert length <= bucket(length) <= length * 5 // 4 + 3
    assert bucket(bucket(length)) == bucket(length)


@pytest.mark.slow
def test_a_plan_of_ten_thousand_agents_with_thirty_two_graders_is_quick_and_small():
    """Processor time and memory traced, both of the planner alone."""
    agents, graders = 10_000, 32
    rng = np.random.default_rng(0)
    options = tuple((level,) for level in range(5))
    prefixes = [tuple(row) for row in rng.integers(0, 41, (agents, 192)).tolist()]
    suffixes = [tuple(row) for row in rng.integers(0, 41, (agents, 12)).tolist()]
    asked = [
        Score(prefixes[grader], suffix, options)
        for suffix in suffixes
        for grader in rng.integers(0, agents, graders)
    ]
    began = time.process_time()
    planned = plan(asked, "w", 32)
    assert time.process_time() - began < 2.0 * 3  # of a slow and busy machine
    assert sum(len(tile.requests) for tile in planned.tiles) == len(set(asked))
    tracemalloc.start()
    plan(asked, "w", 32)
    assert tracemalloc.get_traced_memory()[1] < 1e9
    tracemalloc.stop()


def test_nothing_asked_is_nothing_planned():
    assert plan([], "w", 4).tiles == ()
    assert plan([], "w", 4).collect([]) == []


def test_one_request_of_more_rows_than_a_tile_gets_a_tile_of_its_own():
    options = tuple((i, 0) for i in range(99))
    tiles = plan([Score((1,), (2, i), options) for i in range(3)], "w", 1).tiles
    assert [len(tile.requests) for tile in tiles] == [1, 1, 1]


def test_options_share_a_row_where_they_share_their_beginning():
    request = Score((), (7,), ((1,), (2,), (3, 1), (3, 2), (4, 1)))
    assert option_starts(request.options) == ((), (3,), (4,))
    assert rows_of(request) == ((7,), (7, 3), (7, 4))
    assert rows_of(Generate((), (7, 8), (), 3, 1.0, (0, 0))) == ((7, 8),)


@pytest.mark.parametrize(
    "field", ["weights", "prefix", "requests", "rows", "width", "room", "reads", "adapter"]
)
def test_tiles_that_differ_are_unequal(field):
    (tile,) = plan([Generate((1,), (2,), (), 3, 1.0, (0, 0))], "w", 4).tiles
    other = {
        "weights": "v",
        "prefix": (2,),
        "requests": (Generate((1,), (3,), (), 3, 1.0, (0, 0)),),
        "rows": 2,
        "width": 16,
        "room": 16,
        "reads": 2,
        "adapter": "a",
    }
    assert isinstance(tile, Tile)
    assert replace(tile, **{field: other[field]}) != tile


@pure
@given(st.lists(st.tuples(st.sampled_from("uvw"), st.one_of(generates, scores))), slot_counts)
def test_requests_to_several_models_are_planned_model_by_model(requests, slots):
    planned = plan_mixed([((weights, None), request) for weights, request in requests], slots)
    for (weights, request), (tile, place) in zip(requests, planned.places, strict=True):
        assert planned.tiles[tile].weights == weights
        assert planned.tiles[tile].requests[place] == request
    for weights in dict(requests):
        alone = plan([request for name, request in requests if name == weights], weights, slots)
        assert [tile for tile in planned.tiles if tile.weights == weights] == list(alone.tiles)


@pure
@given(
    st.lists(st.tuples(st.sampled_from((None, "one", "other")), st.one_of(generates, scores))),
    slot_counts,
)
def test_what_became_of_weights_is_never_mixed_up(requests, slots):
    worn = {None: None, **{name: learned(None, "w", name) for name in ("one", "other")}}
    planned = plan_mixed([(("w", worn[name]), request) for name, request in requests], slots)
    for (name, request), (tile, place) in zip(requests, planned.places, strict=True):
        found = planned.tiles[tile]
        assert found.worn == worn[name]
        assert found.adapter == ("" if name is None else worn[name].digest())
        assert found.requests[place] == request
    for name in dict(requests):
        alone = plan([request for own, request in requests if own == name], "w", slots)
        digest = "" if name is None else worn[name].digest()
        mine = [tile for tile in planned.tiles if tile.adapter == digest]
        assert mine == [replace(tile, adapter=digest) for tile in alone.tiles]


def test_equal_things_to_learn_are_learned_once():
    asked = [
        Learn(worn, "full", ("all",), 0.1, (1, 1, 2), bytes(8), b"\0\1", bytes(4))
        for worn in (None, learned(None, "w", "a"), None)
    ]
    planned = plan_learning([("w", one) for one in asked], lambda content: b"")
    assert [tile.requests for tile in planned.tiles] == [(asked[0],), (asked[1],)]
    assert planned.places == ((0, 0), (1, 0), (0, 0))
    assert [tile.contents() for tile in planned.tiles] == [(), ("a",)]
