"""Protocols that run what is written: coders and testers grade each other by what passes what.

Nobody is told what is right: a program is worth the tests that it passes, a test the wrong programs
that it fails, and either counts for as much as the others' programs agree.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Generator, Sequence

from mgptn.protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    Conversation,
    GradeReply,
    Reply,
    Request,
    RevisionRequest,
    RunReply,
    RunRequest,
    Transcript,
    Turn,
    grader_seat,
)
from mgptn.protocols.protocol import Protocol, ProtocolOptions, answers, itself
from mgptn.protocols.scale import certainty
from mgptn.protocols.tasks.programs.both import CodeAndTests
from mgptn.protocols.tasks.programs.cases import Case
from mgptn.protocols.tasks.programs.judging import Rewriting, Value, Workshop, profile
from mgptn.protocols.tasks.python.both import PythonCodeAndTests
from mgptn.protocols.tasks.python.judging import PythonWorkshop, remark_on, workshop_of
from mgptn.protocols.tasks.python.testing import PythonTests
from mgptn.protocols.tasks.python.writing import PythonPrograms

IN_PYTHON = (PythonCodeAndTests.name, PythonPrograms.name, PythonTests.name)
"""Tasks whose programs are run in a sandbox."""


def code_and_tests(query: str, options: ProtocolOptions) -> Conversation:
    """A program, which others test and the author rewrites; or a test, run on others' programs."""
    checkers = options.further.get("checking", 0)
    shop = workshop_of(query, checkers)
    seats = [grader_seat(i) for i in range(options.graders)]
    if query != shop.for_program:
        asked = [AnswerRequest(seat, shop.for_program, draw=1) for seat in seats]
        test, *programs = answers((yield [AnswerRequest(AUTHOR, query), *asked]))
        yield from _tried(shop, [shop.tested, *_texts(programs)], [test.text])
        return Transcript(test, _grades(shop.worth_of_test(test.text, _texts(programs))))
    asked = [AnswerRequest(seat, query) for seat in (AUTHOR, *seats)]
    program, *others = answers((yield asked))
    said: list[Turn] = []
    for turn in range(1, options.turns + 2):
        about = shop.for_test(program.text)
        tests = answers((yield [AnswerRequest(seat, about, draw=turn) for seat in seats]))
        heard = program.text, _texts(tests), _texts(others)
        yield from _tried(shop, [program.text, *_texts(others)], _texts(tests))
        again = shop.rewriting(*heard)
        if again is None or turn > options.turns:
            break
        said += [Turn("draft", program), *(Turn("critique", test) for test in tests)]
        (program,) = answers((yield [_asked_again(again, program.text, turn)]))
    said += [Turn("critique", test) for test in tests]
    return Transcript(program, _grades(shop.worth_of_program(*heard)), tuple(said))


def _tried(
    shop: Workshop, programs: Sequence[str], tests: Sequence[str]
) -> Generator[Sequence[RunRequest], Sequence[Reply], None]:
    """Have everything run that is needed to know which programs pass which tests."""
    if trials := shop.trials(programs, tests):
        replies = yield [RunRequest(one) for one in trials]
        shop.hear(trials, [reply.ran for reply in replies if isinstance(reply, RunReply)])


def _asked_again(again: Rewriting, program: str, turn: int) -> AnswerRequest | RevisionRequest:
    """An author is asked to write anew: given a remark, with the program before its eyes."""
    if again.remark:
        return RevisionRequest(AUTHOR, again.query, program, again.remark, turn)
    return AnswerRequest(AUTHOR, again.query, draw=turn)


def _seldom(query: str, written: str) -> Sequence[Request]:
    """What nobody is asked where all write the same: the longest of what may be asked beside."""
    shop = PythonWorkshop.of(query, 0)
    if shop is None:
        return ()
    revised = RevisionRequest(AUTHOR, shop.for_program, written, remark_on(Case(0, 0, 0)))
    return revised, AnswerRequest(AUTHOR, shop.for_test(written))


def profiled(query: str, options: ProtocolOptions) -> Conversation:
    """A program, run on some inputs beside the one asked about, instructions counted."""
    (answer,) = answers((yield [AnswerRequest(AUTHOR, query)]))
    inputs = options.further.get("inputs", 10)
    return Transcript(answer, _grades([profile(query, answer.text, inputs)]))


def _texts(said: Sequence[AnswerReply]) -> list[str]:
    return [one.text for one in said]


def _grades(values: Sequence[Value]) -> tuple[GradeReply, ...]:
    return tuple(GradeReply(None if value is None else certainty(value)) for value in values)


def _limit(options: ProtocolOptions, name: str, least: int, most: int) -> None:
    """Refuse an option that is no number of a range, and any other, with a ValueError."""
    for key, value in options.further.items():
        if key != name:
            raise ValueError(f"options.{key}: expected none but {name}, got {value!r}")
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"options.{key}: expected {least} to {most}, got {value!r}")


CODE_AND_TESTS = Protocol(
    "code-and-tests",
    "One writes a program or a test of one; k others' tests or programs are run on it.",
    code_and_tests,
    settings=("protocol.turns", "protocol.options.checking"),
    tasks=(CodeAndTests.name, *IN_PYTHON),
    runs=IN_PYTHON,
    seldom=_seldom,
    check=lambda options: _limit(options, "checking", 0, options.graders),
)

PROFILED = Protocol(
    "profiled",
    "One makes a program faster, and is graded by the instructions that it saves on some inputs.",
    profiled,
    seating=itself,
    settings=("protocol.options.inputs",),
    tasks=("speed",),
    check=lambda options: _limit(options, "inputs", 1, 100),
)
