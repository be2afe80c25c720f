"""Casting: seats become host requests, and host replies become what the seats say."""

# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.agents.checkpoints import Checkpoint
from mgptn.agents.requests import Generate, Generated, Score, Scored
from mgptn.agents.tokens.encoder import Encoder
from mgptn.agents.training.rungs import ladder_tokenizer
from mgptn.experiments.seats.asking import Script, cast_match, to_host
from mgptn.experiments.seats.reading import from_host, to_outcome
from mgptn.experiments.seats.verdicts import to_be_judged, with_verdicts
from mgptn.population.records.agents import Agent, AgentId, Example, Genome
from mgptn.population.records.matches import Match
from mgptn.protocols.interfaces.ladder import LadderInterface
from mgptn.protocols.interfaces.reading import normalised
from mgptn.protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    CompareRequest,
    GradeReply,
    GradeRequest,
    Transcript,
    grader_seat,
)
from mgptn.protocols.scale import expected_level
from mgptn.protocols.tasks.arithmetic import Addition
from mgptn.protocols.tasks.task import Problem
from tests.columns import columns

pure = settings(deadline=None, max_examples=100)
logs = st.lists(st.floats(-500, 0), min_size=5, max_size=5).map(tuple)
PROBLEM = Problem("17+25=", "240")
AGENTS = {
    AgentId(i): Agent(
        AgentId(i),
        Genome("gpt-1", 1.0 + i, tuple(Example(f"0{j}+01=", "100") for j in range(i))),
        None,
        AgentId(i),
        -1,
    )
    for i in range(4)
}
MATCH = Match(AgentId(2), 5, (AgentId(3), AgentId(0)))
GRADE = GradeRequest(grader_seat(0), PROBLEM.query, "240")


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    ladder_tokenizer().save_pretrained(folder)
    encoder = Encoder(Checkpoint("tiny", folder, "hash", {}))
    return Script(
        Addition(2), LadderInterface(), encoder, 4, grader_context="empty", seed=1, weights="w"
    )


def text_of(script, tokens):
    return "".join(script.encoder._tokenizer.convert_ids_to_tokens(tokens))


def test_an_author_is_asked_with_its_own_context_and_temperature(script):
    cast = cast_match(MATCH, PROBLEM, AGENTS, 7)
    request = to_host(AnswerRequest(AUTHOR, PROBLEM.query), cast, script)
    assert isinstance(request, Generate)
    assert text_of(script, request.prefix) == "<bos>00+01=100;01+01=100;"
    assert text_of(script, request.suffix) == "17+25="
    assert text_of(script, request.stops) == ";<grade>"
    assert (request.sampling_temperature, request.max_tokens) == (3.0, 4)


def test_an_answer_is_keyed_by_seed_generation_author_and_problem(script):
    def key(script=script, generation=7, match=MATCH):
        cast = cast_match(match, PROBLEM, AGENTS, generation)
        return to_host(AnswerRequest(AUTHOR, PROBLEM.query), cast, script).key

    keys = {
        key(),
        key(replace(script, seed=2)),
        key(generation=8),
        key(match=replace(MATCH, problem=6)),
        key(match=replace(MATCH, author=AgentId(1))),
    }
    assert len(keys) == 5
    assert key(match=replace(MATCH, graders=(AgentId(1),))) == key()


def test_a_grader_sees_its_own_examples_only_where_the_run_says_so(script):
    cast = cast_match(MATCH, PROBLEM, AGENTS, 7)
    asked = GradeRequest(grader_seat(0), PROBLEM.query, "240")
    bare = to_host(asked, cast, script)
    own = to_host(asked, cast, replace(script, grader_context="own"))
    assert isinstance(bare, Score)
    assert text_of(script, bare.prefix) == "<bos>"
    assert text_of(script, own.prefix) == "<bos>00+01=100;01+01=100;02+01=100;"
    assert text_of(script, bare.suffix) == text_of(script, own.suffix) == "<judge>17+25=240<grade>"
    assert [len(option) for option in bare.options] == [1] * 5
    other = to_host(GradeRequest(grader_seat(1), PROBLEM.query, "240"), cast, script)
    assert other == bare  # founders' empty contexts ask the same, and are asked once


