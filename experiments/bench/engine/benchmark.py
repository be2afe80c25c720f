"""`mgptn bench engine`: the host against plain transformers, side by side in one process.

Repeats are interleaved; ratios come first, as medians over repeats with their spread. Ray is not
needed.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from mgptn.experiments.bench.engine.ceiling import measure_ceiling
from mgptn.experiments.bench.engine.comparison import Comparison, table
from mgptn.experiments.bench.engine.driver import cost_of_the_driver
from mgptn.experiments.bench.engine.generation import whole_generations
from mgptn.experiments.bench.engine.growth import cost_against_size
from mgptn.experiments.bench.engine.models import SHAPES, Subject
from mgptn.experiments.bench.engine.scale import FULL, QUICK
from mgptn.experiments.bench.engine.self_grades import bound_of_reuse
from mgptn.experiments.bench.engine.tile_packing import cost_of_equal_bits
from mgptn.experiments.bench.engine.work import decoding, grading, with_context
from mgptn.experiments.record.manifest import library_versions
from mgptn.experiments.views.doing import doing

PARTS = ("models", "equal-bits", "reuse", "size", "generation", "driver")
"""What is measured: works of single models; what equal bits cost; what reuse could save; the cost
against the number of agents; whole generations; what they cost beside hosts."""


def engine(
    console: Console,
    repeats: int,
    out: Path | None,
    device: str = "cpu",
    quick: bool = False,
    parts: Sequence[str] = PARTS,
) -> None:
    """Measure, print every part as it is done, and write JSON if asked to."""
    import torch

    torch.set_num_threads(1)
    scale = QUICK if quick else FULL[device]
    dtype = "float32" if device == "cpu" else "bfloat16"
    with doing("measuring what the machine can do at most"):
        ceiling = measure_ceiling(device, dtype)
    console.print(
        f"Ceiling: {ceiling.matmul / 1e9:,.0f} GFLOP/s of matrix products, "
        f"{ceiling.bandwidth / 1e9:,.1f} GB/s of memory.",
        highlight=False,
    )
    found: dict[str, Any] = {
        "comparisons": [], "cost_against_agents": None, "generations": [], "driver": [],
    }  # fmt: skip

    def show(comparisons: Sequence[Comparison]) -> None:
        found["comparisons"] += [
            asdict(c) | {"ratios": {other: c.ratios(other) for other in c.others}}
            for c in comparisons
        ]
        console.print(table(comparisons, ceiling, f"{device}, {dtype}, 1 thread"))

    if "models" in parts:
        for shape in SHAPES[device][: scale.models]:
            with doing(f"{shape.name}: timing"):
                subject = Subject(shape, device, dtype)
                works = (decoding, with_context, grading)
                timed = [work(subject, scale, repeats) for work in works]
            show(timed)
    if {"equal-bits", "reuse", "size"} & set(parts):
        small = Subject(SHAPES[device][0], device, dtype)
        if "equal-bits" in parts:
            show(cost_of_equal_bits(small, scale, repeats))
        if "reuse" in parts:
            show(bound_of_reuse(small, scale, repeats))
        if "size" in parts:
            growth = cost_against_size(small, scale, repeats)
            found["cost_against_agents"] = asdict(growth)
            console.print(growth.sentence, highlight=False)
    if "generation" in parts:
        generations = whole_generations(scale.problems, device, repeats)
        found["generations"] = [asdict(generation) for generation in generations]
        console.print("\n".join(one.sentence for one in generations), highlight=False)
    if "driver" in parts:
        for agents in scale.driven:
            driven = cost_of_the_driver(agents, scale.problems, device, repeats)
            found["driver"] += [asdict(one) for one in driven]
            console.print("\n".join(one.sentence for one in driven), highlight=False)
    if out is not None:
        plain = {
            "device": device,
            "dtype": dtype,
            "scale": asdict(scale),
            "ceiling": asdict(ceiling),
            "parts": list(parts),
            **found,
            "versions": library_versions(),
        }
        out.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
