"""The manifest of a run: written whole before it starts, and read."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config

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


def write_manifest(folder: Path, manifest: Any) -> None:
    """Write `manifest.json`, whole or not at all."""
    unfinished = folder / (MANIFEST + ".part")
    with unfinished.open("w") as file:
        json.dump(manifest, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, folder / MANIFEST)


def read_manifest(folder: Path) -> tuple[Any, RunConfig]:
    """A run's manifest and its configuration.

    Raises
    ------
    ConfigError
        If the folder is not a run's, or its manifest is not JSON.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text())
    except FileNotFoundError:
        raise ConfigError(f"{folder}: expected a run's folder, got no {MANIFEST} in it") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: expected a run's manifest, got: {error}") from None
    return manifest, check_config(manifest["config"], source=str(path))
