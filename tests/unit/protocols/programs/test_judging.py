"""What passes what, as grades: no reference is looked at, and copies and collusion are seen."""

# SPDX-License-Identifier: Apache-2.0

import pytest

from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.protocols.messages import AUTHOR, AnswerReply, AnswerRequest
from mgptn.protocols.protocol import ProtocolOptions
from mgptn.protocols.scale import expected_level
from mgptn.protocols.table import PROTOCOLS
from mgptn.protocols.tasks.programs.both import question_for_program, question_for_test
from mgptn.protocols.tasks.programs.judging import StackWorkshop, profile

SUM = "03:3|27:9|66:2|90:9"
ASKED = question_for_program(SUM)


def played(query, says, name="code-and-tests", **options):
    """All rounds, and what each seat's grade is worth; `says` is asked for each text."""
    conversation = PROTOCOLS[name].converse(query, ProtocolOptions(**options))
    rounds, said = [], None
    while True:
        try:
            asked = next(conversation) if said is None else conversation.send(said)
        except StopIteration as end:
            levels = [grade.levels for grade in end.value.grades]
            return rounds, end.value, [None if w is None else expected_level(w) for w in levels]
        rounds.append(asked)
        said = [AnswerReply(says(request), True, 6, -1.0) for request in asked]


def test_a_program_is_worth_the_tests_it_passes_by_what_others_programs_make_of_them():
    shop = StackWorkshop.of(ASKED, 0)
    others = ["+.....", "+.....", "-.....", "s+...."]
    worth = shop.worth_of_program("+.....", ["12:3", "12:4", "?", "12:3.."], others)
    assert worth == [0.5 + 0.5 * 0.75, 0.5, None, 0.5 + 0.5 * 0.75]
    assert shop.worth_of_program("-", ["12:3"], others) == [0.5 - 0.5 * 0.75]
    assert shop.worth_of_program("nonsense", ["12:3"], ["+"]) == [0.0]


def test_a_test_is_worth_the_wrong_program_that_it_fails():
    shop = StackWorkshop.of(question_for_test(SUM, "-"), 0)
    assert shop.worth_of_test("12:3", ["+", "s+", "-", "*"]) == [1.0, 1.0, 0.0, 0.0]
    assert shop.worth_of_test("00:0", ["+", "+"]) == [0.0, 0.0]  # kills nothing
    assert shop.worth_of_test("12:4", ["+", "+"]) == [0.0, 0.0]  # nobody passes it
    assert shop.worth_of_test("nonsense", ["+", "+"]) == [0.0, 0.0]


def test_seats_that_check_the_spec_see_what_agreement_does_not():
    """Programs and tests that agree on nothing, and tests that copy what is shown."""
    colluding = ["0", "0", "0"]
    for checkers, expected in ((0, [1.0, 1.0, 1.0]), (1, [1.0, 1.0, 0.0])):
        shop = StackWorkshop.of(ASKED, checkers)
        assert shop.worth_of_program("0", ["11:0", "22:0", "33:0"], colluding) == expected
    about = question_for_test(SUM, "-")
    for checkers, expected in ((0, [1.0, 1.0]), (1, [1.0, 0.0])):
        assert StackWorkshop.of(about, checkers).worth_of_test("27:9", ["+", "+"]) == expected
    assert StackWorkshop.of(about, 1).worth_of_test("28:0", ["+", "+"]) == [1.0, None]


def test_who_fails_a_test_that_others_pass_is_shown_it_and_writes_again():
    def says(request):
        if "/......" not in request.query:
            return "12:3"
        first = request.seat == AUTHOR and request.draw == 0
        return "0" if first else "+"

    rounds, transcript, worth = played(ASKED, says, graders=3, turns=2)
    again = rounds[2]
    assert again == [AnswerRequest(AUTHOR, question_for_program("12:3|27:9|66:2|90:9"), draw=1)]
    assert [turn.kind for turn in transcript.turns] == ["draft", *["critique"] * 6]
    assert transcript.answer.text == "+"
    assert worth == [1.0, 1.0, 1.0]


def test_nobody_writes_again_for_a_test_that_others_fail():
    def says(request):
        return "0" if "/......" in request.query else "12:3"

    rounds, _, worth = played(ASKED, says, graders=2, turns=3)
    assert len(rounds) == 2
    assert worth == [0.5, 0.5]


def test_a_test_is_run_on_programs_that_others_write_for_it():
    query = question_for_test(SUM, "-")
    rounds, _, worth = played(query, lambda r: "12:3" if r.query == query else "+", graders=2)
    assert [request.query for request in rounds[0]] == [query, ASKED, ASKED]
    assert worth == [1.0, 1.0]


def test_speed_is_the_share_of_instructions_saved_by_what_does_the_same():
    asked = "ss+...="
    assert profile(asked, "+.....", 10) == pytest.approx(2 / 3)
    assert profile(asked, "+", 100) == pytest.approx(2 / 3)
    assert profile(asked, "ss+...", 10) == 0.0
    assert profile(asked, "0", 10) == 0.0  # faster, and something else
    assert profile(asked, "@", 10) == profile(asked, "what?", 10) == 0.0
    assert profile("1+1=", "+", 10) is None
    assert played(asked, lambda r: "+", "profiled")[2] == [pytest.approx(2 / 3)]


@pytest.mark.parametrize(
    ("protocol", "task", "complaint"),
    [
        (
            {"name": "code-and-tests"},
            "addition",
            "beside the task addition, got .* is for code-and-tests",
        ),
        (
            {"name": "profiled"},
            "programs",
            "beside the task programs, got .* is for speed",
        ),
        (
            {"name": "code-and-tests", "options": {"checking": 9}},
            "code-and-tests",
            r"protocol.options.checking: expected 0 to 4, got 9",
        ),
        (
            {"name": "profiled", "options": {"cases": 9}},
            "speed",
            r"protocol.options.cases: expected none but inputs, got 9",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(protocol, task, complaint):
    with pytest.raises(ConfigError, match=complaint):
        check_config({"name": "x", "task": task, "protocol": protocol})
