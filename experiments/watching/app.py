"""What the page asks for: its own files, runs, generations, answers, and what is new."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import fields
from functools import wraps
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from mgptn.experiments.loop.telling import ContradictionError
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.fields import RecordError
from mgptn.experiments.running.reselecting import Changes
from mgptn.experiments.watching.answers import (
    ORDERS,
    Wanted,
    check_answer,
    conversation,
    listed,
)
from mgptn.experiments.watching.graders import grading_matrix, reliability
from mgptn.experiments.watching.guard import Guard
from mgptn.experiments.watching.people import agent_told
from mgptn.experiments.watching.shelf import UNREADABLE, Shelf
from mgptn.experiments.watching.watched import Watched
from mgptn.experiments.watching.what_if import what_if
from mgptn.population.records.agents import AgentId
from mgptn.population.records.generation import Generation

MOST_STREAMS = 32
"""Browsers that are told what is new at a time."""

BEAT_SECONDS = 15.0
"""Between two signs of life in a stream in which nothing is new."""

ASSETS = files("mgptn.experiments.watching") / "assets"
INDEX = "index.html"
MOST_TEXT = 500
"""Characters of a search."""

FAULTS = (LookupError, ValueError, OSError, RecordError, ContradictionError, *UNREADABLE)


def make_app(shelf: Shelf, hosts: Iterable[str] = ()) -> Starlette:
    """The page of some runs, as an ASGI application that only reads.

    Parameters
    ----------
    hosts
        As of `Guard`.
    """
    page = _Page(shelf)
    routes = [
        Route("/", _asset),
        Route("/assets/{path:path}", _asset),
        Route("/api/runs", _told(page.overview)),
        Route("/api/run", _told(page.run)),
        Route("/api/finding", _told(page.finding)),
        Route("/api/tree", _told(page.tree)),
        Route("/api/answers", _told(page.answers)),
        Route("/api/conversation", _told(page.conversation)),
        Route("/api/prompt", _told(page.prompt)),
        Route("/api/agent", _told(page.agent)),
        Route("/api/graders", _told(page.graders)),
        Route("/api/what-if", _told(page.what_if)),
        Route("/api/events", page.events),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, hosts=tuple(hosts))])


class _Page:
    """Replies to requests, by what their query says."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._streams = 0

    def overview(self, query: Mapping[str, str]) -> Any:
        return {**self._shelf.overview(), "last": self._shelf.last_event}

    def run(self, query: Mapping[str, str]) -> Any:
        last, run = self._shelf.last_event, self._run(query)
        return {
            **run.described(),
            "series": run.series(),
            "finding": run.finding(),
            "ended": run.ended,
            "fault": run.fault,
            "last": last,
            "boot": self._shelf.boot,
        }

    def finding(self, query: Mapping[str, str]) -> Any:
        return self._run(query).finding()

    def tree(self, query: Mapping[str, str]) -> Any:
        return self._run(query).tree()

    def answers(self, query: Mapping[str, str]) -> Any:
        cut = self._run(query).config.protocol.threshold
        return listed(self._generation(query), _wanted(query), cut)

    def conversation(self, query: Mapping[str, str]) -> Any:
        index, arm = _number(query, "generation"), query.get("arm", "")
        return conversation(_of(self._run(query), index, arm), _number(query, "answer"))

    def prompt(self, query: Mapping[str, str]) -> Any:
        generation, index = self._generation(query), _number(query, "answer")
        check_answer(generation, index)
        problems = generation.outcomes.matches.problems
        author = generation.agents[index // problems]
        asked = generation.outcomes.queries[index % problems]
        return self._run(query).prompts.answering(author.genome, asked)

    def agent(self, query: Mapping[str, str]) -> Any:
        run, index = self._run(query), _number(query, "generation")
        before = _of(run, index - 1, query.get("arm", "")).generation if index else None
        agent = AgentId(_number(query, "agent"))
        return agent_told(self._generation(query), before, agent)

    def graders(self, query: Mapping[str, str]) -> Any:
        generation, run = self._generation(query), self._run(query)
        matrix = grading_matrix(generation, run.config.protocol.threshold)
        return {**matrix, "reliability": reliability(generation)}

    def what_if(self, query: Mapping[str, str]) -> Any:
        slots = query.get("without", "")
        without = frozenset(int(slot) for slot in slots.split(",") if slot)
        settings = tuple(line for line in query.get("set", "").split("\n") if line)
        return what_if(self._run(query), Changes(settings, without))

    async def events(self, request: Request) -> Response:
        """What is new, from where the browser was."""
        if self._streams >= MOST_STREAMS:
            return PlainTextResponse(f"expected at most {MOST_STREAMS} pages at a time", 503)
        known = request.headers.get("last-event-id") or request.query_params.get("last", "")
        boot, _, number = known.rpartition("-")
        last = int(number) if boot == self._shelf.boot and number.isdecimal() else None
        return StreamingResponse(self._stream(last), media_type="text/event-stream")

    async def _stream(self, last: int | None) -> AsyncIterator[str]:
        loop, new = asyncio.get_running_loop(), asyncio.Event()
        boot = self._shelf.boot

        def listener() -> None:
            loop.call_soon_threadsafe(new.set)

        self._streams += 1
        self._shelf.listen(listener)
        try:
            yield "retry: 1000\n\n"
            while not self._shelf.stopping:
                new.clear()
                events = None if last is None else self._shelf.events_since(last)
                if events is None:  # Another shelf's, or too long ago: all is to be read anew.
                    last = self._shelf.last_event
                    yield f'id: {boot}-{last}\ndata: {{"kind": "anew"}}\n\n'
                    continue
                for last, event in events:
                    yield f"id: {boot}-{last}\ndata: {event}\n\n"
                try:
                    await asyncio.wait_for(new.wait(), BEAT_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._streams -= 1
            self._shelf.forget(listener)

    def _run(self, query: Mapping[str, str]) -> Watched:
        return self._shelf.run(query.get("run", ""))

    def _generation(self, query: Mapping[str, str]) -> Generation:
        return _of(self._run(query), _number(query, "generation"), query.get("arm", "")).generation


def _of(run: Watched, index: int, arm: str) -> Committed:
    done = run.rounds[index]
    found = done.of(arm)
    if found is None:
        arms = ", ".join(one.arm for one in done.committed)
        raise LookupError(f"arm: expected one of {arms}, got {arm!r}")
    return found


def _wanted(query: Mapping[str, str]) -> Wanted:
    order = query.get("order", "index")
    if order not in ORDERS:
        raise ValueError(f"order: expected one of {', '.join(ORDERS)}, got {order!r}")
    said: dict[str, Any] = {"text": query.get("text", "")[:MOST_TEXT], "order": order}
    for field in fields(Wanted):
        value = query.get(field.name, "")
        if field.name in said or value == "":
            continue
        if field.name in ("agent", "problem", "first"):
            said[field.name] = _number(query, field.name)
        elif value in ("yes", "no"):
            said[field.name] = value == "yes"
        else:
            raise ValueError(f"{field.name}: expected yes or no, got {value!r}")
    return Wanted(**said)


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ValueError(f"{name}: expected a whole number, got {text!r:.40}")
    return int(text)


def _told(
    reply: Callable[[Mapping[str, str]], Any],
) -> Callable[[Request], Response]:
    """A route's endpoint, in a thread of its own, of what replies to a query; faults are told."""

    @wraps(reply)
    def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(reply(request.query_params))
        except FAULTS as error:
            missing = isinstance(error, LookupError)
            said = str(error.args[0]) if missing and error.args else str(error)
            return JSONResponse({"error": said}, 404 if missing else 400)

    return endpoint


def _asset(request: Request) -> Response:
    """A file of the page's own: one that is there, by its name."""
    path = request.path_params.get("path", INDEX)
    if path not in _names():
        return PlainTextResponse("expected a file of the page", 404)
    kind = mimetypes.guess_type(path)[0] or "text/plain"
    return Response((ASSETS / path).read_bytes(), media_type=kind)


def _names() -> set[str]:
    return {
        f"{below}{one.name}"
        for below, folder in (("", ASSETS), ("vendor/", ASSETS / "vendor"))
        for one in folder.iterdir()
        if one.is_file()
    }
