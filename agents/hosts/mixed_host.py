"""A host of several models, for a population whose agents are copies of different ones."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

from mgptn.agents.engine.memory import PREFIX_CACHE_BYTES
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.requests import Tile, TileReply


class MixedHost:
    """One model at a time; each is loaded with the host, and a tile goes to the one it names.

    All the models must fit into the device's memory together. The memory of prefixes is shared out
    evenly among them.

    Raises
    ------
    CheckpointError
        If the files found here are not those with the expected hashes.
    """

    def __init__(self, settings: HostSettings) -> None:
        named = ((settings.model, settings.weights), *settings.others)
        room = PREFIX_CACHE_BYTES // len(named)
        self._hosts = {
            weights: TransformersHost(
                replace(settings, model=model, weights=weights, others=()), prefix_bytes=room
            )
            for model, weights in named
        }

    def generate(self, tile: Tile) -> TileReply:
        """As the host of the tile's model."""
        return self._host(tile).generate(tile)

    def score(self, tile: Tile) -> TileReply:
        """As the host of the tile's model."""
        return self._host(tile).score(tile)

    def learn(self, tile: Tile) -> TileReply:
        """As the host of the tile's model."""
        return self._host(tile).learn(tile)

    def _host(self, tile: Tile) -> TransformersHost:
        host = self._hosts.get(tile.weights)
        if host is None:
            raise ValueError(
                f"tile: expected weights of one of {', '.join(self._hosts)}, got {tile.weights}"
            )
        return host
