"""Several graders: who grades whom how well, and whether they err on the same wrong answers.

Dimensions: K graders, A wrong answers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from mgptn.experiments.cards.estimates import DIFFERENCE, Values, difference, left_out
from mgptn.experiments.cards.exam import Exam, draw_contexts
from mgptn.experiments.cards.grading import NO_PAIR, acceptance
from mgptn.experiments.cards.parts import THRESHOLDS, Correlation, Estimate, Exchange
from mgptn.experiments.cards.subject import GRADE_MARKERS, Answers, Grades, Subject
from mgptn.population.draws.streams import stream
from mgptn.population.measures.judgement import phi

OWN_CONTEXTS = 4
OWN_EXAMPLES = 8
WRONG_ANSWERS = 1000
"""At most so many of the model's own wrong answers are graded by several."""

NEVER_ERRS = "one grader never errs, or always does"


def examine_exchange(
    subject: Subject,
    others: Sequence[Subject],
    exam: Exam,
    own: Answers,
    grades: Grades,
) -> tuple[Exchange, ...]:
    """Every model's grades of every model's sampled answers, the measured model's own included."""
    if not others:
        return ()
    models = (subject, *others)
    found = []
    for author in models:
        answers = own if author is subject else author.answer(exam, "zero-shot")
        for grader in models:
            known = author is subject and grader is subject
            given = grades if known else grader.grade(exam, answers.texts)
            tpr, fpr = acceptance(given.values, answers.right, THRESHOLDS[-1])
            found.append(
                Exchange(
                    grader=grader.name,
                    author=author.name,
                    tpr=tpr,
                    fpr=fpr,
                    youden_j=difference(tpr, fpr, NO_PAIR),
                )
            )
    return tuple(found)


def examine_correlation(
    subject: Subject, others: Sequence[Subject], exam: Exam, own: Answers
) -> tuple[Correlation, ...]:
    """Correlations of false acceptances of the model's own wrong answers, by what tells graders
    apart: their own examples, the persona that they are shown, or their weights."""
    task = exam.task
    rng = stream(subject.seed, "card graders", task.name, task.size)
    rows = np.flatnonzero(~own.right)[:WRONG_ANSWERS]
    wrong, answers = exam.take(rows), [own.texts[row] for row in rows]
    examples = min(OWN_EXAMPLES, subject.room(task, GRADE_MARKERS))
    contexts = draw_contexts(task, rng, np.zeros((OWN_CONTEXTS, examples), dtype=np.bool_))
    graders = {
        f"own context {i + 1}": subject.grade(wrong, answers, contexts=[context])
        for i, context in enumerate(contexts)
    }
    found = [_correlation(f"{examples} right examples of its own each", graders)]
    shown = [persona for persona in subject.personas if persona]
    if len(shown) > 1:
        found.append(
            _correlation(
                "another persona",
                {persona: subject.grade(wrong, answers, persona=persona) for persona in shown},
            )
        )
    if others:
        bare = subject.grade(wrong, answers)
        for other in others:
            what = "another seed" if other.shape == subject.shape else "another rung"
            pair = {subject.name: bare, other.name: other.grade(wrong, answers)}
            found.append(_correlation(what, pair))
    return tuple(found)


def mean_phi(errors: Values) -> float:
    """Mean phi coefficient over pairs of the columns of 0 and 1 [A, K] where it is defined."""
    defined = [value for value in _phis(errors) if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else math.nan


def _phis(errors: Values) -> list[float]:
    flags = errors > 0
    columns = range(flags.shape[1])
    return [phi(flags[:, i], flags[:, j]) for i, j in itertools.combinations(columns, 2)]


def _correlation(between: str, graders: Mapping[str, Grades]) -> Correlation:
    values = np.stack([grades.values for grades in graders.values()], axis=1)
    errors = (values >= THRESHOLDS[-1])[~np.isnan(values).any(axis=1)].astype(np.float64)
    phis = _phis(errors)
    why = NEVER_ERRS if len(errors) else "no wrong answer"
    estimate: Estimate = left_out(errors, mean_phi, why, DIFFERENCE)
    return Correlation(
        between=between,
        graders=tuple(graders),
        phi=estimate,
        pairs=len(phis),
        undefined=sum(map(math.isnan, phis)),
    )
