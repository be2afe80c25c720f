"""Who grades whom, of a run whose graders are drawn at random: the run's seed says it.

It is most of what a journal of many agents holds, and a compact one holds the seed in its place.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from mgptn.population.draws.streams import stream
from mgptn.population.judging.pairing import random_graders, seated
from mgptn.population.records.arrays import Integers
from mgptn.population.records.matches import Matches

SEED, OWN = "seed", "own"
"""Fields in place of an array of graders: the run's seed, and 1 where authors grade too, last."""


def drawn_graders(
    seed: int, generation: int, matches: tuple[int, int], graders: int, *, own: bool
) -> Integers:
    """Slots of each answer's graders as a tournament draws them, integers [A, K].

    Parameters
    ----------
    matches
        Agents, and problems of the generation.
    graders
        Others who grade an answer.
    own
        Does its author, too?
    """
    size, problems = matches
    drawn = random_graders(size, problems, graders, stream(seed, "graders", generation))
    return seated(drawn, problems) if own else drawn


def as_drawn(matches: Matches, seed: int, generation: int) -> dict[str, int] | None:
    """What stands for the graders of matches in a compact record; None if they are no such draw."""
    answers, seats = matches.graders.shape
    size = len(matches.authors)
    if not answers or not seats:
        return None
    own = int(np.array_equal(matches.graders[:, -1], matches.slots))
    if not 1 <= seats - own <= size - 1:
        return None
    again = drawn_graders(seed, generation, (size, matches.problems), seats - own, own=bool(own))
    return {SEED: seed, OWN: own} if np.array_equal(again, matches.graders) else None
