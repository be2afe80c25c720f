"""How a model grades without a context: its own answers, and answers like the corpus's.

Dimensions: N answers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mgptn.experiments.cards.estimates import (
    DIFFERENCE,
    Values,
    difference,
    halved,
    inverse,
    left_out,
    proportion,
)
from mgptn.experiments.cards.exam import KINDS, Exam, corpus_answers, kinds_of
from mgptn.experiments.cards.parts import THRESHOLDS, Estimate, Grading, Judged, KindJudged, Rates
from mgptn.experiments.cards.subject import Answers, Grades, Subject
from mgptn.population.draws.streams import stream
from mgptn.population.measures.rates import auc, brier, calibration_error
from mgptn.protocols.tasks.bundled import Flags

NO_PAIR = "there are not both right and wrong answers"


def examine_grading(subject: Subject, exam: Exam, own: Answers, grades: Grades) -> Grading:
    """The model as grader; `grades` are those of its own sampled answers."""
    task = exam.task
    rng = stream(subject.seed, "card intervals", task.name, task.size, "grading")
    drawn, right = corpus_answers(exam, rng)
    corpus = subject.grade(exam, drawn)
    return Grading(
        own=judged(exam, own.texts, own.right, grades, rng),
        corpus=judged(exam, drawn, right, corpus, rng),
        generation=proportion(own.right),
        gap=left_out(_table(grades, own.right), _gap, NO_PAIR, DIFFERENCE),
    )


def judged(
    exam: Exam, answers: Sequence[str], right: Flags, grades: Grades, rng: np.random.Generator
) -> Judged:
    """Every measure of one grader's grades [N] of answers."""
    table = _table(grades, right)
    kinds = kinds_of(exam, answers, rng)
    values = grades.values
    return Judged(
        answers=len(right),
        right=int(right.sum()),
        unread=int(np.isnan(values).sum()),
        rates=tuple(rates(values, right, threshold) for threshold in THRESHOLDS),
        auc=left_out(table, lambda t: auc(t[:, 0], t[:, 1] > 0), NO_PAIR),
        calibration_error=left_out(
            table, lambda t: calibration_error(t[:, 0], t[:, 1] > 0), "no grade"
        ),
        brier=left_out(table, _brier, "no grade"),
        kinds={kind: _kind(values, right, kinds == kind) for kind in KINDS},
    )


def rates(values: npt.NDArray[np.float64], right: Flags, threshold: float) -> Rates:
    """Acceptance of grades [N] at a threshold."""
    tpr, fpr = acceptance(values, right, threshold)
    accepted = np.stack([values >= threshold, right], axis=1)[~np.isnan(values)]
    why = "no right answer accepted, or none wrong"
    odds = left_out(accepted, _fpr_over_tpr, why, (0.0, math.inf))
    if odds.value == 0.0 and fpr.high and tpr.low:
        odds = odds.model_copy(update={"low": 0.0, "high": fpr.high / tpr.low})
    gap = difference(tpr, fpr, NO_PAIR)
    return Rates(
        threshold=threshold,
        tpr=tpr,
        fpr=fpr,
        likelihood_ratio=inverse(odds, "no wrong answer was accepted"),
        youden_j=gap,
        balanced_accuracy=halved(gap),
    )


def acceptance(
    values: npt.NDArray[np.float64], right: Flags, threshold: float
) -> tuple[Estimate, Estimate]:
    """TPR and FPR of grades [N] at a threshold."""
    read = ~np.isnan(values)
    accepted = values >= threshold
    return (
        proportion(accepted[read & right], "no right answer"),
        proportion(accepted[read & ~right], "no wrong answer"),
    )


def youden(table: Values) -> float:
    """J of a table [N, 2] of accepted and right."""
    tpr, fpr = _tpr_fpr(table)
    return tpr - fpr


def _tpr_fpr(table: Values) -> tuple[float, float]:
    accepted, right = table[:, 0], table[:, 1]
    with np.errstate(invalid="ignore"):
        tpr = np.float64((accepted * right).sum()) / right.sum()
        fpr = np.float64((accepted * (1 - right)).sum()) / (1 - right).sum()
    return float(tpr), float(fpr)


def _fpr_over_tpr(table: Values) -> float:
    """1/Λ, which unlike Λ is finite for a grader that accepts no wrong answer."""
    tpr, fpr = _tpr_fpr(table)
    return fpr / tpr if tpr > 0 else float("nan")


def _gap(table: Values) -> float:
    """Balanced accuracy of grades less accuracy of answers, of a table of grades and right."""
    accepted = np.stack([table[:, 0] >= THRESHOLDS[-1], table[:, 1]], axis=1)
    return (1 + youden(accepted)) / 2 - float(table[:, 1].mean())


def _brier(table: Values) -> float:
    return brier(table[:, 0], table[:, 1] > 0)


def _kind(values: npt.NDArray[np.float64], right: Flags, of_kind: Flags) -> KindJudged:
    wrong = ~right & of_kind & ~np.isnan(values)
    against = right | wrong
    table = np.stack([values, right], axis=1)
    return KindJudged(
        fpr=tuple(proportion(values[wrong] >= at, "no such answer") for at in THRESHOLDS),
        auc=left_out(table[against], lambda t: auc(t[:, 0], t[:, 1] > 0), NO_PAIR),
        brier=left_out(table[wrong], _brier, "no such answer"),
    )


def _table(grades: Grades, right: Flags) -> Values:
    """Grades that could be read, and which of their answers are right, float64 [·, 2]."""
    read = ~np.isnan(grades.values)
    return np.stack([grades.values, right], axis=1)[read]
