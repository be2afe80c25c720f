"""The kinds of fault that are drawn: where each strikes, and what it is.

A site is a sequence of things that happen in one life of a run: calls that change files, tiles that
are handed out, hosts that are asked for, looks at what has come, numbers that are sent. A fault
strikes at one of them, counted from 0.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DISK, TILE, HOST, LOOK, SENT = "disk", "tile", "host", "look", "sent"

KILLED = "process killed"
POWER = "power lost"
INTERRUPTED = "interrupted"
EIO = "I/O error"
FULL = "disk full"
SHORT = "short write"
LYING = "lying fsync"
DIES = "host dies"
ALL_DIE = "all hosts die"
SLOW = "slow host"
LOST = "reply lost"
DOUBLED = "reply doubled"
LATE = "host comes late"
BROKEN = "host cannot load"
GONE = "cluster gone"
FORWARD = "clock jumps on"
BACK = "clock jumps back"
NUMBERS = "numbers lost"

SITES = {
    KILLED: DISK,
    POWER: DISK,
    INTERRUPTED: DISK,
    EIO: DISK,
    FULL: DISK,
    SHORT: DISK,
    LYING: DISK,
    DIES: TILE,
    ALL_DIE: TILE,
    SLOW: TILE,
    LOST: TILE,
    DOUBLED: TILE,
    LATE: HOST,
    BROKEN: HOST,
    GONE: LOOK,
    FORWARD: LOOK,
    BACK: LOOK,
    NUMBERS: SENT,
}
"""Kind → where it strikes."""

MEANINGS = {
    KILLED: "between two calls, or within a write; what was written stays",
    POWER: "so too; of what was not synced a drawn part is lost or torn",
    INTERRUPTED: "as by Ctrl-C, before or after a call",
    EIO: "a call fails; of a sync, what was to be synced may be dropped",
    FULL: "writes come short, then fail, to the end of the process",
    SHORT: "a write writes less than it was given",
    LYING: "syncs do nothing to the end of the process; then power is lost",
    DIES: "with a tile in hand, in one of the ways that Ray has for it",
    ALL_DIE: "at once",
    SLOW: "for a tile, up to hours",
    LOST: "the host is well, and its reply is not to be had",
    DOUBLED: "a tile is run twice, and its second reply is the one that comes",
    LATE: "by up to hours",
    BROKEN: "it dies on the way, or its model does not load",
    GONE: "Ray itself ends",
    FORWARD: "by up to a day",
    BACK: "by up to an hour",
    NUMBERS: "weights that were sent are not there as a host asks for them",
}
"""Kind → what happens, in few words."""
