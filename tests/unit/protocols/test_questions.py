"""Question files, and how answers are matched: what is read, what is refused, what is right."""

# SPDX-License-Identifier: Apache-2.0

import gzip
import json
import sys
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.setting import question_file
from mgptn.experiments.setting.problems import draw_problems
from mgptn.experiments.setting.question_file import read_questions
from mgptn.experiments.setting.tasks import make_task
from mgptn.population.draws.streams import stream
from mgptn.protocols.answers.extraction import WHOLE
from mgptn.protocols.answers.matching import MATCHES, as_number
from mgptn.protocols.tasks.questions import SENTENCE, Questions
from mgptn.protocols.tasks.task import Problem, validate

pytest.importorskip("math_verify", reason="an extra: pip install '.[tasks]'")

pure = settings(deadline=None, max_examples=200)
PLANETS = [
    ("Which planet is nearest to the sun?", "Mercury"),
    ("Which is the largest?", "Jupiter"),
    ("Which has rings, and\nis the second largest?", "Saturn"),
    ("Which do we live on?", "Earth"),
]


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "questions.jsonl"
        path.write_text(text)
        return path

    return write


def jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def planets(**changes):
    return Questions([Problem(q, a) for q, a in PLANETS], **{"extraction": WHOLE, **changes})


# Files


def test_a_file_is_read_in_order_with_its_hash(file):
    rows = [{"question": f" {q}\n", "answer": a, "source": "x"} for q, a in PLANETS]
    path = file("\n" + jsonl(rows) + "\n\n")
    read = read_questions(path, "question", "answer")
    assert read.problems == tuple(Problem(q, a) for q, a in PLANETS)
    path.write_text(path.read_text() + " ")
    again = read_questions(path, "question", "answer")
    assert again.problems == read.problems
    assert again.digest != read.digest


def test_other_field_names_and_numbers_as_they_are_written(file):
    path = file('{"prompt": "2/20?", "target": 0.10}\n{"prompt": "10^30?", "target": 1e30}\n')
    read = read_questions(path, "prompt", "target")
    assert [p.reference for p in read.problems] == ["0.10", "1e30"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "expected a JSON object, got: "),
        ("[1]", "expected a JSON object, got a list"),
        ("null", "expected a JSON object, got null"),
        ("[" * 100_000, "expected a JSON object, got: "),
        ('{"question": "b"}', "expected a field 'answer', got these: question"),
        ("{}", "expected a field 'question', got these: none"),
        ('{"question": "b", "answer": null}', "expected text in 'answer', got null"),
        ('{"question": "b", "answer": true}', "expected text in 'answer', got a truth value"),
        ('{"question": "b", "answer": []}', "expected text in 'answer', got an empty list"),
        ('{"question": "b", "answer": ["c", ["d"]]}', "expected text in 'answer', got a list"),
        ('{"question": "b", "answer": "c", "answer": "d"}', "the key 'answer' more than once"),
        ('{"question": "b", "answer": "c"} {}', "expected a JSON object, got more behind it"),
        ('{"question": "b", "answer": " "}', "expected text in 'answer', got ' '"),
        ('{"question": "b", "answer": "\\ud800"}', "half of a surrogate pair"),
        ('{"question": "a  a", "answer": "2"}', "got the question of line 1 again: 'a a'"),
        ('{"question": "b", "answer": "2", "id": 7}', "got the id of line 1 again: '7'"),
    ],
)
def test_a_faulty_line_is_named(file, line, complaint):
    first = jsonl([{"question": "a a", "answer": "1", "id": "7"}])
    path = file(first + "\n" + line + "\n")
    with pytest.raises(ConfigError) as caught:
        read_questions(path, "question", "answer")
    assert str(caught.value).startswith(f"{path}, line 3: expected ")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "got nothing at this path"), (b"\xff\xfe", "got "), (b"\n \n", "got an empty file")],
)
def test_what_is_no_file_of_questions_is_refused(tmp_path, content, complaint):
    path = tmp_path / "questions.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=complaint) as caught:
        read_questions(path, "question", "answer")
    assert str(path) in str(caught.value)


