"""Commits: what goes into the journal comes out of it, value for value and type for type."""

# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.committed import Committed
from population.records import AgentId, Grade
from tests.synthetic import synthetic_run

RUN, _ = synthetic_run(generations=3, agents=4, problems=3)


def through_msgpack(committed):
    return Committed.from_plain(msgpack.unpackb(msgpack.packb(committed.to_plain())))


@pytest.mark.parametrize("committed", RUN, ids=lambda c: f"{c.arm}-{c.generation.index}")
def test_a_commit_comes_back_as_it_was(committed):
    again = through_msgpack(committed)
    assert again == committed
    assert repr(again) == repr(committed)  # tuples stay tuples, integers integers


def test_a_second_parent_comes_back():
    births = (replace(RUN[0].generation.births[0], other_parent=AgentId(2)),)
    committed = replace(RUN[0], generation=replace(RUN[0].generation, births=births))
    assert through_msgpack(committed) == committed


def test_a_journal_from_before_recombination_is_read():
    plain = RUN[0].to_plain()
    for birth in plain["generation"]["births"]:
        assert birth.pop("other_parent") is None
    assert Committed.from_plain(plain) == RUN[0]


@settings(deadline=None, max_examples=60)
@given(
    texts=st.lists(st.text(max_size=4), min_size=3, max_size=3),
    numbers=st.lists(st.floats(allow_nan=False), min_size=3, max_size=3),
    unknown=st.booleans(),
)
def test_any_text_and_number_comes_back(texts, numbers, unknown):
    committed = RUN[0]
    outcomes = list(committed.generation.outcomes)
    for i, (text, number) in enumerate(zip(texts, numbers, strict=True)):
        outcomes[i] = replace(
            outcomes[i],
            answer=text,
            finished=not outcomes[i].finished,
            log_probability=number,
            grades=(Grade(AgentId(1), None, None),) if unknown else outcomes[i].grades,
        )
    generation = replace(
        committed.generation,
        outcomes=tuple(outcomes),
        scores=tuple([None, *numbers]),
        fitness=tuple([None, *numbers]),
    )
    changed = replace(committed, generation=generation)
    assert repr(through_msgpack(changed)) == repr(changed)


def test_what_is_not_a_number_comes_back():
    outcome = replace(RUN[0].generation.outcomes[0], log_probability=math.nan)
    generation = replace(RUN[0].generation, outcomes=(outcome,))
    again = through_msgpack(replace(RUN[0], generation=generation))
    assert math.isnan(again.generation.outcomes[0].log_probability)
