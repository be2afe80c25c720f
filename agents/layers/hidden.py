"""What stands between a model's layers, looked at while it computes.

Hooks are there only for as long as somebody looks, and where a pass has been recorded, only while
it is: a model that nobody looks into has none.

Dimensions: R rows, W tokens of a row, E width of what is between layers, n places that are wanted.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

_LAYER = re.compile(r"(.*?\.\d+)\.")


class Watched:
    """A model's layers, which can be looked into.

    Parameters
    ----------
    layers
        How many it has.

    Raises
    ------
    ValueError
        If they cannot be told apart by their names.
    """

    def __init__(self, model: Any, layers: int) -> None:
        self._body: torch.nn.Module = model.base_model
        self._layers = _layers_of(model)
        if len(self._layers) != layers:
            raise ValueError(
                f"states.layers: expected a model with {layers} layers that have numbers in their "
                f"names, got {type(model).__name__}, which has {len(self._layers)}"
            )

    def check(self, layers: tuple[int, ...]) -> None:
        """Refuse layers, as of `mgptn.agents.requests.States`, that there are not.

        Raises
        ------
        ValueError
            Naming one.
        """
        last = len(self._layers)
        for layer in layers:
            if not 0 <= layer <= last:
                raise ValueError(f"states.layers: expected numbers from 0 to {last}, got {layer}")

    @contextmanager
    def looking(
        self, layers: tuple[int, ...], places: torch.Tensor
    ) -> Iterator[Callable[[], torch.Tensor]]:
        """Within, a pass is looked at; what is yielded tells what was seen, [layers, n, E].

        Parameters
        ----------
        places
            int64 [n], in R · W.
        """
        seen: dict[int, torch.Tensor] = {}

        def keep(layer: int, states: torch.Tensor) -> None:
            # A copy: some models add to what they are given.
            seen[layer] = states.flatten(0, -2).index_select(0, places)

        def before(layer: int) -> Callable[..., None]:
            return lambda _, args, named: keep(layer, args[0] if args else named["hidden_states"])

        def after(_: Any, __: Any, output: Any) -> None:
            keep(len(self._layers), output if isinstance(output, torch.Tensor) else output[0])

        with ExitStack() as hooks:
            for layer in set(layers):
                handle = (
                    self._body.register_forward_hook(after)
                    if layer == len(self._layers)
                    else self._layers[layer].register_forward_pre_hook(
                        before(layer), with_kwargs=True
                    )
                )
                hooks.callback(handle.remove)
            yield lambda: torch.stack([seen[layer] for layer in layers])


def _layers_of(model: Any) -> list[torch.nn.Module]:
    """Its layers, in their order."""
    modules = dict(model.named_modules())
    found: dict[str, int] = {}
    for name, module in modules.items():
        index, within = getattr(module, "layer_idx", None), _LAYER.match(name)
        if isinstance(index, int) and within is not None:
            found[within.group(1)] = index
    return [modules[name] for name in sorted(found, key=found.__getitem__)]
