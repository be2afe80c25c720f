"""One loaded model and its three kinds of forward pass: a prefix's block, new rows, a step.

Dimensions: A layers, R rows, W tokens of a row, G heads of keys and values, P tokens of the
prefix, S columns of a row's own keys, D width of a head, V vocabulary, I places that are read.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from mgptn.agents.checkpoints import CheckpointError
from mgptn.agents.engine.attention import NAME, AttentionState
from mgptn.agents.engine.experts import take_experts_over
from mgptn.agents.engine.loading import load_whole
from mgptn.agents.engine.places import Places
from mgptn.agents.engine.recording import Graphed, Tensors, Traced

PROBE_TOKENS = 12
"""Tokens of the text on which a loaded model is held against transformers' own attention."""

STRIDE_PADDING = 16
"""Numbers between a weight's columns: at a power of two they would share places in a cache."""

FEWEST_ROWS = 4
"""Of two or three rows, some processors compute each by other instructions where a matrix's outputs
do not fill whole vectors, as a head's may not: there a row's place would show in its bits."""


class Forward:
    """A causal language model with full attention on one device.

    Attributes
    ----------
    layers, heads, width, item
        A, G, D, and the bytes of a number.
    places
        How the model counts the places of tokens.

    Raises
    ------
    CheckpointError
        If weights are missing, or the model's attention cannot be replaced, or not by ours.
    """

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype) -> None:
        model = load_whole(folder, dtype)
        self._adopt(model.to(device).eval().requires_grad_(False), str(folder))

    @classmethod
    def of_model(cls, model: torch.nn.Module) -> Forward:
        """As of a loaded model, which becomes the engine's: for benchmarks."""
        made = cls.__new__(cls)
        made._adopt(model.eval().requires_grad_(False), type(model).__name__)
        return made

    def _adopt(self, model: Any, where: str) -> None:
        self.model = model
        self.device = next(model.parameters()).device
        self.dtype = next(model.parameters()).dtype
        self.places = Places.of(model.config.to_dict())
        self._state = AttentionState()
        self._pick: torch.Tensor | None = None
        probe = torch.arange(1, 1 + PROBE_TOKENS, device=self.device).unsqueeze(0)
        probe = probe % model.config.vocab_size
        with torch.inference_mode():
            expected = model(input_ids=probe, use_cache=False).logits[0].float()
            self._take_attention_over(where)
            self._prepare()
            self._check(probe, expected, where)

    def read(
        self,
        tokens: torch.Tensor,
        positions: torch.Tensor,
        pick: torch.Tensor,
        prefix: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Read rows of new tokens after a prefix.

        Parameters
        ----------
        tokens, positions
            int64 [R, W]; a row's tokens stand first, and what follows them is of no consequence.
        pick
            int64 [I], places in R · W whose logits are wanted.
        prefix
            [A, 2, G, P, D] or None.

        Returns
        -------
        logits, state
            [I, V]; [A, 2, R, G, W, D], the rows' own keys and values.
        """
        given = () if prefix is None else (prefix,)
        key = (*tokens.shape, len(pick), len(given))
        logits, state = self._read(tokens, positions, pick, *given, key=key)
        return logits, state

    def read_block(
        self, tokens: torch.Tensor, positions: torch.Tensor, past: torch.Tensor | None
    ) -> torch.Tensor:
        """Keys and values [A, 2, G, W, D] of a prefix's next tokens int64 [1, W]; no logits."""
        given = () if past is None else (past,)
        (state,) = self._read_block(tokens, positions, *given, key=(tokens.shape[1], len(given)))
        return state[:, :, 0]

    def step(
        self,
        tokens: torch.Tensor,
        positions: torch.Tensor,
        flat: torch.Tensor,
        mask: torch.Tensor,
        own: torch.Tensor,
        *shared: torch.Tensor,
    ) -> torch.Tensor:
        """Logits [R, V] after one more token of each row.

        Parameters
        ----------
        tokens, positions
            int64 [R, 1].
        flat, mask, own
            As of `AttentionState`; `own` is written to.
        shared
            Of a tile with a prefix: `prefix`, and `shown` where there is padding in it.
        """
        key = (tokens.shape[0], mask.shape[-1], len(shared))
        (logits,) = self._step(tokens, positions, flat, mask, own, *shared, key=key)
        return logits

    def forget(self, buffer: torch.Tensor) -> None:
        """Let go of what was recorded of steps on a buffer that is going."""
        if isinstance(self._step, Graphed):
            self._step.forget(buffer)

    def _prepare(self) -> None:
        """Recorded forms of the three kinds of pass."""
        self._read = Traced(self._read_plainly)
        self._read_block = Traced(self._read_block_plainly)
        self._step: Traced | Graphed = (
            Graphed(self._step_plainly, varying=4)
            if self.device.type == "cuda"
            else Traced(self._step_plainly)
        )

    def _read_plainly(
        self,
        tokens: torch.Tensor,
        positions: torch.Tensor,
        pick: torch.Tensor,
        prefix: torch.Tensor | None = None,
    ) -> Tensors:
        state = self._begin(prefix)
        logits = self._logits(tokens, positions, pick)
        return logits, self._fresh(state)

    def _read_block_plainly(
        self, tokens: torch.Tensor, positions: torch.Tensor, past: torch.Tensor | None = None
    ) -> Tensors:
        state = self._begin(past)
        self.model.base_model(input_ids=tokens, position_ids=positions, use_cache=False)
        return (self._fresh(state),)

    def _step_plainly(
        self,
        tokens: torch.Tensor,
        positions: torch.Tensor,
        flat: torch.Tensor,
        mask: torch.Tensor,
        own: torch.Tensor,
        prefix: torch.Tensor | None = None,
        shown: torch.Tensor | None = None,
    ) -> Tensors:
        state = self._begin(prefix)
        state.own, state.flat, state.mask, state.shown = own, flat, mask, shown
        return (self._logits(tokens, positions, None),)

    def _begin(self, prefix: torch.Tensor | None) -> AttentionState:
        state = self._state
        state.prefix, state.shown, state.own = prefix, None, None
        state.fresh = []
        return state

    def _fresh(self, state: AttentionState) -> torch.Tensor:
        if not state.fresh:
            raise NotImplementedError("its attention cannot be replaced")
        fresh: torch.Tensor = torch.stack(state.fresh).unflatten(0, (-1, 2))
        return fresh

    def _logits(
        self, tokens: torch.Tensor, positions: torch.Tensor, pick: torch.Tensor | None
    ) -> torch.Tensor:
        self._pick = pick
        logits: torch.Tensor = self.model(
            input_ids=tokens, position_ids=positions, use_cache=False
        ).logits
        return logits.flatten(0, 1)[: len(tokens) if pick is None else len(pick)]

    def _pick_rows(
        self, head: torch.nn.Module, given: tuple[torch.Tensor, ...]
    ) -> tuple[torch.Tensor, ...]:
        """Before the head: only the rows that are read, each row's last where none are named."""
        hidden = given[0]
        if self._pick is None:
            rows = hidden[:, -1]
        else:
            rows = hidden.flatten(0, 1).index_select(0, self._pick)
        spare = FEWEST_ROWS - len(rows)
        if rows.device.type == "cpu" and 0 < spare < FEWEST_ROWS - 1:
            rows = torch.cat([rows, rows[:1].expand(spare, -1)])
        return (rows.unsqueeze(1 if self._pick is None else 0),)

    def _take_attention_over(self, where: str) -> None:
        head: Any = self.model.get_output_embeddings()
        layers = [m for m in self.model.modules() if isinstance(getattr(m, "layer_idx", None), int)]
        if head is None or not layers:
            raise CheckpointError(
                f"agents.model: expected a model with a head and attention layers, got {where}"
            )
        take_experts_over(self.model, where)
        try:
            self.model.set_attn_implementation(NAME)
        except (ValueError, NotImplementedError) as error:
            raise CheckpointError(
                f"agents.model: expected a model whose attention can be replaced, got {where}: "
                f"{error}"
            ) from error
        for layer in layers:
            layer.engine_state = self._state
        head.register_forward_pre_hook(self._pick_rows)
        for module in self.model.modules():
            if isinstance(module, torch.nn.Linear):
                module.weight = torch.nn.Parameter(as_multiplied(module.weight), False)

    def _check(self, probe: torch.Tensor, expected: torch.Tensor, where: str) -> None:
        """The engine's logits of a text, its beginning as a prefix, are those of the model."""
        half = PROBE_TOKENS // 2
        places = torch.arange(PROBE_TOKENS, device=self.device).unsqueeze(0)
        try:
            past = self._read_block_plainly(probe[:, :half], places[:, :half])[0][:, :, 0]
            logits = self._read_plainly(
                probe[:, half:], places[:, half:], places[0, : PROBE_TOKENS - half], past
            )[0].float()
        except (NotImplementedError, RuntimeError, TypeError) as error:
            raise CheckpointError(
                f"agents.model: expected a model with plain full attention, got {where}: {error}"
            ) from error
        slack = 1e-3 if self.dtype == torch.float32 else 0.1
        known = expected[half:]
        readable = torch.isfinite(known) & torch.isfinite(logits)
        logits, known = (t.where(readable, 0.0) for t in (logits, known))
        missed = (logits - known).abs().max().item()
        if missed > slack * (1.0 + known.abs().max().item()):
            raise CheckpointError(
                f"agents.model: expected a model with plain full attention, got {where}, whose "
                f"logits the engine misses by {missed:.3g}"
            )
        self.layers, _, self.heads, _, self.width = past.shape
        self.item: int = past.element_size()


def as_multiplied(weight: torch.Tensor) -> torch.Tensor:
    """The same matrix as it lies best in memory.

    On a CPU in float32 its columns stand side by side: few rows multiply faster so.
    """
    if weight.device.type != "cpu" or weight.dtype != torch.float32:
        return weight
    outputs, inputs = weight.shape
    room = weight.new_zeros(inputs, outputs + STRIDE_PADDING)
    room[:, :outputs] = weight.t()
    return room[:, :outputs].t()
