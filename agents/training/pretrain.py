"""Training one rung of the ladder from scratch: resumable, deterministic by key, without Ray."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
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

from agents.checkpoints import CheckpointError, find_checkpoint
from agents.training.adaptation import Curve, adaptation_curve
from agents.training.corpus import (
    KIND_ANSWER,
    KIND_LEVEL,
    Documents,
    OwnAnswers,
    Pool,
    draw_documents,
)
from agents.training.forward import training_forward
from agents.training.growth import grow
from agents.training.own_answers import draw_own_answers
from agents.training.recipe import BLOCK_STEPS, Recipe
from agents.training.rungs import CONTEXT_TOKENS, RUNGS, ladder_tokenizer, llama_config
from protocols.tasks.bundled import Problems

CHECKPOINT = "checkpoint.pt"
LOG = "training.jsonl"


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


class Optimizers:
    """Muon for the matrices of the layers, AdamW for embeddings and norms, as one.

    Muon (Jordan et al. 2024) steps along the nearest orthogonal matrix of the momentum; here with
    the scale of Liu et al. 2025, so that both have learning rates of one kind.
    """

    def __init__(self, recipe: Recipe, model: LlamaForCausalLM) -> None:
        named = list(model.named_parameters())
        matrices = [p for name, p in named if p.ndim == 2 and "embed" not in name]
        others = [p for name, p in named if p.ndim != 2 or "embed" in name]
        self._parts: list[torch.optim.Optimizer] = [
            torch.optim.Muon(
                matrices,
                lr=recipe.learning_rate,
                weight_decay=recipe.weight_decay,
                momentum=0.95,
                adjust_lr_fn="match_rms_adamw",
            ),
            torch.optim.AdamW(
                others, lr=recipe.embedding_rate, betas=(0.9, 0.98), weight_decay=0.0
            ),
        ]
        self._rates = (recipe.learning_rate, recipe.embedding_rate)

    def step(self, rate: float) -> None:
        """One step of both, at a share of their highest learning rates."""
        for part, highest in zip(self._parts, self._rates, strict=True):
            for group in part.param_groups:
                group["lr"] = highest * rate
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """State of both."""
        return [part.state_dict() for part in self._parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Put back what `state_dict` gave."""
        for part, state in zip(self._parts, states, strict=True):
            part.load_state_dict(state)


class Trainer:
    """A rung under training: model, optimizers, its own answers, and how many steps it has made.

    Parameters
    ----------
    plain
        Whether to train in the plainest way, as a measure of what is gained: the model's own
        forward pass in float32, not compiled.
    """

    def __init__(
        self,
        recipe: Recipe,
        device: str,
        *,
        compile_model: bool = True,
        plain: bool = False,
    ) -> None:
        torch.manual_seed(recipe.seed)
        config = llama_config(RUNGS[recipe.rung])
        self.recipe = recipe
        self.device = device
        self.model = (
            grow(_load(recipe.grown_from), config, recipe.seed)
            if recipe.grown_from
            else LlamaForCausalLM(config)
        )
        torch.nn.Module.to(self.model, device)
        self.optimizers = Optimizers(recipe, self.model)
        self.step = 0
        self.pool: dict[tuple[str, int], OwnAnswers] | None = None
        self._losses = _token_losses(self.model, plain)
        if compile_model and not plain:
            self._losses = torch.compile(self._losses)
        self._block: tuple[int, Documents] | None = None

    def advance(self) -> torch.Tensor:
        """One step; sum and count of the losses of answers and of levels, float64 [2, 2]."""
        documents = self._documents()
        tokens = torch.from_numpy(documents.tokens).to(self.device)
        kinds = torch.from_numpy(documents.kinds[:, 1:]).to(self.device)
        losses = self._losses(tokens)
        weights = (kinds > 0) + (self.recipe.level_weight - 1.0) * (kinds == KIND_LEVEL)
        ((losses * weights).sum() / weights.sum()).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizers.step(self.recipe.rate(self.step))
        self.step += 1
        kept = losses.detach()
        chosen = [kept[kinds == kind] for kind in (KIND_ANSWER, KIND_LEVEL)]
        return torch.stack(
            [torch.stack([c.double().sum(), c.new_tensor(c.numel()).double()]) for c in chosen]
        )

    def adaptation(self) -> Curve:
        """The adaptation curve of the model as it is."""
        return adaptation_curve(self.model, CONTEXT_TOKENS, self.device)

    def _documents(self) -> Documents:
        """This step's documents; the block they are of is drawn at its first step."""
        recipe = self.recipe
        block, within = divmod(self.step, BLOCK_STEPS)
        if self._block is None or self._block[0] != block:
            if within == 0 and recipe.own_answers_drawn(block):
                drawn = draw_own_answers(self.model, recipe.seed, block, self.device)
                self.pool = dict(drawn)
            documents = draw_documents(
                recipe.seed,
                block,
                recipe.error_free(block),
                CONTEXT_TOKENS,
                skills=recipe.skills,
                pool=self.pool,
            )
            self._block = (block, documents)
        rows = slice(within * recipe.documents, (within + 1) * recipe.documents)
        return Documents(self._block[1].tokens[rows], self._block[1].kinds[rows])


def _token_losses(model: LlamaForCausalLM, plain: bool) -> Callable[[torch.Tensor], torch.Tensor]:
    """A function from documents, int64 [D, L], to each next token's loss, float32 [D, L − 1]."""
    fused = training_forward(model, torch.bfloat16)

    def losses(tokens: torch.Tensor) -> torch.Tensor:
        seen, following = tokens[:, :-1], tokens[:, 1:]
        logits = model(input_ids=seen, use_cache=False).logits if plain else fused(seen)
        return functional.cross_entropy(
            logits.flatten(0, 1), following.flatten(), reduction="none"
        ).view_as(following)

    return losses


