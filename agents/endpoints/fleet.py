"""A fleet of endpoints and hosts together: each tile goes to the model that it is for."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from mgptn.agents.endpoints.answering import answer
from mgptn.agents.endpoints.budget import Budget
from mgptn.agents.endpoints.client import Client
from mgptn.agents.endpoints.endpoint import EndpointFault, LimitReached, key_of
from mgptn.agents.endpoints.probing import Served
from mgptn.agents.endpoints.uncommitted import Answered, Uncommitted
from mgptn.agents.hosts.fleet import Fleet, Rounds
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.requests import Tile, TileReply, Work
from mgptn.agents.texts import TextRequest, Weigh, Write

Result = TypeVar("Result")
Fault = EndpointFault | LimitReached


class JointFleet(Rounds):
    """Hosts, with endpoints beside them, within a budget.

    Parameters
    ----------
    inner
        Runs the tiles of models that are here.
    served
        The endpoints, by what stands for their weights.
    budget
        Checked before every request to an endpoint, and before every round of tiles.
    """

    def __init__(self, inner: Fleet, served: Mapping[str, Served], budget: Budget) -> None:
        self.settings: HostSettings = inner.settings
        self.budget = budget
        self._inner = inner
        self._served = dict(served)
        self._uncommitted: Uncommitted | None = None

    @property
    def alive(self) -> int:
        """Hosts that answer; endpoints are none."""
        return self._inner.alive

    @property
    def restarts(self) -> int:
        """Of hosts."""
        return self._inner.restarts

    def remember(self, path: Path) -> None:
        """Keep replies of endpoints in a file until `committed`, and take up what it has."""
        self._uncommitted = Uncommitted(path)

    def committed(self) -> None:
        """What was answered is in a journal."""
        if self._uncommitted is not None:
            self._uncommitted.forget()

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order; endpoints are asked while hosts work.

        Raises
        ------
        LimitReached
            If the budget does not last; what was answered is kept where `remember` says.
        EndpointFault
            If a server cannot be worked with, or is asked what only a host can be.
        """
        self.budget.check()
        remote = {i: tile for i, tile in enumerate(tiles) if tile.weights in self._served}
        for tile in remote.values():
            self._check(tile)
        here = [tile for i, tile in enumerate(tiles) if i not in remote]
        with in_the_background(self._ask(list(remote.values()))) as asked:
            done = iter(self._inner.run(here) if here else [])
            answered = iter(asked.result())
        replies = [next(answered if i in remote else done) for i in range(len(tiles))]
        for i, reply in enumerate(replies):
            if i not in remote:
                self.budget.work(len(tiles[i].requests), reply.work.tokens_computed)
        return replies

    def rest(self) -> None:
        """Let go of what the hosts hold."""
        self._inner.rest()

    def close(self) -> None:
        """End the hosts."""
        if self._uncommitted is not None:
            self._uncommitted.close()
        self._inner.close()

    async def _ask(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Every tile's one request put to its server, so many at once as each may be asked."""
        replies: dict[int, TileReply] = {}
        waiting: dict[str, list[int]] = defaultdict(list)
        for i, tile in enumerate(tiles):
            waiting[tile.weights].append(i)
        clients = {weights: self._client(self._served[weights]) for weights in waiting}
        faults: list[Fault] = []
        workers = [
            asyncio.create_task(self._work(order, tiles, clients[weights], replies, faults))
            for weights, places in waiting.items()
            for order in [iter(places)]
            for _ in range(min(len(places), self._served[weights].endpoint.concurrency))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            for client in clients.values():
                await client.aclose()
        if faults:
            raise faults[0]
        return [replies[i] for i in range(len(tiles))]

    async def _work(
        self,
        order: Iterator[int],
        tiles: Sequence[Tile],
        client: Client,
        replies: dict[int, TileReply],
        faults: list[Fault],
    ) -> None:
        """Ask one after the other until there are no more, or a fault; what is under way is let
        end, since it is paid for."""
        abilities = self._served[client.endpoint.weights].abilities
        for i in order:
            if faults:
                return
            tile = tiles[i]
            (asked,) = tile.requests
            assert isinstance(asked, Write | Weigh)
            began, known = time.perf_counter(), self._known(tile.weights, asked)
            if known is None:
                try:
                    self.budget.begin()
                    known = await answer(asked, client, abilities)
                except (EndpointFault, LimitReached) as fault:
                    faults.append(fault)
                    return
                self.budget.spend(known[1])
                if self._uncommitted is not None:
                    self._uncommitted.add(tile.weights, asked, known)
            work = Work(seconds=time.perf_counter() - began, usage=known[1])
            replies[i] = TileReply((known[0],), work)

    def _known(self, weights: str, asked: TextRequest) -> Answered | None:
        return None if self._uncommitted is None else self._uncommitted.get(weights, asked)

    def _check(self, tile: Tile) -> None:
        """Refuse to ask a server what none can be asked."""
        asked = tile.requests[0]
        if not isinstance(asked, Write | Weigh):
            what = "hidden states" if getattr(asked, "states", None) else "requests in tokens"
            raise EndpointFault(
                f"{self._served[tile.weights].endpoint.name}: expected requests in text, since "
                f"an endpoint takes no other, got one for {what}; ask a model that a host loads"
            )

    @staticmethod
    def _client(served: Served) -> Client:
        return Client(served.endpoint, key_of(served.endpoint), served.known)


@contextmanager
def in_the_background(work: Coroutine[Any, Any, Result]) -> Iterator[Future[Result]]:
    """Run a coroutine in a thread of its own for as long as the context lasts.

    So it does where a loop runs already, as in a notebook. Whatever ends the context early, Ctrl-C
    among it, cancels the work, and connections are closed.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="mgptn-endpoints", daemon=True)
    thread.start()
    future = asyncio.run_coroutine_threadsafe(_whole(work), loop)
    try:
        yield future
    finally:
        future.cancel()
        asyncio.run_coroutine_threadsafe(_settled(), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _whole(work: Coroutine[Any, Any, Result]) -> Result:
    return await work


async def _settled() -> None:
    """Until every other task of this loop has ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
