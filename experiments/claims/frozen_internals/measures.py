"""What is measured: one lesson learned by all of a founder's weights, by parts, and by factors."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from safetensors.numpy import load_file

from mgptn.agents.learning.documents import Pages, lay_out, true_documents
from mgptn.agents.requests import Learn, Lora
from mgptn.experiments.cards.exam import Exam, held_out_exam
from mgptn.experiments.claims.method.calculators import Calculator
from mgptn.experiments.claims.method.measuring import Bench
from mgptn.population.draws.streams import philox_key, stream
from mgptn.population.records.weights import Weights
from mgptn.protocols.table import TASKS

BASE, FULL, EDGES = "base", "full", "head and embeddings"
CHOSEN, ASKED, KNOWN = "chosen", "asked", "known"
"""Exams: one that rates are chosen by, the one that counts, and one of what was known before."""

ALPHA = 2
"""Of factors, times their rank."""


class Arm(NamedTuple):
    """What is trained: parts of the weights, or else factors of a rank."""

    name: str
    parts: tuple[str, ...] = ()
    rank: int = 0


def arms_of(layers: int, ranks: tuple[int, ...]) -> list[Arm]:
    """All weights, every part of them alone, all that is no layer, and factors of each rank."""
    alone = ("attention", "mlp", "head", "embeddings", *(f"layers.{i}" for i in range(layers)))
    return [
        Arm(FULL, ("all",)),
        *(Arm(part, (part,)) for part in alone),
        Arm(EDGES, ("head", "embeddings")),
        *(Arm(f"LoRA, rank {rank}", rank=rank) for rank in ranks),
    ]


def measure_lessons(bench: Bench) -> pl.DataFrame:
    """Whether the likeliest answers are right, before and after; a row a problem, arm and rate."""
    options = bench.options
    founder = Calculator(bench, options["founder"], bench.seed)
    exams = _exams(bench)
    pages = _pages(founder, bench)
    whole = _own_numbers(founder)
    frames = [_examined(founder, exams, None).with_columns(arm=pl.lit(BASE), rate=pl.lit(0.0))]
    for arm in arms_of(founder.recipe.layers, tuple(options["ranks"])):
        for rate in options["rates"]:
            worn, content = founder.learned(_lesson(bench, pages, arm, rate))
            trained, changed = _shares(founder, content, arm, whole)
            frames.append(
                _examined(founder, exams, worn).with_columns(
                    arm=pl.lit(arm.name),
                    rate=pl.lit(float(rate)),
                    trained=pl.lit(trained),
                    changed=pl.lit(changed),
                )
            )
    return pl.concat(frames, how="diagonal")


def _exams(bench: Bench) -> dict[str, Exam]:
    """Sums of the size that is learned, some that choose and others that count; and known ones."""
    options, task = bench.options, TASKS["addition"]
    count = options["problems"]
    both, _ = held_out_exam(task(options["size"]), 2 * count, stream(bench.seed, "frozen"))
    half = len(both) // 2
    known, _ = held_out_exam(task(options["founder"]["most"]), count, stream(bench.seed, "known"))
    return {
        CHOSEN: both.take(np.arange(half)),
        ASKED: both.take(np.arange(half, 2 * half)),
        KNOWN: known,
    }


def _pages(founder: Calculator, bench: Bench) -> Pages:
    """Documents with right answers: half of each step's of the new size, half of the known ones."""
    options, recipe = bench.options, founder.recipe
    steps, each = options["steps"], options["documents"]
    rng = stream(bench.seed, "frozen lesson")
    known = rng.integers(recipe.least, recipe.most + 1, size=(steps, each))
    known[:, : each // 2] = options["size"]
    documents = true_documents(
        founder.interface, founder.encoder, recipe.task, known.ravel().tolist(), rng
    )
    rows = [documents[first : first + each] for first in range(0, len(documents), each)]
    return lay_out(rows, rng.integers(0, recipe.offsets + 1, size=known.shape))


def _lesson(bench: Bench, pages: Pages, arm: Arm, rate: float) -> Learn:
    return Learn(
        worn=None,
        method="lora" if arm.rank else "full",
        trainable=arm.parts or ("all",),
        rate=rate,
        shape=pages.tokens.shape,
        tokens=pages.tokens.tobytes(),
        taught=pages.taught.tobytes(),
        offsets=pages.offsets.tobytes(),
        lora=Lora(arm.rank, ALPHA * arm.rank) if arm.rank else None,
        key=philox_key(bench.seed, "frozen factors"),
    )


def _examined(founder: Calculator, exams: dict[str, Exam], worn: Weights | None) -> pl.DataFrame:
    frames = []
    for name, exam in exams.items():
        right = founder.right(exam, founder.answers(exam, name, top_k=1, worn=worn))
        frames.append(pl.DataFrame({"exam": name, "problem": range(len(exam)), "right": right}))
    return pl.concat(frames)


def _own_numbers(founder: Calculator) -> dict[str, Any]:
    """The founder's own, by name."""
    (path,) = founder.checkpoint.folder.glob("*.safetensors")
    return dict(load_file(path))


def _shares(
    founder: Calculator, content: bytes, arm: Arm, own: dict[str, Any]
) -> tuple[float, float]:
    """Numbers that were trained, and the founder's that are others now, over all that it has."""
    from mgptn.agents.learning.factors import Outfit  # with torch, which listing claims needs not

    outfit = Outfit.of_file(content)
    if outfit.factors is not None:
        trained = sum(t.numel() for t in outfit.factors.tensors().values())
        beneath = sum(own[f"{layer}.weight"].size for layer in outfit.factors.pairs)
        return trained / founder.parameters, beneath / founder.parameters
    trained = sum(tensor.numel() for tensor in outfit.whole.values())
    changed = sum(int((t.numpy() != own[name]).sum()) for name, t in outfit.whole.items())
    return trained / founder.parameters, changed / founder.parameters
