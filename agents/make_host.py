"""Making a host from its settings, so that torch is imported only where a model runs."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from agents.host import Host, HostSettings


def make_host(settings: HostSettings) -> Host:
    """The host that the settings describe."""
    if settings.others:
        from agents.mixed_host import MixedHost

        return MixedHost(settings)
    from agents.transformers_host import TransformersHost

    return TransformersHost(settings)
