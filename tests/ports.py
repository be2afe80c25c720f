"""Ports for what tests start."""
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import random
import socket
from pathlib import Path

# Ray gives its workers 10002 to 19999 unless told otherwise.
FIRST = 20_000
# From here on a kernel hands ports out by itself, where nobody says which.
HANDED_OUT = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port of loopback that is free, and stays so until the caller opens it.

    Asking the kernel for any port and closing it would give one that it may hand to the next who
    asks, such as one of Ray's processes, before it is opened again.
    """
    end = int(HANDED_OUT.read_text().split()[0]) if HANDED_OUT.exists() else 32_768
    # Not seeded: two processes of tests that count alike would meet in the same port.
    for port in random.SystemRandom().sample(range(FIRST, end), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {FIRST} and {end}")
