"""Equal requests have equal bits in any company, whatever a model's sizes: held against each alone.

Alone, and plainly: one request a tile, every batch full, every block of a prefix whole.
"""

# SPDX-License-Identifier: Apache-2.0

from copy import copy
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.agents.hosts.fleet import run_tile
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.hosts.ways import Together
from mgptn.agents.layers.rows import Rows
from mgptn.agents.requests import Generate, Score
from mgptn.agents.tiles import plan
from tests.random_models import TINY, random_weights
from tests.served import host_of

ONE_HEAD = {"num_attention_heads": 1, "num_key_value_heads": 1}
SMALL = {"bos_token_id": None, "eos_token_id": None}
SIZES: dict[str, dict[str, Any]] = {
    "6 wide": {**ONE_HEAD, "hidden_size": 6, "intermediate_size": 14},
    "10 wide, 5 tokens": {
        **ONE_HEAD, **SMALL, "hidden_size": 10, "intermediate_size": 30, "vocab_size": 5,
    },
    "30 wide": {**ONE_HEAD, "hidden_size": 30, "intermediate_size": 50},
    "heads of 26": {
        "hidden_size": 130, "intermediate_size": 262, "num_attention_heads": 5,
        "num_key_value_heads": 5,
    },
    "nine heads": {
        "hidden_size": 72, "intermediate_size": 96, "num_attention_heads": 9,
        "num_key_value_heads": 3,
    },
    "11 tokens": {**SMALL, "vocab_size": 11},
}  # fmt: skip


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    @cache
    def made(name: str, dtype: str) -> TransformersHost:
        config = transformers.LlamaConfig(**TINY | SIZES[name])
        found = host_of(random_weights(tmp_path_factory.mktemp("model") / "m", config), dtype)
        assert found.forward.rows.any_number
        assert found.forward.rows.any_block
        return found

    return made


def alone(host: TransformersHost, request: Generate | Score, slots: int) -> Any:
    """A reply by the same weights in shapes that are always full, nothing known before."""
    (tile,) = plan([request], host.weights, slots).tiles
    plain, forward = copy(host), copy(host.forward)
    forward.rows = Rows(forward.rows.unit)
    plain.way = Together(forward, host.prefixes, 10**9)
    return run_tile(plain, tile).replies[0]


tokens = st.integers(0, 4)
contexts = st.sampled_from([0, 3, 17, 66]).map(lambda n: tuple((i * i + n) % 5 for i in range(n)))
asked = st.lists(
    st.tuples(contexts, st.lists(tokens, min_size=1, max_size=14), st.integers(0, 7)),
    min_size=2,
    max_size=9,
)


def check_bits(served, asked, slots, shuffle):
    """All requests together, then halves of them, against each alone."""
    requests = [
        Generate(prefix, tuple(own), (), count, 1.0, (0, i))
        if count
        else Score(prefix, tuple(own), ((0,), (1,), (2, 3)))
        for i, (prefix, own, count) in enumerate(asked)
    ]
    known = [repr(alone(served, request, slots)) for request in requests]
    order = list(range(len(requests)))
    shuffle.shuffle(order)
    served.forget_prefixes()
    for half in (order, order[::2], order[1::2]):  # all of them, then other company
        planned = plan([requests[i] for i in half], served.weights, slots)
        replies = planned.collect([run_tile(served, tile) for tile in planned.tiles])
        assert [repr(reply) for reply in replies] == [known[i] for i in half]


some = given(asked, st.sampled_from([2, 4, 9, 32]), st.randoms(use_true_random=False))


@pytest.mark.parametrize("name", list(SIZES))
@settings(deadline=None, max_examples=3, derandomize=True)
@some
def test_a_reply_has_the_bits_that_it_has_alone(host, name, asked, slots, shuffle):
    check_bits(host(name, "float32"), asked, slots, shuffle)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", list(SIZES))
@settings(deadline=None, max_examples=20, derandomize=True)
@some
def test_a_reply_has_the_bits_that_it_has_alone_again_and_again(
    host, name, dtype, asked, slots, shuffle
):
    check_bits(host(name, dtype), asked, slots, shuffle)


def test_answers_that_end_leave_no_row_behind(host):
    """Slots are given up as answers end, in whole fours; what goes on has the same bits."""
    served = host("nine heads", "float32")
    requests = [Generate((), (3, i), (), 1 + i % 12, 1.0, (1, i)) for i in range(24)]
    (tile,) = plan(requests, served.weights, 32).tiles
    reply = run_tile(served, tile)
    going = [sum(r.max_tokens > step for r in requests) for step in range(1, 12)]
    assert all(more > fewer for more, fewer in pairwise(going))
    assert reply.work.slots_idle == sum(-n % 4 for n in going)
    for request, found in zip(tile.requests, reply.replies, strict=True):
        assert isinstance(request, Generate)
        assert repr(found) == repr(alone(served, request, 32))
        assert torch.tensor(found.log_probabilities).isfinite().all()
