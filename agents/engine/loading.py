"""Loading a checkpoint whole: every weight of the model from its files, none of them made up.

transformers draws what a checkpoint lacks at random, and leaves out what it has too much of; here
both are refused by name. Which names a file's weights go by in a model is for transformers to say,
so it is asked, on a device without numbers where they are not needed yet.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from mgptn.agents.checkpoints import Checkpoint, CheckpointError
from mgptn.agents.shards import listed

_LAYER = re.compile(r"(.*?\.)\d+\.")


def load_whole(folder: Path, dtype: torch.dtype, **further: Any) -> Any:
    """A checkpoint's causal model.

    Parameters
    ----------
    further
        For transformers' `from_pretrained`.

    Raises
    ------
    CheckpointError
        If weights are missing, or of another shape than config.json says, or of layers that the
        model has not got; or if transformers knows no causal model of this kind.
    """
    from transformers import AutoModelForCausalLM  # only here: it is slow to import
    from transformers.utils import logging

    logging.disable_progress_bar()
    said = logging.get_verbosity()
    logging.set_verbosity_error()  # what is missing is said here, in one line
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation="eager",
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            **further,
        )
    except Exception as error:  # whatever transformers makes of files that anybody wrote
        if isinstance(error, MemoryError | RuntimeError):  # of the machine, not of the files
            raise
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise CheckpointError(
            f"agents.model: expected a causal model that this version of transformers loads, got "
            f"{folder}: {lines[0][:300]}"
        ) from error
    finally:
        logging.set_verbosity(said)
    model, found = loaded
    _check(model, found, folder)
    return model


def check_whole(checkpoint: Checkpoint) -> None:
    """Would all of a model's weights be loaded from a checkpoint? Nothing of them is read.

    Raises
    ------
    CheckpointError
        As of `load_whole`.
    """
    _check_once(checkpoint.folder, checkpoint.weights)


@lru_cache(maxsize=64)
def _check_once(folder: Path, weights: str) -> None:
    load_whole(folder, torch.float32, device_map="meta")


def _check(model: Any, found: Mapping[str, Any], folder: Path) -> None:
    if missing := sorted(found["missing_keys"]):
        raise CheckpointError(
            f"agents.model: expected every weight of {type(model).__name__} in {folder}, got none "
            f"for {listed(missing)}; without them its replies would be noise: is it another kind "
            "of model, or a part of one?"
        )
    if mismatched := sorted(found["mismatched_keys"]):
        name, got, expected = mismatched[0]
        raise CheckpointError(
            f"agents.model: expected weights of the shapes that {folder / 'config.json'} says, got "
            f"{name} of {tuple(got)} instead of {tuple(expected)}"
            + (f", and {len(mismatched) - 1} more" if len(mismatched) > 1 else "")
        )
    stacks = {match[1] for name, _ in model.named_parameters() if (match := _LAYER.match(name))}
    lost = sorted(
        name
        for name in found["unexpected_keys"]
        if name.endswith(".weight") and (match := _LAYER.match(name)) and match[1] in stacks
    )
    if lost:
        raise CheckpointError(
            f"agents.model: expected no layers beside those of {type(model).__name__} as "
            f"{folder / 'config.json'} says, got weights that it has no place for: {listed(lost)}"
        )
