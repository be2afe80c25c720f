"""`mgptn bench engine`: the host against plain transformers, side by side in one process.

Repeats are interleaved, so that a machine that slows down slows all contestants alike; ratios come
first, as medians over repeats with their spread.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from agents.fleet import LocalFleet
from agents.host import HostSettings
from agents.requests import Generate, HostRequest, Score
from agents.tiles import plan
from agents.transformers_host import TransformersHost
from experiments.config import RunConfig, check_config
from experiments.manifest import library_versions
from experiments.simulation import Simulation, step_together
from experiments.stage import Stage
from population.streams import stream

ROWS = 32
EXAMPLES = 16
GRADERS = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two ways of doing the same work: seconds of each repeat, and how many items it was."""

    name: str
    items: int
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """Theirs over ours, repeat by repeat: above 1, ours is faster."""
        return [b / a for a, b in zip(self.ours, self.theirs, strict=True)]


def engine(console: Console, repeats: int, out: Path | None) -> None:
    """Measure, print one table, and write JSON if asked to."""
    config = check_config({"name": "bench", "problems_per_generation": ROWS})
    stage = Stage(config)
    fleet = LocalFleet(stage.host_settings(stage.device()))
    host = fleet.host
    assert isinstance(host, TransformersHost)
    comparisons = [
        _compare("answers, no shared prefix", ROWS, *_answering(stage, fleet, host, 0), repeats),
        _compare(
            f"answers, {EXAMPLES} examples as prefix",
            ROWS,
            *_answering(stage, fleet, host, EXAMPLES),
            repeats,
        ),
        _compare(
            f"grades, {GRADERS} graders with {EXAMPLES} examples each",
            ROWS * GRADERS,
            *_grading(stage, fleet, host),
            repeats,
        ),
    ]
    outside = _outside(config, stage, fleet, host, repeats)
    console.print(_table(comparisons, fleet.settings))
    console.print(
        f"Share of a generation's wall time outside forward passes and sampling (8 agents, {ROWS} "
        f"problems, 4 graders, one host in this process): median {statistics.median(outside):.1%}, "
        f"{min(outside):.1%} to {max(outside):.1%}",
        highlight=False,
    )
    if out is not None:
        plain = {
            "comparisons": [asdict(c) | {"ratios": c.ratios} for c in comparisons],
            "outside_forward": outside,
            "host": asdict(fleet.settings),
            "versions": library_versions(),
        }
        out.write_text(json.dumps(plain, indent=2) + "\n")


Contestants = tuple[Callable[[], Any], Callable[[], Any]]


def _answering(
    stage: Stage, fleet: LocalFleet, host: TransformersHost, examples: int
) -> Contestants:
    """Our answers to a generation's problems, and `generate()`'s to the same prompts."""
    import torch

    script, config = stage.script, stage.config
    prefix = _contexts(stage, 1, examples)[0]
    requests: list[HostRequest] = [
        Generate(
            prefix=prefix,
            suffix=script.encoder.suffix(problem.query),
            stops=script.encoder.stops(script.interface.stops),
            max_tokens=script.max_tokens,
            sampling_temperature=config.agents.sampling_temperature,
            key=(0, i),
        )
        for i, problem in enumerate(stage.problems[0])
    ]
    tiles = plan(requests, stage.script.weights, ROWS).tiles
    rows = [[*request.prefix, *request.suffix] for request in requests]
    tokens = torch.tensor(rows, device=host.device)
    model: Any = host.model

    def theirs() -> None:
        model.generate(
            tokens,
            attention_mask=torch.ones_like(tokens),
            do_sample=True,
            max_new_tokens=script.max_tokens,
            min_new_tokens=script.max_tokens,
        )

    def ours() -> None:
        host.forget_prefixes()
        fleet.run(tiles)

    return ours, theirs


def _grading(stage: Stage, fleet: LocalFleet, host: TransformersHost) -> Contestants:
    """Every grader's grades of the same answers, with shared prefixes and row by row."""
    import torch

    script = stage.script
    options = tuple(script.encoder.suffix(o) for o in script.interface.level_options)
    suffixes = [
        script.encoder.suffix(script.interface.grade_prompt((), p.query, p.reference).suffix)
        for p in stage.problems[0]
    ]
    contexts = _contexts(stage, GRADERS, EXAMPLES)
    requests: list[HostRequest] = [Score(c, s, options) for c in contexts for s in suffixes]
    tiles = plan(requests, stage.script.weights, ROWS).tiles
    rows = torch.tensor([[*c, *s] for c in contexts for s in suffixes], device=host.device)
    model: Any = host.model

    def theirs() -> None:
        with torch.inference_mode():
            for batch in rows.split(ROWS):
                model(batch, use_cache=False, logits_to_keep=1)

    def ours() -> None:
        host.forget_prefixes()
        fleet.run(tiles)

    return ours, theirs


def _contexts(stage: Stage, count: int, examples: int) -> list[tuple[int, ...]]:
    """Prefixes of right examples from the training split, each its own."""
    rng = stream(0, "bench")
    contexts = []
    for _ in range(count):
        problems = [stage.task.draw(rng, "train") for _ in range(examples)]
        pairs = [(problem.query, problem.reference) for problem in problems]
        prompt = stage.script.interface.answer_prompt(pairs, "")
        contexts.append(stage.script.encoder.prefix(prompt.prefix))
    return contexts


def _outside(
    config: RunConfig, stage: Stage, fleet: LocalFleet, host: TransformersHost, repeats: int
) -> list[float]:
    """Share of the wall time of a generation that no forward pass or sampling took."""
    shares = []
    for _ in range(repeats):
        host.forget_prefixes()
        began = time.perf_counter()
        (committed,) = step_together([Simulation(config, stage=stage, fleet=fleet)], fleet)
        shares.append(1.0 - committed.seconds["forward"] / (time.perf_counter() - began))
    return shares


def _compare(
    name: str, items: int, ours: Callable[[], Any], theirs: Callable[[], Any], repeats: int
) -> Comparison:
    ours()
    theirs()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for contestant, seconds in zip((ours, theirs), times, strict=True):
            began = time.perf_counter()
            contestant()
            seconds.append(time.perf_counter() - began)
    return Comparison(name, items, tuple(times[0]), tuple(times[1]))


def _table(comparisons: list[Comparison], settings: HostSettings) -> Table:
    table = Table(
        "work", "ratio (median)", "spread", "ours, items/s", "plain, items/s",
        title=f"{settings.model}, {settings.dtype}, {settings.device}, {settings.threads} threads; "
        "plain is transformers' generate() or one full row a grade",
        title_justify="left",
    )  # fmt: skip
    for c in comparisons:
        table.add_row(
            c.name,
            f"{statistics.median(c.ratios):.2f}",
            f"{min(c.ratios):.2f} to {max(c.ratios):.2f}",
            f"{c.items / statistics.median(c.ours):,.0f}",
            f"{c.items / statistics.median(c.theirs):,.0f}",
        )
    return table
