"""The stack language: both interpreters, and everything that few words can compute."""

# SPDX-License-Identifier: Apache-2.0

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.draws.streams import stream
from mgptn.protocols.tasks.bundled import codes, text
from mgptn.protocols.tasks.programs.behaviours import PAIRS, behaviours, pairs
from mgptn.protocols.tasks.programs.language import (
    ALPHABET,
    LONGEST,
    RULES,
    STACK,
    STEPS,
    VALUES,
    WORDS,
    Ran,
    is_program,
    run,
)
from mgptn.protocols.tasks.programs.machine import FAILED, NONE, contents, passing, run_all

programs = st.text(ALPHABET, max_size=12)
stacks = st.lists(st.integers(0, VALUES - 1), max_size=STACK)


def fast(program, inputs):
    """What the fast interpreter says of one program and one stack."""
    results, steps = run_all(codes(program)[None], contents(np.array([inputs], dtype=np.int64)))
    return int(results[0, 0]), int(steps[0, 0])


@settings(deadline=None, max_examples=200)
@given(programs, stacks)
def test_both_interpreters_do_the_same_to_the_step(program, inputs):
    plain = run(program, inputs)
    result = NONE if plain.result is None else plain.result
    assert fast(program, inputs) == (result, plain.steps)


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=80), stacks)
def test_any_text_is_run_or_refused_and_ends(program, inputs):
    ran = run(program, inputs)
    assert (ran.end == "refused") == (not is_program(program))
    assert (ran.result is None) == (ran.end != "done")
    assert ran.result is None or 0 <= ran.result < VALUES
    assert ran.steps <= STEPS


def test_what_the_words_do():
    assert len(WORDS) == len(RULES) + 2 == 20
    said = {
        "0": 0, "1": 1, "2": 2, "5": 5, "d": 4, "p": 7, "s": 7, "o": 7, "+": 1, "-": 3, "*": 8,
        "v": 4, "^": 7, "e": 0, "g": 1, "n": 0, "h": 2, "": 4, ".": 4, "?": 7,
    }  # fmt: skip
    assert {word: run(word, (7, 4)).result for word in said} == said
    assert run("r", (1, 2, 3)).result == 1
    assert run("rr", (1, 2, 3)).result == 2
    assert run("?0", (3, 0)).result == 3  # skipped
    assert run("?0", (3, 1)).result == 0


def test_how_programs_end():
    assert run("+", (1,)) == Ran(None, 1, "underflow")
    assert run("d", (1, 2, 3, 4)) == Ran(None, 1, "overflow")
    assert run("p", (1,)) == Ran(None, 1, "empty")
    assert run("..@", (1, 2)) == Ran(None, STEPS, "endless")
    assert run("q", (1,)) == Ran(None, 0, "refused")
    assert run("1" * (LONGEST + 1), ()) == Ran(None, 0, "refused")
    assert run("d?@", (3, 9)).end == "endless"
    assert run("hso?@", (3, 9)).end == "done"
    assert run("d.." * 3, (1,)).steps == 3  # what does nothing costs nothing


def test_a_full_machine_holds_every_stack_once():
    every = [
        list(stack) for depth in range(STACK + 1) for stack in product(range(10), repeat=depth)
    ]
    held = [
        int(contents(np.array([stack], dtype=np.int64).reshape(1, len(stack)))[0])
        for stack in every[::7]
    ]
    assert held == list(range(0, FAILED, 7))


def test_what_passes_has_every_result():
    wanted = np.array([[(a + b) % 10 for a, b in PAIRS.tolist()]] * 3, dtype=np.int8)
    written = np.array([codes("+....."), codes("1?+..."), codes("-.....")])
    assert passing(written, pairs(), wanted).tolist() == [True, True, False]
    nearly = wanted.copy()
    nearly[0, 99] = 0
    assert passing(written, pairs(), nearly).tolist() == [False, True, False]


@pytest.mark.parametrize("size", [1, 2])
def test_behaviours_are_all_that_there_are(size):
    """Every program of one or two words, run plainly for every pair of inputs."""
    found = {}
    for words in (w for n in range(1, size + 1) for w in product(WORDS, repeat=n)):
        results = []
        for pair in PAIRS.tolist():
            result = run("".join(words), pair).result
            if result is None:
                break
            results.append(result)
        else:
            found.setdefault(tuple(results), len(words))
    known = behaviours(2)
    rows = known.results[: known.of_size(size).stop]
    assert {tuple(row.tolist()) for row in rows} == set(found)
    assert [found[tuple(row.tolist())] for row in rows] == known.sizes[: len(rows)].tolist()


def test_no_longer_program_does_what_a_shorter_one_was_not_known_to_do():
    """Programs of three and four words at random: whatever they compute is known, and as short."""
    known = behaviours(4)
    sizes = {row.tobytes(): size for row, size in zip(known.results, known.sizes, strict=True)}
    assert len(sizes) == len(known.results)
    letters, rng = codes(WORDS), stream(0, "behaviours")
    total = 0
    for length in (3, 4):
        results, _ = run_all(rng.choice(letters, size=(1500, length)), pairs())
        for row in results[(results != NONE).all(axis=1)]:
            assert sizes[row.tobytes()] <= length
            total += 1
    assert total > 300


def test_a_behaviours_program_computes_it():
    known = behaviours(4)
    results, _ = run_all(known.programs, pairs())
    assert np.array_equal(results, known.results)
    assert all(
        len(text(program).rstrip(".")) == size
        for program, size in zip(known.programs, known.sizes, strict=True)
    )
