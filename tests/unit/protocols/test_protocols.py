"""Protocols as stories: who is asked what, in what order, and what it all ends in."""

# SPDX-License-Identifier: Apache-2.0

import inspect
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    CompareReply,
    CompareRequest,
    CritiqueRequest,
    GradeReply,
    GradeRequest,
    PickReply,
    PickRequest,
    RevisionRequest,
    grader_seat,
    partner_seat,
)
from mgptn.protocols.protocol import ProtocolOptions
from mgptn.protocols.scale import certainty, expected_level, mean_level
from mgptn.protocols.table import PROTOCOLS

pure = settings(deadline=None, max_examples=100)
QUERY = "1+1="
POSITION = "a3b5c7="
HIGH, LOW = certainty(0.9), certainty(0.2)


def answer(text):
    return AnswerReply(text, True, len(text), -1.0)


def played(name, replies, **options):
    """All rounds of requests, and the transcript; `replies` says what each request gets."""
    query = POSITION if "nim" in PROTOCOLS[name].tasks else QUERY
    conversation = PROTOCOLS[name].converse(query, ProtocolOptions(**options))
    rounds, said = [], None
    while True:
        try:
            asked = next(conversation) if said is None else conversation.send(said)
        except StopIteration as end:
            return rounds, end.value
        rounds.append(list(asked))
        said = [replies(request) for request in asked]


def plain(request):
    match request:
        case AnswerRequest():
            if request.query[0] == "a":  # a position: from the first heap that there is, a stone
                place = next(i for i in range(1, len(request.query), 2) if request.query[i] != "0")
                return answer(f"{request.query[place - 1]}{int(request.query[place]) - 1}")
            return answer(f"{request.seat}#{request.draw}")
        case RevisionRequest():
            return answer(f"{request.draft} revised")
        case CritiqueRequest():
            return answer(f"no good: {request.answer}")
        case GradeRequest():
            return GradeReply(HIGH)
        case CompareRequest():
            return CompareReply(0.5)
        case PickRequest():
            return PickReply(len(request.candidates) - 1)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_ends_with_a_grade_a_seat_and_asks_no_seat_that_it_has_not(name):
    protocol = PROTOCOLS[name]
    for options in ({"graders": 3}, {"graders": 1, "picker": "self", "turns": 2, "draws": 2}):
        rounds, transcript = played(name, plain, **options)
        told = ProtocolOptions(**options)
        seating = protocol.seating(told)
        graders = {"peers": told.graders, "self": 1, "nobody": 0}[seating]
        assert len(transcript.grades) == graders
        assert len(transcript.order_effects) in (0, graders)
        seats = {AUTHOR}
        seats |= {partner_seat(i) for i in range(protocol.partners)}
        seats |= {grader_seat(i) for i in range(graders if seating == "peers" else 0)}
        asked = [r for batch in rounds for r in batch if not isinstance(r, PickRequest)]
        assert {request.seat for request in asked} == seats
        assert transcript.answer.text


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_reads_as_a_short_story(name):
    lines = inspect.getsource(inspect.getmodule(PROTOCOLS[name].converse)).splitlines()
    assert len(lines) < 100
    assert PROTOCOLS[name].summary.endswith(".")
    assert "\n" not in PROTOCOLS[name].summary


def test_a_survey_is_an_answer_and_then_all_grades_of_it_at_once():
    rounds, transcript = played("survey", plain, graders=2)
    assert rounds == [
        [AnswerRequest(AUTHOR, QUERY)],
        [GradeRequest(grader_seat(i), QUERY, "author#0") for i in range(2)],
    ]
    assert transcript.grades == (GradeReply(HIGH),) * 2


def test_self_survey_and_chaining_differ_in_what_the_author_sees():
    (_, ((plainly,))), _ = played("self-survey", plain)
    (_, ((chained,))), _ = played("chaining", plain)
    assert (plainly.seat, chained.seat) == (AUTHOR, AUTHOR)
    assert (plainly.context, chained.context) == ("configured", "own")
    assert (PROTOCOLS["chaining"].feeds, PROTOCOLS["chaining"].entry) == ("all", "graded")
    assert (PROTOCOLS["self-survey"].feeds, PROTOCOLS["self-survey"].entry) == ("accepted", None)


def test_the_wanted_level_is_said_to_the_author_alone():
    (asked, graded), _ = played("score-conditioned", plain, graders=2, wanted=3)
    assert asked == [AnswerRequest(AUTHOR, QUERY, wanted=3)]
    assert all(isinstance(request, GradeRequest) for request in graded)


probabilities = st.floats(0, 1)


@pure
@given(probabilities, probabilities)
def test_a_comparisons_grade_is_free_of_the_order_and_its_effect_is_kept(p, q):
    def said(request):
        if isinstance(request, CompareRequest):
            return CompareReply(*((p, 0.9) if request.first == "author#0" else (q, 0.4)))
        return plain(request)

    _, transcript = played("pairwise", said, graders=1)
    (grade,) = transcript.grades
    assert expected_level(grade.levels) == pytest.approx((p + 1 - q) / 2)
    assert grade.mass == 0.4
    assert transcript.order_effects == (pytest.approx(p + q - 1),)
    assert transcript.turns[0].said.text == "partner 1#0"


