"""Ray, begun beside something else: it is waited for only where it is needed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

from mgptn.agents.hosts.fleet import FleetError
from mgptn.agents.hosts.ray.answering import still_answered
from mgptn.agents.hosts.ray.session import start_ray, stop_ray


class Beginning:
    """A Ray that starts, or is joined, in a thread of its own.

    The thread is kept for as long as the Ray is: a process that Ray has asked the system to end
    with its parent ends with the thread that started it.
    """

    def __init__(self, address: str | None, preloaded: Sequence[str], storing: bool) -> None:
        self._keeper = ThreadPoolExecutor(1, "ray")
        self._begun: Future[bool] = self._keeper.submit(
            start_ray, address, preloaded, storing=storing
        )
        self._ending: Future[None] | None = None

    def take(self) -> bool:
        """Wait for it; whether it was started here.

        Raises
        ------
        FleetError
            As of `start_ray`.
        """
        return self._begun.result()

    def end(self) -> None:
        """Have what was started here end, beside whatever else is done; `leave` waits for it."""
        if self._ending is None:
            self._ending = self._keeper.submit(self._end)

    def leave(self) -> None:
        """Wait until what was started here has ended."""
        self.end()
        assert self._ending is not None
        self._ending.result()
        self._keeper.shutdown()

    def _end(self) -> None:
        with suppress(FleetError):
            if self._begun.result():
                with still_answered():
                    stop_ray()


@contextmanager
def beginning(
    address: str | None, preloaded: Sequence[str] = (), *, storing: bool = False
) -> Iterator[Beginning]:
    """Have Ray start while something else is done; it has ended when the context does.

    Parameters
    ----------
    address
        As of `start_ray`.
    preloaded
        Modules that the workers of a Ray that is started here import as they come up.
    storing
        As of `start_ray`.
    """
    begun = Beginning(address, preloaded, storing)
    try:
        yield begun
    finally:
        begun.leave()
