"""Which models a host serves, and that what it serves is exact: weights, RoPE, experts."""

# SPDX-License-Identifier: Apache-2.0

import json

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from mgptn.agents.alone.answering import OneByOne
from mgptn.agents.checkpoints import (
    BeyondEngineError,
    Checkpoint,
    CheckpointError,
    find_checkpoint,
)
from mgptn.agents.engine.forward import Forward
from mgptn.agents.engine.loading import check_whole
from mgptn.agents.engine.memory import Lengths, needed_bytes
from mgptn.agents.engine.probing import SHORT
from mgptn.agents.layers import attention
from mgptn.agents.layers.attention import PLAIN
from mgptn.agents.requests import Generate, Score
from mgptn.agents.rope import length_dependent, unscaled_tokens
from tests.architectures import REFUSED
from tests.random_models import TINY, random_weights
from tests.served import answered, host_of, in_any_company, text

MIXED = {"moe_intermediate_size": 32, "num_experts": 8, "num_experts_per_tok": 2}


@pytest.fixture
def llama(tmp_path):
    return random_weights(tmp_path / "llama", transformers.LlamaConfig(**TINY))


def change(folder, edit):
    path = folder / "model.safetensors"
    weights = load_file(path)
    edit(weights)
    save_file(weights, path, metadata={"format": "pt"})


def refused(folder):
    """By what is looked at before a host starts, and by a host alike."""
    checkpoint = find_checkpoint(str(folder))
    with pytest.raises(CheckpointError) as caught:
        check_whole(checkpoint)
    with pytest.raises(CheckpointError) as again:
        host_of(folder)
    assert str(again.value) == str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_head_is_refused_by_name(llama):
    change(llama, lambda weights: weights.pop("lm_head.weight"))
    assert "got none for lm_head.weight;" in refused(llama)


def test_a_reward_model_is_refused(llama):
    def judge(weights):
        weights["score.weight"] = weights.pop("lm_head.weight")[:1].clone()

    change(llama, judge)
    assert "expected every weight of LlamaForCausalLM" in refused(llama)


def test_layers_by_another_name_are_refused_by_those_that_are_missing(llama):
    def rename(weights):
        for name in [name for name in weights if ".layers.1." in name]:
            weights[name.replace(".layers.1.", ".layers.one.")] = weights.pop(name)

    change(llama, rename)
    message = refused(llama)
    assert "got none for model.layers.1.input_layernorm.weight" in message
    assert " and 4 more" in message


def test_more_layers_than_the_configuration_says_are_refused(llama):
    config = json.loads((llama / "config.json").read_text())
    (llama / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 1}))
    message = refused(llama)
    assert "got weights that it has no place for: model.layers.1.input_layernorm.weight" in message


def test_weights_of_another_shape_are_refused_by_name(llama):
    def shrink(weights):
        weights["model.norm.weight"] = weights["model.norm.weight"][:16].clone()

    change(llama, shrink)
    assert "got model.norm.weight of (16,) instead of (32,)" in refused(llama)


def test_a_head_that_is_tied_is_not_missing(tmp_path):
    config = transformers.LlamaConfig(**TINY, tie_word_embeddings=True)
    folder = random_weights(tmp_path / "tied", config)
    assert "lm_head.weight" not in load_file(folder / "model.safetensors")
    check_whole(find_checkpoint(str(folder)))


def test_what_is_planned_is_the_dtype_that_is_loaded(tmp_path):
    """Whatever config.json and the file say."""
    lengths = Lengths(10, 10, 10)
    needed = {}
    for stored in ("float32", "bfloat16"):
        for said in ("float32", "bfloat16", None):
            folder = tmp_path / f"{stored}-{said}"
            folder.mkdir()
            weights = {"w": torch.ones(1000, 1000, dtype=getattr(torch, stored))}
            save_file(weights, folder / "model.safetensors")
            config = TINY if said is None else {**TINY, "dtype": said}
            checkpoint = Checkpoint("", folder, "", config)
            for dtype in ("float32", "bfloat16"):
                made = needed_bytes(checkpoint, dtype, 2, lengths, "cpu").kept
                needed.setdefault(dtype, set()).add(made)
    assert {dtype: len(found) for dtype, found in needed.items()} == {"float32": 1, "bfloat16": 1}
    assert needed["float32"].pop() - needed["bfloat16"].pop() >= 2 * 10**6


