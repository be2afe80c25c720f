"""What people picked as a table, and whom they agree with: each other, the peers, the verifier."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.picked import NONE_OF_THEM
from mgptn.population.records.generation import Generation
from mgptn.population.records.turns import KINDS

CANDIDATE = KINDS[1]

SCHEMA: dict[str, pl.DataType] = {
    "arm": pl.String(),
    "generation": pl.Int64(),
    "index": pl.Int64(),
    "question": pl.String(),
    "who": pl.String(),
    "picked": pl.Int64(),
    "shown": pl.Int64(),
    "seconds": pl.Float64(),
    "right": pl.Boolean(),
    "counted": pl.Int64(),
    "graded_best": pl.Int64(),
    "candidates": pl.Int64(),
    "one_right": pl.Boolean(),
    "counted_right": pl.Boolean(),
}
"""Columns of the table `picks`, a row for each person's pick.

`question` names the question by its content: one that several arms had was put to people once.
`picked`, `counted` (what most of them picked) and `graded_best` (what the peers grade highest) are
candidates by their number, from 0; null for none of them, or where nobody grades. `shown` is the
place in which the person saw it.
"""


def nominal_alpha(units: Sequence[Sequence[int]]) -> float:
    """Krippendorff's α of values that are equal or not: 1 all agree, 0 as chance would have it.

    Parameters
    ----------
    units
        Of each unit the values it was given, by however many; those given fewer than two count for
        nothing.

    Returns
    -------
    NaN where there is nothing to compare, or one value alone.

    Source
    ------
    Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section B.
    """
    pairable = [list(values) for values in units if len(values) > 1]
    names, codes = np.unique(np.array([*chain.from_iterable(pairable)], int), return_inverse=True)
    if len(names) < 2:
        return float("nan")
    sizes = np.array([len(values) for values in pairable])
    unit = np.repeat(np.arange(len(sizes)), sizes)
    counts = np.zeros((len(sizes), len(names)))
    np.add.at(counts, (unit, codes), 1.0)
    agreeing = float(np.sum(counts * (counts - 1.0) / (sizes - 1.0)[:, None]))
    total, each = float(counts.sum()), counts.sum(axis=0)
    by_chance = float(np.sum(each * (each - 1.0))) / (total - 1.0)
    return 1.0 - (total - agreeing) / (total - by_chance)


def frame(one: Committed) -> pl.DataFrame:
    """A row for each pick that somebody made in a generation of an arm."""
    picked, rows = one.picked, []
    told = [
        _Told(one.generation, answer, counted)
        for answer, counted in zip(picked.answers.tolist(), picked.decided.tolist(), strict=True)
    ]
    for choice, who, own, shown, seconds in zip(
        picked.choices.tolist(), picked.who.tolist(), picked.picked.tolist(),
        picked.shown.tolist(), picked.seconds.tolist(), strict=True,
    ):  # fmt: skip
        about = told[choice]
        rows.append(
            {
                "arm": one.arm,
                "generation": one.generation.index,
                "index": about.answer,
                "question": picked.keys[choice],
                "who": picked.people[who],
                "picked": _or_null(own),
                "shown": _or_null(shown),
                "seconds": seconds,
                "right": about.right(own),
                "counted": _or_null(about.counted),
                "graded_best": about.graded_best,
                "candidates": len(about.verdicts),
                "one_right": True in about.verdicts,
                "counted_right": about.right(about.counted),
            }
        )
    return pl.DataFrame(rows, schema=SCHEMA)


class _Told:
    """A choice's candidates in their order: the verdict on each, and its mean grade."""

    def __init__(self, generation: Generation, answer: int, counted: int) -> None:
        self.answer, self.counted = answer, counted
        outcomes, place = generation.outcomes, max(counted, 0)
        others = [turn for turn in outcomes.turns.of(answer) if turn.kind == CANDIDATE]
        unknown = bool(len(outcomes.unknown) and outcomes.unknown[answer])
        self.verdicts = [turn.verdict for turn in others]
        self.verdicts.insert(place, None if unknown else bool(outcomes.verdicts[answer]))
        grades: list[float | None] = [turn.value for turn in others]
        grades.insert(place, float(outcomes.mean_grades()[answer]))
        known = np.array([np.nan if value is None else value for value in grades])
        self.graded_best = None if np.isnan(known).all() else int(np.nanargmax(known))

    def right(self, candidate: int) -> bool | None:
        """The verdict on a candidate; None where it is not known, or none was picked."""
        known = NONE_OF_THEM < candidate < len(self.verdicts)
        return self.verdicts[candidate] if known else None


def said_of(picks: pl.DataFrame) -> tuple[str, ...]:
    """What the table comes to, in sentences; nothing where nobody picked."""
    once = picks.unique(["question", "who"], maintain_order=True)
    questions = once.unique("question", maintain_order=True)
    if not len(once):
        return ()
    people = once["who"].n_unique()
    none = float(np.mean(once["picked"].is_null().to_numpy()))
    seconds = float(np.median(once["seconds"].to_numpy()))
    first = (
        f"{people} {'person' if people == 1 else 'people'} picked {len(once)} times of "
        f"{len(questions)} questions, within {seconds:.1f} s (median); {none:.0%} of the picks "
        "are none of the answers."
    )
    return tuple(filter(None, (first, _each_other(once), _peers(questions), _verifier(questions))))


def _each_other(once: pl.DataFrame) -> str:
    """Of what several picked."""
    by_question = once.group_by("question", maintain_order=True).agg(_numbered("picked"))
    units = [values for values in by_question["picked"].to_list() if len(values) > 1]
    if not units:
        return ""
    same = float(np.mean([_share_of_equal_pairs(values) for values in units]))
    return (
        f"Of the {len(units)} questions that several picked of, two people picked the same in "
        f"{same:.3f}{_with_alpha(units)}."
    )


def _peers(questions: pl.DataFrame) -> str:
    """Of what counted, beside what the peers grade highest."""
    graded = questions.filter(pl.col("graded_best").is_not_null())
    if not len(graded):
        return ""
    pairs = graded.select(_numbered("counted"), "graded_best")
    same = float((pairs["counted"] == pairs["graded_best"]).mean())  # type: ignore[arg-type]
    alpha = _with_alpha([list(pair) for pair in pairs.rows()])
    return f"What counted is what the peers grade highest in {same:.3f} of {len(graded)}{alpha}."


def _verifier(questions: pl.DataFrame) -> str:
    """Of what counted, where something right was among the answers."""
    some = questions.filter(pl.col("one_right"))
    if not len(some):
        return "No question had a right answer among those to pick from."
    right = float(some["counted_right"].fill_null(False).mean())  # type: ignore[arg-type]
    return f"Where one of the answers is right ({len(some)}), what counted is in {right:.3f}."


def _with_alpha(units: Sequence[Sequence[int]]) -> str:
    alpha = nominal_alpha(units)
    return "" if np.isnan(alpha) else f" (Krippendorff's α {alpha:.3f})"


def _share_of_equal_pairs(values: ArrayLike) -> float:
    _, counts = np.unique(np.asarray(values), return_counts=True)
    total = int(counts.sum())
    return float(np.sum(counts * (counts - 1))) / (total * (total - 1))


def _numbered(name: str) -> pl.Expr:
    return pl.col(name).fill_null(NONE_OF_THEM)


def _or_null(candidate: int) -> int | None:
    return None if candidate == NONE_OF_THEM else candidate
