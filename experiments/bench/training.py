"""`mgptn bench training`: a training step as it is done here beside a plain one, in one process.

Plain is float32, without compilation, with PyTorch's own attention: the same model, documents and
optimizers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from mgptn.agents.allowance import usable_cpus
from mgptn.agents.training.corpus import draw_documents
from mgptn.agents.training.recipe import BLOCK_STEPS, Recipe
from mgptn.agents.training.rungs import CONTEXT_TOKENS, RUNGS
from mgptn.experiments.views.doing import doing

if TYPE_CHECKING:
    from mgptn.agents.training.trainer import Trainer


def training(console: Console, rungs: tuple[str, ...], repeats: int, threads: int | None) -> None:
    """Measure, and print a table with a row for each rung.

    A repeat is a block of steps by either, in turn; documents are drawn as in training. Ratios
    are of one repeat's times, as medians over repeats with their spread.
    """
    import torch

    from mgptn.agents.training.trainer import Trainer

    torch.set_num_threads(threads or min(torch.get_num_threads(), usable_cpus()))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    table = Table(
        "rung", "parameters", "tokens/s here", "tokens/s plain", "ratio", "lowest", "highest"
    )
    tokens = BLOCK_STEPS * Recipe("gpt-1").documents * CONTEXT_TOKENS
    for rung in rungs or tuple(RUNGS):
        with doing(f"{rung}: compiling"):
            ours = Trainer(Recipe(rung), device)
            plain = Trainer(Recipe(rung), device, plain=True)
            for trainer in (ours, plain):
                _block_seconds(trainer)  # compiles
        times = [(_block_seconds(ours), _block_seconds(plain)) for _ in range(repeats)]
        ratios = sorted(slow / fast for fast, slow in times)
        fast, slow = (statistics.median(column) for column in zip(*times, strict=True))
        table.add_row(
            rung,
            f"{ours.model.num_parameters():,}",
            f"{tokens / fast:,.0f}",
            f"{tokens / slow:,.0f}",
            f"{statistics.median(ratios):.2f}",
            f"{ratios[0]:.2f}",
            f"{ratios[-1]:.2f}",
        )
    console.print(f"{device}, {torch.get_num_threads()} threads, {repeats} repeats in turn")
    console.print(table)
    _drawing_seconds(0)  # warms up
    drawn = [tokens / _drawing_seconds(block) for block in range(1, 1 + repeats)]
    console.print(f"documents drawn: {statistics.median(drawn):,.0f} tokens/s", highlight=False)


def _drawing_seconds(block: int) -> float:
    recipe = Recipe("gpt-1")
    began = time.perf_counter()
    draw_documents(recipe.seed, block, recipe.error_free(block), CONTEXT_TOKENS)
    return time.perf_counter() - began


def _block_seconds(trainer: Trainer) -> float:
    began = time.perf_counter()
    for _ in range(BLOCK_STEPS):
        sums = trainer.advance()
    sums.cpu()  # waits for a GPU
    return time.perf_counter() - began
