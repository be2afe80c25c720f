"""Causal models of many architectures say what transformers says, in any company."""

# SPDX-License-Identifier: Apache-2.0

import sys

import pytest

from mgptn.agents.checkpoints import CheckpointError
from tests.architectures import ALONE, ENGINE, REFUSED
from tests.random_models import random_weights
from tests.served import Plain, answered, compare, greedily, host_of, in_any_company, text

ALL = {**ENGINE, **ALONE}


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("mistral", "engine"),  # a window
        ("gemma2", "engine"),  # a window in every second layer, capped scores
        ("gpt_oss", "engine"),  # sinks, a window, experts
        ("deepseek_v3", "engine"),  # keys and values of different width
        ("bloom", "at once"),  # ALiBi
        ("jamba", "step by step"),  # a recurrence beside attention
        ("openai_gpt", "anew"),  # no cache
    ],
)
def test_each_kind_of_attention_is_right(tmp_path, name, way):
    """Short, longer than the window, after a prefix, greedily, and in company."""
    found = compare(random_weights(tmp_path / name, ALL[name]()))
    assert found.way == way
    assert found.right(), str(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ALL))
def test_every_architecture_is_right(tmp_path, capsys, name):
    """A row of the table of all; and tokens are those of transformers' own `generate`."""
    folder = random_weights(tmp_path / name, ALL[name]())
    found = compare(folder)
    with capsys.disabled():
        sys.stdout.write(f"\n{name:20} {found}")
    assert found.right()
    assert (found.way == "engine") == (name in ENGINE)
    # Where nothing is remembered, transformers' cache says something else than the whole text does;
    # and Roberta counts a padded text's places otherwise as it generates.
    if found.way != "anew" and name != "roberta_decoder":
        asked = greedily(text(40), text(9, 4), 8)
        (reply,) = answered(host_of(folder), [asked])
        assert reply.tokens == Plain(folder).generated(asked.prefix + asked.suffix, 8)


def test_there_are_many():
    assert len(ENGINE) >= 40
    assert len(ALONE) >= 20


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mistral", "gemma2", "gemma3", "gpt_oss", "deepseek_v3", "mamba"])
def test_bits_are_the_same_in_any_company_in_bfloat16_too(tmp_path, name):
    assert in_any_company(host_of(random_weights(tmp_path / name, ALL[name]()), "bfloat16"))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(REFUSED))
def test_what_cannot_be_served_is_refused_by_name(tmp_path, name):
    with pytest.raises(CheckpointError, match=r"agents\.model: expected a"):
        host_of(random_weights(tmp_path / name, REFUSED[name]()))
