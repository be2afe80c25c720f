"""Protocols that run what is written: coders and testers grade each other by what passes what.

Nobody is told what is right: a program is worth the tests that it passes, a test the wrong programs
that it fails, and either counts for as much as the others' programs agree.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

from mgptn.protocols.messages import (
    AUTHOR,
    AnswerRequest,
    Conversation,
    Request,
    Transcript,
    Turn,
    grader_seat,
)
from mgptn.protocols.protocol import (
    Protocol,
    ProtocolOptions,
    answers,
    graded,
    itself,
    only_number,
    ran,
    rewritten,
    texts,
)
from mgptn.protocols.tasks.programs.both import CodeAndTests
from mgptn.protocols.tasks.programs.cases import Case
from mgptn.protocols.tasks.programs.judging import profile
from mgptn.protocols.tasks.python.both import IN_PYTHON
from mgptn.protocols.tasks.python.judging import workshop_of


def code_and_tests(query: str, options: ProtocolOptions) -> Conversation:
    """A program, which others test and the author rewrites; or a test, run on others' programs."""
    shop = workshop_of(query, options.further.get("checking", 0))
    seats = [grader_seat(i) for i in range(options.graders)]
    if query != shop.for_program:
        asked = [AnswerRequest(seat, shop.for_program, draw=1) for seat in seats]
        test, *programs = answers((yield [AnswerRequest(AUTHOR, query), *asked]))
        trials = shop.trials([shop.tested, *texts(programs)], [test.text])
        shop.hear(trials, (yield from ran(trials)))
        return Transcript(test, graded(shop.worth_of_test(test.text, texts(programs))))
    asked = [AnswerRequest(seat, query) for seat in (AUTHOR, *seats)]
    program, *others = answers((yield asked))
    said: list[Turn] = []
    for turn in range(1, options.turns + 2):
        about = shop.for_test(program.text)
        tests = answers((yield [AnswerRequest(seat, about, draw=turn) for seat in seats]))
        heard = program.text, texts(tests), texts(others)
        trials = shop.trials([program.text, *texts(others)], texts(tests))
        shop.hear(trials, (yield from ran(trials)))
        again = shop.rewriting(*heard)
        if again is None or turn > options.turns:
            break
        said += [Turn("draft", program), *(Turn("critique", test) for test in tests)]
        (program,) = answers((yield [rewritten(program.text, *again, turn)]))
    said += [Turn("critique", test) for test in tests]
    return Transcript(program, graded(shop.worth_of_program(*heard)), tuple(said))


def _seldom(query: str, written: str) -> Sequence[Request]:
    """Where all write the same nobody is asked to write anew."""
    return (rewritten(written, *workshop_of(query, 0).again(written, Case(0, 0, 0)), 1),)


def profiled(query: str, options: ProtocolOptions) -> Conversation:
    """A program, run on some inputs beside the one asked about, instructions counted."""
    (answer,) = answers((yield [AnswerRequest(AUTHOR, query)]))
    saved = profile(query, answer.text, options.further.get("inputs", 10))
    return Transcript(answer, graded([saved]))


CODE_AND_TESTS = Protocol(
    "code-and-tests",
    "One writes a program or a test of one; k others' tests or programs are run on it.",
    code_and_tests,
    settings=("protocol.turns", "protocol.options.checking"),
    tasks=(CodeAndTests.name, *IN_PYTHON),
    runs=IN_PYTHON,
    seldom=_seldom,
    check=lambda options: only_number(options, "checking", 0, options.graders),
)

PROFILED = Protocol(
    "profiled",
    "One makes a program faster, and is graded by the instructions that it saves on some inputs.",
    profiled,
    seating=itself,
    settings=("protocol.options.inputs",),
    tasks=("speed",),
    check=lambda options: only_number(options, "inputs", 1, 100),
)
