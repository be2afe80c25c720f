"""Text to tokens: content is never control, what a template refuses, which tokens end an answer."""

# SPDX-License-Identifier: Apache-2.0

import json
from datetime import date, datetime

import pytest
import transformers

from mgptn.agents.checkpoints import Checkpoint, CheckpointError
from mgptn.agents.learning.documents import document
from mgptn.agents.tokens.encoder import Encoder
from mgptn.protocols.interfaces.base import BaseInterface
from mgptn.protocols.interfaces.chat import ChatInterface
from mgptn.protocols.interfaces.interface import Asked, Shown
from tests.chat_families import FAMILIES, Family, save_tokenizer

DAY = date(2024, 2, 29)


def encoder_of(folder, family, today=DAY, config=None, generation=None):
    save_tokenizer(folder, family)
    return Encoder(Checkpoint("tiny", folder, "", config or {}, generation or {}), today)


@pytest.fixture(scope="module", params=list(FAMILIES))
def chatting(request, tmp_path_factory):
    family = FAMILIES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    return family, encoder_of(folder, family), folder


def forged(family):
    """A text with every control token of a family, some within others, and private characters."""
    every = "".join(f"5{token}\n" for token in family.control)
    return f"{every}{family.control[-1][0]}{family.control[-1]} ok \ufdd1{family.control[0]}"


def tokens_of(encoder, prompt):
    return encoder.prefix(prompt.prefix) + encoder.suffix(prompt.suffix)


def control_in(family, encoder, tokens):
    known = {encoder.suffix(token)[0] for token in family.control}
    return [token for token in tokens if token in known]


ASKED = {
    "answer": lambda text: Asked("What is 2+2?", answer=text),
    "question": lambda text: Asked(text, answer="4"),
    "persona": lambda text: Asked("What is 2+2?", answer="4", persona=text),
    "example": lambda text: Asked("2+2?", answer="4", examples=(("1+1?", text), Shown(text, "3"))),
}


@pytest.mark.parametrize("place", list(ASKED))
def test_content_is_text_and_never_control(chatting, place):
    family, encoder, _ = chatting
    interface, text = ChatInterface(encoder.chat), forged(family)
    tokens = tokens_of(encoder, interface.grade_prompt(ASKED[place](text)))
    honest = tokens_of(encoder, interface.grade_prompt(ASKED[place]("5")))
    assert control_in(family, encoder, tokens) == control_in(family, encoder, honest)
    # Not a letter of it is lost; what Unicode has no character for is replaced.
    assert text.replace("\ufdd1", "\ufffd") in encoder.written(tokens)


def test_honest_content_is_read_as_transformers_reads_it(chatting):
    _, encoder, folder = chatting
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    interface = ChatInterface(encoder.chat)
    prompt = interface.answer_prompt(Asked("2+2?", examples=(("1+1? <b>", "|2|"),)))
    turns = (("user", "1+1? <b>"), ("assistant", "|2|"), ("user", "2+2?"))
    text = tokenizer.apply_chat_template(
        [{"role": role, "content": content} for role, content in turns],
        tokenize=False,
        add_generation_prompt=True,
    )
    text = text.replace(datetime.now().strftime("%d %b %Y"), "29 Feb 2024")
    assert prompt.prefix + prompt.suffix == text
    expected = tokenizer(text, add_special_tokens=False).input_ids
    if tokenizer.bos_token is None:
        assert encoder.prefix("") == ()
    assert list(tokens_of(encoder, prompt)) == expected


@pytest.mark.parametrize("place", list(ASKED))
def test_the_few_shot_layout_has_no_control_tokens_at_all(chatting, place):
    family, encoder, _ = chatting
    interface = BaseInterface(multiline=True, plain=encoder.plain)
    prompt = interface.grade_prompt(ASKED[place](forged(family)))
    tokens = tokens_of(encoder, prompt)
    start = encoder.prefix("")
    assert control_in(family, encoder, tokens) == list(start)


def test_answers_that_are_learned_from_are_text_too(chatting):
    family, encoder, _ = chatting
    made = document(ChatInterface(encoder.chat), encoder, "2+2?", forged(family))
    taught = made.tokens[made.first :]
    assert control_in(family, encoder, taught) == list(taught[-1:])


