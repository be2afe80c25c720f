"""Options after a prompt: read as the tokenizer reads the two in one go."""

# SPDX-License-Identifier: Apache-2.0

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.agents.checkpoints import Checkpoint
from mgptn.agents.tokens.encoder import Encoder
from mgptn.agents.training.rungs import ladder_tokenizer
from tests.chat_families import FAMILIES, save_tokenizer
from tests.random_models import qwen_like_tokenizer

TEXTS = ["This answer is correct", "This answer is incorrect", "it is not so", "a correct answer"]
LETTERS = st.text("aiest corn", min_size=1, max_size=12)


@pytest.fixture(scope="module", params=["ladder", "qwen", *FAMILIES])
def encoder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "ladder":
        ladder_tokenizer().save_pretrained(folder)
    elif request.param == "qwen":
        qwen_like_tokenizer(TEXTS * 9, 330, 512).save_pretrained(folder)
    else:
        save_tokenizer(folder, FAMILIES[request.param])
    return Encoder(Checkpoint("tiny", folder, "", {}))


@settings(deadline=None, max_examples=60)
@given(LETTERS, st.lists(LETTERS, min_size=1, max_size=3, unique=True))
def test_prompt_and_option_are_read_as_one_text(encoder, text, options):
    suffix, continued = encoder.before(text, tuple(options))
    assert all(continued), "an option has at least a token"
    if not suffix:
        return
    for option, tokens in zip(options, continued, strict=True):
        whole = encoder.suffix(text + option)
        alone = encoder.suffix(text) + encoder.suffix(option)
        assert suffix + tokens in (whole, alone)
        # Where something of the prompt stands for itself, all is as in one text.
        if whole[:1] == encoder.suffix(text)[:1]:
            assert suffix + tokens == whole


def test_a_prompts_end_that_is_joined_to_what_follows_is_the_options(tmp_path):
    """`cor` + `rect` is one token of this vocabulary: read apart, it would be two."""
    qwen_like_tokenizer(["correct"] * 50, 300, 512).save_pretrained(tmp_path)
    encoder = Encoder(Checkpoint("tiny", tmp_path, "", {}))
    (whole,) = encoder.suffix("correct")[-1:]
    suffix, (correct, core) = encoder.before("(correct) cor", ("rect", "e"))
    assert suffix + correct == encoder.suffix("(correct) correct")
    assert suffix + core == encoder.suffix("(correct) core")
    assert len(encoder.suffix("correct")) == 1
    assert encoder.suffix("cor") + encoder.suffix("rect") != (whole,)


def test_equal_options_are_one_object(encoder):
    """Requests are grouped by it."""
    first = encoder.before("aa is", (" so", " not"))[1]
    assert encoder.before("ab is", (" so", " not"))[1] is first
