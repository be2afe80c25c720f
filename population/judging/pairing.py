"""Who grades whom: graders of every answer, drawn among those who may."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mgptn.population.judging.topology import Eligible

SORTED_AT_MOST = 256
"""Others from which graders are drawn by sorting keys of all of them."""


def random_graders(
    size: int, problems: int, graders: int, rng: np.random.Generator
) -> npt.NDArray[np.unsignedinteger[Any]]:
    """For each answer, `graders` distinct others of the `size` agents, never its author.

    Every ordered choice is as likely. Among few others, or where most of them grade, all get a
    random key and the least keys grade; among many, seats are drawn one by one, and again where
    somebody has one already.

    Returns
    -------
    Unsigned integers [size · problems, graders]
        Slots of the graders, author-major, in the smallest type that holds `size`.

    Raises
    ------
    ValueError
        If there are fewer than `graders` others.
    """
    if graders > size - 1:
        raise ValueError(
            f"protocol.graders: expected at most population.size − 1 = {size - 1}, got {graders}"
        )
    author = np.repeat(np.arange(size, dtype=np.int32), problems)
    if size - 1 <= SORTED_AT_MOST or 2 * graders > size - 1:
        keys = rng.random((len(author), size - 1))
        least = np.argpartition(keys, graders - 1, axis=1)[:, :graders]
        others = least.T.astype(np.int32)
    else:
        others = _drawn_in_turn(len(author), size - 1, graders, rng)
    # The others of an author are all slots but its own: skip over it.
    seats = np.empty((len(author), graders), dtype=np.min_scalar_type(size))
    for seat, other in enumerate(others):
        seats[:, seat] = other + (other >= author)
    return seats


def random_partners(
    size: int, graders: npt.NDArray[np.integer[Any]], partners: int, rng: np.random.Generator
) -> npt.NDArray[np.integer[Any]]:
    """For each answer, `partners` distinct others that are neither its author nor grade it.

    Parameters
    ----------
    graders
        Integers [A, K], slots of each answer's graders; answers are author-major.

    Returns
    -------
    Integers [A, partners]; [0, 0] where none is asked for.

    Raises
    ------
    ValueError
        If there are too few others.
    """
    if not partners:
        return np.zeros((0, 0), dtype=np.int64)
    answers = len(graders)
    author = np.arange(answers) // (answers // size)
    busy = np.zeros((answers, size), dtype=np.bool_)
    np.put_along_axis(busy, graders.astype(np.int64), True, axis=1)
    busy[np.arange(answers), author] = True
    free = size - int(busy.sum(axis=1).max())
    if free < partners:
        raise ValueError(
            f"population.size: expected room for {partners} more beside an author and its "
            f"graders, got {size} agents, of which {free} are free"
        )
    keys = np.where(busy, 2.0, rng.random((answers, size)))
    return np.argsort(keys, axis=1, kind="stable")[:, :partners]


def graders_among(
    eligible: Eligible, problems: int, graders: int, rng: np.random.Generator
) -> npt.NDArray[np.unsignedinteger[Any]]:
    """For each answer, `graders` distinct others of those that a topology allows its author.

    Every ordered choice is as likely: seat after seat, one of those left is drawn, by its rank
    among them.

    Returns
    -------
    Unsigned integers [size · problems, graders]
        As of `random_graders`.

    Raises
    ------
    ValueError
        If somebody has fewer than `graders`.
    """
    size = len(eligible.first)
    least = int(eligible.counts.min())
    if graders > least:
        raise ValueError(f"graders: expected at most {least}, the fewest eligible, got {graders}")
    counts, first, own = (
        np.repeat(column.astype(np.int32), problems)
        for column in (eligible.counts, eligible.first, eligible.own)
    )
    slots = eligible.slots.astype(np.min_scalar_type(size))
    seats = np.empty((len(counts), graders), dtype=slots.dtype)
    taken: list[npt.NDArray[np.int32]] = []
    for seat in range(graders):
        # Rounding could carry a product of a number below 1 up to its bound.
        rank = np.minimum(rng.random(len(counts)) * (counts - seat), counts - seat - 1)
        drawn = rank.astype(np.int32)
        for earlier in taken:
            drawn += drawn >= earlier
        place = first + drawn
        place += (own >= 0) & (place >= own)
        seats[:, seat] = slots[place]
        _insert(taken, drawn)
    return seats


def _insert(ascending: list[npt.NDArray[np.int32]], values: npt.NDArray[np.int32]) -> None:
    """Add a value to every column of a table whose columns ascend."""
    for row, kept in enumerate(ascending):
        ascending[row], values = np.minimum(kept, values), np.maximum(kept, values)
    ascending.append(values)


def seated(
    seats: npt.NDArray[np.unsignedinteger[Any]], problems: int
) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Graders with each answer's author in one more seat, the last: [A, K] → [A, K + 1]."""
    authors = np.arange(len(seats) // problems, dtype=seats.dtype).repeat(problems)
    return np.column_stack([seats, authors])


def _drawn_in_turn(
    answers: int, others: int, graders: int, rng: np.random.Generator
) -> npt.NDArray[np.int32]:
    """Distinct indices below `others`, int32 [graders, answers], by rejection seat by seat."""
    seats = np.empty((graders, answers), dtype=np.int32)
    for seat, drawn in enumerate(seats):
        drawn[:] = rng.integers(others, size=answers, dtype=np.int32)
        taken = np.zeros(answers, dtype=np.bool_)
        for earlier in seats[:seat]:
            taken |= earlier == drawn
        again = np.flatnonzero(taken)
        while again.size:
            drawn[again] = rng.integers(others, size=again.size, dtype=np.int32)
            again = again[(seats[:seat, again] == drawn[again]).any(axis=0)]
    return seats
