"""What counts of an answer that is written as people write, and when it is right."""

# SPDX-License-Identifier: Apache-2.0

import re
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.config.sections.task import ExtractConfig
from mgptn.protocols.answers.extraction import PEOPLE, WHOLE, Extraction, make_extractor
from mgptn.protocols.answers.matching import MATCHES
from mgptn.protocols.answers.numbers_in_text import last_number, last_said, number_as_text
from mgptn.protocols.answers.reading import AnswerReading
from mgptn.protocols.tasks.questions import Questions
from mgptn.protocols.tasks.task import Problem

pytest.importorskip("math_verify", reason="an extra: pip install '.[tasks]'")

pure = settings(deadline=None, max_examples=200)

GSM8K = (
    "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\n"
    "Natalia sold 48+24 = <<48+24=72>>72 clips altogether.\n#### 72"
)
METHODS = [
    PEOPLE,
    WHOLE,
    Extraction("last-number"),
    Extraction("boxed"),
    Extraction("after", marker="answer:"),
    Extraction("regex", pattern=r"<(\d+)>"),
]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("The answer is 42.", "42"),
        ("20 + 22 = 42", "42"),
        ("42 = 20 + 22", "42"),
        ("20 + 22 = 6 * 7 = 42 apples", "42"),
        ("$42$", "42"),
        ("\\boxed{42}", "42"),
        ("**42**", "42"),
        ("Answer: 42", "42"),
        ("**Answer:** 42 (I am sure of 3 of 4 steps)", "42"),
        ("The answer is 42, and 7 is not.", "42"),
        ("The answer for 3 boxes is\n\n42", "42"),
        ("I get 41.\n#### 42", "42"),
        ("So \\boxed{41}, or rather \\boxed{\\text{about } 42 \\text{ cm}^2}, since 3 < 4", "42"),
        ("42 apples", "42"),
        ("The area is 42 cm^2", "42"),
        ("The area is 42 m²", "42"),
        ("It is 41, not 42", "41"),
        ("It is 41, not 42, so 41", "41"),
        ("The answer is not 41 but 42", "42"),
        ("<think>41? The answer is 41.</think>42", "42"),
        ("1,234.50 dollars", "1234.5"),
        ("\\$1{,}234", "1234"),
        ("$-5$", "-5"),
        ("−5", "-5"),
        ("5 - 8 = -3", "-3"),
        ("It weighs 1 1/2 pounds", "1.5"),
        ("1½", "1.5"),
        ("-\\frac{1}{3}", "-1/3"),
        ("0.5 or 1/2", "0.5"),
        ("12 %", "0.12"),
        # None is said, or it cannot be told which.
        *(
            (text, None)
            for text in (
                "", "six", "20 + 22", "42, or maybe 41", "either 41 apples or 42 apples", "not 42",
                "It is **not** 42", "between 41 and 42", "3,5", "2026-01-31", "1/0", "9" * 400,
            )
        ),
    ],
)  # fmt: skip
def test_a_number_is_found_in_what_people_write(text, number):
    assert make_extractor(PEOPLE, "numeric")(text) == number


@pytest.mark.parametrize(
    ("match", "reference", "answer", "right"),
    [
        ("numeric", "42", "420", False),
        ("numeric", "42", "4.2", False),
        ("numeric", "0.333333333", "It is 1/3.", True),
        ("numeric", "18 dollars", "She pays $18.00.", True),
        ("numeric", GSM8K, "72", True),
        ("numeric", GSM8K, "She sold 72.\n#### 72", True),
        ("numeric", GSM8K, "24", False),
        ("exact", "Paris", "**Paris**", True),
        ("exact", "Paris", "paris.", True),
        ("exact", "Paris", "The capital of France is Paris.", True),
        ("exact", "Paris", 'It\'s "Paris"!', True),
        ("exact", "Paris", "The answer is Paris. It lies on the Seine.", True),
        ("exact", "Paris", "The capital is **Paris**, on the Seine.", True),
        ("exact", "Paris", "\\boxed{\\text{Paris}}", True),
        ("exact", "Paris", "Not Paris, Lyon", False),
        ("exact", "Paris", "It is not Paris", False),
        ("exact", "Paris", "It is not **Paris**, I think", False),
        ("exact", "Paris", "Paris or Lyon", False),
        ("exact", "Paris", "", False),
        ("exact", "Time is money", "Time is money.", True),
        ("exact", "2*3*4", "234", False),
        ("exact", "C#", "C", False),
        ("math", "1/2", "So we get $x = \\frac{1}{2}$.", True),
        ("math", "1/2", "The answer is $\\frac{2}{4}$.", True),
        ("math", "(x+1)^2", "It factors as \\[x^2 + 2x + 1\\]", True),
        ("math", "12", "That makes 12 in all.", True),
        ("math", "12", "20 - 8 = 12", True),
        ("math", "1/2", "The answer is $12$", False),
    ],
)
def test_an_answer_is_right_as_a_person_would_say(match, reference, answer, right):
    assert AnswerReading(match, PEOPLE).same(reference, answer) is right


