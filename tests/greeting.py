"""A listener on loopback that greets like Ray's servers do, and ones that do not."""
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""The frame with which a server of HTTP/2, and so of gRPC, begins."""


@contextmanager
def listening(says: bytes) -> Iterator[str]:
    """The address of a listener that says something to each who connects, and no more."""
    kept = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:  # closed
                    return
                kept.append(connection)
                connection.sendall(says)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        host, port = server.getsockname()
        try:
            yield f"{host}:{port}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in kept:
                connection.close()
