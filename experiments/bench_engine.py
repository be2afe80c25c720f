"""`mgptn bench engine`: the host against plain transformers, side by side in one process.

Repeats are interleaved, so that a machine that slows down slows all contestants alike; ratios come
first, as medians over repeats with their spread. Ray is not needed.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from agents.fleet import LocalFleet, run_tile
from agents.requests import HostRequest, Score, Work
from agents.tiles import plan
from agents.transformers_host import TransformersHost
from experiments.bench_ceiling import Ceiling, measure_ceiling, synchronised
from experiments.bench_models import (
    OPTIONS,
    SHAPES,
    WEIGHTS,
    Subject,
    answer_requests,
    grade_requests,
    texts,
)
from experiments.config import check_config
from experiments.manifest import library_versions
from experiments.simulation import Simulation, step_together
from experiments.stage import Stage

PROMPT, NEW = 8, 32
"""Tokens of a question, and of an answer, where no prefix is shared."""

SHORT = 8
"""Tokens of an answer after a context."""

GRADED = PROMPT + SHORT
"""Tokens of a question, its answer, and what asks for the grade, less one."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured.

    Attributes
    ----------
    slots
        Answers written at once.
    context
        Tokens of an agent's context.
    graders
        Of an answer, each with a context of its own.
    sizes
        Numbers of agents for the cost against them.
    models
        How many of a device's models.
    """

    slots: int
    context: int
    graders: int
    sizes: tuple[int, ...]
    models: int


FULL = {
    "cpu": Scale(64, 192, 24, (8, 16, 32, 64, 128, 256, 512), 3),
    "cuda": Scale(256, 512, 24, (8, 16, 32, 64, 128, 256, 512), 2),
}
QUICK = Scale(4, 24, 2, (2, 4), 1)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same work done in several ways, ours first.

    Attributes
    ----------
    items
        Of `unit` in the work.
    seconds
        Contestant → seconds of each repeat.
    operations
        Floating-point operations of matrix products with weights that the work needs.
    weight_bytes
        Bytes of weights, and of keys and values, that our way reads at the least; 0 where
        that is not the bound.
    prefill
        Tokens of prefixes that were computed, over those of the tree of distinct prefixes.
    """

    name: str
    items: int
    unit: str
    seconds: dict[str, list[float]]
    operations: float
    weight_bytes: float = 0.0
    prefill: float | None = None

    def ratios(self, other: str) -> list[float]:
        """Theirs over ours, repeat by repeat: above 1, ours is faster."""
        ours = self.seconds["ours"]
        return [b / a for a, b in zip(ours, self.seconds[other], strict=True)]

    @property
    def rate(self) -> float:
        """Our items a second."""
        return self.items / statistics.median(self.seconds["ours"])


def engine(
    console: Console, repeats: int, out: Path | None, device: str = "cpu", quick: bool = False
) -> None:
    """Measure, print one table, and write JSON if asked to."""
    import torch

    torch.set_num_threads(1)
    scale = QUICK if quick else FULL[device]
    dtype = "float32" if device == "cpu" else "bfloat16"
    ceiling = measure_ceiling(device, dtype)
    comparisons: list[Comparison] = []
    for shape in SHAPES[device][: scale.models]:
        subject = Subject(shape, device, dtype)
        comparisons += [
            _decoding(subject, scale, repeats),
            _with_context(subject, scale, repeats),
            _grading(subject, scale, repeats),
        ]
    against = _cost_against_size(scale, device, dtype)
    generation = _generation(device, 1 if quick else repeats, quick)
    console.print(_table(comparisons, ceiling, f"{device}, {dtype}"))
    console.print(
        f"Ceiling: {ceiling.matmul / 1e9:,.0f} GFLOP/s of matrix products, "
        f"{ceiling.bandwidth / 1e9:,.1f} GB/s of memory.\n"
        + against.sentence
        + generation.sentence,
        highlight=False,
    )
    if out is not None:
        plain = {
            "device": device,
            "dtype": dtype,
            "scale": asdict(scale),
            "ceiling": asdict(ceiling),
            "comparisons": [
                asdict(c) | {"ratios": {o: c.ratios(o) for o in c.seconds if o != "ours"}}
                for c in comparisons
            ],
            "cost_against_agents": asdict(against),
            "generation": asdict(generation),
            "versions": library_versions(),
        }
        out.write_text(json.dumps(plain, indent=2) + "\n")


