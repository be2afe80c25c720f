"""All agents' steps at once: their weights stacked, and a step in batched products.

Dimensions: K agents, S steps, B documents of a step, W tokens of a document.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mgptn.agents.requests import Learn, Supply

if TYPE_CHECKING:
    import torch


def learn_stacked(model: Any, asked: Sequence[Learn], supply: Supply) -> list[bytes]:
    """What each request leads to, as a `Learner` would have it but for rounding: files of numbers.

    A GPU may sum in any order here, which is in its favour.

    Parameters
    ----------
    model
        The founder, with attention in plain products: others have no batched form.
    asked
        Of one shape and rate, of all weights.
    """
    import torch
    from safetensors.torch import load, save
    from torch.func import functional_call, vmap

    from mgptn.agents.engine.places import Places
    from mgptn.agents.learning.learner import pages_of
    from mgptn.agents.learning.training import (
        BETAS,
        WEIGHT_DECAY,
        mean_loss,
        tensors_of,
    )

    device = next(model.parameters()).device
    places = Places.of(model.config.to_dict())
    stacks = _stacked(model, [_numbers(one, supply, load) for one in asked])
    parts = [tensors_of(pages_of(one), places, device) for one in asked]
    tokens, taught, where = (torch.stack(several, dim=1) for several in zip(*parts, strict=True))

    def loss(
        weights: dict[str, torch.Tensor],
        tokens: torch.Tensor,
        taught: torch.Tensor,
        where: torch.Tensor,
    ) -> torch.Tensor:
        def forward(**given: Any) -> Any:
            return functional_call(model, weights, (), given)

        return mean_loss(forward, tokens, taught, where)

    optimizer = torch.optim.AdamW(
        stacks.values(), lr=asked[0].rate, betas=BETAS, weight_decay=WEIGHT_DECAY
    )
    losses = vmap(loss)
    for step in zip(tokens, taught, where, strict=True):
        losses(stacks, *step).sum().backward()
        shorten([stack.grad for stack in stacks.values() if stack.grad is not None])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    whole = {name: stack.detach().cpu() for name, stack in stacks.items()}
    return [
        save({name: stack[agent].contiguous() for name, stack in whole.items()})
        for agent in range(len(asked))
    ]


def _numbers(one: Learn, supply: Supply, load: Any) -> Mapping[str, torch.Tensor]:
    found: Mapping[str, torch.Tensor] = load(supply(one.worn.content)) if one.worn else {}
    return found


def _stacked(model: Any, numbers: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Each parameter of all agents: name → [K, …]."""
    import torch

    return {
        name: torch.stack([own.get(name, one.detach()).to(one.device) for own in numbers])
        .requires_grad_(True)
        for name, one in model.named_parameters()
    }  # fmt: skip


def shorten(gradients: Sequence[torch.Tensor]) -> None:
    """Each agent's whole gradient to the largest norm, as it is done to one."""
    import torch

    from mgptn.agents.learning.training import LARGEST_NORM

    norms = torch.stack([g.flatten(1).norm(dim=1) for g in gradients]).norm(dim=0)
    shares = (LARGEST_NORM / (norms + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(shares.view(-1, *[1] * (gradient.ndim - 1)))
