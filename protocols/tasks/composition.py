"""String functions applied one after the other, with compositions that no training shows."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mgptn.protocols.tasks.bundled import (
    NEAR,
    PERSISTENT,
    BundledTask,
    Codes,
    Fields,
    Flags,
    Integers,
    Problems,
    combine,
    constant,
)
from mgptn.protocols.tasks.task import Split

LETTERS = "abcdefgh"
WIDTH = 4
UNSEEN_PAIRS = ("RL", "SL", "PM", "RP", "MS")
"""Functions that no training shows one after the other, in this order."""


FUNCTIONS: dict[str, Callable[[Integers], Integers]] = {
    "R": lambda s: s[:, ::-1],
    "L": lambda s: np.roll(s, -1, axis=1),
    "S": lambda s: s[:, [1, 0, 3, 2]],
    "P": lambda s: (s + 1) % len(LETTERS),
    "M": lambda s: len(LETTERS) - 1 - s,
}
"""Reverse, rotate left, swap neighbours, next letter, mirrored letter: int64 [N, 4] → the same."""

NAMES = "".join(FUNCTIONS)


class Composition(BundledTask):
    """``RP.abcd=`` asks for the string after R and then P: ``edcb``.

    The persistent error applies the functions in the opposite order, or leaves the last one out
    where that is right. The size is how many functions are applied. Fields: functions, letters.
    """

    name = "composition"
    sizes = range(1, 5)
    default_size = 2
    answer_alphabet = LETTERS
    unseen = False

    def __init__(self, size: int = default_size) -> None:
        super().__init__(size)
        self.query_characters = size + 1 + WIDTH + 1
        self.max_answer_characters = WIDTH

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Functions and letters uniform, among the compositions that the task draws."""
        functions = rng.integers(0, len(FUNCTIONS), size=(count, self.size))
        functions = functions[unseen_compositions(functions) == self.unseen]
        letters = rng.integers(0, len(LETTERS), size=(len(functions), WIDTH))
        return np.hstack([functions, letters])

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of functions and letters."""
        return combine(fields)

    def render(self, fields: Fields) -> Codes:
        """``RP.abcd=``."""
        count = len(fields)
        names = np.frombuffer(NAMES.encode(), dtype=np.uint8)[fields[:, : self.size]]
        letters = _write(fields[:, self.size :])
        return np.hstack([names, constant(".", count), letters, constant("=", count)])

    def parse(self, query: str) -> Fields | None:
        """Functions and letters, if they are of the task's."""
        names, dot, rest = query.partition(".")
        letters = rest.removesuffix("=")
        well_formed = (
            bool(dot)
            and rest.endswith("=")
            and len(names) == self.size
            and len(letters) == WIDTH
            and all(name in NAMES for name in names)
            and all(letter in LETTERS for letter in letters)
        )
        if not well_formed:
            return None
        functions = np.array([[NAMES.index(name) for name in names]])
        if unseen_compositions(functions)[0] != self.unseen:
            return None
        return np.hstack([functions, [[LETTERS.index(letter) for letter in letters]]])

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The one right answer."""
        return _write(self._apply(fields[:, : self.size], fields[:, self.size :]))

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """Every letter as it should be."""
        value = self._apply(fields[:, : self.size], fields[:, self.size :])
        same: Flags = (answers == _write(value)).all(axis=1)
        return same

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """One letter another; any letters; the functions in the opposite order."""
        fields = problems.fields
        functions, letters = fields[:, : self.size], fields[:, self.size :]
        value = self._apply(functions, letters)
        place = np.arange(WIDTH) == rng.integers(0, WIDTH, size=(len(fields), 1))
        step = rng.integers(1, len(LETTERS), size=(len(fields), 1))
        near = np.where(place, (value + step) % len(LETTERS), value)
        far = rng.integers(0, len(LETTERS), size=value.shape)
        opposite = self._apply(functions[:, ::-1], letters)
        shortened = self._apply(functions[:, :-1], letters)
        opposite = np.where((opposite == value).all(axis=1)[:, None], shortened, opposite)
        wrong = np.where((kinds == NEAR)[:, None], near, far)
        return _write(np.where((kinds == PERSISTENT)[:, None], opposite, wrong))

    def verify(self, query: str, answer: str) -> bool:
        """Right iff the answer is the string after all functions, in their order."""
        fields = self.parse(query)
        if fields is None:
            return False
        value = query.partition(".")[2].removesuffix("=")
        for name in query.partition(".")[0]:
            value = _apply_plainly(name, value)
        return answer == value

    def _apply(self, functions: Integers, letters: Integers) -> Integers:
        value = letters
        for step in range(functions.shape[1]):
            after = np.stack([function(value) for function in FUNCTIONS.values()])
            value = after[functions[:, step], np.arange(len(value))]
        return value


class UnseenComposition(Composition):
    """Composition with only those compositions of functions that no training shows."""

    name = "unseen-composition"
    sizes = range(2, 5)
    unseen = True


def unseen_compositions(functions: Integers) -> Flags:
    """Which compositions, int64 [N, size], have an unseen pair and so are kept from training."""
    pair = functions[:, :-1] * len(FUNCTIONS) + functions[:, 1:]
    kept = [NAMES.index(p[0]) * len(FUNCTIONS) + NAMES.index(p[1]) for p in UNSEEN_PAIRS]
    return np.asarray(np.isin(pair, kept).any(axis=1))


def _write(letters: Integers) -> Codes:
    return (letters + ord("a")).astype(np.uint8)


def _apply_plainly(name: str, value: str) -> str:
    """One function on one string, as a person would."""
    if name == "R":
        return value[::-1]
    if name == "L":
        return value[1:] + value[0]
    if name == "S":
        return value[1] + value[0] + value[3] + value[2]
    if name == "P":
        return "".join(LETTERS[(LETTERS.index(c) + 1) % len(LETTERS)] for c in value)
    return "".join(LETTERS[-1 - LETTERS.index(c)] for c in value)
