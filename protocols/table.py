"""Which protocols and tasks there are, by the names a configuration uses."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable

from protocols.messages import Conversation
from protocols.survey import survey
from protocols.tasks.addition import Addition
from protocols.tasks.bundled import BundledTask
from protocols.tasks.composition import Composition, UnseenComposition
from protocols.tasks.facts import Facts
from protocols.tasks.indivisible import Indivisible
from protocols.tasks.subset_sum import SubsetSum

PROTOCOLS: dict[str, Callable[[str, int], Conversation]] = {"survey": survey}
"""Name → protocol, called with the query and the number of graders."""

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
