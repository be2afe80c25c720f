"""The manifest: what decides a run's bits, written before it starts and checked when it goes on."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import platform
import sys
from datetime import date
from pathlib import Path
from typing import Any

from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.record.manifest import library_versions
from mgptn.experiments.setting.endpoints import irreproducible
from mgptn.experiments.setting.problems import hash_of_problems
from mgptn.experiments.setting.stage import Stage
from mgptn.protocols.interfaces.chat import CHAT_LAYOUT


def make_manifest(config: RunConfig, arms: tuple[str, ...], stage: Stage, device: str) -> Any:
    """Everything that a second run with the same population hash must share, and provenance."""
    told = {"today": stage.today.isoformat()} if stage.dated else {}
    layouts = {"chat_layout": CHAT_LAYOUT} if _chats(stage) else {}
    remarks = {"remarks": list(stage.remarks)} if stage.remarks else {}
    programs = stage.verifier.programs
    sandbox = {} if programs is None else {"sandbox": programs.kind}
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
        **told,
        **layouts,
        **sandbox,
        **irreproducible(stage.served),
        **remarks,
    }


def begun_on(manifest: Any) -> date | None:
    """The day that chat templates were told when a run was begun; None where none asked."""
    return date.fromisoformat(manifest["today"]) if "today" in manifest else None


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
    if manifest.get("weights") != stage.weights:
        raise ConfigError(
            f"{folder}: expected {stage.config.agents.model!r} with weights hash "
            f"{manifest.get('weights', 'nothing')}, "
            f"got {stage.weights}"
        )
    _check_same_served(manifest, stage, folder)
    begun = begun_on(manifest)
    if begun is not None and begun != stage.today:
        raise ConfigError(
            f"{folder}: expected chats that are told the date the run was begun with, {begun}, got "
            f"{stage.today}: set agents.today={begun}"
        )
    if _chats(stage) and manifest.get("chat_layout", 1) != CHAT_LAYOUT:
        raise ConfigError(
            f"{folder}: expected a run whose chats are laid out as this version of mgptn lays them "
            f"out, number {CHAT_LAYOUT}, got number {manifest.get('chat_layout', 1)}: begin a new "
            "run, or go on with the version that it was begun with"
        )
    _check_same_file(manifest, stage, folder)
    programs = stage.verifier.programs
    if programs is not None and manifest.get("sandbox") != programs.kind:
        raise ConfigError(
            f"{folder}: expected programs to be run by the sandbox that the run was begun with, "
            f"{manifest.get('sandbox')}, got {programs.kind}: set sandbox.kind to that in the "
            "configuration of a new run, or have it work here ('mgptn doctor' says what is missing)"
        )
    here = library_versions(stage.libraries)
    differing = [
        f"{name} {then} (here {here.get(name)})"
        for name, then in manifest.get("versions", {}).items()
        if here.get(name) != then
    ]
    if differing and not other_versions:
        raise ConfigError(
            f"{folder}: expected the library versions that the run was begun with, because others "
            f"may round differently: {', '.join(differing)}; install them, or pass "
            "--other-versions to go on all the same"
        )
    _check_same_problems(manifest, stage, folder)


def _chats(stage: Stage) -> bool:
    return any(script.interface.name == "chat" for script in stage.scripts.values())


def _check_same_served(manifest: Any, stage: Stage, folder: Path) -> None:
    """Refuse a server that says other things of its model than it did, as far as it says any."""
    for name, begun in manifest.get("endpoints", {}).items():
        one = stage.served.get(name)
        if one is not None and one.known != begun["says"]:
            raise ConfigError(
                f"{folder}: expected {name!r} at {one.endpoint.url} to be the model that the run "
                f"was begun with, {begun['says']}, got {one.known}"
            )


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
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
