"""The engine's parts by themselves: numbers, draws, attention, prefixes, recordings."""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from mgptn.agents.engine.places import Places
from mgptn.agents.engine.prefixes import BLOCK, Prefixes
from mgptn.agents.engine.recording import Traced
from mgptn.agents.engine.sampling import draw, likeliest, philox, uniforms
from mgptn.agents.layers import attention
from mgptn.agents.layers.attention import Asked, AttentionState, attend
from mgptn.agents.layers.kernels import over, over_blocks, over_plainly
from mgptn.agents.requests import Work
from mgptn.population.draws.philox import philox4x32

CPU = torch.device("cpu")
MODEL = ("w", "")
word = st.integers(0, 2**32 - 1)


@settings(deadline=None)
@given(st.tuples(word, word, word, word), st.tuples(word, word))
def test_the_devices_philox_is_the_one_that_passes_the_published_vectors(counter, key):
    drawn = philox(torch.tensor(counter), torch.tensor(key))
    known = philox4x32(np.array(counter, dtype=np.uint32)[:, None], key)
    assert drawn.tolist() == known[:, 0].tolist()


def test_random123s_vector_of_ones():
    ones = torch.full((4,), 0xFFFFFFFF)
    assert philox(ones, ones[:2]).tolist() == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


def test_uniform_numbers_fill_the_unit_interval_and_depend_on_every_word():
    """Kolmogorov–Smirnov over 40 000 numbers; false-alarm probability 1e-7, at a fixed key."""
    numbers = uniforms(torch.tensor([[1, 2, 3, 4]]), 40_000)[0].numpy()
    assert 0 <= numbers.min() < numbers.max() < 1
    distance = np.abs(np.sort(numbers) - (np.arange(40_000) + 0.5) / 40_000).max()
    assert distance < math.sqrt(math.log(2 / 1e-7) / 2 / 40_000)
    keys = torch.tensor([[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert len(set(uniforms(keys, 1)[:, 0].tolist())) == 5
    assert torch.equal(uniforms(keys, 3), uniforms(keys, 9)[:, :3])


def drawn(logits, count, temperature=1.0, **filters):
    rows = torch.tensor(logits).expand(count, -1)
    points = uniforms(torch.arange(4 * count).view(count, 4), 1)[:, 0]
    given = {name: torch.full((count,), value) for name, value in filters.items()}
    return draw(rows, torch.full((count,), temperature), points, **given)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_tokens_come_as_often_as_softmax_says(temperature):
    """χ² of 60 000 draws; false-alarm probability 3e-7 each, the keys fixed."""
    logits = [0.0, 2.0, -1.0, 1.5, -3.0, 0.3]
    tokens, logs, readable = drawn(logits, 60_000, temperature)
    share = torch.softmax(torch.tensor(logits, dtype=torch.float64) / temperature, dim=0)
    expected = 60_000 * share.numpy()
    counts = np.bincount(tokens.numpy(), minlength=6)
    assert chi2.sf(((counts - expected) ** 2 / expected).sum(), 5) > 3e-7
    torch.testing.assert_close(logs, share.log()[tokens], atol=1e-6, rtol=0)
    assert readable.all()


@pytest.mark.parametrize(
    ("filters", "allowed"),
    [
        ({"top_k": 1, "top_p": 1.0}, [1]),
        ({"top_k": 3, "top_p": 1.0}, [1, 2, 3]),
        ({"top_k": 0, "top_p": 0.5}, [1, 3]),
        ({"top_k": 0, "top_p": 1e-9}, [1]),
        ({"top_k": 2, "top_p": 0.99}, [1, 3]),
    ],
)
def test_top_k_and_top_p_leave_the_likeliest_and_of_equals_the_first(filters, allowed):
    """χ² of 8 000 draws among what is left; false-alarm probability 1e-7 each, the keys fixed."""
    logits = [math.log(w) for w in (0.1, 0.4, 0.15, 0.35)]
    tokens, logs, _ = drawn(logits, 8000, **filters)
    share = torch.softmax(torch.tensor([logits[i] for i in allowed], dtype=torch.float64), 0)
    assert set(tokens.tolist()) == set(allowed)
    counts = np.array([(tokens == i).sum() for i in allowed])
    expected = 8000 * share.numpy()
    if len(allowed) > 1:
        assert chi2.sf(((counts - expected) ** 2 / expected).sum(), len(allowed) - 1) > 1e-7
    torch.testing.assert_close(
        logs, share.log()[[allowed.index(t) for t in tokens.tolist()]], atol=1e-6, rtol=0
    )
    ties, _, _ = drawn([1.0, 2.0, 2.0, 2.0], 50, top_k=1, top_p=1.0)
    assert set(ties.tolist()) == {1}


def test_the_likeliest_token_is_what_a_draw_among_one_token_gives():
    logits = torch.randn(9, 300, generator=torch.Generator().manual_seed(0))
    logits[0, 5:9] = 9.0  # equals: the first
    logits[1, 3], logits[2] = math.nan, -math.inf
    ones = torch.ones(9)
    wanted = draw(logits, 2 * ones, 0.7 * ones.double(), ones.long(), ones.double())
    found = likeliest(logits)
    readable = wanted[2]
    assert torch.equal(found[2], readable)
    assert readable.tolist() == [True, False, False, *[True] * 6]
    assert found[0][0] == 5
    for got, expected in zip(found, wanted, strict=True):
        assert got.dtype == expected.dtype
        assert torch.equal(got[readable], expected[readable])


def test_logits_that_are_no_numbers_are_said_to_be_unreadable():
    rows = torch.tensor([[0.0, 1.0], [math.nan, 0.0], [math.inf, 0.0], [-math.inf, 0.0]])
    _, _, readable = draw(rows, torch.ones(4), torch.full((4,), 0.5, dtype=torch.float64))
    assert readable.tolist() == [True, False, False, True]


def test_the_ends_of_the_distribution_function_are_tokens_that_have_weight():
    rows = torch.tensor([[-math.inf, 0.0, 0.0, -math.inf]]).expand(2, -1)
    points = torch.tensor([0.0, 1.0 - 2.0**-53], dtype=torch.float64)
    assert draw(rows, torch.ones(2), points)[0].tolist() == [1, 2]


@pytest.mark.parametrize("heads", [2, 4])
@pytest.mark.parametrize("causal", [True, False])
def test_the_fast_attention_is_the_plain_one(heads, causal):
    torch.manual_seed(0)
    query = torch.randn(3, 4, 7, 16)
    key, value = torch.randn(2, 3, heads, 7, 16)
    mask = None if causal else torch.zeros(3, 1, 1, 7).masked_fill_(torch.arange(7) > 4, -math.inf)
    for got, wanted in zip(
        over(query, key, value, None, causal=causal, mask=mask),
        over_plainly(query, key, value, None, causal=causal, mask=mask),
        strict=True,
    ):
        torch.testing.assert_close(got, wanted)


def test_attention_that_is_more_than_is_done_here_is_refused():
    query = torch.zeros(1, 1, 1, 4)
    with pytest.raises(NotImplementedError, match="expected attention without position_bias"):
        attend(torch.nn.Module(), query, query, query, None, position_bias=3.0)


def densely(query, key, value, asked):
    """Of one row [H, T, D], all at once: what it should be."""
    scores = query.double() @ key.double().mT * query.shape[-1] ** -0.5
    if asked.cap is not None:
        scores = asked.cap * torch.tanh(scores / asked.cap)
    place = torch.arange(query.shape[1])
    behind = place[:, None] - place
    hidden = (behind < 0) | (behind >= (asked.window or 10**6))
    scores = scores.masked_fill(hidden, -math.inf)
    if asked.sinks is not None:
        beside = asked.sinks.double()[:, None, None].expand(-1, len(place), 1)
        scores = torch.cat([scores, beside], dim=-1)
    weights = scores.softmax(-1)[..., : len(place)]
    return (weights @ value.double()).float().transpose(0, 1)


SINKS = torch.tensor([0.5, -1.0, 2.0, 4.0])
FURTHER = {
    "plain": Asked(),
    "window": Asked(window=9),
    "narrow": Asked(window=1),
    "wide": Asked(window=100),
    "cap": Asked(cap=1.5),
    "sinks": Asked(sinks=SINKS),
    "all": Asked(window=7, cap=1.5, sinks=SINKS),
}


@pytest.mark.parametrize("kernel", ["a processor's", "plain, and prefixes padded as on a GPU"])
@pytest.mark.parametrize("before", [0, 5, 20])
@pytest.mark.parametrize("name", list(FURTHER))
def test_the_parts_of_attention_are_merged_exactly(monkeypatch, name, before, kernel):
    """Rows that are read after a prefix and go on step by step, against all of it at once."""
    asked, padded = FURTHER[name], kernel != "a processor's"
    if padded:
        monkeypatch.setattr(attention, "over", over_plainly)
    torch.manual_seed(0)
    rows, width, steps = 2, 6, 8
    length = before + width + steps
    query = torch.randn(rows, 4, length, 16)
    key, value = torch.randn(2, rows, 4, length, 16)
    key[1, :, :before], value[1, :, :before] = key[0, :, :before], value[0, :, :before]
    known = torch.stack([densely(query[r], key[r], value[r], asked) for r in range(rows)])
    prefix = torch.stack([key[0, :, :before], value[0, :, :before]])[None] if before else None

    def part(tensor, start, end):
        return tensor[:, :, start:end].contiguous()

    state = AttentionState()
    state.begin(prefix)
    here = before, before + width
    read = state.attend(0, *(part(t, *here) for t in (query, key, value)), None, asked)
    torch.testing.assert_close(read, known[:, slice(*here)])
    own = torch.zeros(1, 2, rows, 4, 32, 16)
    own[0, :, :, :, :width] = torch.stack(state.fresh)
    shown = None
    if padded and prefix is not None:
        prefix = torch.nn.functional.pad(prefix, (0, 0, 0, 128 - before))
        shown = torch.zeros(128).masked_fill(torch.arange(128) >= before, -math.inf)
    for column in range(width, width + steps):
        state.begin(prefix)
        state.own, state.shown = own, shown
        state.flat = torch.arange(rows * 4) * 32 + column
        state.mask = torch.zeros(rows, 1, 1, 16).masked_fill(torch.arange(16) > column, -math.inf)
        here = before + column, before + column + 1
        step = state.attend(0, *(part(t, *here) for t in (query, key, value)), None, asked)
        torch.testing.assert_close(step, known[:, slice(*here)])


def test_keys_that_are_hidden_do_not_change_a_bit_where_scores_are_capped():
    torch.manual_seed(0)
    query = torch.randn(3, 4, 1, 16)
    key, value = torch.randn(2, 3, 2, 512, 16)
    mask = torch.zeros(3, 1, 1, 512).masked_fill_(torch.arange(512) > 40, -math.inf)
    first = over_blocks(query, key[:, :, :48], value[:, :, :48], None, mask[..., :48], 2.0)
    for keys in (64, 80, 256, 512):
        cut = (key[:, :, :keys], value[:, :, :keys], None, mask[..., :keys], 2.0)
        for got, wanted in zip(over_blocks(query, *cut), first, strict=True):
            assert torch.equal(got, wanted)


@pytest.mark.parametrize(("keys", "values"), [(16, 10), (10, 16)])
def test_keys_and_values_of_different_width_are_kept_side_by_side(keys, values):
    torch.manual_seed(0)
    module = torch.nn.Module()
    module.layer_idx, module.engine_state = 0, AttentionState()
    query, key = torch.randn(2, 1, 4, 6, keys)
    value = torch.randn(1, 4, 6, values)
    out, _ = attend(module, query, key, value, None)
    assert {t.shape[-1] for t in module.engine_state.fresh} == {16}
    torch.testing.assert_close(out[0], densely(query[0], key[0], value[0], Asked()))


class Counted:
    """Stands where a model would: keys and values that say which tokens stand before each."""

    def __init__(self):
        self.calls = 0

    def __call__(self, tokens, positions, past):
        self.calls += 1
        start = 0 if past is None else past.shape[3]
        assert positions[0, 0] == start
        before = 0.0 if past is None else float(past[0, 0, 0, -1, 0])
        hashed = torch.zeros(tokens.shape[1])
        for i, token in enumerate(tokens[0].tolist()):
            before = (before * 31 + token + 1) % 65_521
            hashed[i] = before
        return hashed.view(1, 1, 1, -1, 1).expand(2, 2, 1, -1, 3).clone()


def plainly(tokens):
    before, found = 0.0, []
    for token in tokens:
        before = (before * 31 + token + 1) % 65_521
        found.append(before)
    return found


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 200), st.integers(0, 3)), max_size=12),
    st.sampled_from([1, 40_000, 10**9]),
)
def test_prefixes_are_right_whatever_was_asked_before_and_has_been_forgotten(asked, limit):
    stems = [[(i * 7 + stem) % 41 for i in range(200)] for stem in range(3)]
    prefixes = Prefixes(Counted(), Places(), limit, CPU)
    for stem, length, last in asked:
        tokens = (*stems[stem][: length - 1], last)
        whole = prefixes.get(tokens, MODEL, Work())
        assert whole.shape == (2, 2, 1, length, 3)
        assert whole[1, 0, 0, :, 2].tolist() == plainly(tokens)
        assert sum(block.bytes for block in prefixes._blocks.values()) <= limit