LONG = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "short_factor": [1.0] * 4,
    "long_factor": [1.0, 2.0, 4.0, 8.0],
    "original_max_position_embeddings": 64,
    "factor": 8.0,
}


def phi(tmp_path):
    config = transformers.Phi3Config(
        **TINY, sliding_window=None, original_max_position_embeddings=64, rope_parameters=LONG
    )
    return random_weights(tmp_path / "phi", config)


def test_longrope_is_exact_up_to_the_length_where_its_factors_change(tmp_path):
    folder = phi(tmp_path)
    assert find_checkpoint(str(folder)).context_tokens == 64
    host = host_of(folder)
    plain = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    for prefix, suffix in ((20, 9), (44, 20), (63, 1)):
        asked = Score(text(prefix), text(suffix, 4), ((7,), (9,)))
        with torch.no_grad():
            logits = plain(input_ids=torch.tensor([asked.prefix + asked.suffix])).logits[0, -1]
        expected = logits.log_softmax(-1)[[7, 9]].tolist()
        (reply,) = answered(host, [asked])
        assert reply.log_probabilities == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    "asked",
    [
        Score(text(44), text(21), ((7,),)),
        Score(text(44), text(19), ((7,), (7, 8, 9))),
        Generate(text(44), text(10), (2,), 12, 1.0, (0, 1)),
    ],
)
def test_longrope_is_refused_beyond(tmp_path, asked):
    host = host_of(phi(tmp_path))
    with pytest.raises(CheckpointError, match=r"at most 64 tokens, .* longrope RoPE .* one of 65;"):
        answered(host, [asked])


@pytest.mark.parametrize(
    ("config", "kind", "tokens"),
    [
        ({}, None, None),
        ({"rope_scaling": None, "rope_parameters": {"rope_type": "default"}}, None, None),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, None, None),
        ({"rope_scaling": {"type": "yarn", "factor": 4.0}}, None, None),
        ({"rope_scaling": {"type": "dynamic"}, "max_position_embeddings": 32}, "dynamic", 32),
        (
            {"rope_scaling": {"type": "su", "short_factor": [], "long_factor": []},
             "original_max_position_embeddings": 16, "max_position_embeddings": 99},
            "longrope", 16,
        ),
        ({"rope_parameters": LONG, "max_position_embeddings": 512}, "longrope", 64),
        ({"rope_parameters": {"full_attention": LONG}}, "longrope", 64),
        ({"rope_scaling": {"type": "longrope"}, "max_position_embeddings": 9**6}, "longrope", 4096),
    ],
)  # fmt: skip
def test_rope_that_depends_on_a_texts_length_is_known(config, kind, tokens):
    assert length_dependent(config) == kind
    assert unscaled_tokens(config) == tokens


MIXTURES = {
    "qwen3": lambda: transformers.Qwen3MoeConfig(**TINY, **MIXED, head_dim=16),
    "olmoe": lambda: transformers.OlmoeConfig(**TINY, num_experts=8, num_experts_per_tok=3),
    "qwen2": lambda: transformers.Qwen2MoeConfig(
        **TINY, **MIXED, shared_expert_intermediate_size=32
    ),
}


