"""Steps of training: a loss of what is taught, its gradient, AdamW.

Dimensions: S steps, B documents of a step, W tokens of a document.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from mgptn.agents.engine.places import Places
from mgptn.agents.learning.documents import Pages
from mgptn.agents.learning.reading import logits_of

BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.01
LARGEST_NORM = 1.0
"""Of a step's gradient; a longer one is shortened to it."""

# What CUDA needs to be repeatable. It is looked at once, at a process's first product, which may be
# an answer's: so here, and not where training begins.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def train(
    model: Any,
    parameters: list[torch.Tensor],
    several: Iterable[Pages],
    rate: Callable[[int], float],
    *,
    own_masks: bool = False,
) -> list[float]:
    """Train some parameters of a model in place; each step's mean loss, in nats a taught token.

    Parameters
    ----------
    model
        A transformers causal model without dropout, in float32.
    several
        Documents of the steps, in parts of any number of steps.
    rate
        Learning rate of a step, from 0.
    own_masks
        As of `mgptn.agents.learning.reading.logits_of`.
    """
    places = Places.of(model.config.to_dict())
    losses: list[torch.Tensor] = []
    with _repeatable(), _training(parameters):
        optimizer = torch.optim.AdamW(
            parameters, lr=rate(0), betas=BETAS, weight_decay=WEIGHT_DECAY
        )
        for pages in several:
            for tokens, taught, where in zip(
                *tensors_of(pages, places, parameters[0].device), strict=True
            ):
                for group in optimizer.param_groups:
                    group["lr"] = rate(len(losses))
                loss = mean_loss(model, tokens, taught, where, own_masks=own_masks)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(parameters, LARGEST_NORM)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                losses.append(loss.detach())
    return torch.stack(losses).tolist() if losses else []


def tensors_of(
    pages: Pages, places: Places, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens int64, what is taught float32, and places int64, all [S, B, W], on a device."""
    width = pages.tokens.shape[2]
    tokens = pages.tokens.reshape(-1, width).astype(np.int64)
    taught = pages.taught.reshape(-1, width)
    where = places.of_rows(tokens, 0) + pages.offsets.reshape(-1, 1)
    # What follows the last token that is taught is of no consequence, and may have no place.
    last = width - 1 - np.argmax(taught[:, ::-1], axis=1)
    where = np.where(np.arange(width) <= last[:, None], where, 0)
    return tuple(  # type: ignore[return-value]
        torch.from_numpy(values).view(pages.tokens.shape).to(device)
        for values in (tokens, taught.astype(np.float32), where)
    )


def mean_loss(
    model: Any,
    tokens: torch.Tensor,
    taught: torch.Tensor,
    places: torch.Tensor,
    *,
    own_masks: bool = False,
) -> torch.Tensor:
    """Mean loss of the tokens that are taught, in nats."""
    logits = logits_of(model, tokens, places, own_masks=own_masks)[:, :-1]
    losses = functional.cross_entropy(
        logits.flatten(0, 1).float(), tokens[:, 1:].flatten(), reduction="none"
    )
    weights = taught[:, 1:].flatten()
    return (losses * weights).sum() / weights.sum()


@contextmanager
def _training(parameters: list[torch.Tensor]) -> Iterator[None]:
    """Gradients for some parameters, wherever this stands."""
    with torch.inference_mode(False), torch.enable_grad():
        for parameter in parameters:
            parameter.requires_grad_(True)
        try:
            yield
        finally:
            for parameter in parameters:
                parameter.requires_grad_(False)
                parameter.grad = None


@contextmanager
def _repeatable() -> Iterator[None]:
    """Sums in one order."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
