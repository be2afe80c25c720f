"""A lineage for other programs, as standard CSV and as Newick trees.

Text only; writing files is the caller's affair.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from mgptn.population.measures.lineage import Life, Lineage, descendants
from mgptn.population.records.population import NOBODY

COLUMNS = ("id", "ancestor_list", "origin_time", "destruction_time", "taxon_label")
_AT_ONCE = 1024


def alife_csv(lineage: Lineage, extinct: bool = True) -> str:
    """The lineage as a table of the artificial-life phylogeny standard: `alife_lines`, joined."""
    return "".join(alife_lines(lineage, extinct))


def alife_lines(lineage: Lineage, extinct: bool = True) -> Iterator[str]:
    """The lineage as a table of the artificial-life phylogeny standard, some lines at a time.

    Times are in generations: `origin_time` is the first generation in which an agent answers,
    `destruction_time` the first in which it no longer does, ``inf`` for the living.
    `taxon_label` is the digest of its genome at birth, empty where there is no record of it. Where
    weights of anybody's changed, a further column `weights` says what was done to the agent's last
    before its birth, and is empty for a model's own.

    Parameters
    ----------
    extinct
        Whether to include agents without living descendants.

    Returns
    -------
    CSV: a heading and a line per agent, parents before children, lines ended by ``\\n``.

    Source
    ------
    Lalejini et al. 2019, "Data standards for artificial life software".
    """
    changed = any(life.weights for life in lineage.lives.values())
    lines = (
        (
            life.id,
            "[none]" if life.parent is None else f"[{life.parent}]",
            life.born + 1,
            "inf" if life.died is None else life.died + 1,
            life.genome or "",
            *([life.weights or ""] if changed else []),
        )
        for life in _lives(lineage, extinct)
    )
    yield _written([(*COLUMNS, "weights") if changed else COLUMNS])
    while some := list(islice(lines, _AT_ONCE)):
        yield _written(some)


def _written(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def newick(lineage: Lineage, extinct: bool = True) -> str:
    """The lineage as Newick trees, a line per founder, every agent a node labelled by its id.

    A branch is as long as the generations from the parent's birth to the child's; a founder has
    none. Agents that live on after they bore children are inner nodes, not leaves.

    Parameters
    ----------
    extinct
        Whether to include agents without living descendants.

    Source
    ------
    Olsen 1990, "The Newick tree format".
    """
    ids, parents, born = _descent(lineage, extinct)
    sizes = array("q", [1]) * len(ids)  # of the tree below each, itself included
    for child in range(len(ids) - 1, -1, -1):
        if parents[child] >= 0:
            sizes[parents[child]] += sizes[child]
    # Every node is written after all below it: from `first` on there is its tree, itself at `last`.
    free = 0
    first, last, opened = (array("q", bytes(8 * len(ids))) for _ in range(3))
    for node, parent in enumerate(parents):
        if parent < 0:
            first[node], free = free, free + sizes[node]
        else:
            first[node] = last[parent]
            last[parent] += sizes[node]
        last[node] = first[node]  # for now, where the next child's tree begins
    written = [""] * len(ids)
    for node, parent in enumerate(parents):
        if sizes[node] > 1:
            opened[first[node]] += 1
        if parent < 0:
            written[last[node]] = f"{ids[node]};\n"
        else:
            end = ")" if last[node] + 1 == last[parent] else ","
            written[last[node]] = f"{ids[node]}:{born[node] - born[parent]}{end}"
    return "".join("(" * many + label for many, label in zip(opened, written, strict=True))


def _descent(lineage: Lineage, extinct: bool) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    """Of each life its id, the place of its parent, −1 for a founder, and its birth."""
    if extinct:
        ids, known, born = lineage.descent()
    else:
        lives = list(_lives(lineage, extinct))
        ids, born = [life.id for life in lives], [life.born for life in lives]
        known = [NOBODY if life.parent is None else life.parent for life in lives]
    place = dict(zip(ids, range(len(ids)), strict=True))
    return ids, array("q", (place.get(parent, -1) for parent in known)), born


def _lives(lineage: Lineage, extinct: bool) -> Iterator[Life]:
    if extinct:
        return iter(lineage.lives.values())
    below = descendants(lineage, lineage.living)
    return (life for life in lineage.lives.values() if below[life.id])
