"""The manifest of a run: written whole before it starts, and read as plain data.

What it says of the configuration is checked by who asks for it: see `config.recorded`.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import platform
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
    versions = {"python": platform.python_version()}
    for name in (*LIBRARIES, *further):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return versions


class ManifestError(ValueError):
    """A folder that is no run's, or a manifest that cannot be read: says what was got."""


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `manifest.json`, whole or not at all."""
    text = json.dumps(manifest, indent=2) + "\n"
    write_whole(folder / MANIFEST, methodcaller("write", text.encode()))


def read_manifest(folder: Path) -> dict[str, Any]:
    """A run's manifest.

    Raises
    ------
    ManifestError
        If the folder is not a run's, or its manifest is not a JSON object with a configuration and
        arms.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ManifestError(f"{folder}: expected a run's folder, got no {MANIFEST} in it") from None
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: expected a run's manifest, got: {error}") from None
    missing = [key for key in ("config", "arms") if key not in manifest]
    if missing:
        raise ManifestError(f"{path}: expected a run's manifest, got one without {missing[0]!r}")
    return dict(manifest)
