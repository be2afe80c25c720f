"""Random streams: equal names draw alike everywhere, unequal names do not."""

# SPDX-License-Identifier: Apache-2.0

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from mgptn.population.draws.streams import PhiloxKeys, keyed_generator, philox_key, stream

pure = settings(deadline=None, max_examples=100)
coordinates = st.lists(st.one_of(st.integers(), st.text(max_size=6)), max_size=4).map(tuple)

NAMES = [
    (0, "answer", 3, 14, 7),
    (0, "births", 3),
    (2**80, "größe", "ein Wort", -5),
    (1, ""),
]

DRAW = """
import sys
from mgptn.population.draws.streams import stream
for name in {names!r}:
    print(stream(*name).integers(2**63, size=4).tolist(), hash("salted"))
"""


@pytest.mark.parametrize("salt", ["1", "4242"])
def test_equal_names_draw_alike_in_a_process_with_other_string_hashes(salt):
    run = subprocess.run(
        [sys.executable, "-c", DRAW.format(names=NAMES)],
        env={**os.environ, "PYTHONHASHSEED": salt},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.rpartition(" ") for line in run.stdout.splitlines()]
    assert [drawn for drawn, _, _ in lines] == [
        str(stream(*name).integers(2**63, size=4).tolist()) for name in NAMES
    ]
    assert {int(salted) for _, _, salted in lines} != {hash("salted")}


@pure
@given(st.integers(0, 2**70), st.text(max_size=6), coordinates)
def test_equal_names_give_equal_keys_of_two_words(seed, purpose, where):
    key = philox_key(seed, purpose, *where)
    assert key == philox_key(seed, purpose, *where)
    assert all(0 <= word < 2**64 for word in key)
    plain = np.random.Generator(np.random.Philox(key=np.array(key, dtype=np.uint64)))
    assert keyed_generator(key).integers(9, size=7).tolist() == plain.integers(9, size=7).tolist()
    assert (
        keyed_generator(key).random(3).tolist() == stream(seed, purpose, *where).random(3).tolist()
    )


@pure
@given(st.integers(0, 99), st.text(max_size=3), coordinates, coordinates, coordinates)
def test_names_that_begin_alike_have_the_keys_of_whole_names(seed, purpose, first, second, third):
    begun = PhiloxKeys(seed, purpose, *first)
    assert begun.under(*second).at(*third) == philox_key(seed, purpose, *first, *second, *third)
    assert begun.at(*third) == philox_key(seed, purpose, *first, *third)  # and is as it was


@pure
@given(
    st.tuples(st.integers(0, 99), st.text(max_size=3), coordinates),
    st.tuples(st.integers(0, 99), st.text(max_size=3), coordinates),
)
def test_unequal_names_give_unequal_keys(one, other):
    """A clash of two 128-bit hashes is the only false alarm: far below 1e-6."""
    if one != other:
        assert philox_key(*one[:2], *one[2]) != philox_key(*other[:2], *other[2])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((0, "answer", 1), (1, "answer", 1)),
        ((0, "answer", 1), (0, "births", 1)),
        ((0, "answer", 1, 2), (0, "answer", 2, 1)),
        ((0, "answer", "1"), (0, "answer", 1)),
        ((0, "answer", 12, 3), (0, "answer", 1, 23)),
        ((0, "answer", "a", "b"), (0, "answer", "ab")),
        ((0, "answer", "i1"), (0, "answer", 1)),
        ((0, "answer"), (0, "answer", "")),
        ((0, "answer", 1), (0, "answer", -1)),
        ((0, "a", "b"), (0, "ab")),
    ],
)
def test_names_that_look_alike_are_apart(one, other):
    assert philox_key(*one) != philox_key(*other)
    assert stream(*one).random(4).tolist() != stream(*other).random(4).tolist()


def test_numpy_integers_name_what_python_integers_name():
    assert philox_key(5, "answer", np.int64(3), np.uint8(7)) == philox_key(5, "answer", 3, 7)


def test_neighbouring_streams_are_independent():
    """First draws of 16 000 neighbouring streams, and pairs of neighbours, χ² on 64 cells each.

    False-alarm probability 1e-6 (5e-7 a test); the seed is fixed.
    """
    first = np.array([stream(7, "answer", g, a).random() for g in range(100) for a in range(160)])
    cells = np.bincount((first * 64).astype(int), minlength=64)
    pairs = (first.reshape(-1, 2) * 8).astype(int)
    joint = np.bincount(pairs[:, 0] * 8 + pairs[:, 1], minlength=64)
    for counts in (cells, joint):
        expected = counts.sum() / 64
        assert chi2.sf(((counts - expected) ** 2 / expected).sum(), 63) > 5e-7


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match=r"seed: expected an integer ≥ 0, got -1"):
        philox_key(-1, "answer")


@pytest.mark.parametrize("coordinate", [1.0, True, None, (1,), b"1", np.float64(1), np.bool_(1)])
def test_other_coordinates_are_refused(coordinate):
    with pytest.raises(TypeError, match="coordinate: expected an integer or a string"):
        philox_key(0, "answer", coordinate)
