"""The manifest of a run: written whole before it starts, and read as plain data.

What it says of the configuration is checked by who asks for it: see `config.recorded`.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import json
import platform
from datetime import date
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from operator import methodcaller
from pathlib import Path
from typing import Any

from mgptn.agents.files import write_whole

MANIFEST = "manifest.json"


LIBRARIES = ("mgptn", "torch", "transformers", "tokenizers", "numpy", "scipy", "networkx", "ray")
"""Packages whose versions stand in the manifest."""


def library_versions(further: tuple[str, ...] = ()) -> dict[str, str]:
    """Version of Python, and of each of `LIBRARIES` and of those given."""
    return {"python": platform.python_version()} | {
        name: _version(name) for name in (*LIBRARIES, *further)
    }


@cache
def _version(name: str) -> str:
    """Of an installed package: looked up once, as it is imported once."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


class ManifestError(ValueError):
    """A folder that is no run's, or a manifest that cannot be read: says what was got."""


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `manifest.json`, whole or not at all."""
    text = json.dumps(manifest, indent=2) + "\n"
    write_whole(folder / MANIFEST, methodcaller("write", text.encode()))


def run_id(folder: Path) -> str:
    """Eight hexadecimal digits that tell a run from any other, also of the same configuration.

    They stay as the run is resumed: they are those of its folder, its machine, and when its
    manifest was written.
    """
    written = (folder / MANIFEST).stat().st_mtime_ns
    name = f"{platform.node()}\n{folder.absolute()}\n{written}"
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()


MOST_BYTES = 16 * 2**20
"""Of a manifest; a longer file is something else."""

_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "config": ((dict,), "a configuration"),
    "seed": ((int,), "a whole number"),
    "model": ((str,), "a name"),
    "interface": ((str, type(None)), "a name or nothing"),
    "device": ((str,), "a name"),
    "dtype": ((str,), "a name"),
    "threads": ((int,), "a whole number"),
    "slots": ((int,), "a whole number"),
    "task_file": ((str, type(None)), "a hash or nothing"),
    "problems": ((str, type(None)), "a hash or nothing"),
    "today": ((str,), "a date"),
    "chat_layout": ((int,), "a number"),
    "endpoints": ((dict,), "endpoints by name"),
}
"""Fields of a manifest, as far as they are read; a run has those that concern it."""

_TEXTS = ("weights", "versions")
"""Fields that are texts by name."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """A run's manifest.

    Raises
    ------
    ManifestError
        If the folder is not a run's, or its manifest is not a JSON object with a configuration and
        arms, or has a field of another kind than is written.
    """
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES // 2**20} MiB")
        manifest = json.loads(content.decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ManifestError(f"{folder}: expected a run's folder, got no {MANIFEST} in it") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: expected a run's manifest, got: {error}") from None
    if not isinstance(manifest, dict):
        raise ManifestError(f"{path}: expected a JSON object, got a {type(manifest).__name__}")
    missing = [key for key in ("config", "arms") if key not in manifest]
    if missing:
        raise ManifestError(f"{path}: expected a run's manifest, got one without {missing[0]!r}")
    _check_kinds(path, manifest)
    return manifest


def _check_kinds(path: Path, manifest: dict[str, Any]) -> None:
    def wrong(name: str, expected: str) -> ManifestError:
        return ManifestError(f"{path}: {name}: expected {expected}, got {manifest[name]!r:.80}")

    for name, (kinds, expected) in _KINDS.items():
        value = manifest.get(name)
        if name in manifest and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise wrong(name, expected)
    for name in _TEXTS:
        value = manifest.get(name, {})
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise wrong(name, "texts by name")
    for one in manifest.get("endpoints", {}).values():
        if not isinstance(one, dict) or not isinstance(one.get("says"), dict):
            raise wrong("endpoints", "of each what it says")
    arms = manifest["arms"]
    if not isinstance(arms, list) or not arms or not all(isinstance(arm, str) for arm in arms):
        raise wrong("arms", "a list of names")
    if len(set(arms)) < len(arms):
        raise wrong("arms", "each once")
    try:
        date.fromisoformat(manifest.get("today", "2000-01-01"))
    except ValueError:
        raise wrong("today", "a date, such as 2000-01-31") from None
