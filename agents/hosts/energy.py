"""What a graphics card has used, by its own counter; a processor has none that anybody may read."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

ReadMillijoules = Callable[[], int]
"""Energy of the whole card since its driver was loaded, in millijoules."""


def energy_counter(device: torch.device) -> ReadMillijoules | None:
    """The counter of a device; None where it has none, or NVML's bindings are not installed."""
    if device.type != "cuda":
        return None
    try:
        import pynvml
    except ImportError:
        return None
    library: Any = pynvml
    try:
        library.nvmlInit()
        card = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
        handle = library.nvmlDeviceGetHandleByUUID(card)
        library.nvmlDeviceGetTotalEnergyConsumption(handle)
    except (library.NVMLError, AttributeError):  # an older card, or a part of one
        return None
    return lambda: int(library.nvmlDeviceGetTotalEnergyConsumption(handle))
