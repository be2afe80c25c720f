"""One loaded model and its three kinds of forward pass: a prefix's block, new rows, a step.

Dimensions: A layers, R rows, W tokens of a row, G heads of keys and values, P tokens of the
prefix, S columns of a row's own keys, D width of a head, V vocabulary, I places that are read.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from mgptn.agents.checkpoints import BeyondEngineError
from mgptn.agents.engine.loading import load_whole
from mgptn.agents.engine.places import Places
from mgptn.agents.engine.prefixes import BLOCK
from mgptn.agents.engine.probing import (
    LONG,
    SHORT,
    beginnings_stand_alone,
    check_causal,
    check_long,
    check_short,
    held,
    narrowed,
    probe,
    text_of,
)
from mgptn.agents.engine.recording import Function, Graphed, Tensors, Traced
from mgptn.agents.ladder.loading import load_own
from mgptn.agents.ladder.model import OwnModel
from mgptn.agents.layers.attention import NAME, AttentionState
from mgptn.agents.layers.experts import take_experts_over
from mgptn.agents.layers.hidden import Watched
from mgptn.agents.layers.products import as_multiplied, widen_outputs
from mgptn.agents.layers.registration import register
from mgptn.agents.layers.rows import Rows, rows_stand_alone, unit_of

LARGE, PATIENCE = 2**25, 8
"""Numbers of a model whose passes take far longer than the Python between their operations, and
times that it computes a shape plainly before a trace is made: a run's first generation waits."""