@pytest.mark.parametrize(
    ("extraction", "match", "text", "part"),
    [
        (Extraction("last-number"), "numeric", "not 42", "42"),
        (Extraction("last-number"), "exact", "7, then 8.0", "8"),
        (Extraction("last-number"), "numeric", "none", None),
        (Extraction("boxed"), "exact", "a \\boxed{f(\\{x\\})} b } {", "f(\\{x\\})"),
        (Extraction("boxed"), "numeric", "42", None),
        (Extraction("boxed"), "numeric", "\\boxed{42", None),
        (Extraction("after", marker="Answer:"), "exact", "ANSWER: no\nanswer:\n\n B.\nC", "b"),
        (Extraction("after", marker="Answer:"), "numeric", "Answer: 42 apples", "42"),
        (Extraction("after", marker="Answer:"), "exact", "B", None),
        (Extraction("regex", pattern=r"\(([A-D])\)"), "exact", "(A) no, (B)", "b"),
        (Extraction("regex", pattern=r"\d+ cm"), "numeric", "4 cm or 5 cm", "5"),
        (Extraction("regex", pattern="(x)?y"), "exact", "y", None),
    ],
)
def test_a_part_is_found_by_what_it_is_told_to_look_for(extraction, match, text, part):
    assert make_extractor(extraction, match)(text) == part


def test_what_is_found_alone_is_right_and_not_the_whole_text():
    reading = AnswerReading("exact", Extraction("after", marker="Answer:"))
    assert reading.same("Paris", "Lyon? Answer: Paris")
    assert not reading.same("Paris", "Paris")


def test_where_all_of_an_answer_counts_nothing_is_found_in_it():
    assert AnswerReading("exact", WHOLE).counted("The answer is 42.") is None
    assert not AnswerReading("exact", WHOLE).same("Paris", "paris")
    assert AnswerReading("numeric", WHOLE).same("42", "42.0")


@pytest.mark.parametrize(
    ("extraction", "reference", "complaint"),
    [
        (PEOPLE, "six", "expected a number in the answer (task.match is numeric), got 'six'"),
        (WHOLE, "six", "expected a number as the answer (task.match is numeric), got 'six'"),
        (WHOLE, "18 dollars", "got '18 dollars'; with task.extract, 18 would count of it"),
    ],
)
def test_a_reference_that_no_answer_could_match_is_refused(extraction, reference, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        Questions([Problem("?", reference)], match="numeric", extraction=extraction)


def test_any_of_several_right_answers_is_right_and_the_first_is_shown():
    task = Questions([Problem("The red one?", "Mars", ("the planet Mars",))], extraction=WHOLE)
    assert task.reference("The red one?") == "Mars"
    assert task.verify("The red one?", "Mars")
    assert task.verify("The red one?", "the planet Mars")
    assert not task.verify("The red one?", "the planet Venus")
    assert task.max_answer_characters == 3 * len("the planet Mars") // 2


@pure
@given(st.sampled_from(METHODS), st.sampled_from(["exact", "numeric"]), st.text())
def test_any_text_may_be_read(extraction, match, text):
    part = make_extractor(extraction, match)(text)
    assert part is None or isinstance(part, str)


@pure
@given(st.fractions(max_denominator=10**6), st.sampled_from(["{}", "So it is {}.", "**{}**"]))
def test_a_number_is_told_in_one_form_and_read_back(value, sentence):
    told = number_as_text(value)
    assert last_said(sentence.format(told)) == last_number(told) == value
    assert make_extractor(PEOPLE, "numeric")(sentence.format(told)) == told
    assert make_extractor(PEOPLE, "numeric")(f"{value.numerator}/{value.denominator}") == told
    assert Fraction(told) == value


def test_a_long_text_is_read_in_time():
    """In seconds of this process, whatever else the machine does."""
    began = time.process_time()
    for text in ("1 " * 20_000, "\\boxed{" * 10_000, "answer is not " * 5_000, "a or 1" * 9_000):
        for match in MATCHES:
            make_extractor(PEOPLE, match)(text)
    spent = time.process_time() - began
    assert spent < 30.0, spent


# Configuration


def configured(extract, interface="base"):
    data = {
        "name": "run",
        "task": {"name": "questions", "file": "q.jsonl", "extract": extract},
        "agents": {"interface": interface},
    }
    return check_config(data)


def test_what_counts_is_a_name_or_a_name_with_what_it_looks_for():
    assert configured("boxed").task.extract == ExtractConfig(name="boxed")
    told = configured({"name": "after", "marker": "Answer:"})
    assert told.task.extract.extraction(talks=False) == Extraction("after", marker="Answer:")
    assert check_config(told.model_dump(mode="json")) == told
    auto = configured("auto").task.extract
    assert (auto.extraction(talks=False), auto.extraction(talks=True)) == (WHOLE, PEOPLE)


@pytest.mark.parametrize(
    ("extract", "complaint"),
    [
        ("after", "task.extract.marker: expected the text that 'after' looks for, got nothing"),
        ("regex", "task.extract.pattern: expected the text that 'regex' looks for, got nothing"),
        ({"name": "regex", "pattern": "("}, "task.extract.pattern: expected a regular expression"),
        (
            {"name": "boxed", "marker": "x"},
            "task.extract.marker: expected nothing here for 'boxed'",
        ),
        ("box", "task.extract.name: expected 'auto', 'whole', 'people'"),
    ],
)
def test_a_faulty_extraction_is_refused(extract, complaint):
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        configured(extract)
