"""What a grid of runs is going to be: its cells, written before the first begins."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mgptn.agents.files import make_folder, write_whole

PLANNED = "cells.json"
"""In a grid's folder: name of each cell's folder → its generations."""


def write_planned(folder: Path, generations: Mapping[str, int]) -> None:
    """Say which cells there are going to be."""
    make_folder(folder)
    text = json.dumps(dict(generations), indent=1, ensure_ascii=False)
    write_whole(folder / PLANNED, lambda file: file.write(text.encode()))


def read_planned(folder: Path) -> dict[str, int]:
    """Cells and their generations; none where nobody said."""
    try:
        told = json.loads((folder / PLANNED).read_text(encoding="utf-8"))
        return {str(name): int(count) for name, count in told.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
