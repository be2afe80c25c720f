"""Finding a model's files by name, and their hash: bundled, in a folder, or on the hub."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import fnmatch
import hashlib
import json
import math
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

BUNDLED = Path(__file__).parent / "models"
FOUNDERS = "founders/"
"""What names of founders begin with."""
NEEDED = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.model", "*.txt", "*.jinja")

TOKENIZER = (
    "added_tokens.json",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
)
"""Files that decide how text becomes tokens; those that a checkpoint has are hashed."""


class CheckpointError(ValueError):
    """A model that cannot be used: says what was expected and what was got."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model's files on this machine.

    `weights` is a hexadecimal hash of everything that decides its replies: weights,
    configuration and tokenizer.
    """

    name: str
    folder: Path
    weights: str
    config: dict[str, Any]

    @property
    def context_tokens(self) -> int:
        """The longest prompt that the model can read; a very large number where it is silent.

        Or where it counts places from separators: then they are what is limited, by `places`.
        """
        if self.restarts:
            return 2**31
        for key in ("max_position_embeddings", "n_positions"):
            if isinstance(self.config.get(key), int):
                return int(self.config[key])
        return 2**31

    @property
    def restarts(self) -> tuple[int, ...]:
        """Tokens from which the model counts places; none where it counts from a text's start."""
        return tuple(self.config.get("mgptn", {}).get("restarts", ()))

    @property
    def places(self) -> int:
        """Places after a separator, of a model that counts from those."""
        config = self.config.get("mgptn", {})
        return int(self.config.get("n_positions", 2**31)) - int(config.get("offsets", 0))


def bundled_models() -> list[str]:
    """Names of the models that come with the package: ``gpt-1/0``, …, rung by rung, by seed."""
    folders = [path.parent for path in BUNDLED.glob("*/*/config.json")]
    return [
        f"{path.parent.name}/{path.name}"
        for path in sorted(folders, key=lambda path: (path.parent.name, int(path.name)))
    ]


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
        If there is no such model, or its weights are pickled, or it is of a kind that the hosts
        do not serve.
    """
    folder = _locate(name)
    if not (folder / "config.json").exists():
        raise CheckpointError(
            f"agents.model: expected a checkpoint folder with config.json, got {folder} without it"
        )
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        pickled = sorted(p.name for p in (*folder.glob("*.bin"), *folder.glob("*.pt*")))
        got = f"only pickled weights ({', '.join(pickled)})" if pickled else "no weights"
        raise CheckpointError(
            f"agents.model: expected safetensors in {folder}, got {got}; pickles can run code and "
            "are never loaded: convert them with save_pretrained"
        )
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(
            f"agents.model: expected JSON in {folder / 'config.json'}, got: {error}"
        ) from None
    _check_kind(config, folder)
    files = [*weights, *(folder / f for f in ("config.json", *TOKENIZER))]
    return Checkpoint(name, folder, _hash([f for f in files if f.exists()]), config)


def founders_folder() -> Path:
    """Where founders that were trained on this machine lie: `MGPTN_CACHE` says another place."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mgptn"
    return Path(os.environ.get("MGPTN_CACHE") or usual) / "founders"


def _locate(name: str) -> Path:
    if name.startswith(FOUNDERS):
        folder = founders_folder() / name.removeprefix(FOUNDERS)
        if folder.is_dir():
            return folder
        if not Path(name).is_dir():  # somebody's own folder may be called so too
            raise CheckpointError(
                f"agents.model: expected the founder {name} in {folder}, got nothing there; a run "
                "with its recipe in agents.founders trains it"
            )
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
    if config.get("is_encoder_decoder"):
        raise CheckpointError(
            f"agents.model: expected a decoder-only model, got an encoder–decoder in {folder}"
        )
    kinds = set(config.get("layer_types") or ()) - {"full_attention", "sliding_attention"}
    if kinds:
        raise CheckpointError(
            f"agents.model: expected full attention in every layer, got {', '.join(sorted(kinds))} "
            f"in {folder}"
        )
    sliding = "sliding_attention" in (config.get("layer_types") or ()) or (
        config.get("sliding_window") and config.get("use_sliding_window", True)
    )
    if sliding:
        raise CheckpointError(
            f"agents.model: expected full attention, got sliding-window attention in {folder}"
        )


def _hash(files: list[Path]) -> str:
    digest = hashlib.blake2b(digest_size=32)
    for file in files:
        path = file.resolve()
        now = path.stat()
        version = (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_dev, now.st_ino)
        digest.update(file.name.encode() + b"\0" + _content(path, version))
    return digest.hexdigest()


@lru_cache(maxsize=1 << 12)
def _content(path: Path, version: tuple[int, ...]) -> bytes:
    """Hash of what a file has in it; read once for as long as it stays as it is.

    Parameters
    ----------
    version
        What changes with the file: its size, times and place on the disk.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=32)).digest()


def count_parameters(folder: Path) -> int:
    """How many numbers a folder's safetensors hold, by their headers; each tied one once.

    Source
    ------
    The safetensors format: eight bytes of length, little-endian, then a JSON header.
    """
    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        total += sum(math.prod(t["shape"]) for k, t in header.items() if k != "__metadata__")
    return total
