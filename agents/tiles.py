"""The planner: requests to tiles. A pure function of the requests and the slot count."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.requests import Generate, HostReply, HostRequest, Score, Tile, TileReply, Tokens

WIDTH_STEP = 8
"""Suffixes are padded to a multiple of this many tokens."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Tiles, and where each request's reply will stand: (tile, place in it)."""

    tiles: tuple[Tile, ...]
    places: tuple[tuple[int, int], ...]

    def collect(self, replies: Sequence[TileReply]) -> list[HostReply]:
        """The requests' replies, in the order they were made, from the tiles' replies."""
        return [replies[tile].replies[place] for tile, place in self.places]


def plan(requests: Sequence[HostRequest], weights: str, slots: int) -> Plan:
    """Group requests by kind and prefix, drop repeated ones, and cut into tiles.

    Groups stand in the order of their first request, and requests within a group in the order
    made, so the plan does not depend on how many hosts there are or how fast they are.

    Parameters
    ----------
    weights
        Hash of the model's files.
    slots
        Rows that a tile may have, ≥ 1.
    """
    groups: dict[tuple[type, Tokens], dict[HostRequest, int]] = {}
    for request in requests:
        group = groups.setdefault((type(request), request.prefix), {})
        group.setdefault(request, len(group))

    tiles: list[Tile] = []
    found: dict[HostRequest, tuple[int, int]] = {}
    for (_, prefix), group in groups.items():
        filled: list[HostRequest] = []
        used = 0
        for request in group:
            needed = len(rows_of(request))
            if filled and used + needed > slots:
                tiles.append(_tile(weights, prefix, filled, slots))
                filled, used = [], 0
            found[request] = (len(tiles), len(filled))
            filled.append(request)
            used += needed
        tiles.append(_tile(weights, prefix, filled, slots))
    return Plan(tuple(tiles), tuple(found[request] for request in requests))


def plan_mixed(requests: Sequence[tuple[str, HostRequest]], slots: int) -> Plan:
    """`plan` for requests to several models: each model's tiles, in the order of first requests.

    Parameters
    ----------
    requests
        Hash of the model's files, and what it is asked.
    slots
        Rows that a tile may have, ≥ 1.
    """
    of_model: dict[str, list[int]] = {}
    for i, (weights, _) in enumerate(requests):
        of_model.setdefault(weights, []).append(i)
    tiles: list[Tile] = []
    places: dict[int, tuple[int, int]] = {}
    for weights, chosen in of_model.items():
        part = plan([requests[i][1] for i in chosen], weights, slots)
        for i, (tile, place) in zip(chosen, part.places, strict=True):
            places[i] = (len(tiles) + tile, place)
        tiles += part.tiles
    return Plan(tuple(tiles), tuple(places[i] for i in range(len(requests))))


def rows_of(request: HostRequest) -> tuple[Tokens, ...]:
    """The suffixes that a request needs as rows.

    A generation needs one. A scoring needs one for each distinct beginning of its options: options
    of one token are all read off the same row.
    """
    if isinstance(request, Generate):
        return (request.suffix,)
    return tuple(request.suffix + start for start in option_starts(request))


def option_starts(request: Score) -> tuple[Tokens, ...]:
    """Distinct options without their last token, in order of first appearance."""
    return tuple(dict.fromkeys(option[:-1] for option in request.options))


def _tile(weights: str, prefix: Tokens, requests: Sequence[HostRequest], slots: int) -> Tile:
    rows = [row for request in requests for row in rows_of(request)]
    widest = max(len(row) for row in rows)
    return Tile(
        weights=weights,
        prefix=prefix,
        requests=tuple(requests),  # type: ignore[arg-type]  # of one kind, by the grouping
        rows=max(len(rows), min(slots, 1 << (len(rows) - 1).bit_length())),
        # A column more than the widest row needs: attention without anything to mask takes another
        # path, which rounds otherwise.
        width=(widest // WIDTH_STEP + 1) * WIDTH_STEP,
    )
