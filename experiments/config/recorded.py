"""The configuration of a run that was begun, from its manifest."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

from mgptn.agents.behaviour import SCRIPTED_MODELS
from mgptn.experiments.config.arms import ARMS, SELECTED
from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.config.sections.task import QUESTIONS
from mgptn.experiments.record.manifest import MANIFEST, ManifestError, read_manifest


def recorded(folder: Path) -> tuple[dict[str, Any], RunConfig]:
    """A run's manifest, and its configuration, checked as any.

    Raises
    ------
    ConfigError, ManifestError
        If the folder is not a run's, or its manifest is damaged, or says one thing in two ways.
    """
    manifest = read_manifest(folder)
    plain = _as_it_was(manifest["config"], manifest.get("interface"))
    config = check_config(plain, source=str(folder / MANIFEST))
    _check_agreement(folder, manifest, config)
    return manifest, config


def _check_agreement(folder: Path, manifest: dict[str, Any], config: RunConfig) -> None:
    """Refuse a manifest whose fields are not those of its own configuration."""
    strange = [arm for arm in manifest["arms"] if arm not in ARMS]
    if strange or manifest["arms"][0] != SELECTED:
        raise ManifestError(
            f"{folder / MANIFEST}: arms: expected {SELECTED}, then others of {', '.join(ARMS)}, "
            f"got {', '.join(manifest['arms'])}"
        )
    hosts = config.hosts
    told = {
        "seed": config.seed,
        "model": config.agents.model,
        "dtype": hosts.dtype,
        "threads": hosts.threads,
        "slots": hosts.slots,
        **({} if hosts.device == "auto" else {"device": hosts.device}),
    }
    scripted = config.agents.model in SCRIPTED_MODELS
    for name, expected in told.items():
        if name == "device" and (scripted or config.agents.remote):
            continue  # no host is asked for one
        if manifest.get(name, expected) != expected:
            raise ManifestError(
                f"{folder / MANIFEST}: {name}: expected {expected!r}, as its config has it, got "
                f"{manifest[name]!r:.80}"
            )


def _as_it_was(config: dict[str, Any], interface: Any) -> dict[str, Any]:
    """A configuration from before some keys, as it was meant then.

    All of an answer counted, in chats too; nothing was said of its form; a layout that nobody
    chose was never a chat; and the grading question was one wherever nobody chose it.
    """
    task, agents, protocol = (config.get(key) for key in ("task", "agents", "protocol"))
    if not isinstance(task, dict) or not isinstance(agents, dict) or "instruction" in task:
        return config
    then = {"instruction": "none"}
    if "extract" not in task and task.get("name") == QUESTIONS:
        then["extract"] = "whole"
    if agents.get("interface") == "auto" and isinstance(interface, str):
        agents = {**agents, "interface": interface}
    if isinstance(protocol, dict) and protocol.get("question") == "words" and interface != "chat":
        protocol = {**protocol, "question": "auto"}
    return {**config, "task": {**task, **then}, "agents": agents, "protocol": protocol}