def pretrain(
    recipe: Recipe,
    folder: Path,
    *,
    device: str = "auto",
    compile_model: bool = True,
    threads: int | None = None,
    report_every: int = 20,
    save_every: int = 500,
    adaptation_every: int = 2000,
) -> Iterator[Progress]:
    """Train a rung into `folder`, yielding progress; carries on from a checkpoint found there.

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
    if threads is not None:
        torch.set_num_threads(threads)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs to be repeatable
    torch.use_deterministic_algorithms(True)  # gradients of the embedding are sums in any order
    trainer = Trainer(recipe, device, compile_model=compile_model)
    folder.mkdir(parents=True, exist_ok=True)
    _restore(trainer, folder)
    first = trainer.step

    sums = torch.zeros(2, 2, dtype=torch.float64, device=device)
    step_tokens = recipe.documents * CONTEXT_TOKENS
    clock, clock_step = time.perf_counter(), first
    while trainer.step < recipe.steps:
        sums += trainer.advance()
        done = trainer.step
        ended = done == recipe.steps
        curve = trainer.adaptation() if done % adaptation_every == 0 or ended else None
        progress = None
        if done % report_every == 0 or curve is not None:
            now = time.perf_counter()
            rate = (done - clock_step) * step_tokens / (now - clock)
            left = (recipe.steps - done) * step_tokens / rate
            means = (sums[:, 0] / sums[:, 1]).tolist()
            progress = Progress(done, recipe.steps, means[0], means[1], rate, left, curve)
            with (folder / LOG).open("a") as log:
                log.write(json.dumps(asdict(progress)) + "\n")
            sums.zero_()
        if done % save_every == 0 or ended:
            _save(trainer, folder)
        if progress is not None:
            yield progress
            clock, clock_step = time.perf_counter(), done
    if first < recipe.steps or not (folder / "training.json").exists():
        _finish(trainer, folder)


def _load(name: str) -> LlamaForCausalLM:
    """A trained model of the ladder's architecture, in float32."""
    try:
        found = find_checkpoint(name)
    except CheckpointError as error:
        raise CheckpointError(str(error).replace("agents.model:", "grown_from:")) from error
    if (kind := found.config.get("model_type")) != "llama":
        raise CheckpointError(f"grown_from: expected a Llama, got {kind!r} in {found.folder}")
    model: LlamaForCausalLM = LlamaForCausalLM.from_pretrained(found.folder, dtype=torch.float32)
    return model


def _restore(trainer: Trainer, folder: Path) -> None:
    """Load the folder's checkpoint, if there is one."""
    path = folder / CHECKPOINT
    if not path.exists():
        return
    saved: dict[str, Any] = torch.load(path, weights_only=True)
    recipe = asdict(trainer.recipe)
    theirs = asdict(Recipe(trainer.recipe.rung)) | saved["recipe"]  # fields newer than the file
    if differing := [k for k, v in recipe.items() if theirs[k] != v]:
        raise ValueError(
            f"{path}: expected a checkpoint of this recipe, got one that differs in "
            f"{', '.join(differing)}; choose another --out or delete the folder"
        )
    _forget_reports(folder / LOG, int(saved["step"]))
    trainer.model.load_state_dict(saved["model"])
    trainer.optimizers.load_state_dict(saved["optimizers"])
    trainer.step = int(saved["step"])
    trainer.pool = _read_pool(saved["pool"])


def _forget_reports(log: Path, step: int) -> None:
    """Take out of the log what came after a step, for it comes again."""
    if log.exists():
        lines = log.read_text().splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        log.write_text("".join(kept))


def _save(trainer: Trainer, folder: Path) -> None:
    """Write the checkpoint beside the old one, then put it in its place."""
    unfinished = folder / (CHECKPOINT + ".part")
    torch.save(
        {
            "recipe": asdict(trainer.recipe),
            "step": trainer.step,
            "model": trainer.model.state_dict(),
            "optimizers": trainer.optimizers.state_dict(),
            "pool": _write_pool(trainer.pool),
        },
        unfinished,
    )
    os.replace(unfinished, folder / CHECKPOINT)


def _write_pool(pool: Pool | None) -> list[Any] | None:
    """The model's own answers, as what a checkpoint may hold."""
    if pool is None:
        return None
    return [
        (
            name,
            size,
            own.right,
            torch.from_numpy(own.problems.fields),
            torch.from_numpy(own.problems.references),
            torch.from_numpy(own.answers),
        )
        for (name, size), own in pool.items()
    ]


def _read_pool(saved: list[Any] | None) -> dict[tuple[str, int], OwnAnswers] | None:
    if saved is None:
        return None
    return {
        (name, size): OwnAnswers(
            Problems(fields.numpy(), references.numpy()), answers.numpy(), right
        )
        for name, size, right, fields, references, answers in saved
    }


def _finish(trainer: Trainer, folder: Path) -> None:
    """Write the model in bfloat16, its tokenizer and how it came about."""
    import transformers

    recipe, model = trainer.recipe, trainer.model
    last = json.loads((folder / LOG).read_text().splitlines()[-1])
    torch.nn.Module.to(model, torch.bfloat16)
    model.save_pretrained(folder)
    ladder_tokenizer().save_pretrained(folder)
    provenance = {
        "recipe": asdict(recipe),
        "tokens": recipe.steps * recipe.documents * CONTEXT_TOKENS,
        "parameters": model.num_parameters(),
        "grown_from": find_checkpoint(recipe.grown_from).weights if recipe.grown_from else None,
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
    (folder / "training.json").write_text(json.dumps(provenance, indent=2) + "\n")
