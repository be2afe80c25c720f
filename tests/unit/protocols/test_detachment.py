"""Condensed detachment: what it proves is true, and a plain checker that goes top-down agrees."""

# SPDX-License-Identifier: Apache-2.0

from itertools import product

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unification import reify, unify, var

from mgptn.population.draws.streams import stream
from mgptn.protocols.proofs.detachment import AXIOMS, Detachment, proved, theorems
from mgptn.protocols.proofs.terms import (
    IMPLIES,
    MOST_SYMBOLS,
    detached,
    read,
    renamed,
    symbols,
    written,
)
from mgptn.protocols.tasks.bundled import text


def is_tautology(term):
    """By its truth table."""
    names = sorted(set(written(term)) & set("abcdefgh*"))

    def value(term, true):
        if isinstance(term, int):
            return true[written(term)]
        if term[0] == "S":
            return not value(term[1], true)
        return not value(term[1], true) or value(term[2], true)

    rows = product((False, True), repeat=len(names))
    return all(value(term, dict(zip(names, row, strict=True))) for row in rows)


def top_down(proof, goal):
    """Does a proof prove a goal? What each step must conclude is handed down, and made to fit.

    Unknown formulas are strings ``?1``; a value that is found replaces them everywhere at once.
    """
    fresh = iter(range(10**6))
    needs = []

    def schema(text):
        """An axiom's term, with unknowns of its own for its letters."""
        mine = {}

        def fill(term):
            if isinstance(term, int):
                return mine.setdefault(term, f"?{next(fresh)}")
            return (term[0], *map(fill, term[1:]))

        return fill(read(text))

    def hand_down(place, wanted):
        """What a proof that begins at a place must conclude; where it ends."""
        if place >= len(proof) or proof[place] not in "R123":
            return None
        if proof[place] in AXIOMS:
            needs.append((schema(AXIOMS[proof[place]]), wanted))
            return place + 1
        between = f"?{next(fresh)}"
        after = hand_down(place + 1, ("P", between, wanted))
        return None if after is None else hand_down(after, between)

    def replace(term, name, value):
        if isinstance(term, tuple):
            return (term[0], *(replace(one, name, value) for one in term[1:]))
        return value if term == name else term

    def inside(name, term):
        return term == name or (isinstance(term, tuple) and any(inside(name, x) for x in term[1:]))

    if hand_down(0, goal) != len(proof):
        return False
    while needs:
        one, other = needs.pop()
        if one == other:
            continue
        if not isinstance(one, str):
            one, other = other, one
        if isinstance(one, str):
            if inside(one, other):
                return False
            needs = [(replace(a, one, other), replace(b, one, other)) for a, b in needs]
        elif isinstance(one, tuple) and isinstance(other, tuple) and one[0] == other[0]:
            needs += zip(one[1:], other[1:], strict=True)
        else:
            return False
    return True


def test_known_proofs_of_metamath():
    """As `pmproofs.txt` has them, with D for R: identity, and what follows from a contradiction."""
    assert written(proved("RR211")) == "Paa"
    assert written(proved("RR2R131")) == "PSaPab"
    assert detached(read("Pab"), read("Sc")) == 0
    assert detached(read("PPabb"), read("Sa")) is None
    assert detached(read("PPaSab"), read("PSbb")) is None  # a variable would be part of itself
    assert proved("R1") is None
    assert proved("11") is None
    assert proved("") is None


formulas = st.recursive(
    st.integers(0, 3),
    lambda parts: st.tuples(st.just("S"), parts) | st.tuples(st.just("P"), parts, parts),
    max_leaves=8,
)


