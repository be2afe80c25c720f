"""Formulas to be satisfied, or proved to be unsatisfiable: found by search, checked step by step.

Dimensions: N formulas, C clauses of one, V variables, L lemmas at most.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mgptn.protocols.proofs.checking import is_refutation
from mgptn.protocols.proofs.clauses import (
    EMPTY,
    MOST_VARIABLES,
    NEGATED,
    NOTHING,
    PLAIN,
    WIDTH,
    assignment,
    first_model,
    in_form,
    models_of,
    read_literals,
    satisfied,
    written_literals,
)
from mgptn.protocols.proofs.refuting import LEMMAS, follows, refutation, refute
from mgptn.protocols.tasks.bundled import (
    NEAR,
    PERSISTENT,
    BundledTask,
    Codes,
    Fields,
    Flags,
    Integers,
    Problems,
    codes,
    combine,
    constant,
)
from mgptn.protocols.tasks.task import Split

SATISFIED, REFUTED = "S", "P"
LEAVES = 8
"""Clauses that contradict each other: leaves of a tree that splits by a variable three times."""


class Proofs(BundledTask):
    """``1bca2d…=`` asks to satisfy a formula, ``S1b3d``, or to refute it, ``P1b.1..c4.…``.

    A clause has three places: ``1`` says the first variable, ``a`` its negation, and ``.`` nothing,
    so that ``1b.`` is x1 ∨ ¬x2. After ``S`` stands a literal of each variable; after ``P`` a proof
    in the sense of DRUP: clauses that each follow by unit propagation from all before them, and at
    last the empty one, ``...``. What is left of an answer's width is filled with dots. Half of the
    formulas can be satisfied: of eight clauses that contradict each other, a literal was turned
    round, as nothing else tells. The size is the number of variables; of clauses there are twice as
    many and two. The persistent error says what most clauses ask for each variable, or derives a
    literal that the question decides. Fields: the literals of clauses and answer.

    Source
    ------
    Goldberg & Novikov 2003, "Verification of proofs of unsatisfiability for CNF formulas".
    """

    name = "proofs"
    sizes = range(4, MOST_VARIABLES + 1)
    default_size = 4
    libraries = ("dratify",)

    def __init__(self, size: int = default_size) -> None:
        super().__init__(size)
        self.clauses = 2 * size + 2
        self.query_characters = WIDTH * self.clauses + 1
        self.max_answer_characters = 1 + WIDTH * (LEMMAS + 1)
        self.answer_alphabet = SATISFIED + REFUTED + PLAIN[:size] + NEGATED[:size] + EMPTY

    def propose(self, rng: np.random.Generator, count: int, split: Split) -> Fields:
        """Eight clauses that cannot hold together, and others; a coin says if one is mended."""
        mended = rng.random(count) < 0.5
        drawn = self._formulas_at_random(rng, mended)
        while (still := np.flatnonzero(mended & (models_of(self._formulas(drawn)) == 0))).size:
            drawn[still] = self._formulas_at_random(rng, mended[still])
        return drawn

    def split_keys(self, fields: Fields) -> npt.NDArray[np.uint64]:
        """Of the clauses, in whatever order."""
        digits = self._formulas(fields) + len(PLAIN)
        numbers = digits @ (2 * len(PLAIN) + 1) ** np.arange(WIDTH)
        return combine(np.sort(numbers, axis=1))

    def render(self, fields: Fields) -> Codes:
        """``1b.2c.…=``."""
        asked = fields[:, : WIDTH * self.clauses]
        return np.hstack([written_literals(asked), constant("=", len(fields))])

    def parse(self, query: str) -> Fields | None:
        """The clauses, and an answer that is found by trying all."""
        formula = self._read(query)
        if formula is None:
            return None
        models = models_of(formula)
        lemmas = None if models[0] else refute(formula[0], self.size)
        if not models[0] and lemmas is None:
            return None
        said = np.zeros((1, self.max_answer_characters - 1), dtype=np.int64)
        said[:, : self.size] = first_model(models, self.size)
        return self._fields_of(formula, said if lemmas is None else lemmas.reshape(1, -1))

    def answer(self, rng: np.random.Generator, fields: Fields) -> Codes:
        """The first assignment of those that satisfy it, or the refutation that it was made of."""
        said = fields[:, WIDTH * self.clauses :]
        return self._write(self._can(fields), said)

    def right(self, fields: Fields, answers: Codes) -> Flags:
        """By truth where an assignment is claimed, by unit propagation where a proof is."""
        formulas, said = self._formulas(fields), read_literals(answers[:, 1:])
        right = np.zeros(len(fields), dtype=np.bool_)
        claims = answers[:, 0] == ord(SATISFIED)
        given = said[:, : self.size]
        names = np.abs(given) == np.arange(1, self.size + 1)
        claims &= names.all(axis=1) & (said[:, self.size :] == 0).all(axis=1)
        right[claims] = satisfied(formulas[claims], given[claims])
        lemmas = said.reshape(len(said), -1, WIDTH)
        proofs = (answers[:, 0] == ord(REFUTED)) & in_form(lemmas, self.size).all(axis=1)
        empty = (lemmas == 0).all(axis=2)
        proofs &= empty[:, -1] & (empty[:, 1:] >= empty[:, :-1]).all(axis=1)
        before = np.cumsum(empty, axis=1) > 1  # an empty clause follows from another
        lemmas = np.where(before[..., None], NOTHING, lemmas)
        right[proofs] = follows(formulas[proofs], lemmas[proofs], self.size)
        return right

    def mistake(self, rng: np.random.Generator, problems: Problems, kinds: Integers) -> Codes:
        """A literal turned round; any claim of either kind; what the question decides."""
        count, formulas = len(kinds), self._formulas(problems.fields)
        can = self._can(problems.fields)
        said = read_literals(problems.references[:, 1:])
        turned = said.copy()
        written = said != 0
        which = (rng.random((count, 1)) * written.sum(axis=1, keepdims=True)).astype(np.int64)
        turned[written & (np.cumsum(written, axis=1) == which + 1)] *= -1
        key = self.split_keys(problems.fields)
        far = rng.integers(0, 2**self.size, size=count)
        persistent, random = (kinds == PERSISTENT)[:, None], self._any_lemmas(rng, count)
        claim = np.where(kinds == PERSISTENT, can, rng.random(count) < 0.5)
        given = np.where(persistent, self._commonest(formulas), assignment(far, self.size))
        lemma = np.zeros_like(random)
        lemma[:, 0] = _literal(key, self.size)
        given = np.pad(given, ((0, 0), (0, lemma.shape[1] - self.size)))
        lemmas = np.where(persistent, lemma, random)
        wrong = self._write(claim, np.where(claim[:, None], given, lemmas))
        near = np.hstack([problems.references[:, :1], written_literals(turned)])
        return np.where((kinds == NEAR)[:, None], near, wrong)

    def verify(self, query: str, answer: str) -> bool:
        """Right iff the assignment makes every clause true, or dratify accepts the proof."""
        if self._read(query) is None or not answer.isascii() or not answer:
            return False
        formula = _groups(query[:-1])
        claim, said = answer[0], answer[1:]
        if claim == SATISFIED:
            given, rest = said[: self.size], said[self.size :]
            pairs = zip(PLAIN[: self.size], NEGATED, strict=False)
            named = len(given) == self.size and all(
                letter in pair for letter, pair in zip(given, pairs, strict=True)
            )
            return (
                named
                and not rest.strip(EMPTY)
                and all(
                    any(letter in given for letter in clause if letter != EMPTY)
                    for clause in formula
                )
            )
        lemmas = _groups(said)
        if claim != REFUTED or not lemmas or not all(map(self._is_clause, lemmas)):
            return False
        first = next((i for i, lemma in enumerate(lemmas) if lemma == EMPTY * WIDTH), None)
        if first is None or any(lemma != EMPTY * WIDTH for lemma in lemmas[first:]):
            return False
        return is_refutation(list(map(_dimacs, formula)), list(map(_dimacs, lemmas[: first + 1])))

    def canonical(self, query: str) -> str:
        """The query with its clauses in order."""
        return "".join(sorted(_groups(query[:-1]))) + "="

    def _is_clause(self, group: str) -> bool:
        names = [PLAIN.find(c) if c in PLAIN else NEGATED.find(c) for c in group.rstrip(EMPTY)]
        known = all(0 <= name < self.size for name in names)
        return len(group) == WIDTH and known and len(set(names)) == len(names)

    def _read(self, query: str) -> Integers | None:
        """A query's clauses, int64 [1, C, 3], if they are in form and as many as asked about."""
        if len(query) != self.query_characters or not query.isascii() or query[-1] != "=":
            return None
        formula = self._formulas(read_literals(codes(query[:-1]))[None])
        return formula if (in_form(formula, self.size) & (formula[..., 1] != 0)).all() else None

    def _formulas(self, fields: Fields) -> Integers:
        asked = fields[:, : WIDTH * self.clauses]
        return asked.reshape(len(fields), self.clauses, WIDTH)

    def _can(self, fields: Fields) -> Flags:
        """Which formulas can be satisfied: those whose answer is one literal after another."""
        can: Flags = models_of(self._formulas(fields)) > 0
        return can

    def _fields_of(self, formulas: Integers, said: Integers) -> Fields:
        return np.hstack([formulas.reshape(len(formulas), -1), said])

    def _formulas_at_random(self, rng: np.random.Generator, mended: Flags) -> Fields:
        """The leaves of a tree of splits, which contradict each other, and clauses at random.

        Where they are mended, a literal of a leaf is turned round.
        """
        count = len(mended)
        sides = np.array([1, -1])
        order = np.argsort(rng.random((count, 1 + 2 + 4, self.size)), axis=2)
        leaves = np.zeros((count, 2, 2, 2, WIDTH), dtype=np.int64)
        root, seconds = order[:, 0, :1], []
        leaves[..., 0] = (root + 1)[:, :, None, None] * sides[:, None, None]
        for i in range(2):
            second = _first_other(order[:, 1 + i], root)
            seconds.append(second + 1)
            leaves[:, i, ..., 1] = (second + 1)[:, :, None] * sides[:, None]
            for j in range(2):
                third = _first_other(order[:, 3 + 2 * i + j], np.hstack([root, second]))
                leaves[:, i, j, :, 2] = (third + 1) * sides
        signs = rng.choice([-1, 1], size=(count, 3))
        splits = np.hstack([root + 1, *seconds])
        splits = np.where(signs[:, :1] > 0, splits, splits[:, [0, 2, 1]])  # b splits where a is
        lemmas = refutation(splits * signs)
        core = leaves.reshape(count, LEAVES, WIDTH)
        rows = np.flatnonzero(mended)
        core[rows, rng.integers(LEAVES, size=len(rows)), rng.integers(WIDTH, size=len(rows))] *= -1
        literals = np.concatenate([core, self._clauses(rng, count, self.clauses - LEAVES)], axis=1)
        literals = np.take_along_axis(literals, np.argsort(np.abs(literals), axis=2), axis=2)
        mixed = np.argsort(rng.random((count, self.clauses)), axis=1)
        formulas = np.take_along_axis(literals, mixed[..., None], axis=1)
        said = lemmas.reshape(count, -1)
        said[mended] = 0
        said[mended, : self.size] = first_model(models_of(formulas[mended]), self.size)
        return self._fields_of(formulas, said)

    def _clauses(self, rng: np.random.Generator, count: int, each: int) -> Integers:
        """Clauses of three literals at random, int64 [count, each, 3]."""
        names = np.argsort(rng.random((count, each, self.size)), axis=2)[..., :WIDTH] + 1
        literals: Integers = np.sort(names, axis=2) * rng.choice([-1, 1], size=names.shape)
        return literals

    def _write(self, can: Flags, said: Integers) -> Codes:
        """Answers of either kind, uint8 [N, A]."""
        claim = np.where(can, ord(SATISFIED), ord(REFUTED)).astype(np.uint8)
        return np.hstack([claim[:, None], written_literals(said)])

    def _commonest(self, formulas: Integers) -> Integers:
        """The assignment that gives each variable the sign that most clauses ask, int64 [N, V]."""
        names = np.arange(1, self.size + 1)
        signs = np.sign(formulas)[..., None] * (np.abs(formulas)[..., None] == names)
        return np.where(signs.sum(axis=(1, 2)) < 0, -names, names)

    def _any_lemmas(self, rng: np.random.Generator, count: int) -> Integers:
        """One to L clauses of a literal or two, and the empty one, int64 [count, A − 1]."""
        drawn = self._clauses(rng, count, LEMMAS + 1)
        drawn[..., 2] = 0
        drawn[..., 1] *= rng.random(drawn.shape[:2]) < 0.5
        many = rng.integers(1, LEMMAS + 1, size=count)
        drawn[np.arange(LEMMAS + 1) >= many[:, None]] = 0
        return drawn.reshape(count, -1)


def _first_other(order: Integers, taken: Integers) -> Integers:
    """The first of each order [N, V] that is not taken [N, T], int64 [N, 1]."""
    free = (order[..., None] != taken[:, None]).all(axis=2)
    first: Integers = np.take_along_axis(order, free.argmax(axis=1)[:, None], axis=1)
    return first


def _literal(key: npt.NDArray[np.uint64], variables: int) -> Integers:
    """A literal of the first variables that a number decides, int64 [N]."""
    which = (key % np.uint64(2 * variables)).astype(np.int64)
    return np.where(which < variables, which + 1, variables - which - 1)


def _groups(line: str) -> list[str]:
    """A text cut into clauses; the last may be too short."""
    return [line[place : place + WIDTH] for place in range(0, len(line), WIDTH)]


def _dimacs(group: str) -> list[int]:
    said = group.rstrip(EMPTY)
    return [PLAIN.find(c) + 1 if c in PLAIN else -NEGATED.find(c) - 1 for c in said]