def test_a_file_may_be_as_people_have_it(file):
    plain = jsonl({"question": q, "answer": a} for q, a in PLANETS)
    expected = tuple(Problem(q, a) for q, a in PLANETS)
    listed = json.dumps([{"question": q, "answer": a} for q, a in PLANETS], indent=1)
    path = file("")
    for content in (
        b"\xef\xbb\xbf" + plain.encode(),
        plain.replace("\n", "\r\n").encode(),
        plain.encode("utf-16"),
        gzip.compress(plain.encode()),
        listed.encode(),
        b"\xef\xbb\xbf\r\n " + listed.replace("\n", "\r\n").encode() + b"\n",
    ):
        path.write_bytes(content)
        assert read_questions(path, "question", "answer").problems == expected
    path.write_bytes(gzip.compress(plain.encode(), mtime=1))
    packed = read_questions(path, "question", "answer").digest
    path.write_text(plain)
    assert packed == read_questions(path, "question", "answer").digest


def test_several_right_answers_stand_in_a_list(file):
    path = file('{"question": "a", "answer": ["Mars", " the planet Mars", "Mars", 4.0]}')
    read = read_questions(path, "question", "answer").problems
    assert read == (Problem("a", "Mars", ("the planet Mars", "4.0")),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[\n{"question": "a", "answer": "1"},\n 7]', "line 3: expected a JSON object, got text"),
        ('[\n{"question": "a", "answer": "1"}\n{}]', "line 2: expected a comma or the list's end"),
        ('[{"question": "a",\n "answer": "1"},\n{"question": "a", "answer": "2"}]',
         "line 3: expected every question once, got the question of line 1"),
        ('[{"question": "a", "answer": "1", "answer": "2"}]', "line 1: .* 'answer' more than once"),
        ('[{"question": "a", "answer": "1"}] 3', "expected one list of JSON objects, got more"),
        ('[{"question": "a", "answer": "1"}', "line 1: expected a comma or the list's end"),
        ("[]", "expected at least one question"),
    ],
)  # fmt: skip
def test_a_faulty_list_is_refused_by_line(file, text, complaint):
    with pytest.raises(ConfigError, match=complaint):
        read_questions(file(text), "question", "answer")


def test_a_damaged_or_endless_archive_is_refused(file, monkeypatch):
    path = file("")
    path.write_bytes(gzip.compress(b"x" * 1000)[:-4])
    with pytest.raises(ConfigError, match="expected a file of JSON lines"):
        read_questions(path, "question", "answer")
    monkeypatch.setattr(question_file, "MOST_BYTES", 10_000)
    path.write_bytes(gzip.compress(b" " * 10_001))
    with pytest.raises(ConfigError, match=r"expected at most .* got more"):
        read_questions(path, "question", "answer")


def test_a_reference_without_a_number_is_refused_by_its_line(file):
    path = file(
        jsonl([{"question": "a", "answer": "18 dollars"}, {"question": "b", "answer": [6, "six"]}])
    )
    config = configured(path, match="numeric", extract="people").task
    with pytest.raises(ConfigError, match=r"line 2: expected a number .* got 'six' in 'answer'"):
        make_task(config)
    with pytest.raises(ConfigError, match=r"line 1: expected a number as .* got '18 dollars'"):
        make_task(configured(path, match="numeric").task)


def test_a_part_counts_in_a_chat_and_all_of_an_answer_elsewhere(file):
    path = file(jsonl([{"question": "a", "answer": "42"}]))
    config = configured(path, match="numeric").task
    for talks in (True, False):
        task = make_task(config, talks=talks).task
        assert task.verify("a", "The answer is 42.") is talks
    assert make_task(config, talks=False).task.max_answer_characters == 8
    assert make_task(config, talks=True).task.max_answer_characters == 8 + SENTENCE


# The task


@pytest.mark.parametrize("match", list(MATCHES))
def test_every_kind_of_match_is_a_valid_task(match):
    questions = [Problem(f"What is {i} + {i}?", str(2 * i)) for i in range(40)]
    validate(Questions(questions, match=match), stream(0, "validate", match), problems=20)


def test_answers_that_are_all_the_same_still_have_wrong_ones():
    questions = [Problem(f"Is {2 * i} even?", "yes") for i in range(20)]
    validate(Questions(questions), stream(0, "validate"), problems=20)