@pytest.mark.parametrize("slots", [2, 5])
def test_slots_that_are_no_multiple_of_four_give_equal_bits_in_any_company(tmp_path, slots):
    """A layer of which four rows fill whole vectors of numbers, and fewer do not."""
    wide = {**TINY, "intermediate_size": 132}
    host = host_of(random_weights(tmp_path / "wide", transformers.LlamaConfig(**wide)))
    requests = []
    for i in range(12):
        own = text(4 + 5 * (i % 4), 10 + i)
        requests.append(Generate(text(40), own, (2,), 6, 1.0, (0, i)))
        requests.append(Score(text(40), own, ((7,), (9,))))
    together = list(map(repr, answered(host, requests, slots)))
    for i, request in enumerate(requests):
        assert repr(answered(host, [request], slots)[0]) == together[i]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", list(MIXTURES))
def test_mixtures_of_experts_give_equal_bits_in_any_company(tmp_path, name, dtype):
    host = host_of(random_weights(tmp_path / name, MIXTURES[name]()), dtype)
    requests = []
    for seed in range(4):
        prefix = text(60, seed)
        for i in range(3):
            own = text(5 + 2 * i, 10 * seed + i)
            requests.append(Score(prefix[:40], own, ((7,), (9,))))
            requests.append(Generate(prefix[:40], own, (2,), 6, 1.0, (seed, i)))
    for slots in (2, 3, 8):
        host.forget_prefixes()
        cold = list(map(repr, answered(host, requests, slots)))
        host.forget_prefixes()
        answered(host, [Score(text(60, seed), text(9), ((7,),)) for seed in range(4)], slots)
        assert list(map(repr, answered(host, requests, slots))) == cold
        for i in (0, 5, 18):
            host.forget_prefixes()
            assert repr(answered(host, [requests[i]], slots)[0]) == cold[i]


@pytest.mark.parametrize("name", list(MIXTURES))
def test_mixtures_of_experts_say_what_transformers_says(tmp_path, name):
    folder = random_weights(tmp_path / name, MIXTURES[name]())
    plain = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    asked = Score(text(70), text(9, 4), tuple((i,) for i in range(260)))
    with torch.no_grad():
        logits = plain(input_ids=torch.tensor([asked.prefix + asked.suffix])).logits[0, -1]
    (reply,) = answered(host_of(folder), [asked])
    expected = logits.log_softmax(-1).tolist()
    assert reply.log_probabilities == pytest.approx(expected, abs=1e-4)


def test_experts_of_a_models_own_are_run_a_text_at_a_time(tmp_path, caplog):
    config = transformers.JetMoeConfig(
        vocab_size=260, hidden_size=32, num_hidden_layers=1, num_key_value_heads=2, kv_channels=8,
        intermediate_size=64, num_local_experts=4, num_experts_per_tok=2,
    )  # fmt: skip
    host = host_of(random_weights(tmp_path / "jetmoe", config))
    assert isinstance(host.way, OneByOne)
    assert "is run a text at a time" in caplog.text
    assert "whose JetMoeForCausalLM computes its own" in caplog.text
    assert in_any_company(host)


def test_what_is_not_causal_is_refused_by_name(tmp_path):
    folder = random_weights(tmp_path / "bert", REFUSED["bert"]())
    with pytest.raises(CheckpointError, match=r"expected a causal model, got .* BertLMHeadModel"):
        host_of(folder)


def test_a_kind_of_which_there_is_no_causal_model_is_refused_by_name(llama):
    config = json.loads((llama / "config.json").read_text())
    (llama / "config.json").write_text(json.dumps(config | {"model_type": "distilbert"}))
    assert "expected a causal model that this version of transformers loads" in refused(llama)


def test_a_window_that_were_left_out_would_show_on_the_long_text_alone(tmp_path, monkeypatch):
    config = transformers.MistralConfig(**TINY, sliding_window=SHORT + 1)
    folder = random_weights(tmp_path / "mistral", config)
    monkeypatch.setattr(attention, "Asked", lambda window, cap, sinks: PLAIN)
    Forward(folder, torch.device("cpu"), torch.float32, thoroughly=False)
    with pytest.raises(BeyondEngineError, match="whose logits it misses by"):
        Forward(folder, torch.device("cpu"), torch.float32)
    assert isinstance(host_of(folder).way, OneByOne)
