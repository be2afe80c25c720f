"""How many rows are computed where some are needed, and what leaves nothing over."""

# SPDX-License-Identifier: Apache-2.0

from math import gcd

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.llama.modeling_llama import LlamaMLP

from mgptn.agents.checkpoints import BeyondEngineError
from mgptn.agents.engine.forward import Forward
from mgptn.agents.layers.products import FEWEST_OUTPUTS, widen_outputs
from mgptn.agents.layers.rows import (
    Rows,
    rows_stand_alone,
    turn,
    unit_of,
    wholly,
)
from mgptn.agents.tiles import LEAST_ROWS, whole_rows
from tests.random_models import TINY, random_weights

CPU = torch.device("cpu")
units = st.sampled_from([4, 8, 16, 64])


@settings(deadline=None)
@given(units, st.integers(1, 300), st.integers(1, 300), st.integers(1, 40))
def test_a_batch_has_room_in_whole_units_and_no_more_than_the_plan_has(unit, most, needed, width):
    needed = min(needed, most)
    rows = Rows(unit, any_number=True)
    height, fixed = (r.height(most, needed, width) for r in (rows, Rows(unit)))
    assert needed <= height <= fixed
    assert fixed == Rows(unit).height(most, 1, width)  # whatever is needed
    assert fixed < most + unit
    assert height * width % unit == 0 or most * width == 1
    assert rows.height(most, most, width) == fixed
    # An eighth of a full batch, or a unit, is the most that is spare.
    assert height - needed < max(LEAST_ROWS, unit // gcd(unit, width), fixed // 8 + unit)


@pytest.mark.parametrize("slots", [1, 2, 4, 5, 32, 64])
def test_slots_are_those_of_the_plan_where_a_model_asks_for_no_more(slots):
    assert Rows().height(whole_rows(slots), 1) == whole_rows(slots)


@given(units, st.integers(1, 64))
def test_a_block_is_computed_in_whole_vectors_of_keys(unit, tokens):
    assert Rows(unit).block(64, tokens) == 64
    found = Rows(unit, any_block=True).block(64, tokens)
    assert tokens <= found <= 64
    assert found % 16 == found % unit == 0


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 70), st.sampled_from([torch.float32, torch.float64]))
def test_functions_of_numbers_leave_nothing_over(rows, width, dtype):
    given = torch.randn(rows, width, generator=torch.Generator().manual_seed(rows), dtype=dtype)
    for function in (torch.exp, torch.sigmoid):
        known = function(given.view(-1, 1).expand(-1, 2 * turn(dtype)).contiguous())[:, 0]
        assert torch.equal(wholly(function, given).flatten(), known)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    ("sizes", "fewest"),
    [({}, 8), ({"hidden_size": 48}, 4), ({"intermediate_size": 70}, 2), ({"vocab_size": 263}, 8)],
)
def test_a_unit_fills_turns_of_every_width_but_the_vocabularys(sizes, fewest, threads, monkeypatch):
    """`fewest` is the largest power of two in all widths, heads of 8 and of 12 among them."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**TINY | sizes))
    unit = unit_of(model, torch.float32)
    whole = turn(torch.float32) * min(2, threads)
    assert unit == max(LEAST_ROWS, whole // fewest)
    assert unit * TINY["intermediate_size"] % whole == 0


def test_layers_of_few_outputs_say_what_they_said():
    layers = torch.nn.ModuleList(torch.nn.Linear(7, n, bias=n % 2 == 0) for n in (1, 5, 12, 40))
    given = torch.randn(3, 4, 7)
    known = [layer(given) for layer in layers]
    widen_outputs(layers)
    for layer, expected in zip(layers, known, strict=True):
        assert ("forward" in vars(layer)) == (layer.out_features < FEWEST_OUTPUTS)
        torch.testing.assert_close(layer(given), expected)


class Counting(torch.nn.Linear):
    """Its bits say how many rows there are."""

    def forward(self, given):
        return super().forward(given) + len(given) * 1e-4


class Placing(torch.nn.Linear):
    """Its bits say which row of four is the last."""

    def forward(self, given):
        return super().forward(given) * (1 + 1e-4 * (torch.arange(len(given)) % 4 == 3)[:, None])


@pytest.mark.parametrize("kind", [Counting, Placing])
def test_kernels_that_show_how_many_rows_there_are_or_where_are_seen(kind):
    with torch.inference_mode():
        assert rows_stand_alone(torch.nn.Sequential(torch.nn.Linear(32, 32)), 2, 16)
        assert not rows_stand_alone(torch.nn.Sequential(kind(32, 32)), 2, 16)


@pytest.fixture
def llama(tmp_path):
    return random_weights(tmp_path / "llama", transformers.LlamaConfig(**TINY))


def changed(monkeypatch, change):
    plain = LlamaMLP.forward
    monkeypatch.setattr(LlamaMLP, "forward", lambda self, given: change(plain(self, given)))


def test_what_is_left_over_at_an_arrays_end_is_seen_as_a_model_is_loaded(llama, monkeypatch):
    def last_ones(out):
        out = out.clone()
        out.view(-1)[-2:] *= 1 + 1e-5
        return out

    changed(monkeypatch, last_ones)
    with pytest.raises(BeyondEngineError, match="its bits depend on the company it is in"):
        Forward(llama, CPU, torch.float32)


def test_where_the_number_of_rows_shows_each_batch_is_full(llama, monkeypatch):
    assert Forward(llama, CPU, torch.float32).rows == Rows(LEAST_ROWS, True, True)
    changed(monkeypatch, lambda out: out * (1 + 1e-5 * (out.shape[:-1].numel() > 16)))
    rows = Forward(llama, CPU, torch.float32).rows
    assert not rows.any_number
    assert rows.height(32, 5) == 32
    assert rows.block(64, 5) == 64
