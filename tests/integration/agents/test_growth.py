"""Growing a trained model: the same function in a larger shape, from which training goes on."""

# SPDX-License-Identifier: Apache-2.0

import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.agents.training.command import training_command
from mgptn.agents.training.growth import grow
from mgptn.agents.training.pretrain import pretrain
from mgptn.agents.training.recipe import Recipe
from mgptn.agents.training.rungs import RUNGS, llama_config
from mgptn.experiments.cli import main
from mgptn.experiments.commands.training import read_recipe


def bundled(name):
    return LlamaForCausalLM.from_pretrained(find_checkpoint(name).folder, dtype=torch.float32)


def documents(config, length=40):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(config.vocab_size, (3, length), generator=generator)


def shape(**changes):
    """A rung's configuration with some of its numbers changed."""
    return LlamaConfig(**(llama_config(RUNGS["gpt-2"]).to_dict() | changes))


@pytest.mark.parametrize("rung", ["gpt-1", "gpt-2", "gpt-3", "gpt-4"])
def test_a_grown_model_computes_what_the_small_one_does(rung):
    """Logits of any tokens, to 1e-3 of the largest: rounding, and epsilons of norms."""
    small = bundled("gpt-1/0")
    large = grow(small, llama_config(RUNGS[rung]), seed=0)
    tokens = documents(small.config)
    with torch.no_grad():
        before, after = small(tokens).logits, large(tokens).logits
    assert torch.allclose(before, after, rtol=0, atol=1e-3 * float(before.abs().max()))


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": 192, "head_dim": 32},
        {"intermediate_size": 400},
        {"num_hidden_layers": 7},
        {"num_attention_heads": 6, "num_key_value_heads": 6, "head_dim": 32},
    ],
    ids=["width", "feed-forward", "layers", "heads"],
)
def test_every_dimension_grows_alone(changes):
    small = bundled("gpt-2/0")
    large = grow(small, shape(**changes), seed=0)
    tokens = documents(small.config)
    with torch.no_grad():
        before, after = small(tokens).logits, large(tokens).logits
    assert torch.allclose(before, after, rtol=0, atol=1e-3 * float(before.abs().max()))


