"""Proofs of unsatisfiability: forged ones are refused, whoever checks, and real ones are found.

The plain checker here shares no code with dratify, nor with the arrays; python-sat is a third.
"""

# SPDX-License-Identifier: Apache-2.0

from itertools import product

import numpy as np
import pytest
from pysat.solvers import Glucose4

from mgptn.population.draws.streams import stream
from mgptn.protocols.proofs.checking import is_refutation
from mgptn.protocols.proofs.clauses import models_of
from mgptn.protocols.proofs.task import Proofs
from mgptn.protocols.tasks.bundled import text


def plainly(formula, lemmas):
    """Is it a refutation? Denied, each lemma is to lead to a clause that is false."""

    def conflict(clauses, true):
        true = set(true)
        while True:
            if any(-literal in true for literal in true):
                return True
            left = [[x for x in c if -x not in true] for c in clauses if not true & set(c)]
            if any(not c for c in left):
                return True
            units = {c[0] for c in left if len(c) == 1}
            if not units:
                return False
            true |= units

    known = [list(clause) for clause in formula]
    for lemma in lemmas:
        if not conflict(known, {-literal for literal in lemma}):
            return False
        known.append(list(lemma))
    return bool(lemmas) and not lemmas[-1]


def refuted(size, count, key=0):
    """Queries of formulas that cannot be satisfied, with their proofs."""
    task = Proofs(size)
    drawn = task.draw_batch(stream(key, "refuted"), 2 * count, "train")
    lines = zip(map(text, task.render(drawn.fields)), map(text, drawn.references), strict=True)
    return task, [(query, answer) for query, answer in lines if answer[0] == "P"]


def signed(line):
    """A text's clauses as lists of signed numbers, read without the task."""
    groups = [line[i : i + 3].rstrip(".") for i in range(0, len(line), 3)]
    return [[int(c) if c.isdigit() else -1 - "abcdefgh".index(c) for c in g] for g in groups]


def claimed(answer):
    """Lemmas up to the empty one; None where the text is no proof in form."""
    groups = [answer[i : i + 3] for i in range(1, len(answer), 3)]
    if any(len(g) < 3 or "." in g.rstrip(".") for g in groups) or "..." not in groups:
        return None
    first = groups.index("...")
    lemmas = signed(answer[1:])
    twice = any(len({*map(abs, lemma)}) < len(lemma) for lemma in lemmas)
    return None if any(lemmas[first:]) or twice else lemmas[: first + 1]


def test_examples_of_every_verdict():
    task = Proofs(4)
    formula = "12.1b.a2.ab." + "12." * 6 + "="
    for right in ("P1.....", "P1...........", "P12.1.....", "Pb..1.....", "P21.1....."):
        assert task.verify(formula, right), right
    for wrong in ("P...", "P1..", "P1..2..", "P3.....", "P1..2..3", "P11....", "P.1....", "P",
                  "P1.....1..", "S1234", "1..", "P5.....", "p1.....", "P1\n....",
                  "P1.....é"):  # fmt: skip
        assert not task.verify(formula, wrong), wrong
    can = "12.1b.a2.a2." + "12." * 6 + "="
    assert task.verify(can, "S1234")
    assert task.verify(can, "S12c4.....")
    for wrong in ("S1b34", "S123", "S1234.1", "S12345", "S1324", "P1.....", "S.234"):
        assert not task.verify(can, wrong), wrong
    assert not task.verify(formula[3:], "P1..")  # a clause too few
    assert not task.verify("1a." + formula[3:], "P1.....")  # a variable twice


