"""Scales that a model has learned: by the logits, and by k sampled words, on the same answers.

Dimensions: S seeds, Q problems, M answers to each.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.claims.survey_trick.measures import LOGITS
from mgptn.experiments.claims.survey_trick.ways import GAIN, JUDGES, Way, less, way_of

TOLD = {"words": "words", "digits": "digits", "yes-no": "P(True)"}


class Learned(NamedTuple):
    """What decides: whether the logits rank, and what they have over a word; and what is told."""

    ranks: list[Number]
    over_one: list[Number]
    areas: tuple[Number, ...]
    between: tuple[Number, ...]


def learned_numbers(results: Results) -> Learned:
    """Areas of every scale, untaught and taught; of taught ones those that decide."""
    table = results.measured("learned")
    found = Learned([], [], (), ())
    areas: list[Number] = []
    between: list[Number] = []
    words = [c for c in table.columns if c.isdigit()]
    for task in table["task"].unique(maintain_order=True):
        taught: dict[str, Way] = {}
        for scale, told in TOLD.items():
            for grader in ("untaught", "taught"):
                rows = table.filter(task=task, scale=scale, grader=grader)
                ways = {name: _way(rows, name) for name in (LOGITS, *words)}
                name = f"{task}, {told}, {grader}"
                areas += [
                    share(f"{name}: {_said(by)}", way.counts, way.area) for by, way in ways.items()
                ]
            taught[scale] = ways[LOGITS]
            known = ways[LOGITS].half(0)
            if share("", known.counts, known.area).value < JUDGES:
                continue
            other = ways[LOGITS].half(1)
            name = f"{task}, learned {told}"
            found.ranks.append(share(f"{name}: AUC on the other half", other.counts, other.area))
            of = less(ways[LOGITS], ways[words[0]], 1, "area")
            found.over_one.append(estimate(f"{name}: {GAIN}", *of, DIFFERENCE))
        for scale in ("digits", "yes-no"):
            of = less(taught["words"], taught[scale], None, "area")
            name = f"{task}: AUC, learned words less learned {TOLD[scale]}"
            between.append(estimate(name, *of, DIFFERENCE))
    return found._replace(areas=tuple(areas), between=tuple(between))


def _said(by: str) -> str:
    if by == LOGITS:
        return "by the logits"
    return "one word" if by == "1" else f"mean of {by} words"


def _way(rows: pl.DataFrame, by: str) -> Way:
    """Counts of one column of grades, all seeds."""
    seeds, problems = rows["seed"].n_unique(), rows["problem"].n_unique()
    grades = rows[by].to_numpy().reshape(seeds, problems, -1)
    return way_of(grades, rows["right"].to_numpy().reshape(grades.shape))
