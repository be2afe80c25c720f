"""A lineage for other programs, as standard CSV and as Newick trees.

Text only; writing files is the caller's affair.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from mgptn.population.measures.lineage import Life, Lineage, descendants
from mgptn.population.records.agents import AgentId

COLUMNS = ("id", "ancestor_list", "origin_time", "destruction_time", "taxon_label")


def alife_csv(lineage: Lineage, extinct: bool = True) -> str:
    """The lineage as a table of the artificial-life phylogeny standard: `alife_lines`, joined."""
    return "".join(alife_lines(lineage, extinct))


def alife_lines(lineage: Lineage, extinct: bool = True) -> Iterator[str]:
    """The lineage as a table of the artificial-life phylogeny standard, line by line.

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
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")

    def line(cells: Iterable[object]) -> str:
        text.seek(0)
        text.truncate()
        writer.writerow(cells)
        return text.getvalue()

    changed = any(life.weights for life in lineage.lives.values())
    yield line((*COLUMNS, "weights") if changed else COLUMNS)
    for life in _lives(lineage, extinct):
        yield line(
            (
                life.id,
                "[none]" if life.parent is None else f"[{life.parent}]",
                life.born + 1,
                "inf" if life.died is None else life.died + 1,
                life.genome or "",
                *([life.weights or ""] if changed else []),
            )
        )


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
    children: dict[AgentId, list[AgentId]] = {}
    born: dict[AgentId, int] = {}
    labels: dict[AgentId, str] = {}
    unwritten: list[AgentId | str] = []
    for life in _lives(lineage, extinct):
        born[life.id] = life.born
        if life.parent is None:
            labels[life.id] = f"{life.id}"
            unwritten += [life.id, ";\n"]
        else:
            labels[life.id] = f"{life.id}:{life.born - born[life.parent]}"
            children.setdefault(life.parent, []).append(life.id)
    unwritten.reverse()
    text = io.StringIO()
    # A stack, because a line of descent is deeper than Python's recursion may be.
    while unwritten:
        part = unwritten.pop()
        if isinstance(part, str):
            text.write(part)
            continue
        label = labels.pop(part)
        if part in children:
            text.write("(")
            unwritten.append(f"){label}")
            for child in reversed(children.pop(part)):
                unwritten += [child, ","]
            unwritten.pop()
        else:
            text.write(label)
    return text.getvalue()


def _lives(lineage: Lineage, extinct: bool) -> Iterator[Life]:
    if extinct:
        return iter(lineage.lives.values())
    below = descendants(lineage, lineage.living)
    return (life for life in lineage.lives.values() if below[life.id])
