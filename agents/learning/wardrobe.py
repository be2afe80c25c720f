"""One loaded model and the many weights that it can wear, one after another.

Weights are put on in place: what was recorded of the model's passes works on the same memory.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from safetensors.torch import load

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.agents.requests import Supply
from mgptn.population.draws.streams import keyed_generator
from mgptn.population.records.weights import Weights

Tensors = Mapping[str, torch.Tensor]

HELD_BYTES = 512 * 2**20
"""Numbers of changed weights that are remembered; beyond, those not worn for longest go."""


class Wardrobe:
    """The weights of one model, and what it wears.

    Parameters
    ----------
    model
        Whose parameters are changed in place. As it is now, it wears its founder's own.
    """

    def __init__(self, model: Any, held_bytes: int = HELD_BYTES) -> None:
        self._live: dict[str, torch.Tensor] = dict(model.named_parameters())
        self._own: dict[str, torch.Tensor] = {}
        self._changed: OrderedDict[str, Tensors] = OrderedDict()
        self._limit = held_bytes
        self._worn: str | None = ""

    def undress(self) -> None:
        """Know no longer what is worn, as after the live weights were changed elsewhere."""
        if not self._own:
            self._own = {name: tensor.detach().clone() for name, tensor in self._live.items()}
        self._worn = None

    def wear(self, worn: Weights | None, supply: Supply | None) -> None:
        """Put weights on; None for the founder's own.

        Raises
        ------
        ValueError
            If the numbers are not of this model, or cannot be had.
        """
        digest = "" if worn is None else worn.digest()
        if digest == self._worn:
            return
        if not self._own:
            self._own = {name: tensor.detach().clone() for name, tensor in self._live.items()}
        numbers = self.numbers(worn, supply)
        with torch.no_grad():
            for name, tensor in self._live.items():
                tensor.copy_(numbers.get(name, self._own[name]))
        self._worn = digest

    def numbers(self, worn: Weights | None, supply: Supply | None) -> Tensors:
        """Of weights, what differs from the founder's own: name → tensor."""
        if worn is None:
            return {}
        digest = worn.digest()
        if digest not in self._changed:
            self._changed[digest] = self._made(worn, supply)
            held = sum(_bytes(numbers) for numbers in self._changed.values())
            while held > self._limit and len(self._changed) > 1:
                held -= _bytes(self._changed.popitem(last=False)[1])
        self._changed.move_to_end(digest)
        return self._changed[digest]

    def founders_own(self, name: str) -> torch.Tensor:
        """A parameter as the founder has it."""
        return self._own.get(name, self._live[name])

    def _made(self, worn: Weights, supply: Supply | None) -> Tensors:
        if worn.step == "learned":
            if supply is None:
                raise ValueError(f"weights {worn.content}: expected their numbers, got nothing")
            numbers = load(supply(worn.content))
            self._check(numbers, worn)
            return numbers
        first = self._whole(worn.sources[0], supply)
        if worn.step == "noise":
            return _disturbed(first, worn)
        second = self._whole(worn.sources[1], supply, worn.other_founder)
        return {
            name: torch.lerp(tensor, second[name].to(tensor), worn.scale)
            for name, tensor in first.items()
        }

    def _whole(self, worn: Weights | None, supply: Supply | None, founder: str = "") -> Tensors:
        """All numbers of weights, of another founder's checkpoint if one is named."""
        own: Tensors = {name: self.founders_own(name) for name in self._live}
        if founder:
            own = _loaded(founder)
            self._check(own, founder)
        return {**own, **self.numbers(worn, supply)}

    def _check(self, numbers: Tensors, source: Weights | str) -> None:
        for name, tensor in numbers.items():
            live = self._live.get(name)
            if live is None or live.shape != tensor.shape:
                said = source if isinstance(source, str) else f"weights {source.content}"
                raise ValueError(
                    f"{said}: expected numbers of this model, got {name} of shape "
                    f"{tuple(tensor.shape)}"
                )


def _bytes(numbers: Tensors) -> int:
    return sum(tensor.nbytes for tensor in numbers.values())


def _disturbed(numbers: Tensors, worn: Weights) -> Tensors:
    """With normal noise added, drawn in the order of names, so that a key says it all."""
    rng = keyed_generator(worn.key)
    found = {}
    for name in sorted(numbers):
        tensor = numbers[name]
        drawn = rng.standard_normal(tensor.numel(), dtype=np.float32) * np.float32(worn.scale)
        noise = torch.from_numpy(drawn).view(tensor.shape)
        found[name] = (tensor.float() + noise.to(tensor.device)).to(tensor.dtype)
    return found


def _loaded(founder: str) -> Tensors:
    """A checkpoint's parameters by the names that the model has for them."""
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(
        find_checkpoint(founder).folder, trust_remote_code=False, use_safetensors=True,
        local_files_only=True,
    )  # fmt: skip
    return {name: tensor.detach() for name, tensor in model.named_parameters()}
