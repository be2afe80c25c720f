"""How many rows are computed where some are needed, so that a row has its bits in any company.

Kernels of a processor compute what is left over by other instructions: of a product's rows those
beyond whole fours, of an array's numbers those beyond whole turns of a loop over vectors. Where
nothing is left over, a row's bits depend neither on its place nor on how many rows there are; so
that a batch need have no more rows than it has something to compute for, in whole units.

Dimensions: M rows, K inputs, N outputs.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import gcd, lcm
from typing import Any

import torch
from torch.nn.functional import pad

from mgptn.agents.layers.kernels import over
from mgptn.agents.tiles import LEAST_ROWS

EIGHTHS = 8
"""A batch has as many rows as so many parts of a full one: each number of rows is recorded anew."""

KEYS = 16
"""Keys by so many are whole vectors: further ones, if they are hidden, add exact zeros."""

TRIED = (4, 8, 12, 36, 64, 100, 252)
"""Numbers of rows that kernels are held to, each against all of the last."""

TRIED_KEYS = (5, 64, 161, 520)
"""Keys of a prefix for as many rows."""

MOST_OUTPUTS = 2**13
"""Of a matrix that is tried with all numbers of rows; a larger one takes long."""


def turn(dtype: torch.dtype) -> int:
    """Numbers of a turn of a processor's loops over arrays: two of its vectors."""
    wide = 32 if torch.backends.cpu.get_cpu_capability() != "AVX2" else 16
    return wide * 4 // dtype.itemsize


def wholly(
    function: Callable[[torch.Tensor], torch.Tensor], given: torch.Tensor, rows: int = 1
) -> torch.Tensor:
    """A function of each number of an array [..., N], computed without anything left over.

    Parameters
    ----------
    rows
        Of which there are whole multiples of: then fewer numbers need be added to each.
    """
    if given.device.type != "cpu":
        return function(given)
    step = max(1, turn(given.dtype) // rows)
    count = given.shape[-1]
    spare = -count % step
    return function(pad(given, (0, spare)))[..., :count] if spare else function(given)


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows of a model are computed where some are needed.

    Attributes
    ----------
    unit
        Tokens by so many leave nothing over, in any of the model's layers.
    any_number
        Is it known that a row's bits do not show how many units there are? Otherwise a batch is as
        full as the plan has it.
    any_block
        Is it known that a token's bits do not show how long its block is? Otherwise blocks are
        whole.
    """

    unit: int = LEAST_ROWS
    any_number: bool = False
    any_block: bool = False

    def height(self, most: int, needed: int, width: int = 1) -> int:
        """Rows of a width to compute for the `needed` of them, where `most` are a full batch."""
        if (most == 1 and width % self.unit == 0) or most * width == 1:
            return most  # it has but one place
        step = self.unit // gcd(width, self.unit)
        full = -(-most // step) * step
        if not self.any_number or full < LEAST_ROWS:
            return full
        step = max(step, full // EIGHTHS // step * step)
        return min(full, max(LEAST_ROWS, -(-needed // step) * step))

    def block(self, size: int, tokens: int) -> int:
        """Positions in which a prefix's block of some tokens is computed, of `size` at most."""
        step = self.block_step
        if not self.any_block or size % step:
            return size
        return -(-tokens // step) * step

    @property
    def block_step(self) -> int:
        """By what blocks may be longer."""
        return lcm(self.unit, KEYS)


def unit_of(model: Any, dtype: torch.dtype, further: Iterable[int] = ()) -> int:
    """Tokens by which no layer of a model leaves anything over on a processor.

    Parameters
    ----------
    further
        Widths beside those of its weights.
    """
    head = model.get_output_embeddings()
    # Two threads take half an array each; what more of them take has no such measure.
    whole = turn(dtype) * min(2, torch.get_num_threads())
    widths = set(further)
    for module in model.modules():
        # Tokens and places that are looked up, and tokens that are told: not what a layer computes.
        only = (
            slice(-1, None)
            if isinstance(module, torch.nn.Embedding) or module is head
            else slice(-2, None)
        )
        for weight in module.parameters(recurse=False):
            widths.update(weight.shape[only])
        width = getattr(module, "head_dim", None)
        if isinstance(width, int):
            widths.add(width)
        if "inv_freq" in dict(module.named_buffers(recurse=False)):
            widths.add(2 * module.inv_freq.shape[-1])
    return lcm(LEAST_ROWS, *(whole // gcd(width, whole) for width in widths if width > 1))


def rows_stand_alone(model: Any, heads: int, width: int) -> bool:
    """Do the kernels that a model's products and attention take give a row the same bits at any
    place, however many there are?

    Each shape of a matrix is tried once, on numbers that do not matter.

    Parameters
    ----------
    heads, width
        Of keys and values.
    """
    draws = torch.Generator().manual_seed(0)
    dtype = next(model.parameters()).dtype

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draws).to(dtype)

    def alike(function: Callable[[torch.Tensor], torch.Tensor], given: torch.Tensor) -> bool:
        """Of rows [M, ·]: at any place, among fewer."""
        known, most = function(given), len(given)
        for i, count in enumerate(c for c in TRIED if c <= most):
            here = (torch.arange(count) + (most - count) // 2 + i) % most
            if not torch.equal(function(given[here]), known[here]):
                return False
        return True

    tried: set[tuple[int, ...]] = set()
    for layer in model.modules():
        if not isinstance(layer, torch.nn.Linear) or tuple(layer.weight.shape) in tried:
            continue
        tried.add(tuple(layer.weight.shape))
        most = TRIED[-1] if layer.out_features <= MOST_OUTPUTS else TRIED[2]
        if not alike(layer.forward, drawn(most, layer.in_features)):
            return False
    for keys in TRIED_KEYS:
        key, value = drawn(2, 1, heads, keys, width).unbind()

        def attended(
            rows: torch.Tensor, key: torch.Tensor = key, value: torch.Tensor = value
        ) -> torch.Tensor:
            query = rows.view(1, len(rows), heads, width).transpose(1, 2)
            out, log = over(query, key, value, None)
            return torch.cat([out, log.unsqueeze(-1)], dim=-1)[0]

        if not alike(attended, drawn(TRIED[-1], heads * width)):
            return False
    return True