def detached_by_a_library(major, minor):
    """By logical-unification, which finds no variable within its own value: networkx does."""

    def apart(term, names):
        if isinstance(term, int):
            return names[term]
        return (term[0], *(apart(part, names) for part in term[1:]))

    def variables(term):
        if isinstance(term, tuple):
            return {name for part in term[1:] for name in variables(part)}
        return {term}

    def plain(term, numbers):
        if isinstance(term, tuple):
            return (term[0], *(plain(part, numbers) for part in term[1:]))
        return numbers.setdefault(term, len(numbers))

    majors, minors = [var() for _ in range(4)], [var() for _ in range(4)]
    _, antecedent, consequent = apart(major, majors)
    found = unify(antecedent, apart(minor, minors), {})
    if found is False:
        return None
    within = networkx.DiGraph([(name, part) for name in found for part in variables(found[name])])
    if not networkx.is_directed_acyclic_graph(within):
        return None
    return plain(reify(consequent, found), {})


@settings(max_examples=300, deadline=None)
@given(st.tuples(st.just(IMPLIES), formulas, formulas), formulas)
def test_modus_ponens_is_as_general_as_a_library_has_it(major, minor):
    expected = detached_by_a_library(major, minor)
    found = detached(major, minor)
    if expected is not None and symbols(expected) > MOST_SYMBOLS:
        assert found is None
    else:
        assert found == expected
        assert found is None or renamed(found) == found


def test_everything_that_is_proved_is_true():
    known = theorems(6)
    assert len(known) == 198
    for term, proof in known:
        assert proved(proof) == term
        assert is_tautology(term)
        assert top_down(proof, term)


@pytest.mark.parametrize("size", [3, 5])
def test_forged_proofs_are_refused(size):
    """Every change of a symbol, and proofs that are cut or grow: both checkers say the same."""
    task = Detachment(size)
    drawn = task.draw_batch(stream(0, "forged"), 25, "train")
    kept = refused = 0
    for query, answer in zip(map(text, task.render(drawn.fields)), drawn.references, strict=True):
        proof = text(answer).rstrip(".")
        forged = {
            proof[:place] + symbol + proof[place + 1 :]
            for place, symbol in product(range(len(proof)), "R123")
        }
        forged |= {proof[:-1], proof[1:], proof + "1", "R" + proof + "1", "R1" + proof}
        fits = [one for one in forged if len(one) <= task.max_answer_characters]
        goal = read(query[:-1].rstrip("."))
        for one in fits:
            said = task.verify(query, one)
            assert said == top_down(one, goal), (query, one)
            assert not said or is_tautology(goal)
            kept, refused = kept + said, refused + (not said)
    assert kept >= 25
    assert refused > 150


def test_no_proof_of_what_is_not_true():
    """All proofs of up to four axioms, against formulas that are no tautologies."""
    task = Detachment(4)
    false = [q.ljust(21, ".") + "=" for q in ("a", "Pab", "Sa", "PaSa", "PPabPba")]
    for length in (1, 3, 5, 7):
        for proof in map("".join, product("R123", repeat=length)):
            if proof.count("R") == length // 2 and proved(proof) is not None:
                assert not any(task.verify(query, proof) for query in false)


def test_a_theorem_is_written_with_its_variables_as_they_come():
    task = Detachment(3)
    assert task.verify("PSaSa".ljust(21, ".") + "=", "RR211")
    assert not task.verify("PSbSb".ljust(21, ".") + "=", "RR211")
    assert task.reference("Paa".ljust(21, ".") + "=") == "RR211"
    assert np.all(task.draw_batch(stream(0, "x"), 50, "train").references[:, 1] != ord("."))


def test_formulas_that_would_be_too_long_are_not_written_down():
    """Each variable is made a pair of the next: 2^41 symbols, refused at once."""

    def doubling(count):
        pairs, halves = count, 200
        for name in reversed(range(count)):
            pairs = ("P", ("P", name, ("P", name + 1, name + 1)), pairs)
            halves = ("P", ("P", 100 + name, 100 + name), halves)
        return detached(("P", pairs, 0), halves)

    assert symbols(doubling(5)) == 2**6 - 1
    assert doubling(40) is None