def test_what_one_models_prefix_is_is_never_anothers():
    compute = Counted()
    prefixes, tokens = Prefixes(compute, Places(), 10**9, CPU), tuple(range(20))
    for model in (("w", ""), ("w", "changed"), ("v", "")):
        prefixes.get(tokens, model, Work())
    assert compute.calls == 3
    prefixes.get(tokens, ("w", "changed"), Work())
    assert compute.calls == 3


def test_what_is_computed_is_the_tree_of_prefixes():
    """Ones that extend each other, within a block and beyond, and ones that fork."""
    rng = np.random.default_rng(0)
    stem = tuple(rng.integers(0, 40, 300).tolist())
    asked = [stem[:n] for n in (5, 60, 64, 65, 128, 130, 300, 7)]
    asked += [(*stem[:n], 40, *stem[:20]) for n in (3, 70, 130)]
    prefixes, work = Prefixes(Counted(), Places(), 10**9, CPU), Work()
    for tokens in asked:
        prefixes.get(tokens, MODEL, work)
    nodes = {tokens[:end] for tokens in asked for end in range(1, len(tokens) + 1)}
    assert work.tokens_computed == len(nodes)
    assert work.prefix_evictions == 0
    assert (work.tokens_computed + work.tokens_padded) % BLOCK["cpu"] == 0


