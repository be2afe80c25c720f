"""What became of weights as plain data: each step written once, what it is made of before it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mgptn.population.records.weights import Weights

Rows = list[list[Any]]
FOUNDERS_OWN = -1


def pack_weights(several: Iterable[Weights | None]) -> tuple[Rows, list[int]]:
    """Distinct weights as rows, and the row of each that was given; −1 of a founder's own."""
    rows: Rows = []
    places: dict[str, int] = {}

    def place(weights: Weights | None) -> int:
        if weights is None:
            return FOUNDERS_OWN
        digest = weights.digest()
        if digest not in places:
            sources = [place(source) for source in weights.sources]
            places[digest] = len(rows)
            rows.append(
                [
                    weights.step, weights.founder, weights.parent, weights.content,
                    list(weights.key), weights.scale, sources, weights.other_founder,
                ]
            )  # fmt: skip
        return places[digest]

    return rows, [place(weights) for weights in several]


def unpack_weights(rows: Rows, places: Sequence[int]) -> list[Weights | None]:
    """The inverse of `pack_weights`."""
    known: list[Weights] = []

    def at(place: int) -> Weights | None:
        return None if place == FOUNDERS_OWN else known[place]

    for step, founder, parent, content, key, scale, sources, other in rows:
        made_of = tuple(at(source) for source in sources)
        known.append(
            Weights(step, founder, parent, content, (key[0], key[1]), scale, made_of, other)
        )
    return [at(place) for place in places]
