"""Learning: a model's weights trained on documents, from what they were before."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mgptn.agents.learning.documents import Pages
from mgptn.agents.learning.factors import Factors, Outfit, adapted_layers, first_factors
from mgptn.agents.learning.lora import adapted
from mgptn.agents.learning.reading import load_to_learn
from mgptn.agents.learning.trainable import trainable_names
from mgptn.agents.learning.training import train
from mgptn.agents.learning.wardrobe import Wardrobe
from mgptn.agents.requests import Learn, Learned, Lora, Supply


class Learner:
    """Trains the weights of one model's copies, one after another, in float32.

    Each trains alone: what it learns does not depend on who else does. (Side by side, in batched
    products, they are not faster on a CPU but in small steps: see `mgptn bench learning`.)
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        model, own_masks = load_to_learn(folder, device)
        self._begin(model, own_masks)

    @classmethod
    def of_model(cls, model: Any) -> Learner:
        """Of a loaded model, which becomes the learner's."""
        made = cls.__new__(cls)
        made._begin(model)
        return made

    def _begin(self, model: Any, own_masks: bool = False) -> None:
        self._own_masks = own_masks
        # Dropout would be noise of a global generator's.
        self.model = model.eval().requires_grad_(False)
        self.device = next(model.parameters()).device
        self._wardrobe = Wardrobe(model)

    def learn(self, asked: Learn, supply: Supply | None) -> Learned:
        """Train; the weights are the request's before, and nobody's in particular after."""
        # What training leaves behind in the model is no weights that have a name.
        self._wardrobe.undress()
        if asked.lora is not None:
            return self._learn_factors(asked, asked.lora, supply)
        self._wardrobe.wear(asked.worn, supply)
        named = dict(self.model.named_parameters())
        chosen = [named[name] for name in trainable_names(self.model, asked.trainable)]
        losses = self._trained(asked, chosen)
        sound = _sound(losses, chosen)
        return self._learned(Outfit(self._changed()) if sound else None, losses)

    def _learn_factors(self, asked: Learn, lora: Lora, supply: Supply | None) -> Learned:
        """Train factors alone: those that are worn, or where there are none new ones."""
        begun = self._wardrobe.wear_beneath(asked.worn, supply)
        if begun is None:
            begun = first_factors(self.model, lora, asked.key)
        self._check(begun, lora)
        with adapted(self.model, begun) as trained:
            losses = self._trained(asked, trained.parameters)
            sound, ended = _sound(losses, trained.parameters), trained.factors()
        return self._learned(Outfit(self._changed(), ended) if sound else None, losses)

    def _trained(self, asked: Learn, parameters: list[torch.Tensor]) -> list[float]:
        return train(
            self.model, parameters, [pages_of(asked)], lambda step: asked.rate,
            own_masks=self._own_masks,
        )  # fmt: skip

    def _learned(self, outfit: Outfit | None, losses: list[float]) -> Learned:
        return Learned(None if outfit is None else outfit.to_file(), (losses[0], losses[-1]))

    def _changed(self) -> dict[str, torch.Tensor]:
        """What differs from the founder's own numbers."""
        return {
            name: tensor
            for name, tensor in self.model.named_parameters()
            if not torch.equal(tensor, self._wardrobe.founders_own(name))
        }

    def _check(self, factors: Factors, lora: Lora) -> None:
        """Refuse to train other factors than those that are asked for."""
        expected = (lora.rank, lora.alpha, sorted(adapted_layers(self.model, lora.modules)))
        got = (factors.rank, factors.alpha, sorted(factors.pairs))
        if got != expected:
            raise ValueError(
                f"agents.learning.lora: expected weights with factors of rank, alpha and layers "
                f"{expected}, got {got}"
            )


def _sound(losses: list[float], trained: list[torch.Tensor]) -> bool:
    """Is all a number?"""
    return all(map(math.isfinite, losses)) and all(bool(p.isfinite().all()) for p in trained)


def pages_of(asked: Learn) -> Pages:
    """The documents of a request."""
    steps, documents, _ = asked.shape
    return Pages(
        np.frombuffer(asked.tokens, dtype=np.int32).reshape(asked.shape),
        np.frombuffer(asked.taught, dtype=np.uint8).reshape(asked.shape),
        np.frombuffer(asked.offsets, dtype=np.int32).reshape(steps, documents),
    )
