"""Ray, begun beside something else: it is waited for only where it is needed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

from mgptn.agents.hosts.fleet import FleetError
from mgptn.agents.hosts.ray.session import start_ray, stop_ray


class Beginning:
    """A Ray that starts, or is joined, in a thread of its own.

    The thread is kept for as long as the Ray is: a process that Ray has asked the system to end
    with its parent ends with the thread that started it.
    """

    def __init__(self, address: str | None, preloaded: Sequence[str]) -> None:
        self._keeper = ThreadPoolExecutor(1, "ray")
        self._begun: Future[bool] = self._keeper.submit(start_ray, address, preloaded)
        self._taken = False

    def take(self) -> bool:
        """Wait for it; whether it was started here, and is the caller's to end by `end`.

        Raises
        ------
        FleetError
            As of `start_ray`.
        """
        started = self._begun.result()
        self._taken = True
        return started

    def end(self) -> None:
        """End what was started here."""
        with suppress(FleetError):
            if self._begun.result():
                stop_ray()
        self._keeper.shutdown()

    def leave(self) -> None:
        """End it if nobody has taken it."""
        if not self._taken:
            self.end()


@contextmanager
def beginning(address: str | None, preloaded: Sequence[str] = ()) -> Iterator[Beginning]:
    """Have Ray start while something else is done; if nobody takes it, it is ended again.

    Parameters
    ----------
    address
        As of `start_ray`.
    preloaded
        Modules that the workers of a Ray that is started here import as they come up.
    """
    begun = Beginning(address, preloaded)
    try:
        yield begun
    finally:
        begun.leave()
