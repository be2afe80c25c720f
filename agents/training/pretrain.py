"""Training one rung of the ladder from scratch: resumable, deterministic by key, without Ray."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import LlamaForCausalLM

from agents.training.corpus import KIND_ANSWER, KIND_LEVEL, Batch, draw_batch
from agents.training.rungs import CONTEXT_TOKENS, RUNGS, ladder_tokenizer, llama_config

CHECKPOINT = "checkpoint.pt"
LOG = "training.jsonl"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights, but for the device's arithmetic.

    `error_free_share` of documents have a writer without errors at first; the share falls to zero
    over the first `curriculum` of the steps.
    """

    rung: str
    seed: int = 0
    steps: int = 5000
    documents: int = 64
    learning_rate: float = 3e-3
    warm_up_steps: int = 100
    final_rate: float = 0.05
    weight_decay: float = 0.01
    error_free_share: float = 0.8
    curriculum: float = 0.25

    def __post_init__(self) -> None:
        if self.rung not in RUNGS:
            raise ValueError(f"rung: expected one of {', '.join(RUNGS)}, got {self.rung!r}")
        if self.steps < 1:
            raise ValueError(f"steps: expected at least 1, got {self.steps}")

    def error_free(self, step: int) -> float:
        """Share of error-free documents at a step."""
        return self.error_free_share * max(0.0, 1.0 - step / (self.curriculum * self.steps))

    def rate(self, step: int) -> float:
        """Learning rate at a step: linear warm-up, then half a cosine."""
        warm = min(1.0, (step + 1) / self.warm_up_steps)
        cosine = 0.5 * (1.0 + math.cos(math.pi * step / self.steps))
        return self.learning_rate * warm * (self.final_rate + (1.0 - self.final_rate) * cosine)


@dataclass(frozen=True, slots=True)
class Progress:
    """What has happened up to a step; losses in nats a token, means since the last report."""

    step: int
    steps: int
    answer_loss: float
    level_loss: float
    tokens_per_second: float
    seconds_left: float


def pretrain(
    recipe: Recipe,
    folder: Path,
    *,
    device: str = "auto",
    compile_model: bool = True,
    threads: int | None = None,
    report_every: int = 20,
    save_every: int = 250,
) -> Iterator[Progress]:
    """Train a rung into `folder`, yielding progress; carries on from a checkpoint found there.

    The folder ends with what ``AutoModelForCausalLM`` and ``AutoTokenizer`` load, and
    ``training.json``: recipe, versions, device and final losses.

    The same recipe gives the same bits on the same kind of processor with as many threads. For
    that, PyTorch is set to deterministic algorithms, for the whole process.

    Raises
    ------
    ValueError
        If the folder holds a checkpoint of another recipe; nothing there is changed.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs to be repeatable
    torch.use_deterministic_algorithms(True)  # gradients of the embedding are sums in any order
    torch.manual_seed(recipe.seed)
    model = LlamaForCausalLM(llama_config(RUNGS[recipe.rung]))
    torch.nn.Module.to(model, device)
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=recipe.learning_rate,
        betas=(0.9, 0.98),
        weight_decay=recipe.weight_decay,
    )
    first = _restore(recipe, folder, model, optimizer)
    forward = torch.compile(model) if compile_model else model
    model.train()

    sums = torch.zeros(2, 2, dtype=torch.float64)
    step_tokens = recipe.documents * CONTEXT_TOKENS
    clock, clock_step = time.perf_counter(), first
    last = Progress(first, recipe.steps, math.nan, math.nan, 0.0, math.inf)
    for step in range(first, recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate(step)
        batch = draw_batch(
            recipe.seed, step, recipe.documents, CONTEXT_TOKENS, recipe.error_free(step)
        )
        sums += _learn(forward, model, optimizer, batch, device)
        done = step + 1
        if done % save_every == 0 or done == recipe.steps:
            _save(recipe, folder, model, optimizer, done)
        if done % report_every == 0 or done == recipe.steps:
            now = time.perf_counter()
            rate = (done - clock_step) * step_tokens / (now - clock)
            left = (recipe.steps - done) * step_tokens / rate
            means = (sums[:, 0] / sums[:, 1]).tolist()
            last = Progress(done, recipe.steps, means[0], means[1], rate, left)
            with (folder / LOG).open("a") as log:
                log.write(json.dumps(asdict(last)) + "\n")
            yield last
            sums.zero_()
            clock, clock_step = now, done
    if first < recipe.steps or not (folder / "training.json").exists():
        _finish(recipe, folder, model, device, last)


def _learn(
    forward: Callable[..., Any],
    model: LlamaForCausalLM,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    device: str,
) -> torch.Tensor:
    """One step on one batch; sum and count of the losses of answers and of levels, [2, 2]."""
    tokens = torch.from_numpy(batch.tokens).to(device)
    kinds = torch.from_numpy(batch.kinds[:, 1:]).to(device)
    with torch.autocast(device, dtype=torch.bfloat16):
        logits = forward(input_ids=tokens[:, :-1], use_cache=False).logits
    losses = functional.cross_entropy(
        logits.float().flatten(0, 1), tokens[:, 1:].flatten(), reduction="none"
    ).view_as(kinds)
    optimizer.zero_grad(set_to_none=True)
    losses[kinds > 0].mean().backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    chosen = [losses.detach()[kinds == kind] for kind in (KIND_ANSWER, KIND_LEVEL)]
    return torch.tensor([[float(c.sum()), c.numel()] for c in chosen], dtype=torch.float64)


def _restore(
    recipe: Recipe, folder: Path, model: LlamaForCausalLM, optimizer: torch.optim.Optimizer
) -> int:
    """Load the folder's checkpoint, if there is one; the step to carry on from."""
    path = folder / CHECKPOINT
    if not path.exists():
        return 0
    saved: dict[str, Any] = torch.load(path, weights_only=True)
    if saved["recipe"] != asdict(recipe):
        differing = [k for k, v in asdict(recipe).items() if saved["recipe"].get(k) != v]
        raise ValueError(
            f"{path}: expected a checkpoint of this recipe, got one that differs in "
            f"{', '.join(differing)}; choose another --out or delete the folder"
        )
    _forget_reports(folder / LOG, int(saved["step"]))
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    return int(saved["step"])


def _forget_reports(log: Path, step: int) -> None:
    """Take out of the log what came after a step, for it comes again."""
    if log.exists():
        lines = log.read_text().splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        log.write_text("".join(kept))


def _save(
    recipe: Recipe,
    folder: Path,
    model: LlamaForCausalLM,
    optimizer: torch.optim.Optimizer,
    step: int,
) -> None:
    """Write the checkpoint beside the old one, then put it in its place."""
    unfinished = folder / (CHECKPOINT + ".part")
    torch.save(
        {
            "recipe": asdict(recipe),
            "step": step,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
        },
        unfinished,
    )
    os.replace(unfinished, folder / CHECKPOINT)


def _finish(
    recipe: Recipe, folder: Path, model: LlamaForCausalLM, device: str, last: Progress
) -> None:
    """Write the model, its tokenizer and how it came about."""
    import transformers

    model.save_pretrained(folder)
    ladder_tokenizer().save_pretrained(folder)
    provenance = {
        "recipe": asdict(recipe),
        "tokens": recipe.steps * recipe.documents * CONTEXT_TOKENS,
        "parameters": model.num_parameters(),
        "answer_loss": last.answer_loss,
        "level_loss": last.level_loss,
        "device": device,
        "threads": torch.get_num_threads(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }
    (folder / "training.json").write_text(json.dumps(provenance, indent=2) + "\n")
