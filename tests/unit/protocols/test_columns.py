import pytest

from mgptn.agents.founding.recipe import FounderRecipe
from mgptn.agents.training.rungs import character_tokenizer
from mgptn.population.draws.streams import stream
from mgptn.protocols.interfaces.cases import CasesInterface, in_cases
from mgptn.protocols.interfaces.columns import SPECIAL, VOCABULARY, ColumnsInterface, in_columns
from mgptn.protocols.interfaces.interface import Asked, Shown
from mgptn.protocols.interfaces.markers import END, GRADE, JUDGE, START
from mgptn.protocols.interfaces.table import INTERFACES, Setting, make_interface
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("123+456=", "+<36><25><14>="),
        ("52-17=", "-<27><51>="),
        ("17x5=", "x<75><15>="),
        ("7x5=", "x<75>="),
        ("c:381=", "c381="),
        ("P:011=", "P011="),
        ("", ""),
    ],
)
def test_digits_that_belong_together_are_one_token(query, shown):
    assert in_columns(query) == shown
    assert in_columns(shown) == shown


@pytest.mark.parametrize("query", ["12+345=", "What is 3?", "12/34=", "c:=", "c:12", "12+34"])
def test_a_question_without_columns_is_refused(query):
    with pytest.raises(ValueError, match=r"interface: expected a question such as"):
        in_columns(query)


def test_items_are_the_ladders_with_columns():
    layout = ColumnsInterface()
    asked = Asked("12+34=", answer="640", examples=[Shown("1+2=", "30", 4), ("5-3=", "2")])
    prompt = layout.answer_prompt(asked)
    level = layout.level_options[4]
    assert prompt.prefix == f"{START}+<12>=30{GRADE}{level}{END}-<53>=2{END}"
    assert prompt.suffix == "+<24><13>="
    assert layout.grade_prompt(Asked("12+34=", answer="640")).suffix == (
        f"{JUDGE}+<24><13>=640{GRADE}"
    )


def test_every_token_is_one_and_answers_are_digits():
    tokenizer = character_tokenizer(VOCABULARY, SPECIAL, 100)
    assert len(VOCABULARY) == len(set(VOCABULARY))
    text = f"{START}+<36><25>=9790{END}"
    ids = tokenizer(text, add_special_tokens=False).input_ids
    assert [tokenizer.convert_ids_to_tokens(i) for i in ids] == [
        START, "+", "<36>", "<25>", "=", "9", "7", "9", "0", END,
    ]  # fmt: skip
    assert tokenizer.decode(ids[5:-1]) == "9790"


def test_the_vocabulary_decides_the_layout():
    assert make_interface("auto", Setting("m", VOCABULARY), INTERFACES).name == "columns"
    with pytest.raises(ValueError, match="expected a model with tokens for columns of digits"):
        make_interface("columns", Setting("m", ["1", "2"]), INTERFACES)


# Cases.


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("03:3|27:9=", "<033><279>="),
        ("03:3|27:9/+.....=", "<033><279>/+.....="),
        ("ss+...=", "ss+...="),
        ("", ""),
    ],
)
def test_a_question_about_programs_is_shown_case_by_case(query: str, shown: str):
    assert in_cases(query) == shown
    assert in_cases(shown) == shown


@pytest.mark.parametrize("query", ["12+34=5", "03:3|27:9", "03:33=", "qq=", "c:381="])
def test_what_is_no_question_about_programs_is_refused(query: str):
    with pytest.raises(ValueError, match="expected a question about programs"):
        in_cases(query)


@pytest.mark.parametrize("name", ["programs", "tests", "code-and-tests", "speed"])
def test_founders_of_programs_have_a_layout_with_a_token_for_all(name: str):
    layout = FounderRecipe(task=name, least=2, most=3, offsets=0).layout
    assert layout is CasesInterface
    assert len(set(layout.vocabulary)) == len(layout.vocabulary)
    task = TASKS[name](2)
    problems = task.draw_batch(stream(0, "cases"), 40, "train")
    for query, answer in zip(task.render(problems.fields), problems.references, strict=True):
        left = in_cases(text(query)) + text(answer)
        for token in sorted(layout.vocabulary, key=len, reverse=True):
            left = left.replace(token, "")
        assert left == ""


def test_founders_of_sums_keep_their_layout():
    assert FounderRecipe().layout is ColumnsInterface
