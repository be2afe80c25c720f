"""The configuration of a run that was begun, from its manifest."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.record.manifest import MANIFEST, read_manifest


def recorded(folder: Path) -> tuple[dict[str, Any], RunConfig]:
    """A run's manifest, and its configuration, checked as any.

    Raises
    ------
    ConfigError, ManifestError
        If the folder is not a run's, or its manifest is damaged.
    """
    manifest = read_manifest(folder)
    return manifest, check_config(manifest["config"], source=str(folder / MANIFEST))