class Forward:
    """A causal language model on one device, all layers of which attend to tokens.

    Attributes
    ----------
    layers, heads, width, item
        A, G, D, and the bytes of a number.
    places
        How the model counts the places of tokens.
    rows
        How many rows are computed where some are needed.

    Parameters
    ----------
    thoroughly
        It is not of our own making: hold it against transformers' own attention on a long text too,
        with further tokens step by step, and in company.

    Raises
    ------
    CheckpointError
        If weights are missing, or it is not causal.
    BeyondEngineError
        If the model's attention cannot be replaced, or not by ours.
    """

    _watched: Watched | None
    _read_states: dict[tuple[int, ...], Traced]

    def __init__(
        self, folder: Path, device: torch.device, dtype: torch.dtype, *, thoroughly: bool = True
    ) -> None:
        model = None if thoroughly else load_own(folder, dtype)
        model = load_whole(folder, dtype) if model is None else model
        self._adopt(model.to(device).eval().requires_grad_(False), str(folder), thoroughly)

    @classmethod
    def of_model(cls, model: torch.nn.Module) -> Forward:
        """As of a loaded model, which becomes the engine's: for benchmarks."""
        made = cls.__new__(cls)
        made._adopt(model.eval().requires_grad_(False), type(model).__name__, False)
        return made

    def _adopt(self, model: Any, where: str, thoroughly: bool) -> None:
        self.model = model
        self.device = next(model.parameters()).device
        self.dtype = next(model.parameters()).dtype
        self.places = Places.of(model.config.to_dict())
        self._state = AttentionState()
        self._pick: torch.Tensor | None = None
        self.rows = Rows()
        with torch.inference_mode():
            short = probe(model, text_of(model, SHORT))
            if thoroughly:
                with narrowed(model):
                    long = probe(model, text_of(model, LONG))
                    check_causal(model, long, where)
            self._take_attention_over(where)
            self._prepare()
            if self.device.type == "cpu":
                widen_outputs(model)
                self.rows = Rows(unit_of(model, self.dtype))
            any_number = any_block = self.device.type == "cpu"
            if thoroughly and long.tokens.shape[1] == LONG:
                with narrowed(model):
                    any_number &= held(lambda: check_long(self, long), where)
                    any_block &= beginnings_stand_alone(self, LONG)
                self._state.windows.clear()
            self.layers, _, self.heads, _, self.width = held(
                lambda: check_short(self, short), where
            )
            self.item: int = self.dtype.itemsize
            if any_number and rows_stand_alone(model, self.heads, self.width):
                any_block = any_block and beginnings_stand_alone(self, BLOCK["cpu"])
                self.rows = Rows(self.rows.unit, True, any_block)

    @property
    def windows(self) -> set[int]:
        return self._state.windows

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
        seen = self._state.beyond(tokens.shape[1], prefix)
        key = (*tokens.shape, len(pick), len(given), *seen)
        logits, state = self._read(tokens, positions, pick, *given, key=key)
        return logits, state

    def read_states(
        self,
        tokens: torch.Tensor,
        positions: torch.Tensor,
        pick: torch.Tensor,
        prefix: torch.Tensor | None,
        layers: tuple[int, ...],
        places: torch.Tensor,
    ) -> Tensors:
        """`read`, and hidden states beside.

        Parameters
        ----------
        layers
            Which, as of `States`.
        places
            int64 [n], in R · W, of those that are wanted.

        Returns
        -------
        logits, state, hidden
            As of `read`; [layers, n, E].

        Raises
        ------
        ValueError
            If there is no such layer, or layers cannot be told apart.
        """
        if self._watched is None:
            self._watched = Watched(self.model, self.layers)
        self._watched.check(layers)
        read = self._read_states.get(layers)
        if read is None:
            # Of each choice its own: two layers that say the same of one text are still two.
            read = self._read_states[layers] = Traced(self._looking_at(layers), self._patience)
        given = () if prefix is None else (prefix,)
        seen = self._state.beyond(tokens.shape[1], prefix)
        key = (*tokens.shape, len(pick), len(given), *seen, len(places))
        return read(places, tokens, positions, pick, *given, key=key)

    def read_block(
        self, tokens: torch.Tensor, positions: torch.Tensor, past: torch.Tensor | None
    ) -> torch.Tensor:
        """Keys and values [A, 2, G, W, D] of a prefix's next tokens int64 [1, W]; no logits."""
        given = () if past is None else (past,)
        key = (tokens.shape[1], len(given), *self._state.beyond(tokens.shape[1], past))
        (state,) = self._read_block(tokens, positions, *given, key=key)
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
        room = own.shape[4] if self._state.windows else 0
        key = (tokens.shape[0], mask.shape[-1], len(shared), room)
        (logits,) = self._step(tokens, positions, flat, mask, own, *shared, key=key)
        return logits

    def forget(self, buffer: torch.Tensor) -> None:
        """Let go of what was recorded of steps on a buffer that is going."""
        if isinstance(self._step, Graphed):
            self._step.forget(buffer)

    def _prepare(self) -> None:
        """Recorded forms of the kinds of pass."""
        numbers = sum(weight.numel() for weight in self.model.parameters())
        self._patience = patience = PATIENCE if numbers >= LARGE else 0
        self._read = Traced(self.read_plainly, patience)
        self._read_block = Traced(self.read_block_plainly, patience)
        self._watched = None
        self._read_states = {}
        self._step: Traced | Graphed = (
            Graphed(self.step_plainly, varying=4)
            if self.device.type == "cuda"
            else Traced(self.step_plainly, patience)
        )

    def read_plainly(
        self,
        tokens: torch.Tensor,
        positions: torch.Tensor,
        pick: torch.Tensor,
        prefix: torch.Tensor | None = None,
    ) -> Tensors:
        state = self._begin(prefix)
        logits = self._logits(tokens, positions, pick)
        return logits, self._fresh(state)

    def _looking_at(self, layers: tuple[int, ...]) -> Function:
        """`read_plainly` with some layers looked at, at places in R · W that come first."""

        def read(places: torch.Tensor, *given: torch.Tensor) -> Tensors:
            assert self._watched is not None
            with self._watched.looking(layers, places) as found:
                logits, state = self.read_plainly(*given)
            return logits, state, found()

        return read

    def read_block_plainly(
        self, tokens: torch.Tensor, positions: torch.Tensor, past: torch.Tensor | None = None
    ) -> Tensors:
        state = self._begin(past)
        self.model.base_model(input_ids=tokens, position_ids=positions, use_cache=False)
        return (self._fresh(state),)

    def step_plainly(
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
        self._state.begin(prefix)
        return self._state

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
        spare = -len(rows) % self.rows.unit
        if rows.device.type == "cpu" and spare and len(rows) > 1:
            rows = torch.cat([rows, rows[:1].expand(spare, -1)])
        return (rows.unsqueeze(1 if self._pick is None else 0),)

    def _take_attention_over(self, where: str) -> None:
        head: Any = self.model.get_output_embeddings()
        layers = [m for m in self.model.modules() if isinstance(getattr(m, "layer_idx", None), int)]
        if head is None or not layers:
            raise BeyondEngineError(
                f"agents.model: expected a model with a head and attention layers, got {where}"
            )
        if not isinstance(self.model, OwnModel):
            register()
            take_experts_over(self.model, where)
        try:
            self.model.set_attn_implementation(NAME)
        except (ValueError, NotImplementedError) as error:
            raise BeyondEngineError(
                f"agents.model: expected a model whose attention can be replaced, got {where}: "
                f"{error}"
            ) from error
        for layer in layers:
            layer.engine_state = self._state
        head.register_forward_pre_hook(self._pick_rows)
        for module in self.model.modules():
            if isinstance(module, torch.nn.Linear):
                module.weight = torch.nn.Parameter(as_multiplied(module.weight), False)
