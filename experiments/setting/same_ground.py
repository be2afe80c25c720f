"""The manifest: what decides a run's bits, written before it starts and checked when it goes on."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config
from mgptn.experiments.setting.problems import hash_of_problems
from mgptn.experiments.setting.stage import Stage

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


def make_manifest(config: RunConfig, arms: tuple[str, ...], stage: Stage, device: str) -> Any:
    """Everything that a second run with the same population hash must share, and provenance."""
    return {
        "config": config.model_dump(mode="json"),
        "arms": list(arms),
        "seed": config.seed,
        "model": config.agents.model,
        "weights": stage.weights,
        "interface": None if stage.scripted else stage.script.interface.name,
        "device": device,
        "dtype": config.hosts.dtype,
        "threads": config.hosts.threads,
        "slots": config.hosts.slots,
        "task_file": stage.task_file_hash,
        "problems": hash_of_problems(stage.problems),
        "versions": library_versions(stage.libraries),
        "platform": platform.platform(),
        "processor": _processor(),
        "command": " ".join(sys.argv),
    }


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


def check_same_ground(
    manifest: Any, stage: Stage, folder: Path, *, other_versions: bool = False
) -> None:
    """Refuse to carry on a run with other weights, questions or versions than it was begun with.

    Parameters
    ----------
    other_versions
        Let library versions differ.

    Raises
    ------
    ConfigError
        Naming what differs, what was expected, what was got.
    """
    if manifest["weights"] != stage.weights:
        raise ConfigError(
            f"{folder}: expected {manifest['model']!r} with weights hash {manifest['weights']}, "
            f"got {stage.weights}"
        )
    _check_same_file(manifest, stage, folder)
    here = library_versions(stage.libraries)
    differing = [
        f"{name} {then} (here {here.get(name)})"
        for name, then in manifest["versions"].items()
        if here.get(name) != then
    ]
    if differing and not other_versions:
        raise ConfigError(
            f"{folder}: expected the library versions that the run was begun with, because others "
            f"may round differently: {', '.join(differing)}; install them, or pass "
            "--other-versions to go on all the same"
        )
    _check_same_problems(manifest, stage, folder)


def _check_same_file(manifest: Any, stage: Stage, folder: Path) -> None:
    """Refuse a file of questions that has changed."""
    begun = manifest.get("task_file")
    if begun != stage.task_file_hash:
        raise ConfigError(
            f"{folder}: expected the task.file {stage.config.task.file} that the run was begun "
            f"with, of content hash {begun}, got one of {stage.task_file_hash}: it has been "
            "changed since; put the former back, or begin a new run"
        )


def _check_same_problems(manifest: Any, stage: Stage, folder: Path) -> None:
    """Refuse problems that are others than those before, whatever the reason."""
    begun, here = manifest.get("problems"), hash_of_problems(stage.problems)
    if begun not in (None, here):
        raise ConfigError(
            f"{folder}: expected the problems that the run was begun with, of hash {begun}, got "
            f"others from {stage.task.name}, of hash {here}"
        )


def _processor() -> str:
    """The processor's model name, where the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
