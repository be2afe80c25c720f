"""Training one rung of the ladder from scratch: resumable, deterministic by key, without Ray."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from mgptn.agents.allowance import usable_cpus
from mgptn.agents.checkpoints import find_checkpoint
from mgptn.agents.training.adaptation import Curve
from mgptn.agents.training.recipe import Recipe
from mgptn.agents.training.rungs import CONTEXT_TOKENS, ladder_tokenizer
from mgptn.agents.training.saving import LOG, restore, save
from mgptn.agents.training.trainer import Trainer


@dataclass(frozen=True, slots=True)
class Progress:
    """What has happened up to a step; losses in nats a token, means since the last report.

    `adaptation` is the adaptation curve, where it was measured at this step.
    """

    step: int
    steps: int
    answer_loss: float
    level_loss: float
    tokens_per_second: float
    seconds_left: float
    adaptation: Curve | None = None


def pretrain(
    recipe: Recipe,
    folder: Path,
    *,
    device: str = "auto",
    compile_model: bool = True,
    threads: int | None = None,
    report_every: int = 20,
    log_every: int = 100,
    save_every: int = 500,
    adaptation_every: int = 2000,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Progress]:
    """Train a rung into `folder`, yielding progress; carries on from a checkpoint found there.

    A line of the log is a report too, with means since the line before: the log is bundled with
    the model, and should stay short.

    Once `stopped` says so, the step under way is the last: a checkpoint is written, and no model.

    The folder ends with what ``AutoModelForCausalLM`` and ``AutoTokenizer`` load, weights rounded
    to bfloat16, and ``training.json``: recipe, versions, device and final losses.

    The same recipe gives the same bits on the same kind of processor with as many threads. For
    that, PyTorch is set to deterministic algorithms, for the whole process.

    Raises
    ------
    ValueError
        If the folder holds a checkpoint of another recipe, or the model to grow does not fit the
        rung; nothing there is changed.
    """
    trainer = _prepared(recipe, folder, device, compile_model, threads)
    first = trainer.step

    reported, unlogged = torch.zeros(2, 2, 2, dtype=torch.float64, device=trainer.device)
    step_tokens = recipe.documents * CONTEXT_TOKENS
    clock, clock_step = time.perf_counter(), first
    while trainer.step < recipe.steps:
        losses = trainer.advance()
        reported += losses
        unlogged += losses
        done = trainer.step
        ended, halted = done == recipe.steps, stopped()
        curve = trainer.adaptation() if done % adaptation_every == 0 or ended else None
        progress = None
        if done % report_every == 0 or curve is not None:
            now = time.perf_counter()
            rate = (done - clock_step) * step_tokens / (now - clock)
            left = (recipe.steps - done) * step_tokens / rate
            progress = Progress(done, recipe.steps, *_means(reported), rate, left, curve)
            if done % log_every == 0 or curve is not None:
                _log(folder, progress, *_means(unlogged))
        if done % save_every == 0 or ended or halted:
            save(trainer, folder)
        if progress is not None:
            yield progress
            clock, clock_step = time.perf_counter(), done
        if halted and not ended:
            return
    if first < recipe.steps or not (folder / "training.json").exists():
        _finish(trainer, folder)


def _means(sums: torch.Tensor) -> tuple[float, float]:
    """Losses of answers and of levels from their sums and weights [2, 2], which begin anew."""
    answer_loss, level_loss = (sums[:, 0] / sums[:, 1]).tolist()
    sums.zero_()
    return answer_loss, level_loss


def _log(folder: Path, progress: Progress, answer_loss: float, level_loss: float) -> None:
    """A report with other means as a line of the log: five significant digits, a curve if any."""
    report = asdict(replace(progress, answer_loss=answer_loss, level_loss=level_loss))
    del report["steps"], report["seconds_left"]
    if progress.adaptation is None:
        del report["adaptation"]
    text = json.dumps(report)
    short = json.loads(text, parse_float=lambda digits: float(f"{float(digits):.5g}"))
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(short) + "\n")


def _prepared(
    recipe: Recipe, folder: Path, device: str, compile_model: bool, threads: int | None
) -> Trainer:
    """A trainer where the folder's checkpoint, or the recipe, begins."""
    torch.set_num_threads(threads or min(torch.get_num_threads(), usable_cpus()))
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs to be repeatable
    torch.use_deterministic_algorithms(True)  # gradients of the embedding are sums in any order
    trainer = Trainer(recipe, device, compile_model=compile_model)
    if not restore(trainer, folder):
        trainer.begin()
    folder.mkdir(parents=True, exist_ok=True)
    return trainer


def _finish(trainer: Trainer, folder: Path) -> None:
    """Write the model in bfloat16, its tokenizer and how it came about."""
    import transformers

    recipe, model = trainer.recipe, trainer.model
    last = json.loads((folder / LOG).read_text(encoding="utf-8").splitlines()[-1])
    torch.nn.Module.to(model, torch.bfloat16)
    model.save_pretrained(folder)
    ladder_tokenizer().save_pretrained(folder)
    provenance = {
        "recipe": asdict(recipe),
        "tokens": recipe.steps * recipe.documents * CONTEXT_TOKENS,
        "parameters": model.num_parameters(),
        "grown_from": trainer.parent,
        "weights": find_checkpoint(str(folder)).weights,
        "answer_loss": last["answer_loss"],
        "level_loss": last["level_loss"],
        "adaptation": last["adaptation"],
        "device": trainer.device,
        "threads": torch.get_num_threads(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }
    (folder / "training.json").write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")
