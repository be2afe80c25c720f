"""Finding a model's files by name, and their hash: bundled, in a folder, or on the hub."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mgptn.agents.content import GENERATION, check_links, content_hash, read_json
from mgptn.agents.rope import length_dependent, unscaled_tokens
from mgptn.agents.shards import BeyondEngineError as BeyondEngineError
from mgptn.agents.shards import CheckpointError as CheckpointError
from mgptn.agents.shards import check_index, find_shards
from mgptn.agents.shards import count_parameters as count_parameters

BUNDLED = Path(__file__).parent / "models"
FOUNDERS = "founders/"
"""What names of founders begin with."""
INSTRUCT = "instruct/"
"""What names of models begin with that `mgptn models fetch` has brought."""
NEEDED = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.model", "*.txt", "*.jinja")

MOST_LAYERS = 10_000
"""Of a model, and of experts of a layer."""

NOT_THE_SAME_TWICE = ("reformer",)
"""Kinds of models that draw at random what a token of a long text sees."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model's files on this machine.

    Attributes
    ----------
    weights
        A hexadecimal hash of everything that decides its replies: weights, configuration,
        tokenizer, chat templates, and generation_config.json where that says more than
        config.json does.
    config, generation
        config.json and generation_config.json.
    """

    name: str
    folder: Path
    weights: str
    config: dict[str, Any]
    generation: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> dict[str, Any]:
        """What config.json says of the part that reads and writes text, where it has others."""
        part = self.config.get("text_config")
        return {**self.config, **part} if isinstance(part, dict) else self.config

    @property
    def context_tokens(self) -> int:
        """The longest text that the model can read; a very large number where it is silent.

        Or where it counts places from separators: then they are what is limited, by `places`.
        Where rotations depend on a text's length, what they leave as it is.
        """
        if self.restarts:
            return 2**31
        said = self.text
        found = [2**31, unscaled_tokens(said) or 2**31]
        for key in ("max_position_embeddings", "n_positions", "max_seq_len"):
            if isinstance(said.get(key), int):
                found.append(int(said[key]))
                break
        return min(found)

    @property
    def own(self) -> bool:
        """Is it a bundled model, or a founder that was trained here?"""
        return self.folder.is_relative_to(BUNDLED) or self.folder.is_relative_to(founders_folder())

    @property
    def limited_by(self) -> str:
        """Why no more than `context_tokens` are read, in a clause; empty if it needs no reason."""
        kind = length_dependent(self.text)
        if kind is None:
            return ""
        return f" (in longer texts its {kind} RoPE has other factors, and prefixes would be wrong)"

    @property
    def ends(self) -> tuple[int, ...]:
        """Tokens that end a turn or a text, as both configurations say; without those of the
        tokenizer."""
        found: list[int] = []
        for said in (self.generation, self.config, self.text):
            ids = said.get("eos_token_id")
            found += ids if isinstance(ids, list) else [] if ids is None else [ids]
        return tuple(
            dict.fromkeys(i for i in found if type(i) is int and 0 <= i < (self.rows or i + 1))
        )

    @property
    def rows(self) -> int | None:
        """Tokens that the model has embeddings for; None where the configuration is silent."""
        rows = self.text.get("vocab_size")
        return int(rows) if isinstance(rows, int) else None

    @property
    def restarts(self) -> tuple[int, ...]:
        """Tokens from which the model counts places; none where it counts from a text's start."""
        return tuple(i for i in self._own.get("restarts", ()) if type(i) is int)

    @property
    def places(self) -> int:
        """Places after a separator, of a model that counts from those."""
        return int(self.config.get("n_positions", 2**31)) - int(self._own.get("offsets", 0))

    @property
    def _own(self) -> dict[str, Any]:
        """What config.json says that this project alone reads."""
        said = self.config.get("mgptn", {})
        return said if isinstance(said, dict) else {}


def bundled_models() -> list[str]:
    """Names of the models that come with the package: ``gpt-1/0``, …, rung by rung, by seed."""
    folders = [path.parent for path in BUNDLED.glob("*/*/config.json")]
    return [
        f"{path.parent.name}/{path.name}"
        for path in sorted(folders, key=lambda path: (path.parent.name, int(path.name)))
    ]


def is_own(name: str) -> bool:
    """Is a name, or a pattern, that of bundled models, or of founders that are trained here?"""
    known = bundled_models()
    return name.startswith(FOUNDERS) or f"{name}/0" in known or any(fnmatch.filter(known, name))


