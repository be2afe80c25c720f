"""Cards of subjects whose errors and acceptance rates are known: what is measured is what is so.

Bounds are 5 standard errors, so a false alarm has probability 6e-7 for each.
"""

# SPDX-License-Identifier: Apache-2.0

import math
from collections.abc import Sequence

import numpy as np
import pytest

from mgptn.experiments.cards.adaptation import bayes_error, examine_adaptation
from mgptn.experiments.cards.contexts import examine_contexts
from mgptn.experiments.cards.exam import Exam, dealt, held_out_exam
from mgptn.experiments.cards.exchange import examine_correlation
from mgptn.experiments.cards.grading import examine_grading
from mgptn.experiments.cards.subject import NO_CONTEXT, Answers, Grades
from mgptn.population.draws.streams import stream
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import text

TPR, FPR, SHARED = 0.8, 0.3, 0.4
PROBLEMS = 4000


class Scripted:
    """Answers as exact Bayes would; accepts with TPR and FPR, on a share of draws as all others."""

    name, seed, shape, personas = "scripted", 0, (), (None,)

    def room(self, task: object, markers: int) -> int:
        return 16

    def answer(self, exam: Exam, purpose: str, *, contexts=NO_CONTEXT, **_: object) -> Answers:
        rng = stream(7, "scripted", purpose)
        errors = [
            bayes_error(len(c), sum(not exam.task.verify(q, a) for q, a in c)) for c in contexts
        ]
        error = np.array(errors)[dealt(len(exam), len(contexts))]
        wrong = exam.task.corrupt_batch(rng, exam.problems, rng.integers(0, 3, size=len(exam)))
        right = rng.random(len(exam)) >= error
        codes = np.where(right[:, None], exam.problems.references, wrong)
        return Answers(tuple(text(row) for row in codes), right, np.ones(len(exam), dtype=bool))

    def grade(self, exam: Exam, answers: Sequence[str], *, contexts=NO_CONTEXT) -> Grades:
        common = stream(7, "common", len(exam)).random(len(exam))
        rng = stream(7, "grades", *(q for c in contexts for q, _ in c))
        chosen = np.where(rng.random(len(exam)) < SHARED, common, rng.random(len(exam)))
        accepted = chosen < np.where(exam.right(answers), TPR, FPR)
        return Grades(np.where(accepted, 0.9, 0.1), np.ones(len(exam)))


@pytest.fixture(scope="module")
def exam() -> Exam:
    return held_out_exam(TASKS["composition"](2), PROBLEMS, stream(0, "test"))[0]


@pytest.fixture(scope="module")
def own(exam: Exam) -> Answers:
    return Scripted().answer(exam, "zero-shot")


def near(found, expected: float) -> None:
    """Within 5 standard errors of a proportion of as many."""
    error = math.sqrt(expected * (1 - expected) / found.n)
    assert found.value == pytest.approx(expected, abs=5 * error)


def covers(found, expected: float) -> None:
    """Within 5 standard errors, as its interval of 95 % gives them."""
    half = (found.high - found.low) / 2
    assert abs(found.value - expected) < 5 / 1.96 * half


def test_exact_bayes_has_no_gap(exam: Exam):
    cells = examine_adaptation(Scripted(), exam, comparable=True)
    assert [(c.examples, c.wrong) for c in cells] == [
        *((1, 0), (1, 1)),
        *((4, j) for j in range(5)),
        *((16, j) for j in range(0, 17, 4)),
    ]
    for cell in cells:
        near(cell.error, cell.bayes)
        assert cell.gap.low <= cell.gap.value <= cell.gap.high
    held = sum(cell.gap.low == 0.0 for cell in cells)
    assert held >= 8  # of 12 intervals of 95 %: 8 or fewer hold with probability 2e-3, seed fixed
    assert all(c.gap is None for c in examine_adaptation(Scripted(), exam.first(64), False))


def test_rates_are_those_of_the_script(exam: Exam, own: Answers):
    subject = Scripted()
    found = examine_grading(subject, exam, own, subject.grade(exam, own.texts))
    for judged in (found.own, found.corpus):
        for rates in judged.rates:
            near(rates.tpr, TPR)
            near(rates.fpr, FPR)
            covers(rates.youden_j, TPR - FPR)
            covers(rates.likelihood_ratio, TPR / FPR)
        # A grade of two values: AUC is the balanced accuracy.
        assert judged.auc.value == pytest.approx(judged.rates[-1].balanced_accuracy.value, abs=1e-5)
        assert judged.brier.value == pytest.approx(0.81 - 0.8 * _right_calls(judged), abs=1e-3)
    near(found.generation, 0.5)
    covers(found.gap, (1 + TPR - FPR) / 2 - 0.5)


def _right_calls(judged) -> float:
    """Share of answers that are accepted just if they are right: (.9 − 1)² = .01, else .81."""
    rates = judged.rates[-1]
    return (rates.tpr.count + rates.fpr.n - rates.fpr.count) / judged.answers


def test_graders_that_share_draws_are_correlated_by_the_share_squared(exam: Exam, own: Answers):
    (found,) = examine_correlation(Scripted(), [], exam, own)
    assert (found.pairs, found.undefined) == (6, 0)
    expected = SHARED**2
    assert found.phi.value == pytest.approx(expected, abs=5 / math.sqrt(found.phi.n))
    covers(found.phi, expected)


def test_a_context_that_changes_nothing_shifts_nothing(exam: Exam, own: Answers):
    subject = Scripted()
    empty, right, wrong = examine_contexts(subject, exam, own, subject.grade(exam, own.texts))
    assert empty.tpr_shift.value == empty.fpr_shift.value == 0.0
    for one in (right, wrong):
        near(one.tpr, TPR)
        near(one.fpr, FPR)
        covers(one.tpr_shift, 0.0)
        covers(one.fpr_shift, 0.0)
