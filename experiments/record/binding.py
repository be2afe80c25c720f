"""What binds a manifest to a run's journal: the journal's first record says it too.

What the manifest says decides a run's bits, or tells how they came about. Were it changed later,
what is derived from the journal would be told of another run than it is of.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mgptn.experiments.record.fields import Fields
from mgptn.experiments.record.manifest import MANIFEST, ManifestError, read_manifest

KIND = "manifest"
"""Of the record that begins a journal."""

FREE = (
    "config.hosts.count",
    "config.hosts.gpus_per_host",
    "config.limits",
    "config.metrics",
    "config.task.file",
    "config.agents.endpoint.*.url",
    "config.agents.endpoint.*.key_env",
    "config.agents.endpoint.*.concurrency",
    "config.agents.endpoint.*.timeout_seconds",
    "config.agents.endpoint.*.retries",
    "config.agents.endpoint.*.backoff_seconds",
    "config.agents.endpoint.*.price",
    "endpoints.*.url",
)
"""What may be changed in a manifest before a run is resumed, with all below it.

How many hosts there are, what may be spent, where figures are shown, where a file of questions or a
server is: none of it decides what is answered. What the file holds is bound by its hash.
"""

_Path = tuple[str, ...]
_FREE_PATHS: dict[int, list[_Path]] = {}
for _name in FREE:
    _FREE_PATHS.setdefault(_name.count(".") + 1, []).append(tuple(_name.split(".")))


def first_record(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The record that begins the journal of a run with this manifest."""
    return {"kind": KIND, "manifest": json.dumps(_bound(manifest), sort_keys=True)}


def check_bound(folder: Path, record: Fields) -> None:
    """Refuse a manifest that is not the one that a run was begun with.

    Parameters
    ----------
    record
        As `first_record` makes it.

    Raises
    ------
    ManifestError
        If there is none, or a field that is not among `FREE` differs: names it, what was expected
        and what was got.
    RecordError
        If the record holds no manifest.
    """
    text = record.text("manifest")
    try:
        begun = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise record.wrong("manifest", f"a manifest as JSON ({error})", "another text") from None
    if not isinstance(begun, dict):
        raise record.wrong("manifest", "a manifest", begun)
    bound = _bound(read_manifest(folder))
    if text == json.dumps(bound, sort_keys=True):
        return
    then, now = dict(_leaves(begun)), dict(_leaves(bound))
    for path in [*then, *(path for path in now if path not in then)]:
        if then.get(path) != now.get(path):
            raise ManifestError(
                f"{folder / MANIFEST}: expected {'.'.join(path)} to be {_shown(then, path)}, as "
                f"its journal was begun with, got {_shown(now, path)}"
            )


def _bound(manifest: Mapping[str, Any]) -> Any:
    """A manifest without what may be changed, as it comes back from JSON."""
    return _without(json.loads(json.dumps(manifest)), ())


def _without(plain: Any, here: _Path) -> Any:
    if isinstance(plain, dict):
        below = {key: (*here, key) for key in plain}
        return {key: _without(plain[key], at) for key, at in below.items() if not _free(at)}
    if isinstance(plain, list):
        return [_without(one, (*here, str(i))) for i, one in enumerate(plain)]
    return plain


def _free(path: _Path) -> bool:
    return any(
        all(f in ("*", p) for f, p in zip(free, path, strict=True))
        for free in _FREE_PATHS.get(len(path), ())
        if free[-1] in ("*", path[-1])
    )


def _leaves(plain: Any, here: _Path = ()) -> Iterator[tuple[_Path, str]]:
    """Every value that holds no others, as JSON, with the way to it; an empty one is a value."""
    if isinstance(plain, dict) and plain:
        for key, value in plain.items():
            yield from _leaves(value, (*here, key))
    elif isinstance(plain, list) and any(isinstance(one, dict | list) for one in plain):
        for i, one in enumerate(plain):
            yield from _leaves(one, (*here, str(i)))
    else:
        yield here, json.dumps(plain)


def _shown(leaves: Mapping[_Path, str], path: _Path) -> str:
    found = leaves.get(path, "nothing")
    return found if len(found) <= 80 else f"{found[:80]}…"
