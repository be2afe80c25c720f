"""From a configuration's `task` section to the task itself, all of it checked before a run."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from experiments.config import TaskConfig
from protocols.table import TASKS
from protocols.tasks.task import Task


def make_task(config: TaskConfig) -> Task:
    """The task that a checked configuration names."""
    return TASKS[config.name](bundled_size(config))


def bundled_size(config: TaskConfig) -> int:
    """The size of a bundled task; a checked configuration has one, its own or the default."""
    assert config.size is not None
    return config.size