def expand_models(pattern: str) -> tuple[str, ...]:
    """The models that a name stands for, each once.

    ``gpt-1/*`` stands for every bundled seed of a rung, and names with commas between them for
    each of them; any other name stands for itself.

    Raises
    ------
    CheckpointError
        If a pattern fits no bundled model.
    """
    names: list[str] = []
    for part in pattern.split(","):
        name = part.strip()
        found = [name]
        if "*" in name:
            found = [known for known in bundled_models() if fnmatch.fnmatchcase(known, name)]
            if not found:
                raise CheckpointError(
                    f"agents.model: expected a pattern that fits a bundled model "
                    f"({_known()}), got {name!r}"
                )
        names += found
    return tuple(dict.fromkeys(names))


def find_checkpoint(name: str) -> Checkpoint:
    """Find a model by bundled name, folder, or hub id; the hub is asked only for the last.

    A rung's name alone stands for its first seed: ``gpt-3`` for ``gpt-3/0``.

    Only safetensors are accepted, and no code of a repository is ever run.

    Raises
    ------
    CheckpointError
        If there is no such model, or its weights are pickled, cut off, or not all there, or it is
        of a kind that the hosts do not serve.
    """
    folder = _locate(name)
    if not (folder / "config.json").exists():
        raise CheckpointError(
            f"agents.model: expected a checkpoint folder with config.json, got {folder} without it"
        )
    check_links(folder)
    shards = find_shards(folder)
    config = read_json(folder / "config.json")
    _check_kind(config, folder)
    generation = folder / GENERATION
    said = read_json(generation) if generation.exists() else {}
    found = content_hash(folder, shards, config, said)
    check_index(folder)
    return Checkpoint(name, folder, found, config, said)


def founders_folder() -> Path:
    """Where founders that were trained on this machine lie: `MGPTN_CACHE` says another place."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mgptn"
    return Path(os.environ.get("MGPTN_CACHE") or usual) / "founders"


def instruct_folder() -> Path:
    """Where models lie that were fetched to try things with, beside founders."""
    return founders_folder().parent / "instruct"


def _cached(name: str) -> Path | None:
    """Where a model lies that was made or fetched here; None for other names.

    Raises
    ------
    CheckpointError
        If it is not there, saying what brings it.
    """
    for begins, folder, bringing in (
        (FOUNDERS, founders_folder(), "a run with its recipe in agents.founders trains it"),
        (INSTRUCT, instruct_folder(), "mgptn models fetch brings SmolLM2-135M-Instruct"),
    ):
        if not name.startswith(begins):
            continue
        found = folder / name.removeprefix(begins)
        if found.is_dir():
            return found
        if not Path(name).is_dir():  # somebody's own folder may be called so too
            kind = "founder" if begins == FOUNDERS else "model"
            raise CheckpointError(
                f"agents.model: expected the {kind} {name} in {found}, got nothing there; "
                f"{bringing}"
            )
    return None


def _locate(name: str) -> Path:
    cached = _cached(name)
    if cached is not None:
        return cached
    for bundled in (name, f"{name}/0"):
        if bundled in bundled_models():
            return BUNDLED / bundled
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if name.startswith((".", "/", "~")) or not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise CheckpointError(
            f"agents.model: expected a bundled model ({_known()}), an existing checkpoint folder, "
            f"or a hub id such as org/name, got {name!r}"
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(NEEDED)))
    except Exception as error:
        raise CheckpointError(
            f"agents.model: expected a bundled model ({_known()}), a folder, or a hub id that can "
            f"be fetched, got {name!r}: {type(error).__name__}: {error}"
        ) from error


def _known() -> str:
    return ", ".join(bundled_models()) or "none"


def _check_kind(config: dict[str, Any], folder: Path) -> None:
    """Refuse what the hosts do not serve."""
    for key, value in _counts(config):
        if not 0 <= value <= MOST_LAYERS:
            raise CheckpointError(
                f"agents.model: expected at most {MOST_LAYERS} as {key} of "
                f"{folder / 'config.json'}, got {value:.6g}"
            )
    if config.get("is_encoder_decoder"):
        raise CheckpointError(
            f"agents.model: expected a decoder-only model, got an encoder–decoder in {folder}"
        )
    if (kind := config.get("model_type")) in NOT_THE_SAME_TWICE:
        raise CheckpointError(
            f"agents.model: expected a model that says the same of a text each time, got {kind} in "
            f"{folder}, whose attention draws at random"
        )


def _counts(config: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """How many layers and experts a model has, which are made before weights are looked at."""
    parts = [config, *(part for part in config.values() if isinstance(part, dict))]
    for part in parts:
        for key, value in part.items():
            counted = key == "n_layer" or key.endswith(("_layers", "_experts"))
            if counted and isinstance(value, int | float):
                yield key, value
