"""Drawing tokens: counter-based uniform numbers, and sums of integers that no order can change.

Everything runs on the logits' device, and gives equal tokens for equal logits on any.

Dimensions: N requests, T tokens of an answer, R rows, V vocabulary.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from mgptn.agents.layers.rows import wholly
from mgptn.agents.requests import Generate

UNIT = 2.0**35
"""What a weight of 1 is counted as. V · UNIT stays below 2^53, so that sums are exact in float64;
a token with less than 1/UNIT of the likeliest one's probability is never drawn."""

_WORD = 0xFFFFFFFF

Words = TypeVar("Words", torch.Tensor, NDArray[np.int64])


class Settings:
    """How each request's tokens are drawn, as tensors; one row more than there are requests.

    `temperatures` float32 [N + 1]; `uniforms` float64 [N + 1, T]; `top_k` int64 and `top_p`
    float64 [N + 1], None where no request asks for them. `greedy`: no request draws at all.
    """

    def __init__(self, requests: Sequence[Generate], room: int, device: torch.device) -> None:
        spare = Generate((), (), (), 1, 1.0, (0, 0))
        every = [*requests, spare]
        self.temperatures = torch.tensor([r.sampling_temperature for r in every]).to(device)
        words = [[key & _WORD, key >> 32] for r in every for key in r.key]
        keys = torch.tensor(words, dtype=torch.int64).view(-1, 4).to(device)
        self.uniforms = uniforms(keys, room)
        self.top_k = self.top_p = None
        self.greedy = all(r.top_k == 1 for r in requests)
        if any(r.top_k or r.top_p < 1.0 for r in requests):
            self.top_k = torch.tensor([r.top_k for r in every]).to(device)
            self.top_p = torch.tensor([r.top_p for r in every], dtype=torch.float64).to(device)


def philox(counters: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """Philox4x32-10: random words int64 [4, …] below 2^32 for counters [4, …] under keys [2, …].

    Source
    ------
    Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
    """
    return torch.stack(_rounds(*counters.unbind(0), *keys.unbind(0)))


def _rounds(a: Words, b: Words, c: Words, d: Words, first: Words, second: Words) -> list[Words]:
    """Philox's words of a counter's four under a key's two."""
    for _ in range(10):
        # A product's sign bit is its highest bit, which a word's mask keeps in its place.
        left, right = a * 0xD2511F53, c * 0xCD9E8D57
        a, b = ((right >> 32) & _WORD) ^ b ^ first, right & _WORD
        c, d = ((left >> 32) & _WORD) ^ d ^ second, left & _WORD
        first, second = (first + 0x9E3779B9) & _WORD, (second + 0xBB67AE85) & _WORD
    return [a, b, c, d]


def uniforms(keys: torch.Tensor, count: int) -> torch.Tensor:
    """The first numbers of some streams, float64 [N, count] in [0, 1), multiples of 2^−53.

    Parameters
    ----------
    keys
        int64 [N, 4]: words of 32 bits, the lower of each 64 first. Two are Philox's key, two
        stand in its counter beside the number's place.
    """
    if keys.device.type == "cpu":  # an operation on few numbers costs less there without torch
        own = keys.numpy()[..., None] + np.zeros(count, dtype=np.int64)
        here = np.broadcast_to(np.arange(count), own[:, 0].shape)
        drawn = _rounds(here, 0 * here, own[:, 2], own[:, 3], own[:, 0], own[:, 1])
        return torch.from_numpy(((drawn[0] >> 5) * 2**26 + (drawn[1] >> 6)) * 2.0**-53)
    place = torch.arange(count, device=keys.device).expand(len(keys), count)
    words = keys.unsqueeze(-1).expand(-1, -1, count).unbind(1)
    counters = torch.stack([place, torch.zeros_like(place), words[2], words[3]])
    high, low, _, _ = philox(counters, torch.stack([words[0], words[1]])).unbind(0)
    return ((high >> 5) * 2**26 + (low >> 6)).double() * 2.0**-53


def draw(
    logits: torch.Tensor,
    temperatures: torch.Tensor,
    points: torch.Tensor,
    top_k: torch.Tensor | None = None,
    top_p: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw a token of each row, by inversion of a distribution function of integers.

    Parameters
    ----------
    logits
        [R, V].
    temperatures
        float32 [R].
    points
        float64 [R] in [0, 1): where on the distribution function.
    top_k, top_p
        [R], both or neither.

    Returns
    -------
    tokens, logs, readable
        int64 [R]; float64 [R], the tokens' log-probabilities; bool [R], whether the logits had a
        finite maximum: otherwise the other two mean nothing.
    """
    scores = logits.float()
    best = scores.amax(dim=-1, keepdim=True)
    scaled = (scores - best) / temperatures.unsqueeze(-1)
    weights = (wholly(torch.exp, scaled) * UNIT).long()
    if top_k is not None and top_p is not None:
        weights = _likeliest(weights, scaled, top_k, top_p)
    sums = weights.cumsum(-1)
    total = sums[:, -1:]
    drawn = torch.minimum((points.unsqueeze(-1) * total).long(), total - 1)
    tokens = torch.searchsorted(sums, drawn, right=True).clamp(0, logits.shape[-1] - 1)
    logs = scaled.gather(-1, tokens).double() - wholly(torch.log, total / UNIT)
    return tokens.squeeze(-1), logs.squeeze(-1), torch.isfinite(best.squeeze(-1))


def likeliest(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What `draw` returns where `top_k` is 1 in every row: the first of the likeliest tokens."""
    best, tokens = logits.float().max(dim=-1)
    return tokens, torch.zeros_like(best, dtype=torch.float64), torch.isfinite(best)


def _likeliest(
    weights: torch.Tensor, scaled: torch.Tensor, top_k: torch.Tensor, top_p: torch.Tensor
) -> torch.Tensor:
    """Weights of the tokens that may be drawn, and 0 for the others; of equals the first stay."""
    order = scaled.sort(dim=-1, descending=True, stable=True).indices
    ranked = weights.gather(-1, order)
    before = ranked.cumsum(-1) - ranked
    # Top-p is of what top-k leaves; the likeliest token has nothing before it, and always stays.
    rank = torch.arange(weights.shape[-1], device=weights.device)
    ranked = ranked.where((rank < top_k.unsqueeze(-1)) | (top_k == 0).unsqueeze(-1), 0)
    total = ranked.sum(-1, keepdim=True)
    ranked = ranked.where(before < top_p.unsqueeze(-1) * total, 0)
    return torch.zeros_like(weights).scatter_(-1, order, ranked)
