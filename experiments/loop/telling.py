"""A tournament told once more what was recorded, which may be anything."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import struct

from mgptn.experiments.record.committed import Committed
from mgptn.population.records.generation import Generation
from mgptn.population.tournament import Tournament

FAULTS = (ArithmeticError, LookupError, TypeError, ValueError, struct.error)
"""What a tournament may raise of outcomes that are not those of its matches."""


class ContradictionError(ValueError):
    """Recorded outcomes that a tournament cannot have been told: names generation and arm."""


def told_again(tournament: Tournament, one: Committed) -> Generation:
    """What a tournament decides, told an arm's recorded outcomes; nothing changes if it cannot be.

    Raises
    ------
    ContradictionError
        If they are not those of its matches.
    """
    recorded = one.generation
    try:
        return tournament.tell(recorded.outcomes, recorded.learned)
    except FAULTS as error:
        raise ContradictionError(
            f"generation {recorded.index}, arm {one.arm}: expected outcomes of the matches that "
            f"were drawn, got: {error}"
        ) from None
