"""The planner: requests to tiles. A pure function of the set of requests and the slot count.

What a request goes through has a shape that is a function of the request and of the slots alone,
never of how many requests there are, so that what it is answered does not depend on what else is
asked: arithmetic depends on shapes, but neither on a row's place nor on what stands in other rows.
Rows are an exception: a tile says how many there may be at once, and a host computes fewer where
their number is known not to show.
Scorings of one width make a tile. Answers of all lengths share one, for they are written in slots,
where a longer row has only more columns that are masked; their prompts are read width by width.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mgptn.agents.requests import (
    Generate,
    HostRequest,
    Learn,
    Score,
    Supply,
    Tile,
    TileReply,
    Tokens,
)
from mgptn.population.records.weights import Weights

WIDTH_STEP = 4
"""Narrow rows are padded to a multiple of this many tokens, wide ones to that of the next power of
two's eighth."""

READ_TOKENS = 8
"""Tokens for each slot that are read at once: rows of twice the width, half as many of them."""

TURNS = 4
"""Times that a full tile fills its rows."""

LEAST_ROWS = 4
"""Rows are computed by so many: processors compute what is left over, of a product's rows or of an
array's vectors of 16 numbers, by other instructions, where a row's place would show in its bits.
One row alone has but one place."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Tiles, and where each request's reply will stand: (tile, place in it)."""

    tiles: tuple[Tile, ...]
    places: tuple[tuple[int, int], ...]

    def collect(self, replies: Sequence[TileReply]) -> list[Any]:
        """The requests' replies, in the order they were made, from the tiles' replies."""
        return [replies[tile].replies[place] for tile, place in self.places]


Model = tuple[str, Weights | None]
"""Hash of a model's files, and what became of its weights."""


def plan(requests: Sequence[HostRequest], weights: str, slots: int) -> Plan:
    """Group requests by kind, prefix and shape, drop repeated ones, and cut into tiles.

    Tiles, and requests in them, stand in an order of their content, prefixes that begin alike side
    by side; so the tiles do not depend on the order of the requests, on how many hosts there are
    or how fast they are.

    Parameters
    ----------
    weights
        Hash of the model's files.
    slots
        Answers that are written at once, ≥ 1.
    """
    places = _Places(len(requests))
    _plan_model(requests, range(len(requests)), (weights, None), slots, places)
    return places.plan()


def plan_mixed(
    requests: Sequence[tuple[Model, HostRequest]], slots: int, supply: Supply | None = None
) -> Plan:
    """`plan` for requests to several models: each model's tiles, in the order of their hashes.

    Parameters
    ----------
    requests
        Which model, and what it is asked.
    slots
        Answers that are written at once, ≥ 1.
    supply
        Where hosts find the numbers of weights that have changed.
    """
    of_model: dict[tuple[str, str], list[int]] = {}
    models: dict[tuple[str, str], Model] = {}
    for i, (model, _) in enumerate(requests):
        key = model[0], "" if model[1] is None else model[1].digest()
        of_model.setdefault(key, []).append(i)
        models[key] = model
    plain = [request for _, request in requests]
    places = _Places(len(requests))
    for key in sorted(of_model):
        _plan_model(plain, of_model[key], models[key], slots, places, supply)
    return places.plan()


def plan_learning(requests: Sequence[tuple[str, Learn]], supply: Supply) -> Plan:
    """A tile for each different thing to learn, in the order that they were first asked in.

    Parameters
    ----------
    requests
        Hash of the model's files, and what it learns.
    """
    places = _Places(len(requests))
    of_content: dict[tuple[str, Learn], list[int]] = {}
    for i, asked in enumerate(requests):
        of_content.setdefault(asked, []).append(i)
    for (weights, learn), indices in of_content.items():
        tile = Tile(weights, (), (learn,), learn.shape[1], learn.shape[2], supply=supply)
        places.add(tile, [indices])
    return places.plan()


