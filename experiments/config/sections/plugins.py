"""Protocols, tasks and interfaces, bundled or from other packages' entry points, by name."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from inspect import signature
from typing import Any, TypeVar, get_type_hints

from mgptn.protocols.interfaces.table import INTERFACES, MakeInterface
from mgptn.protocols.protocol import Protocol
from mgptn.protocols.table import PROTOCOLS, SIZED
from mgptn.protocols.tasks.task import SizedTask

Kind = TypeVar("Kind")


def options_of(kind: type[SizedTask]) -> dict[str, Any]:
    """Name → type of each option of a class of tasks."""
    parameters = signature(kind.__init__).parameters.values()
    try:
        hints = get_type_hints(kind.__init__)
    except (NameError, TypeError):  # what is there for a type checker alone
        hints = {}
    return {p.name: hints.get(p.name, Any) for p in parameters if p.kind is p.KEYWORD_ONLY}


NEEDED = ("name", "sizes", "default_size", "draw", "verify", "reference", "canonical", "corrupt")
"""What the class of a task must have."""


class PluginError(ValueError):
    """Another package's entry point that cannot be used: says which, and what is wrong with it."""


class Known(Mapping[str, Kind]):
    """What a group has, by name: bundled, or from entry points, each imported when it is asked for.

    So one that is broken is in nobody's way who does not name it.

    Parameters
    ----------
    fits
        Is an object what the group is for?

    Raises
    ------
    PluginError
        Where a name is asked for whose entry point cannot be imported, or is not what the group is
        for, or which several have.
    """

    def __init__(
        self, group: str, bundled: Mapping[str, Kind], fits: Callable[[Any], bool]
    ) -> None:
        self.group = group
        self._bundled = bundled
        self._fits = fits
        self._points: dict[str, list[EntryPoint]] = {}
        for point in sorted(entry_points(group=group), key=lambda point: (point.name, point.value)):
            self._points.setdefault(point.name, []).append(point)
        self._loaded: dict[str, Kind] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._bundled, *self._points]))

    def __len__(self) -> int:
        return len(self._bundled.keys() | self._points.keys())

    def __contains__(self, name: object) -> bool:
        return name in self._bundled or name in self._points

    def __getitem__(self, name: str) -> Kind:
        if name in self._bundled:
            return self._bundled[name]
        if name not in self._loaded:
            self._loaded[name] = self._load(self._points[name])
        return self._loaded[name]

    def usable(self) -> dict[str, Kind]:
        """All that can be had; those that cannot are left out, and `faults` tells of them."""
        broken = {name for name, _ in self.faults()}
        return {name: self[name] for name in self if name in self._bundled or name not in broken}

    def faults(self) -> list[tuple[str, PluginError]]:
        """The name of each entry point that cannot be used, and why."""
        found = []
        for name, points in self._points.items():
            try:
                if name in self._bundled:
                    raise PluginError(
                        f"{self._named(points[0])}: expected a name of its own, got one that is "
                        "taken"
                    )
                self[name]
            except PluginError as error:
                found.append((name, error))
        return found

    @property
    def plugins(self) -> list[str]:
        """Names of entry points."""
        return list(self._points)

    def _load(self, points: list[EntryPoint]) -> Kind:
        point, *others = points
        where = self._named(point)
        if others:
            raise PluginError(
                f"{where}: expected a name of its own, got one that {others[0].value} takes too"
            )
        try:
            made = point.load()
        # Whoever imports other people's code gets whatever that raises, and exits too.
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"{where}: expected something to import, got {type(error).__name__}: {error}"
            ) from error
        if not self._fits(made):
            raise PluginError(f"{where}: expected what the group is for, got {made!r:.100}")
        known: Kind = made
        return known

    def _named(self, point: EntryPoint) -> str:
        return f"entry point {point.name} = {point.value} of {self.group}"


@cache
def protocols() -> Known[Protocol]:
    """Name → protocol; entry points of the group ``mgptn.protocols`` are `Protocol` objects."""
    return Known("mgptn.protocols", PROTOCOLS, lambda made: isinstance(made, Protocol))


@cache
def interfaces() -> Known[MakeInterface]:
    """Name → how an interface is made; entry points of ``mgptn.interfaces`` are functions of a
    `mgptn.protocols.interfaces.table.Setting`.
    """
    return Known("mgptn.interfaces", INTERFACES, callable)


@cache
def tasks() -> Known[type[SizedTask]]:
    """Name → task class; entry points of ``mgptn.tasks`` are classes with all of `NEEDED`."""
    return Known(
        "mgptn.tasks",
        SIZED,
        lambda made: isinstance(made, type) and all(hasattr(made, name) for name in NEEDED),
    )


def find_protocol(name: str) -> Protocol:
    """The protocol of a name that a configuration has been checked for."""
    return protocols()[name]
