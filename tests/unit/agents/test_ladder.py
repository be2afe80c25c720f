"""Models that are trained here compute the same bits without transformers as with it."""

# SPDX-License-Identifier: Apache-2.0

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from mgptn.agents.checkpoints import CheckpointError, bundled_models, find_checkpoint
from mgptn.agents.engine.forward import Forward
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.ladder.kinds import is_plain_gpt2, is_plain_llama
from mgptn.agents.ladder.loading import load_own
from mgptn.agents.learning.factors import is_transposed
from mgptn.agents.learning.wardrobe import Wardrobe

FIRST = ["gpt-1/0", "gpt-3/0"]
"""Larger ones differ in their numbers of layers and heads alone."""


@pytest.fixture(scope="module")
def founder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("founder")
    config = GPT2Config(
        vocab_size=132, n_positions=24, n_embd=16, n_layer=2, n_head=2, n_inner=64,
        activation_function="relu2", tie_word_embeddings=False, bos_token_id=1, eos_token_id=131,
        mgptn={"restarts": [1, 2], "offsets": 1},
    )  # fmt: skip
    torch.manual_seed(0)
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    return folder


def folder_of(name: str, founder: Path) -> Path:
    return founder if name == "founder" else find_checkpoint(name).folder


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", [*FIRST, "founder"])
def test_every_pass_has_the_bits_that_transformers_has(
    name: str, dtype: torch.dtype, founder: Path
) -> None:
    folder = folder_of(name, founder)
    own, other = _passes(load_own(folder, dtype)), _passes(_by_transformers(folder, dtype))
    for ours, theirs in zip(own, other, strict=True):
        assert torch.equal(ours, theirs)


def _by_transformers(folder: Path, dtype: torch.dtype) -> torch.nn.Module:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager")


def _passes(model: torch.nn.Module | None) -> list[torch.Tensor]:
    """Logits and state of rows after a prefix, and logits of a step after those."""
    assert model is not None
    forward = Forward.of_model(model)
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(1, 40, (4, 6), generator=generator)
    places = torch.arange(6).unsqueeze(0)
    with torch.inference_mode():
        block = forward.read_block(torch.randint(1, 40, (1, 6), generator=generator), places, None)
        along = (places + 6).expand(4, -1)
        logits, state = forward.read(tokens, along, torch.arange(24), block)
        own = state.new_zeros(*state.shape[:4], 8, state.shape[5])
        own[:, :, :, :, :6] = state
        flat = torch.arange(4 * state.shape[3]) * 8 + 6
        mask = own.new_zeros(4, 1, 1, 8)
        mask[..., 7:] = -torch.inf
        step = forward.step(tokens[:, :1], along[:, -1:] + 1, flat, mask, own, block)
    return [block, logits, state, step]


@pytest.mark.parametrize("name", [*FIRST, "founder"])
def test_the_model_itself_says_what_transformers_says(name: str, founder: Path) -> None:
    folder = folder_of(name, founder)
    own, other = load_own(folder, torch.float32), _by_transformers(folder, torch.float32)
    assert own is not None
    tokens = torch.arange(1, 19).view(2, 9)
    with torch.inference_mode():
        torch.testing.assert_close(own(tokens).logits, other(tokens).logits)
    names = {name: tuple(p.shape) for name, p in other.named_parameters()}
    assert {name: tuple(p.shape) for name, p in own.named_parameters()} == names
    assert own.all_tied_weights_keys == (getattr(other, "all_tied_weights_keys", None) or {})
    turned = [n for n, m in other.named_modules() if is_transposed(m)]
    assert [n for n, m in own.named_modules() if is_transposed(m)] == turned
    assert Wardrobe(own)._tied == Wardrobe(other)._tied


@pytest.mark.parametrize("name", [*bundled_models()])
def test_every_bundled_model_is_of_a_kind_of_ours(name: str) -> None:
    assert is_plain_llama(find_checkpoint(name).config)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("attention_bias", True), ("hidden_act", "gelu"), ("rms_norm_eps", 0),
        ("rope_parameters", {"rope_theta": 1e4, "rope_type": "yarn", "factor": 2.0}),
        ("rope_scaling", None), ("quantization_config", {}), ("num_hidden_layers", "4"),
        ("head_dim", None), ("model_type", "mistral"), ("sliding_window", 4),
    ],
)  # fmt: skip
def test_what_a_configuration_says_beside_is_for_transformers(key: str, value: object) -> None:
    config = find_checkpoint("gpt-1").config
    assert not is_plain_llama({**config, key: value})


def test_another_gpt2_is_for_transformers(founder: Path) -> None:
    config = json.loads((founder / "config.json").read_text(encoding="utf-8"))
    assert is_plain_gpt2(config)
    for key, value in {"activation_function": "gelu_new", "n_inner": None, "further": 1}.items():
        assert not is_plain_gpt2({**config, key: value})


def test_weights_that_are_missing_or_of_another_shape_are_named(
    founder: Path, tmp_path: Path
) -> None:
    numbers = load_file(founder / "model.safetensors")
    (tmp_path / "config.json").write_bytes((founder / "config.json").read_bytes())
    del numbers["transformer.ln_f.weight"]
    numbers["lm_head.weight"] = numbers["lm_head.weight"][:5].contiguous()
    save_file(numbers, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"lm_head\.weight.*transformer\.ln_f\.weight"):
        load_own(tmp_path, torch.float32)


def test_a_host_of_a_bundled_model_imports_neither_transformers_nor_a_compiler() -> None:
    checkpoint = find_checkpoint("gpt-1")
    settings = HostSettings(checkpoint.name, checkpoint.weights)
    code = f"""
import sys
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.make_host import make_host
from mgptn.agents.requests import Generate
from mgptn.agents.tiles import plan_mixed
host = make_host({settings!r})
asked = Generate((1,), (15, 16), (40,), 4, 1.0, (0, 1))
(tile,) = plan_mixed([(({checkpoint.weights!r}, None), asked)], 32).tiles
reply = host.generate(tile)
assert len(reply.replies) == 1
slow = {{"transformers", "ray", "scipy", "sympy", "torch._dynamo"}}
print(sorted(sys.modules.keys() & slow))
"""
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100
    )
    assert said.stdout.strip() == "[]"
