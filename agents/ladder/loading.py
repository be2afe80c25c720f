"""Loading a checkpoint of a model that was trained here."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from mgptn.agents.content import read_json
from mgptn.agents.ladder.gpt2 import GPT2
from mgptn.agents.ladder.kinds import is_plain_gpt2, is_plain_llama
from mgptn.agents.ladder.llama import Llama
from mgptn.agents.ladder.model import OwnModel
from mgptn.agents.shards import CheckpointError, listed

WEIGHTS = "model.safetensors"


def load_own(folder: Path, dtype: torch.dtype) -> OwnModel | None:
    """A checkpoint's model; None where it is of no kind that is trained here.

    Raises
    ------
    CheckpointError
        If its weights are not those of its configuration.
    """
    config = read_json(folder / "config.json")
    if not (folder / WEIGHTS).is_file():
        return None
    model = _made(config)
    if model is None:
        return None
    numbers = load_file(folder / WEIGHTS)
    if "lm_head.weight" in model.all_tied_weights_keys:
        numbers.pop("lm_head.weight", None)
    named = dict(model.named_parameters())
    wrong = sorted(
        name
        for name in {*named, *numbers}
        if name not in named or name not in numbers or named[name].shape != numbers[name].shape
    )
    if wrong:
        raise CheckpointError(
            f"agents.model: expected weights of the shapes that {folder / 'config.json'} says, got "
            f"others or none for {listed(wrong)}"
        )
    cast = {name: tensor.to(dtype) for name, tensor in numbers.items()}
    model.load_state_dict(cast, strict=False, assign=True)
    model.tie_weights()
    return model


def _made(config: Mapping[str, Any]) -> OwnModel | None:
    """A model with any numbers."""
    if is_plain_llama(config):
        return Llama(config)
    return GPT2(config) if is_plain_gpt2(config) else None
