"""A rung under training: its model, optimizers, documents, and one step."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from transformers import LlamaForCausalLM

from mgptn.agents.checkpoints import CheckpointError, find_checkpoint
from mgptn.agents.training.adaptation import Curve, adaptation_curve
from mgptn.agents.training.corpus import (
    KIND_ANSWER,
    KIND_LEVEL,
    Documents,
    OwnAnswers,
    draw_documents,
)
from mgptn.agents.training.forward import training_forward
from mgptn.agents.training.growth import grow
from mgptn.agents.training.own_answers import draw_own_answers
from mgptn.agents.training.recipe import BLOCK_STEPS, Recipe
from mgptn.agents.training.rungs import CONTEXT_TOKENS, RUNGS, llama_config


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

    `parent` is the hash of the weights that it has grown from, if any.

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
        self.model = LlamaForCausalLM(config)
        torch.nn.Module.to(self.model, device)
        self.optimizers = Optimizers(recipe, self.model)
        self.step = 0
        self.parent: str | None = None
        self.pool: dict[tuple[str, int], OwnAnswers] | None = None
        self._losses = _token_losses(self.model, plain)
        if compile_model and not plain:
            self._losses = torch.compile(self._losses)
        self._block: tuple[int, Documents] | None = None

    def begin(self) -> None:
        """Before the first step: be the smaller model that the recipe names, if it names one.

        Raises
        ------
        CheckpointError, ValueError
            If there is no such model, or it does not fit into the rung.
        """
        if self.recipe.grown_from:
            small, self.parent = _load(self.recipe.grown_from)
            grown = grow(small, self.model.config, self.recipe.seed)
            self.model.load_state_dict(grown.state_dict())

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


def _load(name: str) -> tuple[LlamaForCausalLM, str]:
    """A trained model of the ladder's architecture, in float32, and its hash."""
    try:
        found = find_checkpoint(name)
    except CheckpointError as error:
        raise CheckpointError(str(error).replace("agents.model:", "grown_from:")) from error
    if (kind := found.config.get("model_type")) != "llama":
        raise CheckpointError(f"grown_from: expected a Llama, got {kind!r} in {found.folder}")
    model: LlamaForCausalLM = LlamaForCausalLM.from_pretrained(found.folder, dtype=torch.float32)
    return model, found.weights
