"""Requests of the page where people pick: its files for anybody, all else for who has a token."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mgptn.experiments.people.lines import LinesError
from mgptn.experiments.picking.desk import Desk, DeskError, StrangerError
from mgptn.experiments.watching.guard import Guard

ASSETS = files("mgptn.experiments.picking") / "assets"
SHARED = files("mgptn.experiments.watching") / "assets"
FROM_SHARED = ("dom.js", "page.css")
"""Files that this page has from the one that shows runs."""

PLACE, INDEX = "/pick", "pick.html"

MOST_BYTES = 2048
"""Of what a person says at once."""


def make_app(desk: Desk, hosts: Iterable[str] = ()) -> Starlette:
    """The page, as an ASGI application.

    Who asks shows a token in the header ``Authorization``, which no other page can have a browser
    send: there are no cookies, and a form has no headers of its own.

    Parameters
    ----------
    hosts
        As of `Guard`.
    """

    async def question(request: Request) -> Response:
        return await _told(desk.next, request)

    async def pick(request: Request) -> Response:
        said = await _said(request)
        if said is None:
            return _refused(f"expected a JSON object of at most {MOST_BYTES} bytes", 400)
        return await _told(desk.pick, request, said)

    async def undo(request: Request) -> Response:
        if await _said(request) is None:
            return _refused(f"expected a JSON object of at most {MOST_BYTES} bytes", 400)
        return await _told(desk.undo, request)

    routes = [
        Route(PLACE, _asset),
        Route("/assets/{path}", _asset),
        Route("/api/question", question, methods=["GET"]),
        Route("/api/pick", pick, methods=["POST"]),
        Route("/api/undo", undo, methods=["POST"]),
    ]
    guard = Middleware(Guard, hosts=tuple(hosts), methods=("GET", "HEAD", "POST"))
    return Starlette(routes=routes, middleware=[guard])


async def _told(reply: Callable[..., Any], request: Request, *said: Any) -> Response:
    """What the desk replies to whoever shows a token; what does not fit is told."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        shown = token if kind == "Bearer" and token.isascii() else ""
        return JSONResponse(await run_in_threadpool(reply, shown, *said))
    except StrangerError as error:
        return _refused(str(error), 401)
    except DeskError as error:
        return _refused(str(error), 409)
    except (LinesError, OSError) as error:
        return _refused(str(error), 500)


async def _said(request: Request) -> dict[str, Any] | None:
    """A request's body, a JSON object of few bytes; None where it is another."""
    if request.headers.get("content-type") != "application/json":
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _refused(why: str, status: int) -> Response:
    return JSONResponse({"error": why}, status)


def _asset(request: Request) -> Response:
    """A file of the page's own: one that is there, by its name."""
    path = request.path_params.get("path", INDEX)
    folder = SHARED if path in FROM_SHARED else ASSETS
    if path not in {one.name for one in folder.iterdir()}:
        return PlainTextResponse("expected a file of the page", 404)
    kind = mimetypes.guess_type(path)[0] or "text/plain"
    return Response((folder / path).read_bytes(), media_type=kind)
