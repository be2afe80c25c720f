"""Mixtures of experts whose arithmetic does not depend on which experts other tokens choose.

transformers gathers the tokens that chose an expert, so that the shape of a product, and with it
the last bits of what a token gets, depends on the company it is in. Here every expert reads every
token, in the shape that the pass has anyway, and what a token did not ask for is left out of its
sum, whose order is the experts' own. That costs what the experts that were not chosen cost.

Dimensions: N tokens, H width, K experts that a token chooses, E experts.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch.nn.functional import linear

from mgptn.agents.checkpoints import BeyondEngineError

NAME = "mgptn"

SAID = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
"""By which a configuration says that there are several."""

FEWEST_TOKENS = 4
"""Of two or three rows, some processors compute each by other instructions where a matrix's outputs
do not fill whole vectors, as a router's may not."""


FEWEST_OUTPUTS = 8
"""Of fewer, as of the gate of an expert that all share, there is no matrix to speak of."""


def take_experts_over(model: Any, where: str) -> None:
    """Let a loaded model's mixtures compute as here; one without any stays as it is.

    Raises
    ------
    BeyondEngineError
        If it has experts that are not transformers' own kind.
    """
    ours = [m for m in model.modules() if hasattr(m, "_is_expert_parallel")]
    if not ours:
        if _several(model.config.to_dict()):
            raise BeyondEngineError(
                f"agents.model: expected experts that can be computed alike in any company, got "
                f"{where}, whose {type(model).__name__} computes its own"
            )
        return
    model.set_experts_implementation(NAME)
    mixtures = {id(m) for m in ours}
    for module in model.modules():
        if any(id(child) in mixtures for child in module.children()):
            module.register_forward_pre_hook(_widen)
            module.register_forward_hook(_narrow)
            for gate in module.children():
                if isinstance(gate, torch.nn.Linear) and gate.out_features < FEWEST_OUTPUTS:
                    gate.forward = partial(_weighed, gate)  # type: ignore[method-assign]


def experts(
    self: Any, hidden: torch.Tensor, chosen: torch.Tensor, shares: torch.Tensor
) -> torch.Tensor:
    """What transformers calls in each mixture.

    Parameters
    ----------
    self
        transformers' module of E experts.
    hidden
        [N, H].
    chosen, shares
        int64 [N, K], which experts, each once, and the weight of each.

    Returns
    -------
    torch.Tensor
        [N, H].
    """
    total = torch.zeros_like(hidden, dtype=torch.float32)
    for expert in range(self.num_experts):
        here = chosen == expert
        share = shares.masked_fill(~here, 0.0).sum(-1, keepdim=True)
        out = _one(self, expert, hidden) * share
        total = torch.where(here.any(-1, keepdim=True), total + out, total)
    return total.to(hidden.dtype)


def _one(self: Any, expert: int, hidden: torch.Tensor) -> torch.Tensor:
    first = "gate_up_proj" if self.has_gate else "up_proj"
    within = _product(self, first, expert, hidden)
    within = self._apply_gate(within) if self.has_gate else self.act_fn(within)
    out = _product(self, "down_proj", expert, within)
    if self.has_post_expert_norm:
        out = self.post_expert_norm(out)
    return out


def _product(self: Any, name: str, expert: int, given: torch.Tensor) -> torch.Tensor:
    weight = getattr(self, name)[expert]
    bias = getattr(self, f"{name}_bias")[expert] if self.has_bias else None
    return linear(given, weight.t() if self.is_transposed else weight, bias)


def _weighed(gate: torch.nn.Linear, hidden: torch.Tensor) -> torch.Tensor:
    """What a gate of few outputs gives: each a sum of its own, for libraries take rows together,
    some by other instructions than others. A single output comes as wide as what it weighs: what
    is reckoned of it then fills whole vectors, without a tail of some tokens."""
    out = (hidden.unsqueeze(-2) * gate.weight.contiguous()).sum(-1)
    if gate.bias is not None:
        out = out + gate.bias
    if gate.out_features > 1:
        return out
    return out.expand(*out.shape[:-1], gate.in_features).contiguous()


def _widen(module: Any, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
    """Before a mixture with its router: [B, 1, H] of two or three tokens becomes one of four."""
    hidden = given[0]
    spare = FEWEST_TOKENS - len(hidden)
    if hidden.dim() != 3 or hidden.shape[1] != 1 or not 0 < spare < FEWEST_TOKENS - 1:
        return None
    module.engine_rows = len(hidden)
    return (torch.cat([hidden, hidden[:1].expand(spare, -1, -1)]), *given[1:])


def _narrow(module: Any, given: Any, out: Any) -> Any:
    """After it: the tokens that were asked for."""
    rows = module.__dict__.pop("engine_rows", None)
    if rows is None:
        return None
    if isinstance(out, tuple):
        return (out[0][:rows], *out[1:])
    return out[:rows]


def _several(config: Mapping[str, Any]) -> bool:
    return any(isinstance(config.get(key), int) and config[key] > 1 for key in SAID)