@pure
@given(st.floats(-0.2, 0.2), st.floats(0.2, 0.8))
def test_a_bias_for_what_comes_first_cancels(bias, worth):
    """A grader that prefers the first by `bias` grades as one without it."""

    def said(request):
        if isinstance(request, CompareRequest):
            of_first = worth if request.first == "author#0" else 1 - worth
            return CompareReply(of_first + bias)
        return plain(request)

    _, transcript = played("pairwise", said, graders=1)
    assert expected_level(transcript.grades[0].levels) == pytest.approx(worth)
    assert transcript.order_effects[0] == pytest.approx(2 * bias)


def test_half_a_comparison_is_none():
    def said(request):
        if isinstance(request, CompareRequest):
            return CompareReply(0.7 if request.first == "author#0" else None)
        return plain(request)

    _, transcript = played("pairwise", said, graders=1)
    assert (transcript.grades, transcript.order_effects) == ((GradeReply(None),), (None,))


def test_votes_are_same_answers():
    def said(request):
        same = request.seat in (AUTHOR, grader_seat(1))
        return answer("2" if same else "3")

    _, transcript = played("majority", said, graders=3)
    assert [expected_level(g.levels) for g in transcript.grades] == [0.0, 1.0, 0.0]


def test_votes_are_the_same_if_what_counts_of_them_is():
    def said(request):
        text = f"{request.seat} says {7 if request.seat == grader_seat(1) else 4}"
        return replace(answer(text), part=text[-1])

    _, transcript = played("majority", said, graders=3)
    assert [expected_level(g.levels) for g in transcript.grades] == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("picker", ["peers", "self"])
def test_the_best_of_n_is_the_first_of_the_best_and_the_rest_are_kept(picker):
    def said(request):
        if isinstance(request, GradeRequest):
            return GradeReply(HIGH if request.answer in ("author#1", "author#3") else LOW)
        return plain(request)

    rounds, transcript = played("best-of-n", said, draws=4, graders=2, picker=picker)
    assert [request.draw for request in rounds[0]] == [0, 1, 2, 3]
    assert len(rounds[1]) == (8 if picker == "peers" else 4)
    assert transcript.answer.text == "author#1"
    assert [turn.said.text for turn in transcript.turns] == ["author#0", "author#2", "author#3"]
    assert {turn.kind for turn in transcript.turns} == {"candidate"}
    assert set(transcript.grades) == {GradeReply(HIGH)}


def test_an_unread_candidate_is_not_picked_over_a_read_one():
    def said(request):
        if isinstance(request, GradeRequest):
            return GradeReply(None if request.answer == "author#0" else certainty(0.0))
        return plain(request)

    _, transcript = played("best-of-n", said, draws=2, graders=1)
    assert transcript.answer.text == "author#1"


@pytest.mark.parametrize(
    ("choice", "text", "rating"), [(2, "author#2", 1.0), (None, "author#0", 0.0)]
)
def test_what_the_human_picks_counts_and_what_is_refused_is_rated_nothing(choice, text, rating):
    def said(request):
        return PickReply(choice) if isinstance(request, PickRequest) else plain(request)

    rounds, transcript = played("cherry-pick", said, draws=3)
    assert rounds[1] == [PickRequest(QUERY, ("author#0", "author#1", "author#2"))]
    assert (transcript.answer.text, transcript.rating) == (text, rating)
    assert len(transcript.turns) == 2


def test_a_revision_follows_a_critique_and_both_ends_are_graded():
    rounds, transcript = played("critique-revise", plain, graders=2, turns=2)
    assert rounds[1] == [CritiqueRequest(partner_seat(0), QUERY, "author#0")]
    assert rounds[2] == [RevisionRequest(AUTHOR, QUERY, "author#0", "no good: author#0", draw=1)]
    assert [r.answer for r in rounds[-1]] == ["author#0"] * 2 + ["author#0 revised revised"] * 2
    assert transcript.answer.text == "author#0 revised revised"
    kinds = [(turn.kind, len(turn.grades)) for turn in transcript.turns]
    assert kinds == [("draft", 2), ("critique", 0), ("draft", 0), ("critique", 0)]


def test_debaters_hear_each_other_and_the_judge_sees_their_last_words():
    rounds, transcript = played("debate", plain, graders=1, turns=2)
    author, rival = rounds[1]
    assert author.shown[0].answer == "partner 1#0"
    assert rival.shown[0].answer == "author#0"
    assert (author.draw, rival.draw) == (1, 1)
    assert {(r.first, r.second) for r in rounds[-1]} == {
        ("author#2", "partner 1#2"),
        ("partner 1#2", "author#2"),
    }
    assert [turn.kind for turn in transcript.turns] == ["draft", "rival"] * 2 + ["rival"]


def test_means_of_grades_leave_out_the_unread():
    assert mean_level([HIGH, None, LOW]) == pytest.approx(0.55)
    assert mean_level([None]) == -1.0
    assert expected_level(certainty(0.3)) == pytest.approx(0.3)
