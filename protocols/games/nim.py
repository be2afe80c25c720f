"""Nim as a task: a position, and a move that wins from there.

Dimensions: N positions, H heaps.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mgptn.protocols.games.positions import (
    HEAP_NAMES,
    MOST_STONES,
    draw_moves,
    legal,
    nim_sum,
    play_of_the_careless,
    winning,
)
from mgptn.protocols.tasks.bundled import (
    NEAR,
    PERSISTENT,
    BundledTask,
    Codes,
    Fields,
    Flags,
    Integers,
    Problems,
    codes,
    combine,
    constant,
)
from mgptn.protocols.tasks.task import Split


class Nim(BundledTask):
    """``a3b5c7=`` asks whoever is to move: ``b4`` leaves four stones in the heap b.

    Who takes the last stone wins. A move is right if it wins against every play, and a problem has
    such a move; there may be several. The size is the number of heaps, of up to nine stones. The
    near miss leaves a stone more or less than a right move, the persistent error empties the
    largest heap. Fields: the heaps, and a right move.
    """

    name = "nim"
    sizes = range(2, 7)
    default_size = 3
    max_answer_characters = 2

    def __init__(self, size: int = default_size) -> None:
        super().__init__(size)
        self.query_characters = 2 * size + 1
        self.answer_alphabet = HEAP_NAMES[:size] + "0123456789"

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Heaps uniform, but for lost positions; a right move uniform."""
        heaps = rng.integers(0, MOST_STONES + 1, size=(count, self.size))
        while (lost := np.flatnonzero(nim_sum(heaps) == 0)).size:
            heaps[lost] = rng.integers(0, MOST_STONES + 1, size=(lost.size, self.size))
        moves = draw_moves(rng, winning(heaps).astype(np.float64))
        return np.hstack([heaps, moves[:, None]])

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of the heaps in ascending order: a position is in the same split in any order."""
        return combine(np.sort(self._heaps(fields), axis=1))

    def render(self, fields: Fields) -> Codes:
        """``a3b5c7=``."""
        return np.hstack([self._written(self._heaps(fields)), constant("=", len(fields))])

    def parse(self, query: str) -> Fields | None:
        """The heaps, if whoever moves can win, with the first move that does."""
        heaps = self.heaps(query)
        if heaps is None or not _plain_sum(heaps):
            return None
        position = np.array([heaps])
        return np.hstack([position, winning(position).argmax(axis=1)[:, None]])

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The move that was drawn."""
        return _moves_written(fields[:, self.size])

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """A move of this position after which the nim-sum is 0."""
        moves, known = self._read(answers)
        return known & winning(self._heaps(fields))[np.arange(len(fields)), moves]

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """A stone more or less; any legal move; the largest heap taken whole."""
        heaps, move = self._heaps(problems.fields), problems.fields[:, self.size]
        stays = move % MOST_STONES
        step = np.where(rng.random(len(move)) < 0.5, 1, -1)
        step = np.where(stays == 0, 1, step)
        near = move + np.where(stays == MOST_STONES - 1, -1, step)
        far = draw_moves(rng, legal(heaps).astype(np.float64))
        # Where all legal moves win, as from one stone, what is not there is taken.
        only = (legal(heaps) == winning(heaps)).all(axis=1)
        far = np.where(only, rng.integers(0, MOST_STONES * self.size, size=len(move)), far)
        largest = heaps.argmax(axis=1) * MOST_STONES
        wrong = np.where(kinds == PERSISTENT, largest, far)
        return _moves_written(np.where(kinds == NEAR, near, wrong))

    def corpus(self, rng: np.random.Generator, count: int, noise: float) -> Problems:
        """Positions of training, lost ones among them, each with a careless player's move."""
        kept: list[Fields] = []
        found = 0
        while found < count:
            heaps = rng.integers(0, MOST_STONES + 1, size=(2 * count + 16, self.size))
            heaps = heaps[heaps.any(axis=1) & ~self.held_out(heaps)]
            kept.append(heaps)
            found += len(heaps)
        heaps = np.concatenate(kept)[:count]
        moves = draw_moves(rng, play_of_the_careless(heaps, noise))
        return Problems(np.hstack([heaps, moves[:, None]]), _moves_written(moves))

    def verify(self, query: str, answer: str) -> bool:
        """Right iff the move is legal, and leaves the other a nim-sum of 0."""
        heaps, left = self.heaps(query), self.play(query, answer)
        return heaps is not None and left is not None and _plain_sum(self.heaps(left) or []) == 0

    def play(self, query: str, answer: str) -> str | None:
        """The position after a move, as the other is asked about it; None if it is not legal."""
        heaps = self.heaps(query)
        if heaps is None or len(answer) != 2 or not answer.isascii() or not answer[1].isdecimal():
            return None
        place, stays = HEAP_NAMES[: self.size].find(answer[0]), int(answer[1])
        if place < 0 or stays >= heaps[place]:
            return None
        return query[: 2 * place + 1] + answer[1] + query[2 * place + 2 :]

    def is_over(self, query: str) -> bool:
        """Is no stone left? Then who was to move has lost."""
        return self.heaps(query) == [0] * self.size

    def heaps(self, query: str) -> list[int] | None:
        """The stones of each heap; None if no position reads so."""
        names, stones = query[:-1:2], query[1:-1:2]
        known = query[-1:] == "=" and len(query) == self.query_characters
        if not known or names != HEAP_NAMES[: self.size]:
            return None
        if not (stones.isascii() and stones.isdecimal()):
            return None
        return [int(stone) for stone in stones]

    def _heaps(self, fields: Fields) -> Integers:
        return fields[:, : self.size]

    def _written(self, heaps: Integers) -> Codes:
        names = np.broadcast_to(codes(HEAP_NAMES[: self.size]), heaps.shape)
        stones = (heaps + ord("0")).astype(np.uint8)
        return np.stack([names, stones], axis=2).reshape(len(heaps), -1)

    def _read(self, answers: Codes) -> tuple[Integers, Flags]:
        """Moves of answers uint8 [N, 2], and which are some."""
        heap, stays = (answers.astype(np.int64) - [ord("a"), ord("0")]).T
        known = (heap >= 0) & (heap < self.size) & (stays >= 0) & (stays < MOST_STONES)
        return np.where(known, heap * MOST_STONES + stays, 0), known


def _moves_written(moves: Integers) -> Codes:
    """Moves [N] as text, uint8 [N, 2]."""
    heap, stays = moves // MOST_STONES, moves % MOST_STONES
    return np.stack([heap + ord("a"), stays + ord("0")], axis=1).astype(np.uint8)


def _plain_sum(heaps: list[int]) -> int:
    total = 0
    for heap in heaps:
        total ^= heap
    return total