def _decoding(subject: Subject, scale: Scale, repeats: int) -> Comparison:
    """Answers without a prefix: ours, `generate()`, continuous batching."""
    rng = np.random.default_rng(1)
    suffixes = texts(rng, scale.slots, PROMPT)
    requests = answer_requests((), suffixes, NEW)
    ways = {
        "ours": _ours(subject.host, requests, scale.slots),
        "generate()": _generate(subject, suffixes, NEW),
        "continuous batching": _continuous(subject, suffixes, NEW),
    }
    positions = scale.slots * (PROMPT + NEW)
    state = _state_bytes(subject, PROMPT + NEW / 2) * scale.slots
    return Comparison(
        f"{subject.shape.name}: decode, no prefix",
        scale.slots * NEW,
        "tokens",
        _interleaved(ways, repeats, subject),
        operations=2.0 * subject.parameters * positions,
        weight_bytes=NEW * (_weight_bytes(subject) + state),
    )


def _with_context(subject: Subject, scale: Scale, repeats: int) -> Comparison:
    """Short answers after one agent's context."""
    rng = np.random.default_rng(2)
    (context,) = texts(rng, 1, scale.context)
    suffixes = texts(rng, scale.slots, PROMPT)
    requests = answer_requests(context, suffixes, SHORT)
    ways = {
        "ours": _ours(subject.host, requests, scale.slots),
        "generate()": _generate(subject, [context + s for s in suffixes], SHORT),
    }
    positions = scale.context + scale.slots * (PROMPT + SHORT)
    return Comparison(
        f"{subject.shape.name}: answers, {scale.context}-token context",
        scale.slots,
        "answers",
        _interleaved(ways, repeats, subject),
        operations=2.0 * subject.parameters * positions,
        weight_bytes=SHORT * _weight_bytes(subject),
        prefill=_prefill(subject.host, requests, scale.slots),
    )


