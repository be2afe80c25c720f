"""Factors of low rank beside a model's weights (LoRA), and the files that hold numbers.

Dimensions: R rank, I inputs of a layer, O outputs.

Source
------
Hu et al. 2021, "LoRA: low-rank adaptation of large language models"; names as peft writes them.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from safetensors.torch import load, save

from mgptn.agents.requests import Lora
from mgptn.population.draws.streams import keyed_generator

Tensors = Mapping[str, torch.Tensor]

BEGINNING = "base_model.model."
"""What names in peft's files begin with."""

TRANSPOSED = "Conv1D"
"""How such layers are called: transformers is slow to import, and is not asked."""

ENDS = (".lora_A.weight", ".lora_B.weight")

SAID = "lora"
"""Under this, a file's metadata say what its tensors do not. One key: safetensors write several in
no fixed order."""


@dataclass(frozen=True, slots=True)
class Factors:
    """What is added to the weights of some linear layers: alpha/rank · B·A of each.

    Attributes
    ----------
    pairs
        Name of a layer → A float32 [R, I], B float32 [O, R].
    """

    rank: int
    alpha: int
    pairs: Mapping[str, tuple[torch.Tensor, torch.Tensor]]

    def tensors(self) -> dict[str, torch.Tensor]:
        """By the names that peft has for them."""
        return {
            f"{BEGINNING}{layer}{end}": tensor
            for layer, pair in sorted(self.pairs.items())
            for end, tensor in zip(ENDS, pair, strict=True)
        }

    @classmethod
    def of_tensors(cls, rank: int, alpha: int, tensors: Tensors) -> Factors:
        """The inverse of `tensors`.

        Raises
        ------
        ValueError
            If a layer has not both.
        """
        layers = sorted(
            name.removeprefix(BEGINNING).removesuffix(ENDS[0])
            for name in tensors
            if name.endswith(ENDS[0])
        )
        try:
            pairs = {
                layer: (
                    tensors[f"{BEGINNING}{layer}{ENDS[0]}"],
                    tensors[f"{BEGINNING}{layer}{ENDS[1]}"],
                )
                for layer in layers
            }
        except KeyError as error:
            raise ValueError(f"expected two factors a layer, got one without {error}") from None
        return cls(rank, alpha, pairs)

    def added_to(self, number: torch.Tensor, layer: str, *, transposed: bool) -> torch.Tensor:
        """A layer's weight with its factors' product, which is reckoned in float32.

        Parameters
        ----------
        number
            [O, I]; transposed [I, O], as of `Conv1D`.
        """
        a, b = (factor.to(number.device) for factor in self.pairs[layer])
        product = (b @ a) * (self.alpha / self.rank)
        return (number.float() + (product.t() if transposed else product)).to(number.dtype)


@dataclass(frozen=True, slots=True)
class Outfit:
    """What weights are, apart from a founder's own.

    Attributes
    ----------
    whole
        Parameters that differ, by name.
    factors
        What is added to those, and to the founder's own.
    """

    whole: Tensors
    factors: Factors | None = None

    @property
    def nbytes(self) -> int:
        """That its tensors take."""
        tensors = [*self.whole.values(), *(self.factors.tensors().values() if self.factors else ())]
        return sum(tensor.nbytes for tensor in tensors)

    def to_file(self) -> bytes:
        """As safetensors, equal for equal numbers; of factors alone it is a file of peft's."""
        tensors, factors = dict(self.whole), self.factors
        said = None
        if factors is not None:
            tensors |= factors.tensors()
            said = {SAID: json.dumps({"alpha": factors.alpha, "rank": factors.rank})}
        return save({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, said)

    @classmethod
    def of_file(cls, content: bytes) -> Outfit:
        """The inverse of `to_file`, which knows factors by their names.

        Raises
        ------
        ValueError
            If the file has factors, but does not say of which rank and alpha, or has half of them.
        """
        tensors = load(content)
        ours = {name: t for name, t in tensors.items() if name.endswith(ENDS)}
        if not ours:
            return cls(tensors)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        said = json.loads(header.get("__metadata__", {}).get(SAID, "{}"))
        if set(said) != {"rank", "alpha"}:
            raise ValueError(f"expected metadata with rank and alpha of factors, got {said}")
        whole = {name: t for name, t in tensors.items() if name not in ours}
        return cls(whole, Factors.of_tensors(said["rank"], said["alpha"], ours))


def is_transposed(layer: Any) -> bool:
    """Is a layer's weight [I, O], as of GPT-2's, transformers' or our own?"""
    return type(layer).__name__ == TRANSPOSED


def adapted_layers(model: Any, modules: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Linear layers that factors stand beside, by name in order: inputs and outputs.

    Parameters
    ----------
    model
        A transformers causal model.
    modules
        Names, or what follows a dot of them; none for all linear layers but the head.

    Raises
    ------
    ValueError
        If a name fits no linear layer, or one whose weight is another's too.
    """
    kind, head = type(model).__name__, model.get_output_embeddings()
    linear = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) or is_transposed(module)
    }
    if not modules:
        chosen = {name for name, module in linear.items() if module is not head}
    else:
        chosen = set()
        for wanted in modules:
            found = {name for name in linear if f".{name}".endswith(f".{wanted}")}
            if not found:
                there = ", ".join(sorted({name.rpartition(".")[2] for name in linear}))
                raise ValueError(
                    f"agents.learning.lora.modules: expected linear layers of {kind} ({there}), "
                    f"got {wanted!r}"
                )
            chosen |= found
    if not chosen:
        raise ValueError(
            f"agents.learning.lora.modules: expected linear layers beside the head, got {kind}, "
            "which has none"
        )
    homes = [id(p) for _, p in model.named_parameters(remove_duplicate=False)]
    for name in sorted(chosen):
        if homes.count(id(linear[name].weight)) > 1:
            raise ValueError(
                f"agents.learning.lora.modules: expected layers of {kind} with weights of their "
                f"own, got {name!r}, which shares its weight, as with the embeddings"
            )
    return {name: _shape(linear[name]) for name in sorted(chosen)}


def first_factors(model: Any, lora: Lora, key: tuple[int, int]) -> Factors:
    """Factors that add nothing yet: A as peft begins, drawn by a key, and B zero."""
    rng = keyed_generator(key)
    pairs = {}
    for name, (inputs, outputs) in adapted_layers(model, lora.modules).items():
        drawn = (2.0 * rng.random((lora.rank, inputs)) - 1.0) / inputs**0.5
        a = torch.from_numpy(drawn).float()
        pairs[name] = (a, torch.zeros(outputs, lora.rank))
    return Factors(lora.rank, lora.alpha, pairs)


def count_factors(model: Any, lora: Lora) -> int:
    """How many numbers factors have; errors as of `adapted_layers`."""
    return lora.rank * sum(map(sum, adapted_layers(model, lora.modules).values()))


def _shape(layer: Any) -> tuple[int, int]:
    """Inputs and outputs."""
    first, second = layer.weight.shape
    return (first, second) if is_transposed(layer) else (second, first)
