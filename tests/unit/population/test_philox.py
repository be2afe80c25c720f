"""Philox4x32-10 over arrays: the published vectors, a plain version, no matter how it is cut."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from mgptn.population.draws import philox
from mgptn.population.draws.philox import philox4x32
from mgptn.population.draws.streams import philox_key, uniforms

word = st.integers(0, 2**32 - 1)

# Random123's kat_vectors, "philox4x32 10": counter, key, words.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip


def numbers(text):
    return [int(part, 16) for part in text.split()]


def plain(counter, key):
    """One counter at a time, in Python's integers."""
    a, b, c, d = counter
    first, second = key
    for _ in range(10):
        left, right = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (
            (right >> 32) ^ b ^ first,
            right & 0xFFFFFFFF,
            (left >> 32) ^ d ^ second,
            left & 0xFFFFFFFF,
        )
        first, second = (first + 0x9E3779B9) % 2**32, (second + 0xBB67AE85) % 2**32
    return [a, b, c, d]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_the_published_vectors(counter, key, words):
    drawn = philox4x32(np.array(numbers(counter), dtype=np.uint32)[:, None], tuple(numbers(key)))
    assert drawn[:, 0].tolist() == numbers(words)
    assert plain(numbers(counter), numbers(key)) == numbers(words)


@settings(deadline=None)
@given(st.lists(st.tuples(word, word, word, word), max_size=9), st.tuples(word, word))
def test_arrays_draw_what_one_counter_at_a_time_draws(counters, key):
    table = np.array(counters, dtype=np.uint32).reshape(-1, 4).T
    before = table.copy()
    assert philox4x32(table, key).T.tolist() == [plain(c, key) for c in counters]
    assert (table == before).all()


def test_no_result_depends_on_how_many_are_drawn_together(monkeypatch):
    agents, problems = np.repeat(np.arange(50), 40), np.tile(np.arange(40), 50)
    key = philox_key(3, "answer", 1)
    whole = uniforms(key, agents, problems)
    monkeypatch.setattr(philox, "_BLOCK", 7)
    assert (uniforms(key, agents, problems) == whole).all()
    order = np.random.default_rng(0).permutation(2000)
    assert (uniforms(key, agents[order], problems[order]) == whole[:, order]).all()
    assert (uniforms(key, agents[77:78], problems[77:78]) == whole[:, 77:78]).all()


def test_every_coordinate_and_the_key_tell_draws_apart():
    at = [np.array([5]), np.array([6]), np.array([7])]
    key = philox_key(0, "answer", 1)
    drawn = {
        tuple(uniforms(key, *at)[:, 0]),
        tuple(uniforms(philox_key(0, "grade", 1), *at)[:, 0]),
        tuple(uniforms(key, np.array([5 + 2**32]), *at[1:])[:, 0]),
        tuple(uniforms(key, at[1], at[0], at[2])[:, 0]),
        tuple(uniforms(key, at[0], at[2], at[1])[:, 0]),
        tuple(uniforms(key, *at[:2])[:, 0]),
    }
    assert len(drawn) == 6


def test_neighbouring_counters_draw_evenly_and_apart():
    """χ² on 64 cells of 400 000 draws, of pairs within a counter, and of neighbours.

    False-alarm probability 1e-6 (3e-7 a test); the seed is fixed.
    """
    drawn = uniforms(
        philox_key(7, "even"), np.repeat(np.arange(1000), 100), np.tile(range(100), 1000)
    )
    eighths = (drawn * 8).astype(int)
    for cells in (
        (drawn * 64).astype(int).ravel(),
        (eighths[0] * 8 + eighths[1]),
        (eighths[2, ::2] * 8 + eighths[2, 1::2]),
    ):
        counts = np.bincount(cells, minlength=64)
        expected = counts.sum() / 64
        assert chi2.sf(((counts - expected) ** 2 / expected).sum(), 63) > 3e-7
    assert 0.0 <= drawn.min() <= drawn.max() < 1.0


def test_what_is_no_counter_or_key_is_refused():
    with pytest.raises(ValueError, match=r"counters: expected shape \[4, N\], got \(3, 2\)"):
        philox4x32(np.zeros((3, 2), dtype=np.uint32), (0, 0))
    with pytest.raises(ValueError, match="key: expected two words of 32 bits"):
        philox4x32(np.zeros((4, 2), dtype=np.uint32), (0, 2**32))
    for coordinates in ((), (np.arange(2),) * 4):
        with pytest.raises(ValueError, match="coordinates: expected one to three arrays"):
            uniforms((0, 0), *coordinates)
