"""Commits: what goes into the journal comes out of it, value for value and type for type."""

# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.fields import Fields
from mgptn.experiments.record.packed_agents import pack_populations, unpack_populations
from mgptn.experiments.record.packed_arrays import pack, unpack
from mgptn.population.records.agents import AgentId
from mgptn.population.records.outcomes import Grade
from mgptn.population.records.population import Population
from tests.columns import with_outcomes
from tests.synthetic import synthetic_run

RUN, _ = synthetic_run(generations=3, agents=4, problems=3)


def through_msgpack(committed):
    return Committed.from_plain(msgpack.unpackb(msgpack.packb(committed.to_plain())))


@pytest.mark.parametrize("committed", RUN, ids=lambda c: f"{c.arm}-{c.generation.index}")
def test_a_commit_comes_back_as_it_was(committed):
    again = through_msgpack(committed)
    assert again == committed
    # Tuples stay tuples, and integers integers.
    assert repr(again.generation.agents) == repr(committed.generation.agents)
    assert repr(again.generation.survivors) == repr(committed.generation.survivors)
    assert repr(again.generation.births) == repr(committed.generation.births)
    assert repr(list(again.generation.outcomes)) == repr(list(committed.generation.outcomes))


def test_a_commit_from_before_masses_were_read_has_none():
    plain = RUN[0].to_plain()
    assert RUN[0].generation.outcomes.masses.size
    del plain["generation"]["outcomes"]["masses"]
    before = Committed.from_plain(plain).generation.outcomes
    assert before.masses.size == 0
    assert {grade.mass for outcome in before for grade in outcome.grades} == {None}


def test_what_counts_of_answers_comes_back_and_is_written_where_less_than_all_does():
    committed = RUN[0]
    assert "parts" not in committed.to_plain()["generation"]["outcomes"]
    outcomes = list(committed.generation.outcomes)
    said = [replace(one, part=f"{i % 2}") for i, one in enumerate(outcomes)]
    said[0] = replace(outcomes[0], part=None)
    talked = replace(committed, generation=with_outcomes(committed.generation, said))
    assert through_msgpack(talked) == talked
    again = through_msgpack(talked).generation.outcomes
    assert [one.part for one in again] == [one.part for one in said]
    assert [one.answer for one in again] == [one.answer for one in outcomes]


def test_a_second_parent_comes_back():
    births = (replace(RUN[0].generation.births[0], other_parent=AgentId(2)),)
    committed = replace(RUN[0], generation=replace(RUN[0].generation, births=births))
    assert through_msgpack(committed) == committed


def test_agents_share_what_they_shared():
    first, second, *_ = RUN[4].generation.survivors
    twins = first, replace(second, genome=first.genome)
    plain = pack_populations([Population.of(twins), Population.of(twins[:1])])
    assert len(plain["queries"]) == len(first.genome.context)
    (one, other), (again,) = unpack_populations(Fields(plain), 2)
    assert one.genome is other.genome is again.genome
    assert (one, other, again) == (*twins, first)


@settings(deadline=None, max_examples=60)
@given(
    texts=st.lists(st.text(max_size=4), min_size=3, max_size=3),
    numbers=st.lists(st.floats(), min_size=3, max_size=3),
    unknown=st.booleans(),
)
def test_any_text_and_number_comes_back(texts, numbers, unknown):
    committed = RUN[0]
    outcomes = list(committed.generation.outcomes)
    for i, (text, number) in enumerate(zip(texts, numbers, strict=True)):
        grades = tuple(Grade(grade.grader, None, None) for grade in outcomes[i].grades)
        outcomes[i] = replace(
            outcomes[i],
            answer=text,
            finished=not outcomes[i].finished,
            log_probability=number,
            grades=grades if unknown else outcomes[i].grades,
        )
    generation = replace(
        with_outcomes(committed.generation, outcomes),
        scores=np.resize([math.nan, *numbers], len(outcomes)),
        fitness=np.array([math.nan, *numbers]),
    )
    changed = replace(committed, generation=generation)
    again = through_msgpack(changed)
    assert again == changed
    assert repr(list(again.generation.outcomes)) == repr(list(generation.outcomes))


@settings(deadline=None)
@given(
    st.one_of(
        arrays(np.bool_, array_shapes(min_side=0, max_dims=2)),
        arrays(np.int64, array_shapes(min_side=0, max_dims=2)),
        arrays(np.uint16, array_shapes(min_side=0, max_dims=2)),
        arrays(np.float64, array_shapes(min_side=0, max_dims=2)),
    )
)
def test_an_array_comes_back_bit_for_bit(values):
    back = unpack(msgpack.unpackb(msgpack.packb(pack(values))))
    assert back.shape == values.shape
    assert back.astype(values.dtype).tobytes() == values.tobytes()


def test_floats_of_few_kinds_take_a_byte_each():
    rng = np.random.default_rng(0)
    values = rng.choice([0.0, -0.0, np.nan, np.inf, 0.1], size=(100, 50))
    plain = pack(values)
    assert len(plain["data"]) == values.size
    assert unpack(plain).tobytes() == values.tobytes()
    values[0] = rng.random(50)
    many = rng.random(5000)
    for kept in (values, many):
        assert unpack(pack(kept)).tobytes() == kept.tobytes()
    assert "distinct" not in pack(many)


def test_integers_take_no_more_bytes_than_they_need():
    for values, size in (([0, 255], 1), ([-1, 127], 1), ([-1, 128], 2), ([0, 65535], 2)):
        assert len(pack(np.array(values))["data"]) == 2 * size
    with pytest.raises(TypeError, match="expected truths, integers or floats, got <U1"):
        pack(np.array(["a"]))
