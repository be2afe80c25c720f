"""Training factors of low rank with peft, which is imported when this is asked for."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from mgptn.agents.learning.factors import Factors, first_factors, is_transposed
from mgptn.agents.requests import Lora
from mgptn.agents.shards import listed


class Adapted:
    """A model with factors beside some of its weights, made by `adapted`.

    Attributes
    ----------
    parameters
        The factors themselves, to be trained in place.
    """

    def __init__(self, wrapped: Any, factors: Factors) -> None:
        self._wrapped, self._begun = wrapped, factors
        self.parameters = [p for p in wrapped.parameters() if p.requires_grad]

    def factors(self) -> Factors:
        """As they are now; later training does not change them."""
        from peft import get_peft_model_state_dict

        named = get_peft_model_state_dict(self._wrapped, save_embedding_layers=False)
        copies = {name: tensor.detach().cpu().clone() for name, tensor in named.items()}
        return Factors.of_tensors(self._begun.rank, self._begun.alpha, copies)


@contextmanager
def adapted(model: Any, factors: Factors) -> Iterator[Adapted]:
    """A model that is trained in factors alone; within, its passes go through them.

    Raises
    ------
    ValueError
        If peft trains other layers than these.
    """
    from peft import set_peft_model_state_dict

    with torch.inference_mode(False), _wrapped(model, factors) as wrapped:
        copies = {name: tensor.clone() for name, tensor in factors.tensors().items()}
        set_peft_model_state_dict(wrapped, copies, low_cpu_mem_usage=True)
        yield Adapted(wrapped, factors)


def check_adapted(model: Any, lora: Lora) -> None:
    """Does peft train just the layers that are asked for? Seen by a model's outline.

    Raises
    ------
    ValueError
        If it does not: of some mixtures of experts it takes the experts along, and some layers of
        recurrences it refuses.
    """
    with torch.inference_mode(False), _wrapped(model, first_factors(model, lora, (0, 0))):
        pass


@contextmanager
def _wrapped(model: Any, factors: Factors) -> Iterator[Any]:
    """A model with factors beside its weights that have no numbers yet."""
    from peft import LoraConfig, get_peft_model

    layers = dict(model.named_modules())
    expected = f"agents.learning.lora.modules: expected layers of {type(model).__name__} that peft "
    config = LoraConfig(
        r=factors.rank,
        lora_alpha=factors.alpha,
        target_modules=[*factors.pairs],
        lora_dropout=0.0,
        bias="none",
        fan_in_fan_out=any(is_transposed(layers[name]) for name in factors.pairs),
        init_lora_weights=False,
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # What peft still asks of newer releases of transformers.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            # Made without numbers, so that nothing is drawn of a global generator.
            wrapped: Any = get_peft_model(model, config, low_cpu_mem_usage=True)
        except ValueError as error:
            raise ValueError(f"{expected}can train, got: {error}") from error
    try:
        names = {name for name, layer in wrapped.named_modules() if hasattr(layer, "lora_A")}
        got = {name.removeprefix("base_model.model.") for name in names}
        if further := sorted(got - set(factors.pairs)):
            raise ValueError(
                f"{expected}trains as they are, got ones with which it trains {listed(further)} "
                "too; name layers that have no such experts beside them"
            )
        yield wrapped
    finally:
        wrapped.unload()
