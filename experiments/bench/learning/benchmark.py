"""`mgptn bench learning`: learning and wearing weights, in several ways side by side.

Repeats are interleaved; ratios come first, as medians over repeats with their spread. Ray is not
needed.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from mgptn.experiments.bench.engine.ceiling import measure_ceiling
from mgptn.experiments.bench.engine.comparison import table
from mgptn.experiments.bench.learning.outside import time_of_a_lesson
from mgptn.experiments.bench.learning.scale import FULL, QUICK
from mgptn.experiments.bench.learning.steps import ways_to_learn
from mgptn.experiments.bench.learning.subject import Subject
from mgptn.experiments.bench.learning.wearing import change, wearing
from mgptn.experiments.record.manifest import library_versions
from mgptn.experiments.views.doing import doing


def learning(
    console: Console, repeats: int, out: Path | None, device: str = "cpu", quick: bool = False
) -> None:
    """Measure, print one table, and write JSON if asked to."""
    import torch

    # Before a GPU's first product: what makes it repeatable is looked at then.
    import mgptn.agents.learning.training  # noqa: F401

    torch.set_num_threads(1)
    scale = QUICK if quick else FULL
    with doing("measuring what the machine can do at most"):
        ceiling = measure_ceiling(device, "float32")
    with tempfile.TemporaryDirectory() as scratch:
        subject = Subject(Path(scratch) / "founder", scale, device)
        comparisons = []
        for documents in scale.documents:
            with doing(f"learning, {documents} documents a step: timing"):
                comparisons.append(ways_to_learn(subject, documents, repeats))
        with doing("wearing weights in turn: timing"):
            comparisons.append(wearing(subject, repeats))
            changed = change(subject, repeats)
        with doing("a whole lesson: timing"):
            lesson = time_of_a_lesson(subject, Path(scratch) / "weights", repeats)
    console.print(table(comparisons, ceiling, f"{device}, float32, 1 thread"))
    sentences = [
        f"A founder has {subject.parameters:,} parameters.",
        f"Ceiling: {ceiling.matmul / 1e9:,.0f} GFLOP/s of matrix products.",
        changed.sentence,
        lesson.sentence,
    ]
    console.print("\n".join(sentences), highlight=False)
    if out is not None:
        plain = {
            "device": device,
            "scale": asdict(scale),
            "ceiling": asdict(ceiling),
            "comparisons": [
                asdict(c) | {"ratios": {other: c.ratios(other) for other in c.others}}
                for c in comparisons
            ],
            "change": asdict(changed),
            "lesson": asdict(lesson) | {"outside": lesson.outside},
            "versions": library_versions(),
        }
        out.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
