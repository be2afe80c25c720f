"""What this process may use of its machine: CPUs and memory, control groups' limits included.

Asked wherever either is counted. What the machine has beyond that belongs to somebody else: a
container is given a part of it by a control group, a batch system or `taskset` by affinity.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import psutil

GROUPS = Path("/sys/fs/cgroup")
"""Where control groups are mounted: version 2 itself, or a folder a controller of version 1."""

MEMBER = Path("/proc/self/cgroup")
"""Lines of ``number:controllers:path``: the groups that this process is in."""

UNLIMITED = 2**60
"""From here on, a limit in bytes is none: version 1 writes the largest number that it has."""


def usable_cpus(groups: Path = GROUPS, member: Path = MEMBER) -> int:
    """CPUs that this process may keep busy, ≥ 1: by affinity, and by the quota of its groups.

    Of a quota, whole CPUs count: two hosts on one and a half would wait for each other.
    """
    affine = hasattr(os, "sched_getaffinity")
    cpus = len(os.sched_getaffinity(0)) if affine else os.cpu_count() or 1
    quotas = [quota for folder in _folders("cpu", groups, member) if (quota := _quota(folder))]
    return max(1, math.floor(min([cpus, *quotas]) + 1e-9))


def available_memory(groups: Path = GROUPS, member: Path = MEMBER) -> int:
    """Bytes that this process may still take: the machine's, or what its groups leave if less."""
    left = [int(psutil.virtual_memory().available)]
    for folder in _folders("memory", groups, member):
        room = _room(folder)
        if room is not None:
            left.append(room)
    return max(0, min(left))


def _folders(controller: str, groups: Path, member: Path) -> Iterator[Path]:
    """Folders of this process's groups under a controller and all above, of either version.

    In a container the path that the process is told may be the host's, of which nothing is mounted
    here but the container's own group, as the root: folders that are not there limit nothing.
    """
    try:
        lines = member.read_text(encoding="utf-8").splitlines()
    except OSError:  # no control groups on this system
        return
    for line in lines:
        _, _, rest = line.partition(":")
        named, _, path = rest.partition(":")
        if named and controller not in named.split(","):
            continue
        # Version 2 has one line, without a name; beside version 1 it is mounted in a corner. There
        # a controller that shares a mount with others may have a link of its own name beside it.
        for mount in [groups / named, groups / (controller if named else "unified")]:
            inside = mount / path.lstrip("/")
            for folder in (inside, *inside.parents):
                if folder.is_dir():
                    yield folder
                if folder == mount:
                    break


def _quota(folder: Path) -> float | None:
    """CPUs that a group may keep busy; None without a limit."""
    both = _words(folder / "cpu.max")
    if not both:
        both = _words(folder / "cpu.cfs_quota_us") + _words(folder / "cpu.cfs_period_us")
    if len(both) != 2 or not all(word.isdecimal() for word in both) or int(both[1]) == 0:
        return None  # "max", or −1: as much as there is
    return int(both[0]) / int(both[1])


def _room(folder: Path) -> int | None:
    """Bytes that a group leaves, the cache that it could drop included; None without a limit."""
    for limit, used, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        most, taken = _words(folder / limit), _words(folder / used)
        if not most or not taken or not most[0].isdecimal() or int(most[0]) >= UNLIMITED:
            continue
        told = _words(folder / "memory.stat")
        stat = dict(zip(told[::2], told[1::2], strict=False))
        return int(most[0]) - int(taken[0]) + int(stat.get(cache, 0))
    return None


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        return []
