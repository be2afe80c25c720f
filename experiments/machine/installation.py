"""Is the mgptn that is imported the one that is installed, whole, and the only one of its name?"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from mgptn.experiments.machine.checks import Check

NAME = "mgptn"
WINGS = ("agents", "experiments", "population", "protocols")
AGAIN = "`pip install -c constraints.txt -e .` from the repository's root"


def check_installation(imported: Path, path: Sequence[str] | None = None) -> Check:
    """Where does mgptn come from, and who else lays claim to its name?

    Parameters
    ----------
    imported
        The folder that mgptn was imported from.
    path
        Folders in which distributions are looked for; where Python looks if None.
    """
    found = list(distributions(path=sys.path if path is None else list(path)))
    others = sorted({d.name for d in found if d.name != NAME and _owns_the_name(d)})
    if others:
        said = f"{', '.join(others)} installs a package of the same name, {NAME}"
        mend = f"`pip uninstall {' '.join(others)}`, then {AGAIN}"
        return Check(NAME, "warn", said, mend)
    installed = next((_folder(d) for d in found if d.name == NAME), None)
    if installed is not None and not _same(installed, imported):
        said = f"imported from {imported}, but installed is {installed}"
        mend = f"take the former off PYTHONPATH, or leave its folder; or install it: {AGAIN}"
        return Check(NAME, "warn", said, mend)
    copied = [wing for wing in WINGS if _is_copied(imported, wing)]
    if copied:
        said = f"{imported} has copies of {', '.join(copied)}, where links to the root's belong"
        mend = "changes to the one do not reach the other: clone again with core.symlinks true"
        return Check(NAME, "warn", said, mend)
    return Check(NAME, "ok", f"imported from {imported}")


def _owns_the_name(distribution: Distribution) -> bool:
    """By the list of its packages, or else of its files; read as text, which is much faster."""
    packages = distribution.read_text("top_level.txt")
    if packages is not None:
        return NAME in packages.split()
    files = distribution.read_text("RECORD") or ""
    return any(line.startswith(f"{NAME}/") for line in files.splitlines())


def _folder(distribution: Distribution) -> Path:
    """Where an installed mgptn's modules are: in its source, if in development mode."""
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        return Path(url2pathname(urlsplit(origin["url"]).path)) / "src" / NAME
    return Path(str(distribution.locate_file(NAME)))


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _is_copied(imported: Path, wing: str) -> bool:
    """In a checkout, is a wing another folder than the one at the root?"""
    root = imported.parents[1]
    checkout = imported.parent.name == "src" and (root / "pyproject.toml").is_file()
    return checkout and (root / wing).is_dir() and not _same(imported / wing, root / wing)
