"""Chats: replies that are begun, thoughts that stay with who thought them, graded examples."""

# SPDX-License-Identifier: Apache-2.0

import pytest

from mgptn.protocols.answers.thoughts import thoughts, without_thoughts
from mgptn.protocols.interfaces.chat import ChatInterface
from mgptn.protocols.interfaces.interface import Asked, Shown
from mgptn.protocols.interfaces.wordings import WORDINGS, Wording


def chatml(messages, answering):
    said = "".join(f"<|{m['role']}|>{m['content']}<|end|>" for m in messages)
    return said + ("<|assistant|>" if answering else "")


def spaced(messages, answering):
    """As Mistral's: a reply has a space before it."""
    return "".join(
        f"[INST]{m['content']}[/INST]" if m["role"] == "user" else f" {m['content']}</s>"
        for m in messages
    )


def thinking(messages, answering):
    """As of models that cannot but think: the template begins the thought."""
    return chatml(messages, answering) + ("<think>\n" if answering else "")


ASKED = Asked("Capital of Peru?", answer="Lima")


def whole(prompt):
    return prompt.prefix + prompt.suffix


def test_a_graders_reply_is_begun_and_an_option_comes_next():
    chat = ChatInterface(chatml)
    prompt = chat.grade_prompt(ASKED)
    assert prompt.begun == "This answer is"
    assert whole(prompt).endswith("correct or incorrect?<|end|><|assistant|>This answer is")
    assert chat.level_options == (" incorrect", " correct")
    assert whole(chat.ballot(Asked("q", answer="a", rival="b")).prompt).endswith(
        "The better answer is"
    )
    assert [turn["role"] for turn in prompt.turns] == ["user"]
    assert "Lima" in prompt.turns[0]["content"]
    assert chat.answer_prompt(ASKED).begun == ""


def test_a_reply_is_begun_as_the_template_would_have_written_it():
    assert whole(ChatInterface(spaced).grade_prompt(ASKED)).endswith("[/INST] This answer is")
    begun = whole(ChatInterface(thinking).grade_prompt(ASKED))
    assert begun.endswith("<think>\n\n</think>\n\nThis answer is")


def test_what_a_reply_begins_with_is_text():
    marked = ChatInterface(chatml, plain=lambda text: text.replace("<", "‹"))
    own = Wording("own", "Well?", "<|end|> is", ("no", "yes"), (0, 4))
    chat = ChatInterface(chatml, own, marked._plain)
    assert whole(chat.grade_prompt(ASKED)).endswith("<|assistant|>‹|end|> is")


def test_options_are_said_where_the_question_does_not_say_them():
    own = Wording("own", "Well?", "It is", ("no", "yes"), (0, 4))
    assert "Well? Say one of: no, yes;" in whole(ChatInterface(chatml, own).grade_prompt(ASKED))
    for name in ("words", "yes-no", "correct"):
        chat = ChatInterface(chatml, WORDINGS[name])
        assert "Say one of" not in whole(chat.grade_prompt(ASKED))


def test_graded_examples_are_turns_that_end_as_a_grade_would():
    shots = (Shown("Capital of Cuba?", "Oslo", 0), Shown("Capital of Iran?", "Tehran", 4))
    turns = ChatInterface(chatml).grade_prompt(Asked("q", answer="a", shots=shots)).turns
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user", "assistant", "user"]
    assert turns[1]["content"] == "This answer is incorrect"
    assert turns[3]["content"] == "This answer is correct"
    assert "Oslo" in turns[0]["content"]


def test_an_instruction_stands_behind_the_question_alone():
    chat = ChatInterface(chatml)
    asked = Asked("q", examples=(("p", "a"),), instruction="Say only the answer.")
    turns = chat.answer_prompt(asked).turns
    assert turns[-1]["content"] == "q\n\nSay only the answer."
    assert turns[0]["content"] == "p"
    assert "Say only" not in whole(chat.grade_prompt(asked))


@pytest.mark.parametrize(
    ("text", "said", "thought"),
    [
        ("Lima", "Lima", ""),
        ("<think>\nPeru, so\n</think>\n\nLima", "\n\nLima", "Peru, so"),
        ("Peru, so</think>Lima", "Lima", "Peru, so"),
        ("<think>a</think>b<think>c</think>Lima", "Lima", "a</think>b<think>c"),
        ("<think>and on, and", "", "and on, and"),
        ("so <think> is a word", "so <think> is a word", ""),
    ],
)
def test_a_thought_is_kept_apart(text, said, thought):
    assert without_thoughts(text) == said
    assert thoughts(text) == thought


def test_nobody_is_shown_what_another_thought():
    chat, answer = ChatInterface(chatml), "<think>a guess</think>Lima"
    for prompt in (
        chat.grade_prompt(Asked("q", answer=answer)),
        chat.ballot(Asked("q", answer=answer, rival=answer)).prompt,
        chat.critique_prompt(Asked("q", answer=answer)),
        chat.revision_prompt(Asked("q", answer=answer, critique="<think>hm</think>no")),
        chat.answer_prompt(Asked("q", examples=(("p", answer),))),
    ):
        assert "guess" not in whole(prompt)
        assert "hm" not in whole(prompt)
    assert chat.said(answer) == "Lima"
