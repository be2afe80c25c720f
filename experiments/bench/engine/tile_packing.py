"""What equal bits cost: the planner's tiles beside ones packed as full and as narrow as can be.

Freely packed, a tile's shape is what its requests need together: as many rows as there are, as
wide as the widest (prompts of answers are read by buckets of width all the same), and a prefix's
last block as long as what is left of it. So what a request is answered depends, in its last bits,
on what else is asked. Beside both, the planner's tiles in batches that are always full.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np

from mgptn.agents.engine.memory import PREFIX_CACHE_BYTES
from mgptn.agents.engine.prefixes import Prefixes
from mgptn.agents.hosts.fleet import run_tile
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.hosts.ways import Together, Way
from mgptn.agents.layers.rows import Rows
from mgptn.agents.requests import Generate, HostRequest, Score, Tile
from mgptn.agents.tiles import TURNS, bucket, plan, read_rows, rows_of
from mgptn.experiments.bench.engine.comparison import Comparison, interleaved
from mgptn.experiments.bench.engine.generation import MODEL, requested
from mgptn.experiments.bench.engine.models import OPTIONS, WEIGHTS, Subject, texts
from mgptn.experiments.bench.engine.scale import Scale

PROBLEMS = (4, 24, 64)
"""Of a generation: few, the quickstart's, which are no multiple of the slots, and ones that are."""


class FreePrefixes(Prefixes):
    """Prefixes whose last block is not padded."""

    def _room(self, tokens: int) -> int:
        return tokens


class FreeHost(TransformersHost):
    """A host that computes what is asked and no more."""

    prefixes = FreePrefixes

    def _begin(self, way: Way, weights: str, folder: Path | None = None) -> None:
        super()._begin(way, weights, folder)
        self.forward.rows = Rows(unit=1, any_number=True)


def pack_freely(requests: Sequence[HostRequest], weights: str, slots: int) -> list[Tile]:
    """Tiles in shapes of their requests' own need; a prefix's scorings side by side by length."""
    groups: dict[tuple[tuple[int, ...], bool], dict[HostRequest, None]] = {}
    for request in requests:
        key = request.prefix, isinstance(request, Score)
        groups.setdefault(key, {})[request] = None
    tiles: list[Tile] = []
    for prefix, scores in sorted(groups):
        members = sorted(groups[prefix, scores], key=lambda r: len(r.suffix))
        cut = _scorings if scores else _generations
        tiles += cut(members, Tile(weights, prefix, (), rows=slots, width=0))
    return tiles


def _generations(members: list[HostRequest], like: Tile) -> Iterator[Tile]:
    size = TURNS * like.rows
    for start in range(0, len(members), size):
        chosen = tuple(r for r in members[start : start + size] if isinstance(r, Generate))
        yield replace(
            like,
            requests=chosen,
            rows=min(like.rows, len(chosen)),
            width=max(bucket(len(r.suffix)) for r in chosen),
            room=max(r.max_tokens for r in chosen),
        )


def _scorings(members: list[HostRequest], like: Tile) -> Iterator[Tile]:
    """Each read at once; the widest stand last, and say how many rows that is."""
    while members:
        longest = max(map(len, rows_of(members[-1])))
        needed = len(rows_of(members[-1]))
        size = max(1, read_rows(like.rows, longest) // needed)
        chosen = tuple(r for r in members[-size:] if isinstance(r, Score))
        del members[-size:]
        rows = [row for r in chosen for row in rows_of(r)]
        yield replace(
            like,
            requests=chosen,
            rows=len(rows),
            width=max(map(len, rows)),
            reads=max(len(option) for r in chosen for option in r.options),
        )


def cost_of_equal_bits(subject: Subject, scale: Scale, repeats: int) -> list[Comparison]:
    """Generations of a bundled model, and lengths of every kind on a random one."""
    made = []
    device = subject.host.device.type
    for problems in sorted({min(problems, scale.problems) for problems in PROBLEMS}):
        requests, stage = requested(problems, device)
        settings = stage.host_settings(device)
        hosts = TransformersHost(settings), FreeHost(settings)
        slots = stage.config.hosts.slots
        name = f"{MODEL}: generation of {problems} problems"
        made.append(_compared(name, requests, hosts, settings.weights, slots, repeats))
    free = FreeHost.of_model(subject.another(), WEIGHTS)
    mixed = _mixed(scale)
    name = f"{subject.shape.name}: answers and grades of any length"
    made.append(_compared(name, mixed, (subject.host, free), WEIGHTS, scale.slots, repeats))
    return made


def _mixed(scale: Scale) -> list[HostRequest]:
    """Contexts, questions and answers of lengths drawn evenly; grades by four contexts."""
    rng = np.random.default_rng(4)
    agents, each = 8, scale.slots
    contexts = [texts(rng, 1, int(n))[0] for n in rng.integers(1, scale.context, agents)]
    requests: list[HostRequest] = []
    for i in range(agents * each):
        (question,) = texts(rng, 1, int(rng.integers(4, 41)))
        (answer,) = texts(rng, 1, int(rng.integers(1, 17)))
        author = i % agents
        requests.append(Generate(contexts[author], question, (), len(answer), 1.0, (0, i)))
        for grader in range(1, 5):
            context = contexts[(author + grader) % agents]
            requests.append(Score(context, question + answer, OPTIONS))
    return requests


def _compared(
    name: str,
    requests: Sequence[HostRequest],
    hosts: tuple[TransformersHost, FreeHost],
    weights: str,
    slots: int,
    repeats: int,
) -> Comparison:
    ours, free = hosts
    tiles = plan(requests, weights, slots).tiles
    planned = {
        "ours": (ours, tiles),
        "freely packed": (free, pack_freely(requests, weights, slots)),
        "ours, batches full": (full_batches(ours), tiles),
    }
    # Where other processes share the processor, what they take is nobody's cost.
    device = ours.device.type
    clock = time.process_time if device == "cpu" else time.perf_counter
    seconds = interleaved({n: _run(*each) for n, each in planned.items()}, repeats, device, clock)
    padded = {n: _padded(*each) for n, each in planned.items()}
    return Comparison(name, len(requests), "requests", seconds, padded=padded)


def full_batches(host: TransformersHost) -> TransformersHost:
    """The same model, each of whose batches and blocks is as full as the plan has it."""
    full, forward = copy(host), copy(host.forward)
    forward.rows = Rows(forward.rows.unit)
    full.way = Together(forward, host.prefixes, PREFIX_CACHE_BYTES)
    return full


def _padded(host: TransformersHost, tiles: Sequence[Tile]) -> float:
    """Share of the positions of some tiles that are computed for nothing."""
    host.forget_prefixes()
    works = [run_tile(host, tile).work for tile in tiles]
    padded, own = sum(w.tokens_padded for w in works), sum(w.tokens_computed for w in works)
    return padded / (padded + own)


def _run(host: TransformersHost, tiles: Sequence[Tile]) -> Callable[[], None]:
    def run() -> None:
        host.forget_prefixes()
        for tile in tiles:
            run_tile(host, tile)

    return run
