"""`mgptn protocols`: every protocol in a line, and what is set about it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from experiments.plugins import protocols


def protocol_lines() -> list[str]:
    """A line for each protocol: its name, what happens, and the settings that only it heeds."""
    known = protocols()
    room = max(map(len, known))
    return [
        f"{name:{room}}  {protocol.summary}"
        + (f" ({', '.join(protocol.settings)})" if protocol.settings else "")
        for name, protocol in known.items()
    ]
