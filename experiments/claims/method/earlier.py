"""Registrations as they were before there was a result, and how today's differ from them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import difflib
import json
from pathlib import Path

from mgptn.experiments.claims.method.claim import FOLDER

EARLIER = FOLDER / "earlier"
"""Of each claim that was registered anew after a result, the registration before."""


VERDICTS = EARLIER / "verdicts.json"
"""And what was found under it."""


def verdict_before(name: str, path: Path = VERDICTS) -> str | None:
    """The verdict under the registration before; none if there was none."""
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found.get(name)


def changes_since(name: str, folder: Path = FOLDER, before: Path = EARLIER) -> list[str]:
    """Lines of a unified diff from the earlier registration to today's; none if there is none."""
    found = [path for path in folder.glob("*.yaml") if path.stem.partition("-")[2] == name]
    if not found or not (before / found[0].name).exists():
        return []
    old, new = (
        path.read_text(encoding="utf-8").splitlines() for path in (before / found[0].name, found[0])
    )
    return list(difflib.unified_diff(old, new, "before", "now", lineterm="", n=1))
