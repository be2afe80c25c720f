"""Which questions of a generation ask for programs, and which for tests of one; and rows by seeds.

Dimensions: S seeds, Q questions of a generation, which differs by seed where only some count.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgptn.population.records.arrays import Floats, Truths
from mgptn.population.records.generation import Generation
from mgptn.protocols.tasks.programs.both import program_spec

PROGRAMS, TESTS = "programs", "tests"


def asks_for_programs(generation: Generation) -> Truths:
    """Which questions do, bool [Q]; the others ask for a test."""
    return np.array([program_spec(query) is not None for query in generation.outcomes.queries])


def of_kind(generation: Generation, kind: str) -> Truths:
    """Which questions ask for `PROGRAMS`, or for `TESTS`, bool [Q]."""
    programs = asks_for_programs(generation)
    return programs if kind == PROGRAMS else ~programs


def by_seeds(rows: Sequence[Floats]) -> Floats:
    """Rows [Q, ...] of each seed as clusters: means [S, 1, ...]; of a single seed, all [1, Q, ...].

    Seeds have different numbers of questions of a kind, and count alike.
    """
    if len(rows) == 1:
        return np.asarray(rows[0])[None]
    return np.stack([np.mean(of, axis=0) for of in rows])[:, None]
