"""Learning: a model's weights trained on documents, from what they were before."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from transformers import AutoModelForCausalLM

from mgptn.agents.learning.documents import Pages
from mgptn.agents.learning.trainable import trainable_names
from mgptn.agents.learning.training import train
from mgptn.agents.learning.wardrobe import Wardrobe
from mgptn.agents.requests import Learn, Learned, Supply


class Learner:
    """Trains the weights of one model's copies, one after another, in float32.

    Each trains alone: what it learns does not depend on who else does. (Side by side, in batched
    products, they are not faster on a CPU but in small steps: see `mgptn bench learning`.)
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.float32,
            attn_implementation="sdpa",
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
        )
        self._begin(model.to(device))

    @classmethod
    def of_model(cls, model: Any) -> Learner:
        """Of a loaded model, which becomes the learner's."""
        made = cls.__new__(cls)
        made._begin(model)
        return made

    def _begin(self, model: Any) -> None:
        # Dropout would be noise of a global generator's.
        self.model = model.eval().requires_grad_(False)
        self.device = next(model.parameters()).device
        self._wardrobe = Wardrobe(model)

    def learn(self, asked: Learn, supply: Supply | None) -> Learned:
        """Train; the weights are the request's before, and nobody's in particular after."""
        # What training leaves behind in the model is no weights that have a name.
        self._wardrobe.undress()
        self._wardrobe.wear(asked.worn, supply)
        named = dict(self.model.named_parameters())
        chosen = [named[name] for name in trainable_names(self.model, asked.trainable)]
        losses = train(self.model, chosen, [pages_of(asked)], lambda step: asked.rate)
        ends = (losses[0], losses[-1])
        if not all(map(math.isfinite, losses)) or not all(p.isfinite().all() for p in chosen):
            return Learned(None, ends)
        return Learned(self._written(named), ends)

    def _written(self, named: dict[str, Any]) -> bytes:
        """What differs from the founder's own numbers, as a file."""
        changed = {
            name: tensor.detach().cpu().contiguous()
            for name, tensor in named.items()
            if not torch.equal(tensor, self._wardrobe.founders_own(name))
        }
        return save(changed)


def pages_of(asked: Learn) -> Pages:
    """The documents of a request."""
    steps, documents, _ = asked.shape
    return Pages(
        np.frombuffer(asked.tokens, dtype=np.int32).reshape(asked.shape),
        np.frombuffer(asked.taught, dtype=np.uint8).reshape(asked.shape),
        np.frombuffer(asked.offsets, dtype=np.int32).reshape(steps, documents),
    )