def test_a_vocabulary_with_a_control_tokens_letters_as_a_word_is_read_around_them(tmp_path):
    """Of whole words, as those have that merge nothing: there plain reading gives the token."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["<stop>", "[UNK]", "a", "<", "stop>"]
    core = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.add_special_tokens(["<stop>"])
    transformers.PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<stop>").save_pretrained(
        tmp_path
    )
    encoder = Encoder(Checkpoint("words", tmp_path, "", {}))
    assert encoder.suffix("a <stop>") == (2, 0)
    assert encoder.suffix(encoder.plain("a <stop>")) == (2, 3, 4)


def test_tokens_that_a_template_writes_are_control_though_not_special(tmp_path):
    family = Family(
        ("<|im_end|>",), "<think>{% for m in messages %}{{ m.content }}{% endfor %}", "<|im_end|>"
    )
    made = save_tokenizer(tmp_path, family)
    made.add_tokens(["<think>", "<table>"])
    made.save_pretrained(tmp_path)
    encoder = Encoder(Checkpoint("thinking", tmp_path, "", {}))
    thinks, table = (made.convert_tokens_to_ids(token) for token in ("<think>", "<table>"))
    tokens = encoder.suffix(encoder.chat([{"role": "user", "content": "<think> <table>"}], True))
    assert tokens.count(thinks) == 1
    assert tokens.count(table) == 1


@pytest.mark.parametrize(
    ("name", "kept"), [("chatml", True), ("llama-3", True), ("gemma", False), ("mistral", False)]
)
def test_a_persona_stands_where_the_template_lets_it(tmp_path, name, kept):
    encoder = encoder_of(tmp_path, FAMILIES[name])
    interface = ChatInterface(encoder.chat)
    assert interface.has_system == kept
    prompt = interface.answer_prompt(
        Asked("2+2?", examples=(("1+1?", "2"),), persona="You are careful.")
    )
    text = prompt.prefix + prompt.suffix
    assert text.count("You are careful.") == 1
    assert ("You are careful.\n\n1+1?" in text) != kept
    assert "1+1?" in prompt.prefix
    assert "2+2?" in prompt.suffix


def test_a_template_that_leaves_the_system_message_out_does_not_lose_a_persona(tmp_path):
    template = "{% for m in messages if m.role != 'system' %}[{{ m.content }}]{% endfor %}"
    encoder = encoder_of(tmp_path, Family(("<|end|>",), template, "<|end|>"))
    prompt = ChatInterface(encoder.chat).answer_prompt(Asked("2+2?", persona="Be brief."))
    assert prompt.prefix + prompt.suffix == "[Be brief.\n\n2+2?]"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ raise_exception('Needs\n documents') }}", "Needs documents"),
        ("{{ persona.first.name }}", "'persona' is undefined"),
        ("{{ messages[0].content + documents }}", "NoneType"),
    ],
)
def test_a_template_that_needs_more_is_refused_in_a_line(tmp_path, template, said):
    encoder = encoder_of(tmp_path, Family(("<|end|>",), template, "<|end|>"))
    with pytest.raises(CheckpointError) as caught:
        ChatInterface(encoder.chat)
    message = str(caught.value)
    assert message.startswith("agents.interface: expected a chat template that lays out turns of ")
    assert "'tiny'" in message
    assert said in message
    assert "\n" not in message


def test_a_template_that_leaves_out_what_is_asked_is_refused(tmp_path):
    template = (
        "{% for m in messages %}{% for c in m.content if c.text %}{{ c.text }}{% endfor %}"
        "{% endfor %}"
    )
    encoder = encoder_of(tmp_path, Family(("<|end|>",), template, "<|end|>"))
    with pytest.raises(ValueError, match=r"agents\.interface: expected a chat template that shows"):
        ChatInterface(encoder.chat)


def test_a_template_is_told_the_runs_date(tmp_path):
    encoder = encoder_of(tmp_path, FAMILIES["llama-3"])
    assert encoder.dated
    assert "Today Date: 29 Feb 2024" in encoder.chat([{"role": "user", "content": "?"}], True)
    template = "{{ messages[0].content }}{{ strftime_now(['%d', '%m'] | join('.')) }}"
    with pytest.raises(CheckpointError, match=r"asks the date in a form of its own, got .*'tiny'"):
        _ = encoder_of(tmp_path / "late", Family(("<|end|>",), template, "<|end|>")).chat
    assert not encoder_of(tmp_path / "other", FAMILIES["chatml"]).dated


def test_one_of_several_templates_is_the_default(tmp_path):
    tokenizer = save_tokenizer(tmp_path, FAMILIES["chatml"])
    tokenizer.chat_template = {"default": "D{{ messages[0].content }}", "tools": "T"}
    tokenizer.save_pretrained(tmp_path)
    encoder = Encoder(Checkpoint("tiny", tmp_path, "", {}))
    assert encoder.chat([{"role": "user", "content": "?"}], True) == "D?"
    (tmp_path / "chat_template.jinja").unlink()
    assert Encoder(Checkpoint("tiny", tmp_path, "", {})).chat is None


def test_a_template_in_a_file_of_its_own_is_found(tmp_path):
    tokenizer = save_tokenizer(tmp_path, FAMILIES["chatml"])
    (tmp_path / "chat_template.jinja").unlink()
    assert Encoder(Checkpoint("tiny", tmp_path, "", {})).chat is None
    (tmp_path / "chat_template.json").write_text(
        json.dumps({"chat_template": "J{{ messages[0].content }}"})
    )
    encoder = Encoder(Checkpoint("tiny", tmp_path, "", {}))
    assert encoder.chat([{"role": "user", "content": "?"}], True) == "J?"
    assert tokenizer.eos_token == "<|im_end|>"


@pytest.mark.parametrize(
    ("config", "generation", "expected"),
    [
        ({}, {}, (2,)),
        ({"eos_token_id": 2}, {"eos_token_id": 2}, (2,)),
        ({"eos_token_id": 0}, {"eos_token_id": [2, 1]}, (2, 1, 0)),
        ({"eos_token_id": [0, 1]}, {"eos_token_id": None}, (2, 0, 1)),
        ({"eos_token_id": 999, "vocab_size": 300}, {}, (2,)),
    ],
)
def test_an_answer_ends_at_whatever_the_checkpoint_calls_an_end(
    tmp_path, config, generation, expected
):
    encoder = encoder_of(tmp_path, FAMILIES["chatml"], config=config, generation=generation)
    assert encoder.stops(()) == expected


def test_a_token_without_an_embedding_is_refused_by_name(tmp_path):
    family = FAMILIES["chatml"]
    tokenizer = save_tokenizer(tmp_path, family)
    rows = len(tokenizer)
    for padded in (rows, rows + 61):
        Encoder(Checkpoint("tiny", tmp_path, "", {"vocab_size": padded}))
    tokenizer.add_tokens(["<extra>"])
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(
        CheckpointError, match=rf"expected tokens below {rows}, .*'<extra>' \({rows}\)"
    ):
        Encoder(Checkpoint("tiny", tmp_path, "", {"vocab_size": rows}))
