"""Weights that have changed, as folders for others: a checkpoint, or what peft loads."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM
from transformers.utils.logging import disable_progress_bar

from mgptn.agents.checkpoints import Checkpoint
from mgptn.agents.content import GENERATION, TOKENIZER, behaviour_files
from mgptn.agents.files import folder_made_whole, write_whole
from mgptn.agents.learning.factors import Outfit, is_transposed
from mgptn.agents.learning.trainable import outline
from mgptn.agents.learning.wardrobe import Wardrobe
from mgptn.agents.requests import Supply
from mgptn.population.records.weights import Weights

FURTHER = (*TOKENIZER, GENERATION)
"""Files of a checkpoint that are taken along as they are, where it has them, beside those that
decide its behaviour."""


class ExportError(ValueError):
    """Weights that cannot be written as is asked for."""


def write_checkpoint(
    out: Path, checkpoint: Checkpoint, worn: Weights | None, supply: Supply, dtype: str
) -> None:
    """A folder that transformers loads: a founder's files, with what became of its weights.

    Parameters
    ----------
    dtype
        Of the weights: what hosts answered in, so that they are what was worn.

    Raises
    ------
    mgptn.agents.files.TakenError
        If there is something already.
    """
    disable_progress_bar()
    with folder_made_whole(out) as folder:
        model: Any = AutoModelForCausalLM.from_pretrained(
            checkpoint.folder, dtype=getattr(torch, dtype), trust_remote_code=False,
            use_safetensors=True, local_files_only=True,
        )  # fmt: skip
        Wardrobe(model).wear(worn, supply)
        model.save_pretrained(folder)
        taken = [checkpoint.folder / name for name in FURTHER]
        for path in (*taken, *behaviour_files(checkpoint.folder)):
            if path.exists():
                place = folder / path.relative_to(checkpoint.folder)
                place.parent.mkdir(exist_ok=True)
                shutil.copyfile(path, place)


def write_adapter(out: Path, checkpoint: Checkpoint, content: bytes) -> None:
    """A folder that peft loads: a file of factors as it is, and what peft asks to know of it.

    Raises
    ------
    mgptn.agents.files.TakenError
        If there is something already.
    ExportError
        If the file has not factors alone.
    """
    outfit = Outfit.of_file(content)
    if outfit.factors is None or outfit.whole:
        raise ExportError(
            f"--adapter: expected weights of factors alone, as agents.learning.method lora makes "
            f"them, got {len(outfit.whole)} whole parameters; without --adapter they are merged"
        )
    layers = dict(outline(checkpoint.folder).named_modules())
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": _base(checkpoint),
        "r": outfit.factors.rank,
        "lora_alpha": outfit.factors.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": sorted(outfit.factors.pairs),
        "fan_in_fan_out": any(is_transposed(layers[name]) for name in outfit.factors.pairs),
        "inference_mode": True,
    }
    with folder_made_whole(out) as folder:
        text = json.dumps(config, indent=2) + "\n"
        (folder / "adapter_config.json").write_text(text, encoding="utf-8")
        write_whole(folder / "adapter_model.safetensors", lambda file: file.write(content))


def _base(checkpoint: Checkpoint) -> str:
    """What transformers finds a founder by: a hub's name, or its folder."""
    fetched = "snapshots" in checkpoint.folder.parts and not Path(checkpoint.name).is_dir()
    return checkpoint.name if fetched else str(checkpoint.folder.resolve())
