"""The command that trains a recipe."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path

from mgptn.agents.training.recipe import Recipe

OPTIONS = ("rung", "seed", "steps", "skills", "grown_from")
"""Fields of a recipe that the command line has options for; the others are set by --set."""


def training_command(recipe: Recipe, folder: Path) -> str:
    """The command that trains a recipe into a folder."""
    usual = asdict(Recipe(recipe.rung))
    words = ["mgptn", "pretrain", "--rung", recipe.rung, "--seed", str(recipe.seed)]
    for key, value in asdict(recipe).items():
        if key in ("rung", "seed") or value == usual[key]:
            continue
        if key in OPTIONS:
            words += [f"--{key.replace('_', '-')}", str(value)]
        else:
            words += ["--set", f"{key}={value}"]
    return shlex.join([*words, "--out", str(folder)])


def made_by(model: Path, folder: Path) -> str | None:
    """The command that made a model, into another folder; None where training.json does not say."""
    try:
        made = json.loads((model / "training.json").read_text(encoding="utf-8"))
        return training_command(Recipe(**made["recipe"]), folder)
    except (OSError, ValueError, KeyError, TypeError):
        return None