@pure
@given(logs)
def test_levels_are_a_distribution_in_proportion_to_the_options(values):
    levels = normalised(values)
    assert levels is not None
    assert sum(levels) == pytest.approx(1.0, abs=1e-12)
    assert min(levels) >= 0.0
    best = max(range(5), key=values.__getitem__)
    for level, value in zip(levels, values, strict=True):
        assert level / levels[best] == pytest.approx(math.exp(value - values[best]), rel=1e-9)
    assert 0.0 <= expected_level(levels) <= 1.0 + 1e-12


@pytest.mark.parametrize(
    "values",
    [
        (math.nan,) * 5,
        (-1.0, -1.0, math.nan, -1.0, -1.0),
        (math.nan, -1.0, -1.0, -1.0, -1.0),
        (-1.0, -1.0, -1.0, -1.0, math.nan),
        (-math.inf,) * 5,
    ],
)
def test_a_grade_that_cannot_be_read_is_none(script, values):
    assert from_host(Scored(values), GRADE, script) == GradeReply(None)
    outcome = to_outcome(
        cast_match(MATCH, PROBLEM, AGENTS, 0),
        Transcript(AnswerReply("240", True, 3, -1.0), (GradeReply(None),) * 2),
    )
    assert [(g.grader, g.levels, g.value) for g in outcome.grades] == [
        (3, None, None),
        (0, None, None),
    ]


@pure
@given(logs)
def test_a_grade_keeps_the_probability_of_its_options(script, values):
    whole = math.log(math.fsum(map(math.exp, values)))
    values = tuple(value - whole - 1.0 for value in values)  # e⁻¹ of all that could be said
    reply = from_host(Scored(values), GRADE, script)
    assert reply.mass == pytest.approx(math.exp(-1.0))
    assert sum(reply.levels) == pytest.approx(1.0)
    request = CompareRequest(grader_seat(0), PROBLEM.query, "240", "250")
    after = (-2.0,) * 25  # the second's levels after each of the first's
    assert from_host(Scored((*values, *after)), request, script).mass == pytest.approx(reply.mass)


def test_an_impossible_level_has_no_probability():
    assert normalised((-math.inf, -math.inf, 0.0, -math.inf, -math.inf)) == (0, 0, 1, 0, 0)


def test_a_generated_answer_is_read_without_its_markers(script):
    encode = script.encoder.suffix
    written = Generated(encode("24<want><a lot>0"), "stop", (-2.0, -0.5))
    reply = from_host(written, AnswerRequest(AUTHOR, PROBLEM.query), script)
    assert reply == AnswerReply("240", True, 5, -2.5)


@pytest.mark.parametrize(
    ("text", "finished", "verdict"),
    [("240", True, True), ("240", False, False), ("241", True, False), ("", True, False)],
)
def test_only_a_finished_right_answer_is_right(script, text, finished, verdict):
    levels = (0.0, 0.0, 0.0, 0.5, 0.5)
    outcome = to_outcome(
        cast_match(MATCH, PROBLEM, AGENTS, 0),
        Transcript(AnswerReply(text, finished, 3, -1.0), (GradeReply(levels), GradeReply(None))),
    )
    assert outcome.verdict is None
    gathered = columns([outcome])
    pairs = to_be_judged(gathered)
    assert pairs == [(PROBLEM.query, text)] * finished
    said = {pair: script.task.verify(*pair) for pair in pairs}
    assert with_verdicts(gathered, said)[0].verdict is verdict
    assert outcome.match == MATCH
    assert [grade.grader for grade in outcome.grades] == list(MATCH.graders)
    assert [grade.value for grade in outcome.grades] == [0.875, None]


@pytest.mark.parametrize("reading", ["likelihood", "confidence"])
def test_an_answer_of_no_tokens_has_no_likelihood(script, reading):
    answering = replace(script, reading=reading)
    alone = Scored((-1.0,)) if reading == "likelihood" else None
    empty = from_host(Scored((0.0,)), replace(GRADE, answer=""), answering, alone)
    assert empty == GradeReply(None)
    given = from_host(Scored((-3.0,)), GRADE, answering, alone)
    expected = math.exp(-1.0) if reading == "confidence" else 1.0 / (1.0 + math.exp(2.0 / 3.0))
    assert expected_level(given.levels) == pytest.approx(expected)