def test_what_was_added_is_trained():
    """After a few steps of plain gradient descent every part of every matrix has moved."""
    small = bundled("gpt-1/0")
    model = grow(small, llama_config(RUNGS["gpt-2"]), seed=0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tokens = documents(small.config)
    for _ in range(4):
        logits = model(tokens).logits[:, :-1].flatten(0, 1)
        torch.nn.functional.cross_entropy(logits, tokens[:, 1:].flatten()).backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.1 * parameter.grad
                parameter.grad = None
    seen = torch.unique(tokens)
    for name, value in model.state_dict().items():
        moved = (value != before[name]).float()
        if "embed" in name:
            moved = moved[seen]
        assert moved.mean() > 0.9, name


def test_what_is_drawn_is_the_seeds():
    small, config = bundled("gpt-1/0"), llama_config(RUNGS["gpt-2"])
    first, again, other = (grow(small, config, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    drawn = "model.layers.0.mlp.up_proj.weight"
    assert not torch.equal(first[drawn], other[drawn])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hidden_size": 48, "head_dim": 32}, "hidden_size of at most 48, got 96"),
        ({"num_hidden_layers": 2}, "num_hidden_layers of at most 2, got 3"),
        ({"vocab_size": 99}, "vocab_size 99, got "),
        ({"num_key_value_heads": 1}, "a key of its own for every head"),
        ({"rope_parameters": {"rope_theta": 5.0, "rope_type": "default"}}, "rope_parameters"),
    ],
)
def test_what_does_not_fit_is_refused(changes, said):
    with pytest.raises(ValueError, match="grown_from: expected a model with") as caught:
        grow(bundled("gpt-2/0"), shape(**changes), seed=0)
    assert said in str(caught.value)


RECIPE = Recipe("gpt-2", seed=4, steps=8, documents=2, warm_up_steps=2, grown_from="gpt-1/0")


def test_a_grown_rung_is_trained_and_says_from_what(tmp_path):
    for _ in pretrain(RECIPE, tmp_path, device="cpu", compile_model=False, threads=1):
        pass
    made = json.loads((tmp_path / "training.json").read_text())
    assert made["grown_from"] == find_checkpoint("gpt-1/0").weights
    assert made["recipe"]["grown_from"] == "gpt-1/0"
    weights = load_file(tmp_path / "model.safetensors")
    assert weights["model.embed_tokens.weight"].shape[1] == RUNGS["gpt-2"].width
    assert float(weights["model.embed_tokens.weight"][:, 64:].abs().max()) > 0


@pytest.mark.slow
def test_a_grown_rung_carries_on_without_the_model_that_it_was(tmp_path):
    """The small model may be gone by then; the weights are the same bits as without a stop."""
    small = tmp_path / "small"
    shutil.copytree(find_checkpoint("gpt-1/0").folder, small)
    recipe = replace(RECIPE, grown_from=str(small))

    def trained(folder, steps):
        course = pretrain(
            recipe, folder, device="cpu", compile_model=False, threads=1,
            report_every=1, save_every=4,
        )  # fmt: skip
        for progress in course:
            if progress.step == steps:
                break

    trained(tmp_path / "whole", recipe.steps + 1)
    trained(tmp_path / "stopped", 4)
    hashed = find_checkpoint(str(small)).weights
    shutil.rmtree(small)
    trained(tmp_path / "stopped", recipe.steps + 1)
    one, other = (load_file(tmp_path / f / "model.safetensors") for f in ("whole", "stopped"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    made = json.loads((tmp_path / "stopped" / "training.json").read_text())
    assert made["grown_from"] == hashed


def refused(*arguments):
    result = CliRunner().invoke(main, ["pretrain", "--no-compile", *arguments])
    assert result.exit_code == 1, result.output
    return result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rung", "gpt-9"), "rung: expected one of gpt-1, gpt-2"),
        (("--rung", "gpt-2", "--grown-from", "gpt-0"), "grown_from: expected a bundled model"),
        (("--rung", "gpt-1", "--grown-from", "gpt-3/0"), "hidden_size of at most 64, got 128"),
        (("--rung", "gpt-1", "--set", "documens=3"), "expected one of documents, "),
        (("--rung", "gpt-1", "--set", "documents=x"), "documents: input should be a valid int"),
        (("--rung", "gpt-1", "--set", "documents=0"), "documents: expected at least 1, got 0"),
        (("--rung", "gpt-1", "--set", "curriculum=2"), "curriculum: expected a share"),
        (("--rung", "gpt-1", "--set", "seed=3"), "seed has an option"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused_before_anything_is_written(arguments, said, tmp_path):
    out = tmp_path / "model"
    assert said in " ".join(refused(*arguments, "--out", str(out)).split())
    assert not out.exists()


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe("gpt-3", seed=2),
        Recipe("gpt-1", seed=1, steps=7, skills="dense"),
        Recipe("gpt-4", grown_from="gpt-3/0", error_free_share=0.3, documents=4, steps=7200),
        RECIPE,
    ],
)
def test_the_command_of_a_recipe_makes_that_recipe(recipe):
    program, command, *words = shlex.split(training_command(recipe, Path("out folder")))
    assert (program, command) == ("mgptn", "pretrain")
    context = main.commands["pretrain"].make_context("pretrain", words)
    assert context.params["out"] == Path("out folder")
    options = {
        name: context.params[name] for name in ("rung", "seed", "steps", "skills", "grown_from")
    }
    given = {name: value for name, value in options.items() if value is not None}
    assert read_recipe(given, context.params["changes"]) == recipe