def _grading(subject: Subject, scale: Scale, repeats: int) -> Comparison:
    """Grades of the same answers by graders with contexts of their own, half of each shared."""
    import torch

    rng = np.random.default_rng(3)
    (inherited,) = texts(rng, 1, scale.context // 2)
    contexts = [inherited + own for own in texts(rng, scale.graders, scale.context // 2)]
    suffixes = texts(rng, scale.slots // 2, GRADED)
    requests = grade_requests(contexts, suffixes)
    batch = torch.tensor([[*contexts[0], *s] for s in suffixes], device=subject.host.device)
    options = torch.tensor([token for (token,) in OPTIONS], device=subject.host.device)

    def naive() -> None:
        with torch.inference_mode():
            logits = subject.plain(batch, use_cache=False, logits_to_keep=1).logits[:, -1]
            logits.float().log_softmax(-1)[:, options].tolist()

    ways = {"ours": _ours(subject.host, requests, scale.slots), "naive": naive}
    seconds = _interleaved(ways, repeats, subject)
    # One of the naive way's equal batches is timed, for all of them.
    seconds["naive"] = [scale.graders * s for s in seconds["naive"]]
    positions = scale.context * (scale.graders + 1) / 2 + len(requests) * GRADED
    return Comparison(
        f"{subject.shape.name}: {scale.graders} grades an answer",
        len(requests),
        "grades",
        seconds,
        operations=2.0 * subject.parameters * positions,
        prefill=_prefill(subject.host, requests, scale.slots),
    )


@dataclass(frozen=True, slots=True)
class Growth:
    """Seconds an answer and its grades take, against the number of agents.

    Attributes
    ----------
    slope
        Of the logarithm of seconds against that of agents.
    evicted
        Blocks of prefixes that the host had no room for, at each size.
    """

    agents: tuple[int, ...]
    seconds: list[float]
    evicted: list[int]
    slope: float

    @property
    def sentence(self) -> str:
        """The finding in words."""
        each = ", ".join(
            f"{m}: {1e3 * s:.2f}" for m, s in zip(self.agents, self.seconds, strict=True)
        )
        return (
            f"Milliseconds an answer with its grades, by number of agents: {each}; slope of the "
            f"log–log fit {self.slope:+.3f}; blocks of prefixes evicted {self.evicted}.\n"
        )


def _cost_against_size(scale: Scale, device: str, dtype: str) -> Growth:
    """Every agent with its own context answers, and is graded by four others' contexts."""
    subject = Subject(SHAPES[device][0], device, dtype)
    problems, graders = scale.slots // 2, min(4, min(scale.sizes) - 1)
    seconds: list[float] = []
    evicted: list[int] = []
    for agents in scale.sizes:
        rng = np.random.default_rng(agents)
        contexts = texts(rng, agents, scale.context)
        questions = texts(rng, problems, PROMPT)
        answered = [r for c in contexts for r in answer_requests(c, questions, SHORT)]
        graded: list[HostRequest] = [
            Score(contexts[(author + 1 + place) % agents], (*question, author % 32 + 8), OPTIONS)
            for author in range(agents)
            for question in questions
            for place in range(graders)
        ]
        rounds = [_ours(subject.host, asked, scale.slots) for asked in (answered, graded)]
        if not seconds:
            rounds[0](), rounds[1]()
        looks = []
        for _ in range(max(1, 64 // agents)):
            subject.host.forget_prefixes()
            began = time.perf_counter()
            work = [ask(keep=True) for ask in rounds]
            looks.append(time.perf_counter() - began)
        evicted.append(sum(w.prefix_evictions for w in work))
        seconds.append(statistics.median(looks) / len(answered))
    slope = float(np.polyfit(np.log(scale.sizes), np.log(seconds), 1)[0])
    return Growth(scale.sizes, seconds, evicted, slope)


@dataclass(frozen=True, slots=True)
class WholeGeneration:
    """Shares of wall time of a generation on one host in this process, repeat by repeat.

    `inside` of the host's own time, in forward passes and sampling; `outside` of the whole
    generation's, in neither; `parts` seconds of the last repeat.
    """

    inside: list[float]
    outside: list[float]
    parts: dict[str, float]
    padded: float

    @property
    def sentence(self) -> str:
        """The finding in words."""
        return (
            "A generation of gpt-3 (8 agents, 64 problems, 4 graders): "
            f"{statistics.median(self.inside):.1%} of the host's time in forward passes and "
            f"sampling ({min(self.inside):.1%} to {max(self.inside):.1%}); "
            f"{statistics.median(self.outside):.1%} of the whole generation's outside of them "
            f"({min(self.outside):.1%} to {max(self.outside):.1%}); {self.padded:.1%} of the "
            "positions padded; seconds "
            + ", ".join(f"{name} {seconds:.3f}" for name, seconds in self.parts.items())
            + "."
        )


def _generation(device: str, repeats: int, quick: bool) -> WholeGeneration:
    config = check_config(
        {
            "name": "bench",
            "problems_per_generation": 4 if quick else 64,
            "protocol": {"grader_context": "own"},
            "hosts": {"device": device},
        }
    )
    stage = Stage(config)
    fleet = LocalFleet(stage.host_settings(device))
    host = fleet.host
    assert isinstance(host, TransformersHost)
    inside, outside = [], []
    step_together([Simulation(config, stage=stage, fleet=fleet)], fleet)
    for _ in range(repeats):
        host.forget_prefixes()
        simulation = Simulation(config, stage=stage, fleet=fleet)
        began = time.perf_counter()
        (committed,) = step_together([simulation], fleet)
        wall = time.perf_counter() - began
        seconds = committed.seconds
        busy = seconds["forward"] + seconds["sampling"]
        inside.append(busy / (busy + seconds["transfer"]))
        outside.append(1.0 - busy / wall)
    counts = committed.counters
    padded = counts["tokens_padded"] / (counts["tokens_padded"] + counts["tokens_computed"])
    names = ("forward", "sampling", "transfer", "planner", "select")
    return WholeGeneration(inside, outside, {n: seconds[n] for n in names} | {"wall": wall}, padded)


def _ours(
    host: TransformersHost, requests: Sequence[HostRequest], slots: int
) -> Callable[..., Any]:
    """Requests planned and run, from an empty cache of prefixes unless it is kept."""

    def run(keep: bool = False) -> Work:
        if not keep:
            host.forget_prefixes()
        whole = Work()
        for tile in plan(requests, WEIGHTS, slots).tiles:
            whole.prefix_evictions += run_tile(host, tile).work.prefix_evictions
        return whole

    return run


def _prefill(host: TransformersHost, requests: Sequence[HostRequest], slots: int) -> float:
    """Tokens computed for prefixes, over the nodes of the tree that they make."""
    host.forget_prefixes()
    planned = plan(requests, WEIGHTS, slots)
    saved = sum(run_tile(host, tile).work.tokens_saved for tile in planned.tiles)
    computed = sum(len(r.prefix) for r in requests) - saved
    nodes = {r.prefix[:end] for r in requests for end in range(1, len(r.prefix) + 1)}
    return computed / len(nodes)


def _generate(subject: Subject, prompts: list[tuple[int, ...]], count: int) -> Callable[[], None]:
    import torch

    tokens = torch.tensor(prompts, device=subject.host.device)

    def run() -> None:
        subject.plain.generate(
            tokens,
            attention_mask=torch.ones_like(tokens),
            do_sample=True,
            top_k=0,
            max_new_tokens=count,
            min_new_tokens=count,
        ).tolist()

    return run


def _continuous(subject: Subject, prompts: list[tuple[int, ...]], count: int) -> Callable[[], None]:
    """Its cache is made once, and no larger than it needs."""
    import logging

    from transformers import ContinuousBatchingConfig, GenerationConfig

    logging.getLogger("ContinuousBatchingLogger").setLevel(logging.ERROR)
    sampling = GenerationConfig(
        max_new_tokens=count, do_sample=True, top_k=0, eos_token_id=-1, pad_token_id=0
    )
    batching = ContinuousBatchingConfig(
        page_size=64, num_blocks=2 * len(prompts), max_batch_tokens=len(prompts) * PROMPT
    )
    rows = [list(prompt) for prompt in prompts]

    def run() -> None:
        subject.plain.generate_batch(
            rows,
            generation_config=sampling,
            continuous_batching_config=batching,
            persistent_manager=True,
            warmup=False,
        )

    return run


def _interleaved(
    ways: dict[str, Callable[[], Any]], repeats: int, subject: Subject
) -> dict[str, list[float]]:
    """Seconds of each way, turn by turn, after a turn that does not count."""
    device = subject.host.device.type
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, run in ways.items():
            synchronised(device)
            began = time.perf_counter()
            run()
            synchronised(device)
            if turn:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def _weight_bytes(subject: Subject) -> float:
    return float(sum(p.nbytes for p in subject.plain.parameters()))


def _state_bytes(subject: Subject, columns: float) -> float:
    """Keys and values of so many positions."""
    forward = subject.host.forward
    return 2.0 * columns * forward.layers * forward.heads * forward.width * forward.item


def _table(comparisons: list[Comparison], ceiling: Ceiling, title: str) -> Table:
    table = Table(
        "work", "against", "ratio (median)", "spread", "ours, a second", "of matmul",
        "of bandwidth", "prefill",
        title=f"{title}, 1 thread", title_justify="left",
    )  # fmt: skip
    for c in comparisons:
        ours = statistics.median(c.seconds["ours"])
        reads = f"{c.weight_bytes / ours / ceiling.bandwidth:.0%}" if c.weight_bytes else ""
        for other in [name for name in c.seconds if name != "ours"]:
            ratios = c.ratios(other)
            table.add_row(
                c.name,
                other,
                f"{statistics.median(ratios):.2f}",
                f"{min(ratios):.2f} to {max(ratios):.2f}",
                f"{c.rate:,.0f} {c.unit}",
                f"{c.operations / ours / ceiling.matmul:.0%}",
                reads,
                "" if c.prefill is None else f"{c.prefill:.3f}",
            )
    return table