def test_the_beginning_of_a_long_prefix_outlives_its_end():
    compute = Counted()
    long = tuple(range(3 * BLOCK["cpu"]))
    size = 2 * 2 * BLOCK["cpu"] * 3 * 4
    prefixes, work = Prefixes(compute, Places(), 2 * size, CPU), Work()
    prefixes.get(long, MODEL, work)
    assert (compute.calls, work.prefix_evictions) == (3, 1)
    prefixes.get(long[: 2 * BLOCK["cpu"]], MODEL, work)
    assert compute.calls == 3


def test_a_recording_gives_the_functions_bits_and_is_not_run_in_python():
    ran = []

    def function(x, y):
        ran.append(1)
        return (torch.sin(x) @ y, x.sum(0))

    recorded = Traced(function)
    for rows in (3, 5):
        args = torch.randn(rows, 4), torch.randn(4, 2)
        for _ in range(2):
            for got, wanted in zip(recorded(*args, key=rows), function(*args), strict=True):
                assert torch.equal(got, wanted)
    before = len(ran)
    recorded(torch.randn(5, 4), torch.randn(4, 2), key=5)
    assert len(ran) == before


def test_where_values_decide_what_is_done_nothing_is_recorded():
    def function(x):
        return (x + 1 if bool(x.sum() > 0) else x - 1,)

    recorded = Traced(function)
    for sign in (1.0, -1.0, 1.0):
        assert recorded(torch.full((2,), sign), key=2)[0].tolist() == [2 * sign] * 2


def test_where_a_shape_decides_what_is_done_each_has_its_own_recording():
    def function(x):
        return (x * x.shape[0] if x.shape[0] > 2 else x - 1,)

    recorded = Traced(function)
    for rows in (2, 3, 4, 2, 3, 4):
        x = torch.arange(rows).float()
        assert torch.equal(recorded(x, key=rows)[0], function(x)[0])


def test_a_shape_that_does_not_come_often_is_not_recorded():
    ran = []

    def function(x):
        ran.append(len(x))
        return (x * 2,)

    recorded = Traced(function, patience=2)
    for rows in (3, 5, 3, 3, 3, 3):
        assert torch.equal(recorded(torch.ones(rows), key=rows)[0], torch.full((rows,), 2.0))
    # Twice plainly, then once more with a trace made of it, and no more after that.
    assert ran == [3, 5, 3, 3, 3]
