"""One loaded model and the many weights that it can wear, one after another.

Weights are put on in place: what was recorded of the model's passes works on the same memory.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Any

import numpy as np
import torch

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.agents.learning.factors import Factors, Outfit, Tensors, is_transposed
from mgptn.agents.learning.memory import HELD_BYTES
from mgptn.agents.requests import Supply
from mgptn.population.draws.streams import keyed_generator
from mgptn.population.records.weights import Weights


class Wardrobe:
    """The weights of one model, and what it wears.

    Parameters
    ----------
    model
        Whose parameters are changed in place. As it is now, it wears its founder's own.
    """

    def __init__(self, model: Any, held_bytes: int = HELD_BYTES) -> None:
        named: dict[str, torch.Tensor] = dict(model.named_parameters())
        self._tied = _tied(model, named)
        self._live = {name: p for name, p in named.items() if name not in self._tied}
        self._also = {name: named[name] for name in self._tied}
        self._transposed = {n for n, layer in model.named_modules() if is_transposed(layer)}
        self._own: dict[str, torch.Tensor] = {}
        self._held: OrderedDict[str, Outfit] = OrderedDict()
        self._limit = held_bytes
        self._worn: str | None = ""

    def undress(self) -> None:
        """Know no longer what is worn, as after the live weights were changed elsewhere."""
        self._keep_own()
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
        self._keep_own()
        self._put_on(self._outfit(worn, supply))
        self._worn = digest

    def wear_beneath(self, worn: Weights | None, supply: Supply | None) -> Factors | None:
        """Put on what weights are without their factors, and return these.

        Raises
        ------
        ValueError
            As of `wear`.
        """
        self._keep_own()
        outfit = self._outfit(worn, supply)
        self._put_on(Outfit(outfit.whole))
        self._worn = None
        return outfit.factors

    def numbers(self, worn: Weights | None, supply: Supply | None) -> Tensors:
        """Of weights, what differs from the founder's own: name → tensor, factors added."""
        outfit = self._outfit(worn, supply)
        added = {} if outfit.factors is None else outfit.factors.pairs
        names = {*outfit.whole, *map(_weight_of, added)}
        own = self._owned()
        return {name: self._number(name, outfit, own) for name in own if name in names}

    def founders_own(self, name: str) -> torch.Tensor:
        """A parameter as the founder has it."""
        return self._own.get(name, self._live[name])

    def _keep_own(self) -> None:
        """Before the live weights change for the first time."""
        if not self._own:
            self._own = {name: tensor.detach().clone() for name, tensor in self._live.items()}

    def _owned(self, founder: str = "") -> Tensors:
        """All numbers of the founder, or of another's checkpoint if one is named."""
        if not founder:
            return {name: self.founders_own(name) for name in self._live}
        own = _loaded(founder)
        self._check(Outfit(own), founder)
        return own

    def _put_on(self, outfit: Outfit) -> None:
        own = self._owned()
        with torch.no_grad():
            for name, tensor in self._live.items():
                tensor.copy_(self._number(name, outfit, own))
            for name, tensor in self._also.items():
                tensor.copy_(self._live[self._tied[name]])

    def _number(self, name: str, outfit: Outfit, own: Tensors) -> torch.Tensor:
        """A parameter with what is added to it."""
        number, factors = outfit.whole.get(name, own[name]), outfit.factors
        layer = name.removesuffix(_weight_of(""))
        if factors is None or layer not in factors.pairs:
            return number
        here = number.to(self._live[name].device)
        return factors.added_to(here, layer, transposed=layer in self._transposed)

    def _outfit(self, worn: Weights | None, supply: Supply | None, founder: str = "") -> Outfit:
        """Of weights that descend from this founder, or from another if one is named."""
        if worn is None:
            return Outfit({})
        digest = worn.digest()
        if digest not in self._held:
            self._held[digest] = self._made(worn, supply, founder)
            held = sum(outfit.nbytes for outfit in self._held.values())
            while held > self._limit and len(self._held) > 1:
                held -= self._held.popitem(last=False)[1].nbytes
        self._held.move_to_end(digest)
        return self._held[digest]

    def _made(self, worn: Weights, supply: Supply | None, founder: str) -> Outfit:
        if worn.step == "learned":
            if supply is None:
                raise ValueError(f"weights {worn.content}: expected their numbers, got nothing")
            try:
                outfit = Outfit.of_file(supply(worn.content))
            except ValueError as error:
                raise ValueError(f"weights {worn.content}: {error}") from None
            self._check(outfit, f"weights {worn.content}")
            return outfit
        first = self._whole(worn.sources[0], supply, founder)
        if worn.step == "noise":
            return Outfit(_disturbed(first, worn))
        second = self._whole(worn.sources[1], supply, worn.other_founder or founder)
        mixed = {n: torch.lerp(t, second[n].to(t), worn.scale) for n, t in first.items()}
        return Outfit(mixed)

    def _whole(self, worn: Weights | None, supply: Supply | None, founder: str) -> Tensors:
        """All numbers of weights, factors added, of this founder or of one that is named."""
        own, outfit = self._owned(founder), self._outfit(worn, supply, founder)
        return {name: self._number(name, outfit, own) for name in own}

    def _check(self, outfit: Outfit, source: str) -> None:
        """Refuse numbers of another model."""
        shapes: dict[str, tuple[int, ...]] = {
            name: tuple(tensor.shape) for name, tensor in outfit.whole.items()
        }
        for layer, (a, b) in outfit.factors.pairs.items() if outfit.factors else ():
            outputs, inputs = len(b), a.shape[1]
            turned = layer in self._transposed
            shapes[_weight_of(layer)] = (inputs, outputs) if turned else (outputs, inputs)
        for name, shape in shapes.items():
            live = self._live.get(name)
            if live is None or tuple(live.shape) != shape:
                raise ValueError(
                    f"{source}: expected numbers of this model, got {name} of shape {shape}"
                )


def _weight_of(layer: str) -> str:
    return f"{layer}.weight"


def _tied(model: Any, named: Collection[str]) -> dict[str, str]:
    """Parameters that are others' twins, as a head is of embeddings, and whose.

    To transformers they are one; the engine lays a head out anew, and then they are two.
    """
    said: dict[str, str] = getattr(model, "all_tied_weights_keys", None) or {}
    return {name: twin for name, twin in said.items() if name in named and twin in named}


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
