"""What became of weights as plain data: each step written once, what it is made of before it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mgptn.experiments.record.fields import Fields
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


def unpack_weights(plain: Fields, places: Sequence[int]) -> list[Weights | None]:
    """The inverse of `pack_weights`, of the rows in `plain`.

    Raises
    ------
    RecordError
        If a row is not as it is written: what weights are made of stands in the rows before.
    """
    known: list[Weights] = []
    for i, row in enumerate(plain.several("weights")):
        name = f"weights[{i}]"
        try:
            step, founder, parent, content, (first, second), scale, sources, other = row
            made_of = tuple(None if s == FOUNDERS_OWN else known[_before(s, i)] for s in sources)
            texts = (step, founder, parent, content, other)
            if not all(isinstance(text, str) for text in texts) or type(scale) is not float:
                raise TypeError("expected texts and a scale")
            key = (first, second)
            if not all(type(word) is int and 0 <= word < 2**64 for word in key):
                raise TypeError("expected a key of two words of 64 bits")
            one = Weights(step, founder, parent, content, key, scale, made_of, other)
        except (TypeError, ValueError) as error:
            raise plain.wrong(
                name, f"weights that are made of rows before ({error})", row
            ) from None
        one.digest()  # now, while what it is made of has its own: a chain may be long
        known.append(one)
    return [None if place == FOUNDERS_OWN else known[place] for place in places]


def _before(place: Any, here: int) -> int:
    if type(place) is not int or not 0 <= place < here:
        raise ValueError(f"expected a row before {here}, got {place!r:.20}")
    return place
