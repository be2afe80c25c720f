"""Whose descendants live: founders counted and shared out, before anything is drawn of them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

import numpy as np
import polars as pl

from mgptn.population.records.arrays import Floats

RUN = "selected"
"""The arm that is the run itself."""

BANDS = 60
"""Founders with a band of their own: of more, the others are drawn together, where they stand."""


def founder_counts(agents: pl.DataFrame) -> pl.DataFrame:
    """How many agents descend from each founder, and how many survivors descend from these.

    Returns
    -------
    Columns arm, generation, founder, agents, offspring: a row for each founder of whom there is
    anybody, some hundreds of a table of agents' thousands.
    """
    by = agents.group_by("arm", "generation", "founder", maintain_order=True)
    return by.agg(pl.len().cast(pl.Int64).alias("agents"), pl.col("offspring").sum())


def founder_shares(counts: pl.DataFrame) -> dict[int, Floats]:
    """Share of the run's living agents by founder.

    Parameters
    ----------
    counts
        As of `founder_counts`.

    Returns
    -------
    dict
        Founder → float64 [G + 1]: at the start of each of the G generations, and after the last
        one's selection. Founders in order of their ids; empty where there are no agents.
    """
    rows = counts.filter(pl.col("arm") == RUN)
    generations, times = np.unique(rows["generation"].to_numpy(), return_inverse=True)
    if not len(generations):
        return {}
    founders, places = np.unique(rows["founder"].to_numpy(), return_inverse=True)
    living = np.zeros((len(founders), len(generations) + 1))
    np.add.at(living, (places, times), rows["agents"].to_numpy())
    last = times == len(generations) - 1
    np.add.at(living[:, -1], places[last], rows["offspring"].to_numpy()[last])
    shares = living / np.maximum(living.sum(axis=0), 1)
    return dict(zip(founders.tolist(), shares, strict=True))


def banded(shares: Mapping[int, Floats], most: int = BANDS) -> list[tuple[int | None, Floats]]:
    """Bands of a stacked plot: the founders that come to the most; neighbours among the others as
    one.

    Returns
    -------
    list
        Founder, None for several, with the band's shares; in order, and adding up as before. At
        most twice `most` and one.
    """
    own = set(by_size(shares)[:most])
    bands: list[tuple[int | None, Floats]] = []
    for several, names in groupby(shares, key=lambda name: name not in own):
        if several:
            bands.append((None, np.sum([shares[name] for name in names], axis=0)))
        else:
            bands += [(name, shares[name]) for name in names]
    return bands


def by_size(shares: Mapping[int, Floats]) -> list[int]:
    """Founders, who has most at the end and at any time first."""
    return sorted(shares, key=lambda f: (-shares[f][-1], -shares[f].max(), f))
