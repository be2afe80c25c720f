"""Roles: agents that do not say what they think, and what they say instead.

A role is inherited and no mutation changes it. Who grades by a role need not be asked differently:
the rule is applied to the honest grade. Dimensions: A answers, K seats, L levels, worst first.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgptn.population.draws.streams import Coordinate, stream
from mgptn.population.records.agents import ORDINARY
from mgptn.population.records.arrays import Floats, Integers
from mgptn.population.records.distinct import Levels

TOP, BOTTOM, RANDOM = "always-top", "always-bottom", "random"
SABOTEUR, CLIQUE, FLATTERER = "saboteur", "clique", "flatterer"

ROLES: dict[str, str] = {
    ORDINARY: "says what it thinks",
    TOP: "gives every answer the top level",
    BOTTOM: "gives every answer the bottom level",
    RANDOM: "gives every answer a level drawn evenly",
    SABOTEUR: "reverses its grade: the top level for what it thinks worst",
    CLIQUE: "gives answers of its kind the top level, and others an honest grade",
    FLATTERER: "grades honestly, and answers wrongly where graders are known not to see it",
}
"""Role → what an agent of it does."""

_LOOKING = (ORDINARY, SABOTEUR, CLIQUE, FLATTERER)
"""Roles that look at an answer before they grade it."""


def adjusted_grade(role: str, levels: Levels, author_role: str, uniform: float) -> Levels:
    """What a grader of a role says instead of its honest grade.

    Parameters
    ----------
    role, author_role
        Of the grader, and of the answer's author; names in `ROLES`.
    levels
        The honest distribution over the levels, worst first; None where it could not be read.
    uniform
        In [0, 1), for who draws its grade.

    Returns
    -------
    A distribution; None where an honest grade that matters could not be read.

    Raises
    ------
    ValueError
        If a role is none.
    """
    for name in (role, author_role):
        if name not in ROLES:
            raise ValueError(f"role: expected one of {', '.join(ROLES)}, got {name!r}")
    if levels is None and role in _LOOKING:
        # A member of a clique too finds out who wrote an answer by looking at it.
        return None
    count = 5 if levels is None else len(levels)
    if role == SABOTEUR:
        assert levels is not None
        return tuple(reversed(levels))
    if role == TOP or (role == CLIQUE and author_role == CLIQUE):
        return _certain(count - 1, count)
    if role == BOTTOM:
        return _certain(0, count)
    if role == RANDOM:
        return _certain(min(int(uniform * count), count - 1), count)
    return levels


def adjusted_levels(
    grader_roles: Sequence[str],
    author_roles: Sequence[str],
    graders: Integers,
    authors: Integers,
    levels: Integers,
    uniforms: Floats,
) -> Integers:
    """As `adjusted_grade`, of grades that are one level each.

    Parameters
    ----------
    grader_roles, author_roles
        Of every slot.
    graders
        Integers [A, K], slots.
    authors
        Integers [A], slots.
    levels
        Integers [A, K], the honest level, from 0 to 4.
    uniforms
        float64 [A, K] in [0, 1).

    Returns
    -------
    Integers [A, K], levels.
    """
    role_of = np.array(list(grader_roles))[graders]
    clique = (np.array(list(author_roles)) == CLIQUE)[authors][:, None]
    drawn = np.minimum((uniforms * 5).astype(np.int64), 4)
    cases = [
        role_of == SABOTEUR,
        (role_of == TOP) | ((role_of == CLIQUE) & clique),
        role_of == BOTTOM,
        role_of == RANDOM,
    ]
    found: Integers = np.select(
        cases, [4 - levels, np.full_like(levels, 4), 0 * levels, drawn], levels
    )
    return found


def dealt_roles(shares: dict[str, float], size: int, seed: int, *name: Coordinate) -> list[str]:
    """A role for each founder: as many of each as its share says, to the nearest, drawn by lot.

    Raises
    ------
    ValueError
        If a role is none, a share is worth nobody, or all of them together are more than everybody.
    """
    counts = {role: int(np.floor(share * size + 0.5)) for role, share in shares.items() if share}
    for role, count in counts.items():
        if role not in ROLES or role == ORDINARY:
            known = ", ".join(name for name in ROLES if name != ORDINARY)
            raise ValueError(f"role: expected one of {known}, got {role!r}")
        if count < 1:
            raise ValueError(
                f"population.adversaries.{role.replace('-', '_')}: expected a share worth at least "
                f"one of {size} founders, got {shares[role]}"
            )
    total = sum(counts.values())
    if total > size:
        raise ValueError(
            f"population.adversaries: expected shares that are worth at most all {size} founders, "
            f"got {total} of them"
        )
    roles = [role for role in ROLES for _ in range(counts.get(role, 0))]
    roles += [ORDINARY] * (size - total)
    if not counts:
        return roles
    places = stream(seed, "adversaries", *name).permutation(size).tolist()
    return [roles[place] for place in places]


def _certain(level: int, count: int) -> tuple[float, ...]:
    return tuple(float(i == level) for i in range(count))
