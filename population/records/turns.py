"""What was said in conversations besides the answers that count, as columns.

Dimensions: N turns of all conversations of a generation, in the order of their answers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mgptn.population.records.arrays import ALL_KNOWN, Integers, Truths, unknown_among
from mgptn.population.records.columns import Columns

KINDS = ("draft", "candidate", "rival", "critique")
"""What a turn can be: an answer that was revised, one that was not picked, another agent's; or a
word about an answer, which no verifier judges."""

CRITIQUE = KINDS.index("critique")


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that was said on the way to an answer.

    `value` is the mean grade of it in [0, 1], None where it has none; `verdict` the verifier's
    word, None for a critique and where it is not known.
    """

    kind: str
    text: str
    finished: bool
    verdict: bool | None
    value: float | None


def _integers() -> NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Turns(Columns):
    """All turns of a generation.

    Attributes
    ----------
    answers
        Integers [N], ascending: index of the answer on whose way it was said.
    kinds
        Integers [N], index in `KINDS`.
    texts
        Distinct texts, each once.
    said
        Integers [N], index in `texts`.
    finished, verdicts
        bool [N]; a critique's verdict is False, and so is one that is not known.
    values
        float64 [N], mean grade; NaN where nobody graded it.
    unknown
        bool [N], answers among them without a verdict; [0] where all have one.
    """

    answers: Integers = field(default_factory=_integers)
    kinds: Integers = field(default_factory=_integers)
    texts: tuple[str, ...] = ()
    said: Integers = field(default_factory=_integers)
    finished: Truths = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    verdicts: Truths = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    values: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    unknown: Truths = field(default_factory=lambda: ALL_KNOWN)

    @classmethod
    def gather(cls, turns: Iterable[Sequence[Turn]]) -> Turns:
        """Columns of each answer's turns, in the answers' order."""
        rows = [(answer, turn) for answer, said in enumerate(turns) for turn in said]
        places: dict[str, int] = {}
        said = [places.setdefault(turn.text, len(places)) for _, turn in rows]
        return cls(
            answers=np.array([answer for answer, _ in rows], dtype=np.int64),
            kinds=np.array([KINDS.index(turn.kind) for _, turn in rows], dtype=np.int64),
            texts=tuple(places),
            said=np.array(said, dtype=np.int64),
            finished=np.array([turn.finished for _, turn in rows], dtype=np.bool_),
            verdicts=np.array([bool(turn.verdict) for _, turn in rows], dtype=np.bool_),
            values=np.array(
                [np.nan if turn.value is None else turn.value for _, turn in rows],
                dtype=np.float64,
            ),
            unknown=unknown_among(
                False if turn.kind == KINDS[CRITIQUE] else turn.verdict for _, turn in rows
            ),
        )

    def of(self, answer: int) -> tuple[Turn, ...]:
        """The turns of one answer, in order."""
        first, last = np.searchsorted(self.answers, [answer, answer + 1]).tolist()
        return tuple(self._row(row) for row in range(first, last))

    def error(self) -> float:
        """Share of wrong ones among the answers that did not count; NaN where there are none.

        Those without a verdict are left out.
        """
        judged = self.verdicts[self.judged]
        return 1.0 - float(judged.mean()) if len(judged) else float("nan")

    @property
    def judged(self) -> Truths:
        """bool [N], what has a verdict: neither critiques, nor answers without one."""
        answers: Truths = self.kinds != CRITIQUE
        return answers & ~self.unknown if len(self.unknown) else answers

    def __len__(self) -> int:
        return len(self.answers)

    def _row(self, row: int) -> Turn:
        kind, value = int(self.kinds[row]), float(self.values[row])
        judged = kind != CRITIQUE and not (len(self.unknown) and self.unknown[row])
        return Turn(
            kind=KINDS[kind],
            text=self.texts[self.said[row]],
            finished=bool(self.finished[row]),
            verdict=bool(self.verdicts[row]) if judged else None,
            value=None if np.isnan(value) else value,
        )