@pytest.mark.parametrize("size", [4, 6])
def test_forged_proofs_are_refused(size):
    """Every change of a character or a clause of a proof, judged by three checkers alike."""
    task, proofs = refuted(size, 10)
    letters = task.answer_alphabet[2:]
    kept = refused = 0
    for query, answer in proofs:
        formula = signed(query[:-1])
        forged = {
            answer[:place] + letter + answer[place + 1 :]
            for place, letter in product(range(1, 10), letters)
        }
        groups = [answer[i : i + 3] for i in range(1, len(answer), 3)]
        forged |= {"P" + "".join(groups[:i] + groups[i + 1 :]) for i in range(len(groups))}
        forged |= {"P" + "".join(groups[:i]) for i in range(len(groups))}
        whole = [f for f in forged if len(f) == len(answer)]
        rows = np.frombuffer("".join(whole).encode(), np.uint8).reshape(len(whole), -1)
        fields = np.repeat(task.parse(query), len(whole), axis=0)
        fast = dict(zip(whole, task.right(fields, rows).tolist(), strict=True))
        for one in forged:
            said = task.verify(query, one)
            assert fast.get(one, said) == said, (query, one)
            lemmas = claimed(one)
            assert said == (lemmas is not None and plainly(formula, lemmas)), (query, one)
            kept, refused = kept + said, refused + (not said)
    assert kept > 20  # some changes leave a proof one: there are many proofs
    assert refused > 500


def test_nothing_proves_what_is_not_so():
    """No text is accepted against a formula that can be satisfied, by whatever lemmas."""
    task = Proofs(4)
    rng = stream(0, "nothing proves")
    drawn = task.draw_batch(rng, 400, "train")
    formulas = drawn.fields[:, :30].reshape(400, -1, 3)
    can = models_of(formulas) > 0
    for query, holds in zip(map(text, task.render(drawn.fields)), can, strict=True):
        with Glucose4(bootstrap_with=signed(query[:-1])) as solver:
            assert solver.solve() == holds
    some = type(drawn)(drawn.fields[can], drawn.references[can])
    for _ in range(20):
        claims = task.mistake(rng, some, np.ones(len(some.fields), dtype=np.int64))
        claims[:, 0] = ord("P")
        assert not task.right(some.fields, claims).any()


def test_a_solvers_own_proofs_are_accepted_and_broken_ones_are_not():
    """Larger formulas, Glucose's proofs: whole ones pass, ones without their lemmas do not."""
    rng = stream(0, "glucose")
    seen = 0
    for _ in range(10):
        names = np.argsort(rng.random((150, 25)), axis=1)[:, :3] + 1
        formula = (names * rng.choice([-1, 1], size=names.shape)).tolist()
        with Glucose4(bootstrap_with=formula, with_proof=True) as solver:
            assert not solver.solve()
            lines = [line.split() for line in solver.get_proof()]
        lemmas = [list(map(int, line[:-1])) for line in lines if line[0] != "d"]
        assert is_refutation(formula, lemmas)
        assert plainly(formula, lemmas)
        assert not is_refutation(formula, lemmas[:-1])
        assert not is_refutation(formula, [[]])
        assert not is_refutation(formula[5:60], lemmas)
        seen += len(lemmas)
    assert seen > 50


def test_half_of_the_formulas_can_be_satisfied_and_every_proof_has_a_lemma():
    """By a binomial bound, false-alarm probability below 1e-6: 4.9 deviations of 1,000."""
    drawn = Proofs(6).draw_batch(stream(0, "half"), 1000, "held-out")
    claims = drawn.references[:, 0] == ord("S")
    assert abs(claims.mean() - 0.5) < 4.9 * 0.5 / 1000**0.5
    assert (drawn.references[~claims, 1] != ord(".")).all()
    assert len({row.tobytes() for row in drawn.references[~claims]}) > 20


def test_no_answer_is_right_by_itself():
    """Whoever says the same to every formula is right about few of those of six variables."""
    drawn = Proofs(6).draw_batch(stream(0, "blind"), 500, "held-out")
    for said in [row.tobytes() for row in drawn.references[:60]]:
        answers = np.repeat(np.frombuffer(said, np.uint8)[None], 500, axis=0)
        assert Proofs(6).right(drawn.fields, answers).mean() < 0.3
