"""The metrics endpoint: a port, and a server that nobody can keep busy or read from afar.

A web page may have a browser ask any name for anything, and the name may be made to mean this
machine; so an endpoint on loopback answers only whoever calls it by its own name or an address. All
is served by one thread: who asks slowly is waited for a little, and the one who has been asking
longest gives way where too many ask at once.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

USUAL = 9464
"""The port of a run that names none; where it is taken, any other."""

AUTO = "auto"

SECONDS = 5.0
"""In which a request must have come, and its answer gone."""

MOST = 32
"""Requests at once."""

HEAD = 16 * 1024
"""Bytes of a request."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
"""As WSGI has it."""


class EndpointError(ValueError):
    """A metrics endpoint that cannot be opened; names the key, what was expected and got."""


class PortTaken(EndpointError):
    """The metrics port is in use by something else."""


def opened(host: str, port: int | str) -> socket.socket:
    """A socket that listens at a port; for ``auto``, to the usual one, or any other that is free.

    Raises
    ------
    EndpointError
        If it cannot be opened; `PortTaken` if something else has the port.
    """
    try:
        return _bound(host, USUAL if port == AUTO else int(port))
    except PortTaken:
        if port != AUTO:
            raise
        return _bound(host, 0)


def check_port(host: str, port: int | str) -> None:
    """Can the metrics endpoint be opened? Port 0, which turns it off, always can.

    Raises
    ------
    EndpointError
        As of `opened`.
    """
    if port != 0:
        opened(host, port).close()


class MetricsServer:
    """Answers requests to a socket that listens, in a thread of its own, until it is closed."""

    def __init__(self, listener: socket.socket, host: str, application: Application) -> None:
        self.port: int = listener.getsockname()[1]
        self._host = host
        self._application = application
        self._open: dict[asyncio.StreamWriter, None] = {}
        self._loop = asyncio.new_event_loop()
        serving = asyncio.start_server(self._answer, sock=listener, limit=HEAD)
        self._server = self._loop.run_until_complete(serving)
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="mgptn-metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Close the port, and every connection."""
        self._loop.call_soon_threadsafe(self._close)
        self._thread.join()
        self._loop.close()

    def _close(self) -> None:
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.call_soon(self._loop.stop)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= MOST:
            oldest = next(iter(self._open))
            del self._open[oldest]
            oldest.transport.abort()
        self._open[writer] = None
        try:
            async with asyncio.timeout(SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answered(head.decode("latin-1")))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # who asks so is not answered
        finally:
            self._open.pop(writer, None)
            writer.transport.abort()

    def _answered(self, head: str) -> bytes:
        """The whole answer to a request's head."""
        first, *lines = head.split("\r\n")
        parts = first.split(" ")
        fields = [line.partition(":") for line in lines if line]
        headers = {name.lower(): value.strip() for name, _, value in fields}
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            return _reply("400 Bad Request", {}, b"expected a request of HTTP/1\n")
        if not may_ask(headers.get("host"), self._host):
            return _reply("403 Forbidden", {}, REFUSED)
        path, _, query = parts[1].partition("?")
        said: list[Any] = []
        body = self._application(
            {
                "REQUEST_METHOD": parts[0],
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "HTTP_ACCEPT": headers.get("accept"),
                "HTTP_ACCEPT_ENCODING": headers.get("accept-encoding"),
            },
            lambda status, told: said.extend((status, dict(told))),
        )
        return _reply(said[0], said[1], b"".join(body))


REFUSED = b"expected localhost, an address, or metrics.host in the request's Host\n"


def may_ask(asked: str | None, host: str) -> bool:
    """May whoever asks for this ``Host`` be answered by an endpoint at a host?

    One that others can reach is asked by whatever name they know it by.
    """
    if not _is_loopback(host):
        return True
    if asked is None:
        return False
    name = asked.rpartition(":")[0] if asked.rpartition(":")[2].isdigit() else asked
    name = name.removeprefix("[").removesuffix("]").lower()
    if name in ("localhost", host.lower()):
        return True
    with suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    return False


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host.lower() == "localhost"


def _reply(status: str, headers: Mapping[str, str], body: bytes) -> bytes:
    told = {**headers, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens at a port of a host, 0 for any."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            # A port that a closed run has just left is free; one that listens is not.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(MOST)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise _endpoint_error(host, port, error) from None
    return bound


def _endpoint_error(host: str, port: int, error: OSError) -> EndpointError:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(
            f"metrics.port: expected a port that is free on {host} (or 0 for no endpoint), "
            f"got {port}, which is in use"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return EndpointError(
            f"metrics.port: expected a port that this user may open, got {port}: {error.strerror}"
        )
    reason = error.strerror or os.strerror(error.errno or 0)
    return EndpointError(
        f"metrics.host: expected an address of this machine, got {host!r}: {reason}"
    )
