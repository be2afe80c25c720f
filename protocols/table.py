"""Which protocols and tasks there are, by the names a configuration uses."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable

from protocols.messages import Conversation
from protocols.survey import survey
from protocols.tasks.addition import Addition
from protocols.tasks.task import Task

PROTOCOLS: dict[str, Callable[[str, int], Conversation]] = {"survey": survey}
"""Name → protocol, called with the query and the number of graders."""

TASKS: dict[str, Callable[[int], Task]] = {"addition": Addition}
"""Name → task, called with its size."""
