"""A model that learns reads documents as it reads texts: windows, caps, sinks, ALiBi."""

# SPDX-License-Identifier: Apache-2.0

import pytest
import torch
from torch.nn.functional import cross_entropy

from mgptn.agents.learning.lora import check_adapted
from mgptn.agents.learning.reading import load_to_learn
from mgptn.agents.learning.trainable import outline
from mgptn.agents.learning.training import mean_loss
from mgptn.agents.requests import Lora
from tests.architectures import ALONE, ENGINE
from tests.random_models import random_weights
from tests.served import Plain, text

ALL = {**ENGINE, **ALONE}


@pytest.mark.parametrize(
    ("name", "attention", "own_masks"),
    [
        ("llama", "sdpa", False),
        ("mistral", "sdpa", True),  # a whole mask would be every layer's
        ("gemma2", "eager", True),  # fast attention leaves caps out
        ("gpt_oss", "eager", True),
        ("falcon_alibi", "eager", True),
        ("deepseek_v3", "sdpa", False),
        ("mamba", "eager", True),
    ],
)
def test_a_documents_loss_is_that_of_the_text(tmp_path, name, attention, own_masks):
    folder = random_weights(tmp_path / name, ALL[name]())
    model, own = load_to_learn(folder, torch.device("cpu"))
    assert (model.config._attn_implementation, own) == (attention, own_masks)
    tokens, places = torch.tensor([text(50)]), torch.arange(50)[None]
    with torch.inference_mode():
        found = mean_loss(model, tokens, torch.ones(1, 50), places, own_masks=own)
        logits = Plain(folder).model(input_ids=tokens, use_cache=False).logits[0, :-1]
    torch.testing.assert_close(found, cross_entropy(logits, tokens[0, 1:]), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("deepseek_v3", "with which it trains model.layers.1.mlp.experts"),
        ("mamba", "that peft can train, got: .*out_proj"),
    ],
)
def test_factors_that_peft_would_place_elsewhere_are_refused(tmp_path, name, message):
    folder = random_weights(tmp_path / name, ALL[name]())
    with pytest.raises(ValueError, match=f"agents.learning.lora.modules: expected .*{message}"):
        check_adapted(outline(folder), Lora(2, 4))


def test_factors_of_attention_alone_are_trained_beside_experts(tmp_path):
    folder = random_weights(tmp_path / "deepseek", ALL["deepseek_v3"]())
    check_adapted(outline(folder), Lora(2, 4, ("q_b_proj", "o_proj")))
