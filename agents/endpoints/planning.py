"""Requests to hosts and to endpoints as one plan: an endpoint's are tiles of one request each."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from mgptn.agents.requests import AnyRequest, HostRequest, Supply, Tile
from mgptn.agents.texts import Weigh, Write
from mgptn.agents.tiles import Model, Plan, plan_mixed

TEXTS = (Write, Weigh)
"""Requests to endpoints."""


def plan_any(
    requests: Sequence[tuple[Model, AnyRequest]], slots: int, supply: Supply | None = None
) -> Plan:
    """`plan_mixed` for what hosts are asked, and what endpoints are asked after that, each once.

    Parameters are as of `plan_mixed`.
    """
    if not any(isinstance(request, TEXTS) for _, request in requests):
        return plan_mixed(cast("Sequence[tuple[Model, HostRequest]]", requests), slots, supply)
    here: list[int] = []
    asked: list[tuple[Model, HostRequest]] = []
    texts: dict[Tile, list[int]] = {}
    for i, (model, request) in enumerate(requests):
        if isinstance(request, TEXTS):
            texts.setdefault(Tile(model[0], (), (request,), 1, 0), []).append(i)
        else:
            here.append(i)
            asked.append((model, request))
    planned = plan_mixed(asked, slots, supply)
    places: list[tuple[int, int]] = [(-1, -1)] * len(requests)
    for i, place in zip(here, planned.places, strict=True):
        places[i] = place
    for number, indices in enumerate(texts.values(), start=len(planned.tiles)):
        for i in indices:
            places[i] = (number, 0)
    return Plan((*planned.tiles, *texts), tuple(places))
