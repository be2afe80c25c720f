"""What the machine itself can do: its rate of matrix products, and its memory's of being read."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SIDE = {"cpu": 1024, "cuda": 8192}
READ_BYTES = {"cpu": 2**28, "cuda": 2**32}
LOOKS = 5


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Floating-point operations a second of a large square product; bytes a second of a sum."""

    matmul: float
    bandwidth: float


def measure_ceiling(device: str, dtype: str) -> Ceiling:
    """The better of a few looks at each."""
    import torch

    side = SIDE[device]
    kind = getattr(torch, dtype)
    left, right = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))
    much = torch.ones(READ_BYTES[device] // 4, device=device)
    return Ceiling(
        matmul=2 * side**3 / fastest(lambda: left @ right, device),
        bandwidth=much.nbytes / fastest(much.sum, device),
    )


def synchronised(device: str) -> None:
    """Wait for what a GPU has been asked."""
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def fastest(work: Callable[[], Any], device: str) -> float:
    """Seconds of the fastest of a few looks, after one that does not count."""
    work()
    seconds = []
    for _ in range(LOOKS):
        synchronised(device)
        began = time.perf_counter()
        work()
        synchronised(device)
        seconds.append(time.perf_counter() - began)
    return min(seconds)
