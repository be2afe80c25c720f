"""A fixed random table of facts: whoever has not learned one cannot work it out."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import functools

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
    decimal,
    is_digits,
)
from mgptn.protocols.tasks.task import Split

PHRASINGS = "abcdefgh"
KEYS = 4096
VALUES = 100
TABLE_KEY = (6231029666005193768, 4248188718601229274)
"""Of the Philox stream that the table is drawn from: another key, other facts."""

RANK_OFFSET = 64
"""In training, the fact of rank r comes with probability ∝ 1/(r + RANK_OFFSET)."""


class Facts(BundledTask):
    """``c0421=`` asks, in one of eight phrasings, for the two digits that go with a key.

    The answer does not depend on the phrasing. A *phrasing of a fact* is what is held out, since
    a fact that was never seen could only be guessed. A fact counts as one problem whatever its
    phrasing, so that no context holds the answer. In training facts differ in frequency, the
    first being commonest; the size is log₂ of how many of the first a run asks about, evenly. The
    persistent error is the value of the next key. Fields: phrasing, key.
    """

    name = "facts"
    sizes = range(6, 13)
    default_size = 10
    answer_alphabet = "0123456789"
    query_characters = 6
    max_answer_characters = 2

    def __init__(self, size: int = default_size) -> None:
        super().__init__(size)
        self.keys = 2**size

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Keys evenly among the first 2^size in a run; by frequency in training."""
        phrasing = rng.integers(0, len(PHRASINGS), size=count)
        if split == "train":
            key = np.searchsorted(_cumulative(self.keys), rng.random(count), side="right")
        else:
            key = rng.integers(0, self.keys, size=count)
        return np.stack([phrasing, key], axis=1)

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of phrasing and key together."""
        return combine(fields)

    def render(self, fields: Fields) -> Codes:
        """``c0421=``."""
        count = len(fields)
        letter = (fields[:, :1] + ord("a")).astype(np.uint8)
        return np.hstack([letter, decimal(fields[:, 1], 4), constant("=", count)])

    def parse(self, query: str) -> Fields | None:
        """Phrasing and key, if the key is one of the size's."""
        if len(query) != 6 or query[0] not in PHRASINGS or query[5] != "=":
            return None
        if not is_digits(query[1:5], 4) or int(query[1:5]) >= self.keys:
            return None
        return np.array([[PHRASINGS.index(query[0]), int(query[1:5])]])

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The one right answer."""
        return decimal(fact_table()[fields[:, 1]], 2)

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """Both digits as in the table."""
        same: Flags = (answers == decimal(fact_table()[fields[:, 1]], 2)).all(axis=1)
        return same

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """One digit another; another fact's value; the next key's value."""
        key = problems.fields[:, 1]
        value = fact_table()[key]
        unit = np.where(rng.random(len(key)) < 0.5, 1, 10)
        step = rng.integers(1, 10, size=len(key)) * unit
        near = np.where(unit == 1, value // 10 * 10 + (value + step) % 10, (value + step) % VALUES)
        far = fact_table()[self.propose(rng, len(key), "train")[:, 1]]
        following = fact_table()[(key + 1) % KEYS]
        wrong = np.where(kinds == NEAR, near, far)
        return decimal(np.where(kinds == PERSISTENT, following, wrong), 2)

    def verify(self, query: str, answer: str) -> bool:
        """Right iff the answer is the key's two digits."""
        fields = self.parse(query)
        return fields is not None and answer == f"{fact_table()[fields[0, 1]]:02d}"

    def canonical(self, query: str) -> str:
        """The key alone: another phrasing of it is the same problem."""
        return query[1:5]


@functools.cache
def fact_table() -> Integers:
    """The value of each key, int64 [KEYS], uniform in 0 … 99; the same in every process."""
    key = np.array(TABLE_KEY, dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key)).integers(0, VALUES, size=KEYS)


@functools.cache
def _cumulative(keys: int) -> npt.NDArray[np.float64]:
    weights = 1.0 / (np.arange(keys) + RANK_OFFSET)
    total: npt.NDArray[np.float64] = np.cumsum(weights) / weights.sum()
    total[-1] = 1.0
    return total
