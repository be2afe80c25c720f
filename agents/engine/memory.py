"""How much memory a host needs, from a model's configuration and the lengths it will be asked.

It is checked before a run, so that a run does not end in the middle of a generation for want of it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mgptn.agents.allowance import available_memory
from mgptn.agents.checkpoints import Checkpoint, count_parameters
from mgptn.agents.engine.shapes import shape_of
from mgptn.agents.tiles import READ_TOKENS, TURNS, bucket, whole_rows

PREFIX_CACHE_BYTES = 256 * 2**20
"""Keys and values of prefixes that a host remembers."""

COLUMN_STEP = {"cpu": 16, "cuda": 128}
"""Slots have, and use, columns by so many: whole vectors of a processor, few graphs of a GPU."""

KEPT = {"cpu": 1, "cuda": 4}
"""Buffers of slots, and of prefixes on a GPU, that are held for the shapes that take turns."""

SHOWN_STEP = 128
"""On a GPU, prefixes are padded to a multiple of this many tokens, so that a graph serves many."""

CONTEXT_BYTES = 600 * 2**20
"""What CUDA itself takes of a GPU for each process on it, about."""

ITEM = {"float32": 4, "bfloat16": 2}

ACTIVATIONS = 16
"""Vectors of the model's width that a token takes while it goes through a layer, about: its
feed-forward layer's are some four times as wide."""

OVERHEAD = 1.25
"""What an allocator leaves lying."""


class MemoryShortageError(ValueError):
    """A host would need more memory than is free: says how much, and which setting to lower."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of the longest prefix, the longest row after one, and the longest answer."""

    prefix: int
    row: int
    answer: int


@dataclass(frozen=True, slots=True)
class Needed:
    """Bytes that a model takes of a host, about, beside the cache of prefixes.

    Attributes
    ----------
    kept
        For as long as the host lives.
    passing
        While the model is at work; a host's models work one at a time.
    """

    kept: int
    passing: int

    def __add__(self, other: Needed) -> Needed:
        return Needed(self.kept + other.kept, self.passing + other.passing)

    def at_most(self, other: Needed) -> Needed:
        """The greater of each."""
        return Needed(max(self.kept, other.kept), max(self.passing, other.passing))


NOTHING = Needed(0, 0)


def together(models: Iterable[Needed]) -> int:
    """Bytes of a host of some models, which share its cache of prefixes; 0 of none."""
    needs = list(models)
    if not needs:
        return 0
    passing = max(one.passing for one in needs)
    return sum(one.kept for one in needs) + passing + int(OVERHEAD * PREFIX_CACHE_BYTES)


def needed_bytes(
    checkpoint: Checkpoint, dtype: str, slots: int, lengths: Lengths, device: str
) -> Needed:
    """What a model takes of a host on a device, about.

    Slots × columns × layers × keys and values in every buffer that is kept, the prompts that wait
    for a slot, what is read at once with its logits, the prefix in use and its copies, and the
    weights.

    Raises
    ------
    mgptn.agents.checkpoints.CheckpointError
        If the configuration does not say a dimension.
    """
    shape, item = shape_of(checkpoint), ITEM[dtype]
    width, vocabulary = shape.width, shape.vocabulary
    state = 2 * shape.layers * shape.stored * shape.head * item
    row, answer, slots = bucket(lengths.row), bucket(lengths.answer), whole_rows(slots)
    read = max(slots * READ_TOKENS, row)
    weights = count_parameters(checkpoint.folder) * item
    kept = KEPT[device]
    shown = lengths.prefix if device == "cpu" else lengths.prefix + SHOWN_STEP
    lasting = (
        weights,
        kept * slots * (row + answer + max(COLUMN_STEP.values())) * state,
        (1 + kept) * shown * state,
    )
    passing = (
        TURNS * slots * row * state,
        read * (state + ACTIVATIONS * width * 4),
        3 * max(slots, read // row) * vocabulary * 8,
    )
    return Needed(int(OVERHEAD * sum(lasting)), int(OVERHEAD * sum(passing)))


def check_memory(needed: int, free: int, where: str, hosts: int = 1) -> None:
    """Is there room for some hosts?

    Raises
    ------
    MemoryShortageError
        If there is not.
    """
    if needed * hosts <= free:
        return
    several = f"{hosts} hosts of {needed / 1e9:.1f} GB each" if hosts > 1 else "a host"
    advice = "hosts.slots, hosts.count" if hosts > 1 else "hosts.slots"
    raise MemoryShortageError(
        f"hosts.slots: expected at least {needed * hosts / 1e9:.1f} GB free {where} for {several}, "
        f"got {free / 1e9:.1f} GB; lower {advice} or agents.context_capacity"
    )


def free_memory(device: str) -> int:
    """Bytes that a host on this machine may still take."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    return available_memory()
