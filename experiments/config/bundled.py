"""What comes with mgptn by name, configurations and questions, and what is said of other names."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from mgptn.experiments.config.sections.section import nearest

CONFIGS = Path(__file__).parents[1] / "configs"


def bundled_configs() -> dict[str, Path]:
    """Name → file."""
    return {path.stem: path for path in sorted(CONFIGS.glob("*.yaml"))}


def find_config(config: str | Path) -> Path:
    """The file that a CONFIG means: one at this path, or else the bundled one of this name.

    A name may end in ``.yaml``. What is neither is returned as it is, for its reader to refuse.
    """
    path = Path(config)
    if path.exists() and not path.is_dir():
        return path
    return bundled_configs().get(_bare(path), path)


def find_questions(file: str) -> Path:
    """The file that a `task.file` means: one at this path, or else the bundled one of this name.

    What is neither is returned as it is, for its reader to refuse.
    """
    path = Path(file)
    bundled = CONFIGS / path.name
    own = path.exists() or path.name != file or path.suffix != ".jsonl"
    return bundled if not own and bundled.exists() else path


def bundled_instead(config: str | Path) -> str:
    """What an error adds for a CONFIG that is not there: the bundled ones, the nearest named."""
    known = bundled_configs()
    near = nearest(_bare(Path(config)) or Path(config).stem, known)
    return f"; bundled, by name: {', '.join(known)}{near}"


def _bare(path: Path) -> str:
    """The name that a path would be of a bundled configuration; empty if it leads to a folder."""
    return path.name.removesuffix(".yaml") if path.name == str(path) else ""
