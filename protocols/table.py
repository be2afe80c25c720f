"""Which protocols and tasks there are, by the names a configuration uses."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from protocols.best_of_n import BEST_OF_N
from protocols.chaining import CHAINING
from protocols.cherry_pick import CHERRY_PICK
from protocols.critique_revise import CRITIQUE_REVISE
from protocols.debate import DEBATE
from protocols.majority import MAJORITY
from protocols.pairwise import PAIRWISE
from protocols.protocol import Protocol
from protocols.score_conditioned import SCORE_CONDITIONED
from protocols.self_survey import SELF_SURVEY
from protocols.survey import SURVEY
from protocols.tasks.addition import Addition
from protocols.tasks.bundled import BundledTask
from protocols.tasks.composition import Composition, UnseenComposition
from protocols.tasks.facts import Facts
from protocols.tasks.indivisible import Indivisible
from protocols.tasks.subset_sum import SubsetSum

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        SURVEY,
        SELF_SURVEY,
        PAIRWISE,
        CHAINING,
        SCORE_CONDITIONED,
        CRITIQUE_REVISE,
        DEBATE,
        MAJORITY,
        BEST_OF_N,
        CHERRY_PICK,
    )
}
"""Name → protocol; a further one is entered here, or by another package's entry point."""

BUNDLED: tuple[type[BundledTask], ...] = (
    Addition,
    Facts,
    SubsetSum,
    Composition,
    UnseenComposition,
    Indivisible,
)
"""The tasks that come with mgptn; a further one is entered here and nowhere else."""

TASKS: dict[str, type[BundledTask]] = {task.name: task for task in BUNDLED}
"""Name → bundled task, called with its size."""
