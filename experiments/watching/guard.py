"""Who may ask a page anything: this machine's own browser, on the page's own address."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Of every reply: the page may load and call nothing but itself, and nobody may frame it."""

READING = ("GET", "HEAD")

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """Refuses requests for other hosts, from other origins, and of kinds that a page has not.

    A page elsewhere can make a browser send requests here, and a name of its own can be made to
    resolve to this machine: both show in the headers ``Host`` and ``Origin``.

    Parameters
    ----------
    hosts
        Names by which the page may be asked for, beside loopback's, without a port.
    methods
        Of the requests that the page takes: by default it is for reading.
    """

    def __init__(
        self, app: ASGIApp, hosts: Iterable[str] = (), methods: Sequence[str] = READING
    ) -> None:
        self._app = app
        self._methods = methods
        self._hosts = {*LOOPBACK, *hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = self._refused(scope)
        if refused is None:
            await self._app(scope, receive, guarded)
        else:
            status, why = refused
            await PlainTextResponse(why, status)(scope, receive, guarded)

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if scope["method"] not in self._methods:
            return 405, f"expected {', '.join(self._methods)}: what this page is for"
        host = headers.get(b"host", "")
        if _name(host) not in self._hosts:
            return 421, "expected the page's own address as Host"
        origin = headers.get(b"origin")
        if origin is not None and origin != f"{scope['scheme']}://{host}":
            return 403, "expected requests from the page itself"
        return None


def _name(host: str) -> str:
    """``127.0.0.1`` of ``127.0.0.1:8000``, and ``[::1]`` of ``[::1]:8000``; empty for nonsense."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return f"[{name}]" if ":" in name else name
