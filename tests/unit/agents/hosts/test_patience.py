"""How long hosts are waited for: by what the same took before, and only while somebody looks on."""

# SPDX-License-Identifier: Apache-2.0

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgptn.agents.hosts.patience import ATTENTION, GENEROSITY, Patience, Waiting


class Clock:
    """Goes as it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def patience(clock):
    return Patience(least=10.0, clock=clock)


def pass_time(clock, patience, seconds):
    """Look on for so long, once a second."""
    for _ in range(round(seconds)):
        clock.now += 1.0
        patience.now()


@given(st.lists(st.floats(0.0, 1e4), min_size=1), st.floats(0.1, 1e4))
def test_what_has_been_done_before_is_never_given_up_for_taking_as_long(taken, least):
    patience = Patience(least)
    for seconds in taken:
        patience.took("generate", seconds)
    assert patience.limit("generate") == max(least, GENEROSITY * max(taken))
    # Of what nobody has done, less is known.
    assert patience.limit("learn") >= patience.limit("generate")


def test_a_slow_start_is_waited_for_by_the_slowest_so_far(clock, patience):
    first = Waiting(patience, "load")
    pass_time(clock, patience, 9)
    first.done()
    again = Waiting(patience, "load")
    pass_time(clock, patience, GENEROSITY * 9)
    assert not again.over
    pass_time(clock, patience, 1)
    assert again.over


def test_a_silence_is_told_of_and_again_each_time_that_may_be_waited_for(clock, patience):
    patience.took("score", 1.0)
    waiting = Waiting(patience, "score")
    told = []
    for second in range(1, 31):
        pass_time(clock, patience, 1)
        if waiting.worth_telling():
            told.append(second)
    assert told == [5, 15, 25]
    assert waiting.told() == "30 s (patience 30 s; the longest so far took 1.0 s)"


def test_while_nobody_looks_on_nobody_is_kept_waiting(clock, patience):
    """A driver that was stopped for an hour finds its hosts as they were."""
    waiting = Waiting(patience, "score")
    clock.now += 3600.0
    assert waiting.seconds == ATTENTION
    assert not waiting.over
