"""Making a host from its settings: of a transformers model, or scripted."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from agents.host import Host, HostSettings


def make_host(settings: HostSettings) -> Host:
    """The host that the settings describe; torch is imported only for one with a model."""
    if settings.behaviour is not None:
        from agents.scripted_host import ScriptedHost

        return ScriptedHost(settings.behaviour)
    from agents.transformers_host import TransformersHost

    return TransformersHost(settings)
