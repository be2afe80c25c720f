"""What in a checkpoint's folder decides its replies, and the hash of it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from mgptn.agents.files import NoPlainFileError, read_bounded
from mgptn.agents.shards import CheckpointError, check_pointer, header_of

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

FURTHER_TOKENIZER = (
    "sentencepiece.bpe.model", "spiece.model", "tekken.json", "tokenizer.model.v3", "vocab.txt",
)  # fmt: skip
TEMPLATES = ("chat_template.jinja", "chat_template.json")
FURTHER_TEMPLATES = "additional_chat_templates"
"""Where chat templates may lie beside tokenizer_config.json: files, and a folder of files."""

GENERATION = "generation_config.json"
MOST_JSON = 64 * 2**20
"""Bytes of a file that says something of a model."""

_PROVENANCE = ("_from_model_config", "transformers_version")
_USUAL = {"output_attentions": False, "output_hidden_states": False, "use_cache": True}


def content_hash(
    folder: Path, shards: Collection[Path], config: Mapping[str, Any], generation: Mapping[str, Any]
) -> str:
    """Of weights, configuration, tokenizer, and what else decides what is read and written.

    Parameters
    ----------
    shards
        The files of weights that are loaded.
    config, generation
        What config.json and generation_config.json say.

    Raises
    ------
    CheckpointError
        If a file of weights is cut off, or another lies where Git LFS left a pointer.
    """
    hashed = [(path, path in shards) for path in sorted(folder.glob("*.safetensors"))]
    hashed += [(folder / name, False) for name in ("config.json", *TOKENIZER)]
    hashed += [(path, False) for path in behaviour_files(folder)]
    if not _repeats(generation, config):
        hashed.append((folder / GENERATION, False))
    return _hash(folder, [(path, whole) for path, whole in hashed if path.exists()])


def behaviour_files(folder: Path) -> list[Path]:
    """Files beside weights, configuration and `TOKENIZER` that decide what is read and written.

    They are hashed only where there are any, as were none of them at first.
    """
    names = [folder / name for name in (*FURTHER_TOKENIZER, *TEMPLATES)]
    names += sorted((folder / FURTHER_TEMPLATES).glob("*.jinja"))
    return [path for path in names if path.exists()]


def _repeats(generation: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Does generation_config.json say nothing that config.json does not?

    So it is where transformers writes it beside a model that never had one.
    """
    known = {**_USUAL, **config}
    said = {key: value for key, value in generation.items() if key not in _PROVENANCE}
    return all(known.get(key) == value for key, value in said.items())


def check_links(folder: Path) -> None:
    """Refuse links that lead out of a model's folder, and what is neither file nor folder.

    The hub's cache keeps a snapshot's files beside it, in ``blobs``, and links to them.

    Raises
    ------
    CheckpointError
        Naming the link and where it leads.
    """
    own = folder.resolve()
    homes = [own]
    if own.parent.name == "snapshots":
        homes.append(own.parent.parent / "blobs")
    for path in sorted(folder.iterdir()):
        if not path.is_symlink():
            if not path.is_file() and not path.is_dir():
                raise CheckpointError(
                    f"agents.model: expected a model's files in {folder}, got {path.name}, which "
                    "is a pipe or a device"
                )
            continue
        leads = path.resolve()
        if not any(leads.is_relative_to(home) for home in homes):
            raise CheckpointError(
                f"agents.model: expected a model's files in {folder}, got {path.name}, a link to "
                f"{leads}: copy the file instead"
            )


def read_json(path: Path) -> dict[str, Any]:
    """An object in a file.

    Raises
    ------
    CheckpointError
        Naming the file, if it holds none.
    """
    try:
        content = read_bounded(path, MOST_JSON)
        check_pointer(io.BytesIO(content), path)
        read = json.loads(content.decode("utf-8"))
    except CheckpointError:
        raise
    except (ValueError, RecursionError, NoPlainFileError) as error:
        raise CheckpointError(f"agents.model: expected JSON in {path}, got: {error}") from None
    if not isinstance(read, dict):
        raise CheckpointError(f"agents.model: expected an object in {path}, got {read!r:.60}")
    return read


def _hash(folder: Path, files: list[tuple[Path, bool]]) -> str:
    """Of files by their place in the folder and their content.

    Parameters
    ----------
    files
        Each with whether it is weights that must be whole.
    """
    digest = hashlib.blake2b(digest_size=32)
    for file, whole in files:
        path = file.resolve()
        now = path.stat()
        version = (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_dev, now.st_ino)
        name = file.relative_to(folder).as_posix()
        digest.update(name.encode() + b"\0" + _content(path, version, whole))
    return digest.hexdigest()


@lru_cache(maxsize=1 << 12)
def _content(path: Path, version: tuple[int, ...], whole: bool) -> bytes:
    """Hash of what a file has in it; read once for as long as it stays as it is.

    Parameters
    ----------
    version
        What changes with the file: its size, times and place on the disk.
    whole
        Is it safetensors that must be whole?
    """
    with path.open("rb") as stream:
        if whole:
            header_of(stream, path)
        elif path.suffix != ".safetensors":
            check_pointer(stream, path)
        stream.seek(0)
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=32)).digest()
