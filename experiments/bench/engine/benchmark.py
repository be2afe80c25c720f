"""`mgptn bench engine`: the host against plain transformers, side by side in one process.

Repeats are interleaved; ratios come first, as medians over repeats with their spread. Ray is not
needed.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from mgptn.experiments.bench.engine.ceiling import measure_ceiling
from mgptn.experiments.bench.engine.comparison import Comparison, table
from mgptn.experiments.bench.engine.generation import whole_generations
from mgptn.experiments.bench.engine.growth import cost_against_size
from mgptn.experiments.bench.engine.models import SHAPES, Subject
from mgptn.experiments.bench.engine.scale import FULL, QUICK
from mgptn.experiments.bench.engine.self_grades import bound_of_reuse
from mgptn.experiments.bench.engine.tile_packing import cost_of_equal_bits
from mgptn.experiments.bench.engine.work import decoding, grading, with_context
from mgptn.experiments.record.manifest import library_versions
from mgptn.experiments.views.doing import doing


def engine(
    console: Console, repeats: int, out: Path | None, device: str = "cpu", quick: bool = False
) -> None:
    """Measure, print one table, and write JSON if asked to."""
    import torch

    torch.set_num_threads(1)
    scale = QUICK if quick else FULL[device]
    dtype = "float32" if device == "cpu" else "bfloat16"
    with doing("measuring what the machine can do at most"):
        ceiling = measure_ceiling(device, dtype)
    comparisons: list[Comparison] = []
    for shape in SHAPES[device][: scale.models]:
        with doing(f"{shape.name}: timing"):
            subject = Subject(shape, device, dtype)
            for work in (decoding, with_context, grading):
                comparisons.append(work(subject, scale, repeats))
    small = Subject(SHAPES[device][0], device, dtype)
    comparisons += cost_of_equal_bits(small, scale, repeats)
    comparisons += bound_of_reuse(small, scale, repeats)
    growth = cost_against_size(small, scale, repeats)
    generations = whole_generations(scale.problems, device, repeats)
    console.print(table(comparisons, ceiling, f"{device}, {dtype}, 1 thread"))
    sentences = [
        f"Ceiling: {ceiling.matmul / 1e9:,.0f} GFLOP/s of matrix products, "
        f"{ceiling.bandwidth / 1e9:,.1f} GB/s of memory.",
        growth.sentence,
        *(generation.sentence for generation in generations),
    ]
    console.print("\n".join(sentences), highlight=False)
    if out is not None:
        plain = {
            "device": device,
            "dtype": dtype,
            "scale": asdict(scale),
            "ceiling": asdict(ceiling),
            "comparisons": [
                asdict(c) | {"ratios": {other: c.ratios(other) for other in c.others}}
                for c in comparisons
            ],
            "cost_against_agents": asdict(growth),
            "generations": [asdict(generation) for generation in generations],
            "versions": library_versions(),
        }
        out.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