def bucket(length: int, step: int = WIDTH_STEP) -> int:
    """What a length is padded to: few values, and none much longer."""
    coarse = max(step, 1 << max(0, length - 1).bit_length() >> 3)
    return -(-length // coarse) * coarse


def whole_rows(rows: int) -> int:
    """Rows that are computed where so many are needed."""
    return rows if rows == 1 else -(-rows // LEAST_ROWS) * LEAST_ROWS


def read_rows(slots: int, width: int) -> int:
    """Rows of a width that are read at once."""
    return max(1, slots * READ_TOKENS // width)


def rows_of(request: HostRequest) -> tuple[Tokens, ...]:
    """The suffixes that a request needs as rows.

    A generation needs one. A scoring needs one for each distinct beginning of its options: options
    of one token are all read off the same row.
    """
    if isinstance(request, Generate):
        return (request.suffix,)
    return tuple(request.suffix + start for start in option_starts(request.options))


def option_starts(options: tuple[Tokens, ...]) -> tuple[Tokens, ...]:
    """Distinct options without their last token, in order of first appearance."""
    return tuple(dict.fromkeys(option[:-1] for option in options))


class _Places:
    """Tiles as they are made, and the places of requests in them."""

    def __init__(self, requests: int) -> None:
        self.tiles: list[Tile] = []
        self.places: list[tuple[int, int]] = [(-1, -1)] * requests

    def plan(self) -> Plan:
        return Plan(tuple(self.tiles), tuple(self.places))

    def add(self, tile: Tile, indices: Sequence[Sequence[int]]) -> None:
        """A tile, and which requests each of its places is the reply to."""
        number = len(self.tiles)
        self.tiles.append(tile)
        for place, same in enumerate(indices):
            here = (number, place)
            for i in same:
                self.places[i] = here


def _plan_model(
    requests: Sequence[HostRequest],
    indices: Sequence[int],
    model: Model,
    slots: int,
    places: _Places,
    supply: Supply | None = None,
) -> None:
    """One model's tiles. Loops go over hundreds of thousands of requests, and do little."""
    of_prefix: dict[Tokens, dict[tuple[bool, Any], list[int]]] = {}
    # Requests mostly share their prefix and options as objects: each is hashed once.
    groups_of: dict[int, dict[tuple[bool, Any], list[int]]] = {}
    for i in indices:
        request = requests[i]
        groups = groups_of.get(id(request.prefix))
        if groups is None:
            groups = of_prefix.setdefault(request.prefix, {})
            groups_of[id(request.prefix)] = groups
        key = (
            (True, request.max_tokens)
            if isinstance(request, Generate)
            else (False, id(request.options))
            if request.states is None
            else (False, (id(request.options), request.states))
        )
        group = groups.get(key)
        if group is None:
            groups[key] = [i]
        else:
            group.append(i)
    for prefix in sorted(of_prefix):
        shapes: dict[tuple[Any, ...], dict[Any, list[int]]] = {}
        for (generates, _), group in of_prefix[prefix].items():
            first = requests[group[0]]
            if generates:
                _shape_generates(requests, group, slots, shapes)
            else:
                assert isinstance(first, Score)
                _shape_scores(requests, group, first, slots, shapes)
        for shape in sorted(shapes):
            _cut(requests, shapes[shape], prefix, model, supply, shape, places)


Shapes = dict[tuple[Any, ...], dict[Any, list[int]]]
"""Shape → content → the requests of that content. A shape: is it a scoring, rows, width (0: as its
widest needs), reads, rows a request, hidden states (empty: none)."""


def _shape_generates(
    requests: Sequence[HostRequest], group: list[int], slots: int, shapes: Shapes
) -> None:
    contents = shapes.setdefault((False, whole_rows(slots), 0, 1, 1, ()), {})
    for i in group:
        r = requests[i]
        assert isinstance(r, Generate)
        content = (
            bucket(len(r.suffix)), r.suffix, r.key, r.max_tokens, r.sampling_temperature, r.stops,
            tuple(sorted(r.endings)), r.top_k, r.top_p,
        )  # fmt: skip
        contents.setdefault(content, []).append(i)


def _shape_scores(
    requests: Sequence[HostRequest],
    group: list[int],
    first: Score,
    slots: int,
    shapes: Shapes,
) -> None:
    """Scorings that share their options as an object: what depends on those is done once."""
    options, states = first.options, first.states or ()
    starts = option_starts(options)
    further = max(map(len, starts), default=0)
    reads = 1 << (max(map(len, options), default=1) - 1).bit_length()
    of_length: dict[int, dict[Any, list[int]]] = {}
    for i in group:
        suffix = requests[i].suffix
        contents = of_length.get(len(suffix))
        if contents is None:
            if states:
                states.check(len(suffix) + min(map(len, starts)))
            width = bucket(len(suffix) + further)
            rows = read_rows(whole_rows(slots), width)
            shape = (True, rows, width, min(reads, width), len(starts), states)
            contents = of_length[len(suffix)] = shapes.setdefault(shape, {})
        same = contents.get((suffix, options))
        if same is None:
            contents[suffix, options] = [i]
        else:
            same.append(i)


def _cut(
    requests: Sequence[HostRequest],
    contents: dict[Any, list[int]],
    prefix: Tokens,
    model: Model,
    supply: Supply | None,
    shape: tuple[Any, ...],
    places: _Places,
) -> None:
    weights, worn = model
    _, rows, width, reads, needed, _ = shape
    size = max(1, TURNS * rows // needed)
    ordered = sorted(contents)
    for start in range(0, len(ordered), size):
        chosen = [contents[content] for content in ordered[start : start + size]]
        asked = tuple(requests[same[0]] for same in chosen)
        answers = [r for r in asked if isinstance(r, Generate)]
        tile = Tile(
            weights=weights,
            prefix=prefix,
            requests=asked,  # type: ignore[arg-type]
            rows=rows,
            width=width or bucket(max(len(r.suffix) for r in answers)),
            room=bucket(max(r.max_tokens for r in answers)) if answers else 0,
            reads=reads,
            adapter="" if worn is None else worn.digest(),
            worn=worn,
            supply=None if worn is None else supply,
        )
        places.add(tile, chosen)
