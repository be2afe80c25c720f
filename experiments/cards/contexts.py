"""What a grader's own context and persona do to its grades, and to whether it gives one at all."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from mgptn.agents.training.corpus import SKILLS
from mgptn.experiments.cards.adaptation import context_count
from mgptn.experiments.cards.estimates import DIFFERENCE, SHARE, clustered_mean
from mgptn.experiments.cards.exam import Exam, dealt, draw_contexts
from mgptn.experiments.cards.parts import THRESHOLDS, GraderContext, Mass
from mgptn.experiments.cards.subject import GRADE_MARKERS, Answers, Grades, Subject
from mgptn.population.draws.streams import stream

EXAMPLES = 16
SHOWN = {"empty": 0.0, "right": 0.0, "wrong": 1.0}
"""What a grader sees → the share of its examples that are wrong."""

MASS_EXAMPLES = (0, 4, 16)
MASS_ANSWERS = 64
MASS_CONTEXTS = 4
WRITERS = {"good": SKILLS[-1], "bad": SKILLS[0]}


def examine_contexts(
    subject: Subject, exam: Exam, own: Answers, empty: Grades
) -> tuple[GraderContext, ...]:
    """Rates on the model's own answers of a grader that sees nothing, right, or wrong examples."""
    task, count = exam.task, context_count(len(exam))
    examples = min(EXAMPLES, subject.room(task, GRADE_MARKERS))
    places = dealt(len(exam), count)
    found = []
    for shown, share in SHOWN.items():
        rng = stream(subject.seed, "card grader contexts", task.name, task.size, shown)
        grades = empty
        if shown != "empty":
            contexts = draw_contexts(task, rng, np.full((count, examples), share > 0))
            grades = subject.grade(exam, own.texts, contexts=contexts)
        accepted = _accepted(grades)
        shift = accepted - _accepted(empty)
        tpr, tpr_shift = (
            clustered_mean(np.where(own.right, v, np.nan), places, "no right answer", span)
            for v, span in ((accepted, SHARE), (shift, DIFFERENCE))
        )
        fpr, fpr_shift = (
            clustered_mean(np.where(own.right, np.nan, v), places, "no wrong answer", span)
            for v, span in ((accepted, SHARE), (shift, DIFFERENCE))
        )
        found.append(
            GraderContext(
                context=shown,
                examples=0 if shown == "empty" else examples,
                tpr=tpr,
                fpr=fpr,
                tpr_shift=tpr_shift,
                fpr_shift=fpr_shift,
            )
        )
    return tuple(found)


def examine_mass(subject: Subject, exam: Exam, own: Answers) -> tuple[Mass, ...]:
    """The levels' total probability after every kind of context, on some of its own answers."""
    task, few = exam.task, exam.first(MASS_ANSWERS)
    room = subject.room(task, GRADE_MARKERS)
    found = []
    for persona in subject.personas:
        for examples in (min(n, room) for n in MASS_EXAMPLES):
            for writer, skill in WRITERS.items() if examples else ((None, 1.0),):
                name = (persona or "none", examples, writer or "none")
                rng = stream(subject.seed, "card mass", task.name, task.size, *name)
                wrong = rng.random((MASS_CONTEXTS, examples)) >= skill
                contexts = draw_contexts(task, rng, wrong)
                mass = subject.grade(
                    few, own.texts[: len(few)], contexts=contexts, persona=persona
                ).mass
                found.append(
                    Mass(
                        examples=examples,
                        writer=writer,
                        persona=persona,
                        minimum=round(float(mass.min()), 6),
                        mean=round(float(mass.mean()), 6),
                    )
                )
    return tuple(found)


def _accepted(grades: Grades) -> np.ndarray:
    """1 where accepted, 0 where not, NaN where not graded: float64 [N]."""
    return np.where(np.isnan(grades.values), np.nan, grades.values >= THRESHOLDS[-1])
