"""Buffers and records that a host keeps: few, and what was recorded of a buffer goes with it."""

# SPDX-License-Identifier: Apache-2.0

import torch

from mgptn.agents.engine import recording
from mgptn.agents.engine.buffers import Buffers
from mgptn.agents.engine.recording import Traced


def test_the_buffer_unused_for_longest_goes_first_and_is_told_of():
    gone: list[torch.Tensor] = []
    buffers = Buffers(2, gone.append)
    a, b = (buffers.get(key, lambda: (torch.zeros(1),)) for key in "ab")
    assert buffers.get("a", lambda: ()) is a
    buffers.get("c", lambda: (torch.zeros(1),))
    assert len(buffers) == 2
    assert [t.data_ptr() for t in gone] == [b[0].data_ptr()]
    assert buffers.get("a", lambda: ()) is a


def test_traces_and_the_shapes_they_are_trusted_in_are_bounded(monkeypatch):
    monkeypatch.setattr(recording, "TRACES", 2)
    monkeypatch.setattr(recording, "SHAPES", 5)
    # A trace holds the size that it was made with, so that each shape needs one of its own.
    traced = Traced(lambda x: (x * int(x.shape[0]),))
    for _ in range(2):
        for size in range(1, 12):
            (given,) = traced(torch.ones(size), key=size)
            assert torch.equal(given, torch.full((size,), float(size)))
    assert len(traced._traces) <= 2
    assert len(traced._trusted) <= 5
