"""Protocols, tasks and interfaces, bundled or from other packages' entry points, by name."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Any, ClassVar, TypeVar
from typing import Protocol as Typing

from mgptn.protocols.interfaces.table import INTERFACES, MakeInterface
from mgptn.protocols.protocol import Protocol
from mgptn.protocols.table import PROTOCOLS, TASKS
from mgptn.protocols.tasks.task import Task

Kind = TypeVar("Kind")


class SizedTask(Task, Typing):
    """A class of tasks with a size knob."""

    sizes: ClassVar[Sequence[int]]
    default_size: ClassVar[int]

    def __init__(self, size: int) -> None: ...


NEEDED = ("name", "sizes", "default_size", "draw", "verify", "reference", "canonical", "corrupt")
"""What the class of a task must have."""


class PluginError(ValueError):
    """Another package's entry point that cannot be used: says which, and what is wrong with it."""


@cache
def protocols() -> Mapping[str, Protocol]:
    """Name → protocol; entry points of the group ``mgptn.protocols`` are `Protocol` objects.

    Raises
    ------
    PluginError
        If an entry point cannot be imported, is no protocol, or takes a name that is taken.
    """
    return _with_plugins("mgptn.protocols", PROTOCOLS, lambda made: isinstance(made, Protocol))


@cache
def interfaces() -> Mapping[str, MakeInterface]:
    """Name → how an interface is made; entry points of ``mgptn.interfaces`` are functions of a
    `mgptn.protocols.interfaces.table.Setting`. Errors as of `protocols`.
    """
    return _with_plugins("mgptn.interfaces", INTERFACES, callable)


@cache
def tasks() -> Mapping[str, type[SizedTask]]:
    """Name → task class; entry points of ``mgptn.tasks`` are classes with all of `NEEDED`.

    Errors as of `protocols`.
    """
    return _with_plugins(
        "mgptn.tasks",
        TASKS,
        lambda made: isinstance(made, type) and all(hasattr(made, name) for name in NEEDED),
    )


def find_protocol(name: str) -> Protocol:
    """The protocol of a name that a configuration has been checked for."""
    return protocols()[name]


def _with_plugins(group: str, bundled: Mapping[str, Kind], fits: Any) -> Mapping[str, Kind]:
    known = dict(bundled)
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, point.value)):
        where = f"entry point {point.name} = {point.value} of {group}"
        if point.name in known:
            raise PluginError(f"{where}: expected a name of its own, got one that is taken")
        try:
            made = point.load()
        except Exception as error:
            raise PluginError(
                f"{where}: expected something to import, got {type(error).__name__}: {error}"
            ) from error
        if not fits(made):
            raise PluginError(f"{where}: expected what the group is for, got {made!r}")
        known[point.name] = made
    return known
