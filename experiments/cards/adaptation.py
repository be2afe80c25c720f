"""What examples in a context do to a model's error, beside exact Bayes for the corpus's prior."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from mgptn.agents.training.corpus import SKILLS
from mgptn.experiments.cards.estimates import clustered_mean, distance
from mgptn.experiments.cards.exam import Exam, dealt, draw_contexts, exactly
from mgptn.experiments.cards.parts import Adapted
from mgptn.experiments.cards.subject import ANSWER_MARKERS, Subject
from mgptn.population.draws.streams import stream
from mgptn.population.theory.classification import posterior_error

EXAMPLES = (1, 4, 16)
QUARTERS = (0, 1, 2, 3, 4)

PROBLEMS_PER_CONTEXT = 64
"""Problems that are asked after the same examples, whose keys and values they share."""

LEAST_CONTEXTS = 8
"""Fewer would not tell how much contexts of a kind differ."""


def context_count(problems: int) -> int:
    """Contexts that so many problems are dealt to."""
    return max(min(LEAST_CONTEXTS, problems), problems // PROBLEMS_PER_CONTEXT)


def examine_adaptation(subject: Subject, exam: Exam, comparable: bool) -> tuple[Adapted, ...]:
    """The error for each number of examples that fits, and of wrong ones among them."""
    room = subject.room(exam.task, ANSWER_MARKERS)
    return tuple(
        _adapted(subject, exam, examples, examples * quarters // 4, comparable)
        for examples in EXAMPLES
        if examples <= room
        for quarters in QUARTERS
        if examples * quarters % 4 == 0
    )


def bayes_error(examples: int, wrong: int) -> float:
    """Error of whoever infers a writer's skill from examples, with the corpus's prior.

    Skills are equally common as long as no persona is shown.
    """
    errors = 1.0 - np.array(SKILLS)
    return posterior_error(errors, np.full(len(errors), 1 / len(errors)), examples, wrong)


def _adapted(subject: Subject, exam: Exam, examples: int, wrong: int, comparable: bool) -> Adapted:
    task, count = exam.task, context_count(len(exam))
    rng = stream(subject.seed, "card contexts", task.name, task.size, examples, wrong)
    contexts = draw_contexts(task, rng, exactly(rng, count, examples, wrong))
    answers = subject.answer(exam, f"after {examples} {wrong}", contexts=contexts)
    error = clustered_mean(~answers.right, dealt(len(exam), count), "no problem")
    bayes = round(bayes_error(examples, wrong), 6)
    return Adapted(
        examples=examples,
        wrong=wrong,
        error=error,
        bayes=bayes,
        gap=distance(error, bayes) if comparable else None,
    )
