"""How a model that learns reads documents: by which attention, and with whose masks.

Fast attention leaves out what some models ask for, as a cap on scores, and a mask that is given
whole is taken for every layer's, windows or not; so what is chosen is held against the model's own
plain attention.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from mgptn.agents.checkpoints import CheckpointError
from mgptn.agents.engine.probing import (
    FAILURES,
    FAITHFUL,
    LONG,
    Probe,
    check_causal,
    narrowed,
    probe,
    text_of,
)

FAST, PLAIN = "sdpa", "eager"
"""transformers' names of attention."""


def logits_of(
    model: Any, tokens: torch.Tensor, places: torch.Tensor, *, own_masks: bool
) -> torch.Tensor:
    """Logits [B, W, V] of documents int64 [B, W] at places [B, W].

    Parameters
    ----------
    own_masks
        Let the model make its masks, and count places itself.
    """
    given: dict[str, Any]
    if own_masks:
        given = {"attention_mask": torch.ones_like(tokens)}
    else:
        width = tokens.shape[1]
        # Given whole: transformers would take places that begin anew for texts side by side.
        mask = torch.full((1, 1, width, width), -torch.inf, device=tokens.device).triu(1)
        given = {"position_ids": places, "attention_mask": mask}
    logits: torch.Tensor = model(input_ids=tokens, use_cache=False, **given).logits
    return logits


def load_to_learn(folder: Path, device: torch.device) -> tuple[Any, bool]:
    """A checkpoint's model in float32, and whether it has to make its own masks.

    Raises
    ------
    CheckpointError
        If it reads a document otherwise than its text, however it is asked.
    """
    try:
        plain = _load(folder, PLAIN).to(device).eval().requires_grad_(False)
    except (ValueError, ImportError) as error:
        raise CheckpointError(
            f"agents.learning: expected a model that can learn, got {folder}: {error}"
        ) from error
    with narrowed(plain), torch.inference_mode():
        known = probe(plain, text_of(plain, LONG))
        check_causal(plain, known, str(folder))
    for attention in (FAST, PLAIN):
        # Loaded anew: not every model changes its attention when it is told to.
        try:
            loaded = plain if attention == PLAIN else _load(folder, attention)
        except (ValueError, ImportError):  # a model that has no fast attention
            continue
        loaded = loaded.to(device).eval().requires_grad_(False)
        for own_masks in (False, True):
            if _agrees(loaded, known, own_masks):
                return loaded, own_masks
    raise CheckpointError(
        f"agents.learning: expected a model that reads a document as it reads a text, got "
        f"{folder}, whose {type(plain).__name__} does not"
    )


def _load(folder: Path, attention: str) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.float32,
        attn_implementation=attention,
        trust_remote_code=False,
        use_safetensors=True,
        local_files_only=True,
    )


def _agrees(model: Any, known: Probe, own_masks: bool) -> bool:
    """Of a text longer than any window, are logits those of plain attention?"""
    places = torch.arange(known.tokens.shape[1], device=known.tokens.device).unsqueeze(0)
    with narrowed(model), torch.inference_mode():
        try:
            found = logits_of(model, known.tokens, places, own_masks=own_masks)
        except FAILURES:
            return False
        return known.missed(0, found[0]) <= FAITHFUL
