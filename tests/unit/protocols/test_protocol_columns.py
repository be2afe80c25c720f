"""Protocols told in columns: word for word what their generators say, conversation by conversation.

A protocol's two tellings are played with the same replies, drawn by seat, query and what is asked.
"""

# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.protocols.columns import AnswerColumn, Column, GradeColumn
from mgptn.protocols.messages import AnswerReply, AnswerRequest, GradeReply
from mgptn.protocols.protocol import ProtocolOptions
from mgptn.protocols.scale import certainty
from mgptn.protocols.table import PROTOCOLS

pure = settings(deadline=None, max_examples=50)
TOLD = [protocol for protocol in PROTOCOLS.values() if protocol.columns is not None]
queries = st.lists(st.sampled_from(["1+1=", "2+2=", "1+2="]), min_size=1, max_size=6)
options = st.builds(
    ProtocolOptions, graders=st.integers(1, 4), wanted=st.integers(0, 4), draws=st.integers(2, 3)
)


def replies(salt):
    """What each request of each conversation gets: few different answers, some grades unread."""

    def reply(conversation, request):
        if isinstance(request, AnswerRequest):
            number = hash((salt, conversation, request.seat, request.draw, request.query)) % 3
            return AnswerReply(f"{number}", number > 0, 1, -1.0 * conversation)
        number = hash((salt, request)) % 4
        return GradeReply(certainty(number / 4) if number else None, number / 4)

    return reply


def one_by_one(protocol, queries, options, reply):
    """Rounds of every conversation, and how each ended."""
    rounds, ends = [], []
    for place, query in enumerate(queries):
        conversation, said, own = protocol.converse(query, options), None, []
        while True:
            try:
                asked = list(next(conversation) if said is None else conversation.send(said))
            except StopIteration as end:
                ends.append(end.value)
                break
            own.append(asked)
            said = [reply(place, request) for request in asked]
        rounds.append(own)
    return rounds, ends


def in_columns(protocol, queries, options, reply):
    """The same, of all at once; different replies of a round stand in one table."""
    conversations, said, rounds = protocol.columns(options), None, [[] for _ in queries]
    while True:
        try:
            asked = list(next(conversations) if said is None else conversations.send(said))
        except StopIteration as end:
            return rounds, [end.value.of(place) for place in range(len(queries))]
        assert {type(column) for column in asked} in ({AnswerColumn}, {GradeColumn})
        table, places = {}, []
        for column in asked:
            own = [column.of(place, query) for place, query in enumerate(queries)]
            heard = [reply(place, request) for place, request in enumerate(own)]
            places.append(np.array([table.setdefault(one, len(table)) for one in heard]))
        for place, query in enumerate(queries):
            rounds[place].append([column.of(place, query) for column in asked])
        told = list(table)
        said = [Column(told, own) for own in places]


def test_the_protocols_of_one_answer_and_its_grades_are_told_in_columns():
    assert {p.name for p in TOLD} == {"survey", "self-survey", "score-conditioned", "chaining"}


@pure
@pytest.mark.parametrize("protocol", TOLD, ids=lambda protocol: protocol.name)
@given(queries, options, st.integers())
def test_both_tellings_ask_the_same_and_end_the_same(protocol, queries, options, salt):
    reply = replies(salt)
    assert in_columns(protocol, queries, options, reply) == one_by_one(
        protocol, queries, options, reply
    )
