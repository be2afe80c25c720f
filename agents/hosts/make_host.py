"""Making a host from its settings, so that torch is imported only where a model runs."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.agents.engine.memory import check_memory, free_memory
from mgptn.agents.hosts.host import Host, HostSettings


def make_host(settings: HostSettings) -> Host:
    """The host that the settings describe.

    Raises
    ------
    mgptn.agents.engine.memory.MemoryShortageError
        If there is not the memory free that its work is planned to take.
    mgptn.agents.checkpoints.CheckpointError
        If the files found here are not those with the expected hashes, or cannot be served.
    """
    check_memory(settings.memory, free_memory(settings.device), f"on {settings.device}")
    if settings.others:
        from mgptn.agents.hosts.mixed_host import MixedHost

        return MixedHost(settings)
    from mgptn.agents.hosts.transformers_host import TransformersHost

    return TransformersHost(settings)