def test_all_questions_are_drawn_unless_a_fifth_is_held_out():
    questions = [Problem(f"Question {i}?", str(i)) for i in range(1000)]
    whole = Questions(questions)
    assert whole.pool("held-out") == whole.pool("train") == tuple(questions)
    split = Questions(questions, held_out="hash")
    kept, seen = split.pool("held-out"), split.pool("train")
    assert sorted(kept + seen, key=lambda p: int(p.reference)) == questions
    assert 120 < len(kept) < 280  # binomial: 200 ± 6.3 standard deviations
    reordered = Questions(questions[::-1], held_out="hash")
    assert set(reordered.pool("held-out")) == set(kept)


def test_an_answer_to_a_question_that_is_not_there_is_wrong():
    task = planets()
    assert task.verify("Which do we live on?", " Earth\n")
    assert not task.verify("Which do we live on?", "earth")
    assert not task.verify("Which did we live on?", "Earth")


def test_a_length_is_derived_from_the_longest_answer_or_set():
    assert planets().max_answer_characters == 10  # half as much again as Mercury or Jupiter
    assert planets(max_answer_characters=50).max_answer_characters == 50
    assert Questions([Problem("?", "é" * 20)], extraction=WHOLE).max_answer_characters == 60


def configured(path, generations=2, each=2, **task):
    return check_config(
        {
            "name": "run",
            "task": {"name": "questions", "file": str(path), **task},
            "population": {"generations": generations},
            "problems_per_generation": each,
        }
    )


def test_a_run_draws_each_question_once_in_an_order_that_is_the_seeds(file):
    path = file(jsonl({"question": q, "answer": a} for q, a in PLANETS))
    config = configured(path)
    drawn = draw_problems(make_task(config.task).task, config)
    assert [len(generation) for generation in drawn] == [2, 2]
    assert {p.query for generation in drawn for p in generation} == {q for q, _ in PLANETS}
    assert drawn == draw_problems(make_task(config.task).task, config)
    orders = {
        str(draw_problems(planets(), config.model_copy(update={"seed": seed})))
        for seed in range(20)
    }
    assert len(orders) > 5


def test_too_few_questions_are_counted(file):
    path = file(jsonl({"question": q, "answer": a} for q, a in PLANETS))
    config = configured(path, each=3)
    with pytest.raises(ConfigError) as caught:
        draw_problems(make_task(config.task).task, config)
    assert "expected a task.file with 6 held-out questions" in str(caught.value)
    assert "got 4; lower either, or add questions" in str(caught.value)


@pytest.mark.parametrize(
    ("task", "complaint"),
    [
        (
            {"match": "fuzzy"},
            "task.match: expected 'exact', 'numeric', 'math' or 'mixed', got 'fuzzy'",
        ),
        ({"held_out": "none"}, "task.held_out: expected 'hash' or 'all', got 'none'"),
        ({"size": 2}, "task.size: expected nothing here for the task questions, got 2"),
        ({"pass_score": 0.5}, "task.pass_score: expected nothing here for the task questions"),
        ({"file": None}, "task.file: expected the path of a file of questions, got nothing"),
        ({"max_answer_characters": 0}, "task.max_answer_characters: expected greater than or"),
        ({"fiel": "x"}, "task.fiel: unknown key; did you mean task.file?"),
    ],
)
def test_a_setting_that_is_not_for_questions_is_refused(task, complaint):
    with pytest.raises(ConfigError) as caught:
        configured("questions.jsonl", **task)
    assert complaint in str(caught.value)


def test_a_configuration_with_questions_survives_its_own_dump():
    config = configured("questions.jsonl", match="numeric")
    assert check_config(json.loads(json.dumps(config.model_dump(mode="json")))) == config
    assert len({config, configured("questions.jsonl", match="numeric")}) == 1


# Matching


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        (" -1,234.50 ", Fraction("-1234.5")),
        ("+.5", Fraction(1, 2)),
        ("5.", 5),
        ("$3.20", Fraction("3.2")),
        ("3/4", Fraction(3, 4)),
        ("2e-3", Fraction(1, 500)),
        ("12 %", Fraction(3, 25)),
        ("007", 7),
        *(
            (text, None)
            for text in ("", ".", "1,2", "12,34", "1/0", "x", "1 2", "٣", "0x1", "1e9999")
        ),
        ("9" * 5000, None),
    ],
)
def test_what_is_read_as_a_number(text, value):
    assert as_number(text) == value


