"""Specs that say what is wanted: cases that one behaviour alone has, among those as short.

Dimensions: N problems, B behaviours, F fields.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mgptn.protocols.tasks.bundled import (
    BundledTask,
    Codes,
    Fields,
    Integers,
    combine,
    text,
)
from mgptn.protocols.tasks.programs.behaviours import PAIRS, Behaviours, behaviours
from mgptn.protocols.tasks.programs.cases import (
    CASES,
    Case,
    read_spec,
    render_cases,
)
from mgptn.protocols.tasks.programs.language import NOTHING
from mgptn.protocols.tasks.programs.machine import Results
from mgptn.protocols.tasks.task import Split

MOST = 4
"""Words of the longest shortest program of any problem."""

WIDTH = 6
"""Words of an answer: some more than the shortest program has, so that there is room to be wrong by
special cases, or right and slow."""

TRIES = 4
"""Choices of cases that are tried of a behaviour before another one is drawn."""

CHUNK = 1024
"""Specs that are held against all behaviours at once."""


class SpecTask(BundledTask):
    """A task whose problems stand on a spec: `CASES` cases of a behaviour that are enough.

    They are enough if of all that programs of at most `size` words can compute, nothing else has
    them; what is wanted for the other pairs of inputs follows, and is not shown. The size is the
    length of the shortest program. Fields begin with the cases' places in `PAIRS`, ascending, and
    the behaviour's row; the split and the canonical text go by the cases: what is held out is
    specs, of behaviours that training specs have too.
    """

    sizes = range(2, MOST + 1)
    default_size = 3

    @property
    def known(self) -> Behaviours:
        """All behaviours up to the largest size."""
        return behaviours(MOST)

    @abstractmethod
    def cases_text(self, query: str) -> str | None:
        """The part of a query that is a spec; None if the query is none of this task's."""

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of the cases."""
        return combine(np.hstack(self.shown(fields)))

    def canonical(self, query: str) -> str:
        """The cases; of a query that is none, itself."""
        return self.cases_text(query) or query

    def shortest(self, query: str) -> str | None:
        """The shortest program of what a query is about; None if it is none of this task's."""
        row = self.row_of(query)
        return None if row is None else text(self.known.programs[row]).rstrip(NOTHING)

    @abstractmethod
    def extended(self, rng: np.random.Generator, specs: Fields) -> Fields:
        """Problems that stand on specs: their fields, and what the task has beside."""

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Of behaviours of the size."""
        return self.extended(rng, self._specs(rng, count))

    def _specs(self, rng: np.random.Generator, count: int) -> Fields:
        """Specs of behaviours of the size, int64 [count, CASES + 1].

        A behaviour that many cases are enough for is likelier than one that few are, but less so
        than it would be by one try.
        """
        kept: list[Fields] = []
        found, rows = 0, self.known.of_size(self.size)
        while found < count:
            asked = max(4, 2 * (count - found))
            keys = rng.random((asked * TRIES, len(PAIRS)))
            places = np.sort(np.argpartition(keys, CASES, axis=1)[:, :CASES], axis=1)
            drawn = rng.integers(rows.start, rows.stop, size=asked).repeat(TRIES)
            enough = self.agreeing(places, self.known.results[drawn[:, None], places]) == 1
            tried = enough.reshape(asked, TRIES)
            first = np.arange(asked) * TRIES + tried.argmax(axis=1)
            kept.append(np.hstack([places, drawn[:, None]])[first[tried.any(axis=1)]])
            found += int(tried.any(axis=1).sum())
        return np.concatenate(kept)[:count]

    def agreeing(self, places: Integers, wanted: Results) -> Integers:
        """How many behaviours of at most the size have these cases, int64 [N]."""
        shown = np.ascontiguousarray(self.known.results[: self.known.of_size(self.size).stop].T)
        counts = [
            (shown[places[i : i + CHUNK]] == wanted[i : i + CHUNK, :, None]).all(axis=1).sum(axis=1)
            for i in range(0, len(places), CHUNK)
        ]
        return np.concatenate(counts)

    def shown(self, fields: Fields) -> tuple[Integers, Results]:
        """Places and results of the cases shown, [N, CASES] each."""
        places = fields[:, :CASES]
        return places, self.known.results[fields[:, CASES, None], places]

    def spec(self, fields: Fields) -> Codes:
        """The specs, uint8 [N, SPEC_CHARACTERS]."""
        return render_cases(*self.shown(fields))

    def read_fields(self, spec: str) -> list[int] | None:
        """A spec's fields; None unless it is enough for a behaviour of this size."""
        cases = read_spec(spec)
        if cases is None:
            return None
        row = _row(cases, self.size)
        return None if row is None else [*(case.pair for case in cases), row]

    def row_of(self, query: str) -> int | None:
        """The row of the behaviour that a query is about; None if it is none of this task's."""
        spec = self.cases_text(query)
        fields = None if spec is None else self.read_fields(spec)
        return None if fields is None else fields[CASES]


@lru_cache(maxsize=1 << 14)
def _row(cases: tuple[Case, ...], size: int) -> int | None:
    """The behaviour of a size that has these cases, as none has that is as short."""
    known = behaviours(MOST)
    shown = known.results[: known.of_size(size).stop, [case.pair for case in cases]]
    rows = np.flatnonzero((shown == [case.result for case in cases]).all(axis=1))
    return int(rows[0]) if len(rows) == 1 and known.sizes[rows[0]] == size else None


def filled(programs: Codes) -> Codes:
    """Programs with what does nothing behind them, up to `WIDTH` words."""
    fill = ((0, 0), (0, WIDTH - programs.shape[1]))
    return np.pad(programs, fill, constant_values=ord(NOTHING))
