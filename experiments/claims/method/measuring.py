"""What a claim measures directly, beside its cells: tables, each made once and counted."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.agents.files import write_whole
from mgptn.agents.hosts.fleet import Fleet, LocalFleet, Stream
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.requests import Tile, TileReply
from mgptn.experiments.cards.subject import Subject
from mgptn.experiments.claims.method.costs import SCHEMA
from mgptn.experiments.claims.method.journals import MEASURED, Results
from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.record.manifest import library_versions
from mgptn.experiments.views.progress import progress


class CountedFleet:
    """A fleet, and the tokens that went through each model on it, or on others that share them."""

    def __init__(self, fleet: Fleet, tokens: dict[str, int] | None = None) -> None:
        self.settings, self.restarts, self._fleet = fleet.settings, fleet.restarts, fleet
        self.tokens = {} if tokens is None else tokens

    @property
    def alive(self) -> int:
        """Hosts that answer."""
        return self._fleet.alive

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        """Replies to tiles, in the tiles' order."""
        replies = self._fleet.run(tiles)
        for tile, reply in zip(tiles, replies, strict=True):
            self.count(tile, reply)
        return replies

    def stream(self, stream: Stream) -> None:
        """Have all tiles of a stream replied to."""
        self._fleet.stream(_Counted(stream, self))

    def count(self, tile: Tile, reply: TileReply) -> None:
        """Count what a tile took."""
        done = self.tokens.get(tile.weights, 0) + reply.work.tokens_computed
        self.tokens[tile.weights] = done

    def rest(self) -> None:
        """Let go of what the fleet's hosts hold."""
        self._fleet.rest()

    def close(self) -> None:
        """Nothing to end: the fleet is somebody else's."""


class _Counted:
    """A stream whose tiles are counted."""

    def __init__(self, stream: Stream, counting: CountedFleet) -> None:
        self.meanwhile = stream.meanwhile
        self._stream, self._counting = stream, counting
        self._tiles: list[Tile] = []

    def begin(self) -> list[Tile]:
        """Tiles that are known."""
        return self._known(self._stream.begin())

    def take(self, place: int, reply: TileReply) -> list[Tile]:
        """A reply; further tiles."""
        self._counting.count(self._tiles[place], reply)
        return self._known(self._stream.take(place, reply))

    def _known(self, tiles: Sequence[Tile]) -> list[Tile]:
        self._tiles += tiles
        return list(tiles)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a table must share with another to be the same: checked before one is kept.

    Attributes
    ----------
    weights
        Hash of the files of each model that is asked.
    cells
        The joint hash of all cells.
    """

    options: dict[str, Any]
    weights: dict[str, str]
    cells: str

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it, with the versions of libraries."""
        plain: dict[str, Any] = json.loads(
            json.dumps({**asdict(self), "versions": library_versions()})
        )
        return plain


class Bench:
    """What a measurement is made with.

    Attributes
    ----------
    seed
        Names its draws.
    options
        As registered, with the scale's sizes.
    results
        The cells' journals.
    models
        That the claim registers to be asked.
    """

    def __init__(self, seed: int, ground: Ground, results: Results, fleet: Fleet) -> None:
        self.seed, self.options, self.results = seed, dict(ground.options), results
        self.models = tuple(ground.weights)
        self._fleet = CountedFleet(fleet)
        self._subjects: dict[str, Subject] = {}
        self._beside = (0, 0.0)

    def subject(self, model: str) -> Subject:
        """A model to be asked; one that the claim does not register has a host of its own."""
        if model not in self._subjects:
            fleet = self._fleet
            if model not in self.models:
                own = HostSettings(model, find_checkpoint(model).weights)
                fleet = CountedFleet(LocalFleet(own), fleet.tokens)
            self._subjects[model] = Subject(model, self.seed, fleet=fleet)
        return self._subjects[model]

    def book(self, tokens: int, flops: float) -> None:
        """Count what was asked of a model that is none of the registered ones."""
        self._beside = self._beside[0] + tokens, self._beside[1] + flops

    @property
    def tokens(self) -> int:
        """That went through a model so far."""
        return sum(self._fleet.tokens.values()) + self._beside[0]

    @property
    def flops(self) -> float:
        """2 × parameters × tokens that went through the subjects' models so far, and what was
        counted beside."""
        of = {s.checkpoint.weights: s.parameters for s in self._subjects.values()}
        passed = sum(2.0 * of[weights] * tokens for weights, tokens in self._fleet.tokens.items())
        return passed + self._beside[1]


Measure = Callable[[Bench], pl.DataFrame]
"""A measurement: a table of plain columns, the same whenever it is made again."""


def measure_all(
    measures: Mapping[str, Measure],
    results: Results,
    ground: Ground,
    seeds: Sequence[int],
    fleet_of: AbstractContextManager[Fleet],
    console: Console,
) -> pl.DataFrame:
    """Make every table that is not there yet, seed by seed; what all of them cost, a row each.

    Parameters
    ----------
    measures
        By the names of their tables.
    fleet_of
        The hosts; entered only if there is something to measure.

    Raises
    ------
    ConfigError
        If a table was made on another ground.
    """
    folder, plain = results.folder / MEASURED, ground.to_plain()
    parts = [(name, seed) for seed in seeds for name in measures]
    left = [part for part in parts if not _is_made(_record_path(folder, *part), plain)]
    if left:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            fleet = stack.enter_context(fleet_of)
            bar = stack.enter_context(progress(console))
            shown = bar.add_task("measurements", total=len(parts), completed=len(parts) - len(left))
            for name, seed in left:
                bench = Bench(seed, ground, results, fleet)
                _make(measures[name], bench, _record_path(folder, name, seed), plain)
                bar.advance(shown)
    return _costs(folder, parts)


def hash_of_table(table: pl.DataFrame) -> str:
    """Hexadecimal hash of a table's columns and values."""
    content = table.write_csv().encode()
    return hashlib.blake2b(content, digest_size=32, person=b"mgptn.measured").hexdigest()


def _make(measure: Measure, bench: Bench, record: Path, ground: Mapping[str, Any]) -> None:
    """A table, then the record that says that it is whole."""
    began = time.perf_counter()
    table = measure(bench)
    cost = {
        "seconds": time.perf_counter() - began,
        "tokens": bench.tokens,
        "flops": bench.flops,
        "population_hash": hash_of_table(table),
    }
    write_whole(record.with_suffix(".parquet"), table.write_parquet)
    text = json.dumps({"ground": ground, "cost": cost}, indent=1) + "\n"
    write_whole(record, lambda file: file.write(text.encode()))


def _is_made(record: Path, ground: Mapping[str, Any]) -> bool:
    if not record.exists():
        return False
    made = json.loads(record.read_text(encoding="utf-8"))["ground"]
    differing = [key for key in ground if made.get(key) != ground[key]]
    if differing:
        key = differing[0]
        raise ConfigError(
            f"{record}: expected {key} {ground[key]}, got a table that was measured with "
            f"{made.get(key)}; choose another --out"
        )
    return True


def _costs(folder: Path, parts: Iterable[tuple[str, int]]) -> pl.DataFrame:
    rows = [
        {
            "cell": _record_path(folder, name, seed).stem,
            "seed": seed,
            **json.loads(_record_path(folder, name, seed).read_text(encoding="utf-8"))["cost"],
        }
        for name, seed in parts
    ]
    return pl.DataFrame(rows, SCHEMA)


def _record_path(folder: Path, name: str, seed: int) -> Path:
    return folder / f"{name}-seed{seed}.json"
