"""Products with a model's weights on a processor: how a matrix lies, how many outputs it has."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch.nn.functional import linear, pad

STRIDE_PADDING = 16
"""Numbers between a weight's columns: at a power of two they would share places in a cache."""

FEWEST_OUTPUTS = 16
"""A product of fewer is computed by kernels that take some rows by other instructions than others,
wherever they stand."""


def as_multiplied(weight: torch.Tensor) -> torch.Tensor:
    """The same matrix as it lies best in memory.

    On a CPU in float32 its columns stand side by side: few rows multiply faster so.
    """
    if weight.device.type != "cpu" or weight.dtype != torch.float32:
        return weight
    outputs, inputs = weight.shape
    room = weight.new_zeros(inputs, outputs + STRIDE_PADDING)
    room[:, :outputs] = weight.t()
    return room[:, :outputs].t()


def widen_outputs(model: Any) -> None:
    """Let a model's layers of few outputs compute more of them, which are thrown away."""
    for layer in model.modules():
        plain = isinstance(layer, torch.nn.Linear) and "forward" not in vars(layer)
        if plain and layer.out_features < FEWEST_OUTPUTS:
            layer.forward = partial(_widely, layer)


def _widely(layer: torch.nn.Linear, given: torch.Tensor) -> torch.Tensor:
    count = layer.out_features
    wide = pad(layer.weight, (0, 0, 0, FEWEST_OUTPUTS - count))
    out = linear(given, wide)[..., :count].contiguous()
    return out if layer.bias is None else out + layer.bias
