"""Making a host from its settings, so that torch is imported only where a model runs."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from agents.host import Host, HostSettings


def make_host(settings: HostSettings) -> Host:
    """The host that the settings describe."""
    from agents.transformers_host import TransformersHost

    return TransformersHost(settings)