@pytest.mark.parametrize(
    ("reference", "answer", "right"),
    [
        ("1000000", "1000001", False),
        ("1000000", "1,000,000", True),
        ("0.3333333", "1/3", True),
        ("0.333", "1/3", False),
        ("2.50", "2.5", True),
        ("-3", "3", False),
        ("0", "0.0000001", False),
        ("0", "-0.0", True),
        ("3 apples", "3 apples", True),
        ("3 apples", "3", False),
    ],
)
def test_numbers_are_matched_by_value(reference, answer, right):
    assert MATCHES["numeric"]()(reference, answer) is right


@pytest.mark.parametrize(
    ("reference", "answer", "right"),
    [
        ("1/2", "\\frac{1}{2}", True),
        ("1/2", "0.5", True),
        ("1/2", "$\\frac{2}{4}$", True),
        ("x^2 + 2x + 1", "(x+1)^2", True),
        ("\\sqrt{8}", "2\\sqrt{2}", True),
        ("\\{1, 2\\}", "\\{2, 1\\}", True),
        ("1/2", "1/3", False),
        ("x^2", "x^3", False),
        ("12", "The answer is $12$", True),
        ("12", "", False),
        ("12", "\\frac{", False),
    ],
)
def test_mathematics_is_matched_by_value(reference, answer, right):
    assert MATCHES["math"]()(reference, answer) is right


@pure
@given(st.sampled_from(list(MATCHES)), st.sampled_from(["12", "\\frac{1}{2}", "yes"]), st.text())
@example("math", "12", "\ud800")
@example("math", "12", "9^{9^{9^{9}}}")
@example("math", "12", "\\" * 50)
@example("numeric", "12", "1e" + "9" * 50)
def test_any_text_may_be_matched(match, reference, answer):
    said = MATCHES[match]()(reference, answer)
    assert said in (True, False) or (said is None and match == "math")


def test_without_math_verify_the_error_says_what_to_install(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "math_verify", None)  # as where it is not installed
    path = file(jsonl({"question": q, "answer": a} for q, a in PLANETS))
    with pytest.raises(ConfigError, match=r"pip install .*'\.\[tasks\]'") as caught:
        make_task(configured(path, match="math").task)
    assert "math_verify" in str(caught.value)
    make_task(configured(path, match="exact").task)


def test_questions_of_both_kinds_are_each_read_in_their_own_way(file):
    rows = [
        {"question": "How many days has a week?", "answer": ["7", "seven"]},
        {"question": "Capital of Peru?", "answer": "Lima"},
    ]
    task = make_task(configured(file(jsonl(rows)), match="mixed").task, talks=True).task
    days, peru = (row["question"] for row in rows)
    assert task.verify(days, "There are 7 days in a week.")
    assert task.verify(days, "7.0")
    assert task.verify(days, "Seven.")
    assert not task.verify(days, "There are 8 days in 7 weeks: 8")
    assert task.counted(days, "It has 7 days.") == "7"
    assert task.verify(peru, "The capital is **Lima**.")
    assert not task.verify(peru, "7")
    assert task.counted(peru, "The capital is **Lima**.") == "lima"
    plain = make_task(configured(file(jsonl(rows)), match="mixed").task).task
    assert plain.verify(days, "7.0")
    assert not plain.verify(peru, "lima")


def test_the_bundled_questions_are_found_by_name_and_each_answer_is_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = make_task(configured("words.jsonl", match="mixed").task, talks=True).task
    assert len(task.problems) == 200
    for problem in task.problems:
        for right in (problem.reference, *problem.also):
            assert task.verify(problem.query, right), problem
            assert task.verify(problem.query, f"The answer is {right}."), problem
    # Somebody's own file of that name is theirs.
    (tmp_path / "words.jsonl").write_text(jsonl([{"question": "a", "answer": "b"}]))
    assert len(make_task(configured("words.jsonl").task).task.problems) == 1
