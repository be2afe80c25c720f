"""A Ray without what a run has no use for: three processes of Python fewer to wait for.

Ray starts a server for its dashboard and job API, even where no dashboard is wanted, and waits for
it; a monitor of demands for an autoscaler; and one that carries workers' output to the driver.
A Ray that is secluded has none of the three. It has no public way to be told so: where a version
has not what is replaced here, it starts as it always does.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

UNWANTED = ("start_monitor", "start_log_monitor")
"""Of Ray's `Node`: each starts a process, and gives nothing back."""

SERVER, URL = "start_api_server", "_webui_url"
"""It starts another, and notes where that is."""


@contextmanager
def spared() -> Iterator[None]:
    """While a Ray is started that is to have no more processes than it needs."""
    before = [
        (holder, name, getattr(holder, name), instead) for holder, name, instead in _replacements()
    ]
    try:
        for holder, name, _, instead in before:
            setattr(holder, name, instead)
        yield
    finally:
        for holder, name, usual, _ in before:
            setattr(holder, name, usual)


def _replacements() -> list[tuple[Any, str, Callable[..., Any]]]:
    """What of Ray is replaced by what; nothing where Ray is another than it was."""
    try:
        from ray._private import node, utils

        whole = node.Node
    except (ImportError, AttributeError):
        return []
    found: list[tuple[Any, str, Callable[..., Any]]] = [
        (whole, name, _nothing) for name in UNWANTED if hasattr(whole, name)
    ]
    if hasattr(whole, SERVER):
        found.append((whole, SERVER, _no_server))
    # Asked for what its dashboard needs: imported for a second, and found wanting here.
    if hasattr(utils, "get_dashboard_dependency_error"):
        found.append((utils, "get_dashboard_dependency_error", _no_dashboard))
    return found


def _nothing(self: Any, *_: Any, **__: Any) -> None:
    """Start nothing."""


def _no_server(self: Any, *_: Any, **__: Any) -> None:
    """Start nothing, and say that it is nowhere."""
    setattr(self, URL, "")


def _no_dashboard() -> Exception:
    return ImportError("mgptn wants no dashboard")
