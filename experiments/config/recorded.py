"""The configuration of a run that was begun, from its manifest."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.config.task import QUESTIONS
from mgptn.experiments.record.manifest import MANIFEST, read_manifest


def recorded(folder: Path) -> tuple[dict[str, Any], RunConfig]:
    """A run's manifest, and its configuration, checked as any.

    Raises
    ------
    ConfigError, ManifestError
        If the folder is not a run's, or its manifest is damaged.
    """
    manifest = read_manifest(folder)
    config = _as_it_was(manifest["config"], manifest.get("interface"))
    return manifest, check_config(config, source=str(folder / MANIFEST))


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
