"""How a model answers without a context: errors, personas, requested levels, repeated samples."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from itertools import pairwise

import numpy as np

from mgptn.agents.training.corpus import PERSONA_SKILLS, SKILLS
from mgptn.experiments.cards.estimates import left_out, proportion
from mgptn.experiments.cards.exam import KINDS, Exam, kinds_of
from mgptn.experiments.cards.parts import Answering, AtDraws, AtLevel, AtPersona, Estimate
from mgptn.experiments.cards.subject import GREEDY, Answers, Subject
from mgptn.population.draws.streams import stream
from mgptn.population.measures.capability import pass_at_k
from mgptn.protocols.scale import LEVELS, RATERS
from mgptn.protocols.tasks.bundled import Flags

PASS_PROBLEMS = 64
PASS_SAMPLES = 256


def examine_answers(subject: Subject, exam: Exam, sampled: Answers) -> Answering:
    """Everything about answers that no context precedes; `sampled` are those to the bare query."""
    task = exam.task
    rng = stream(subject.seed, "card intervals", task.name, task.size, "answering")
    greedy = subject.answer(exam, "greedy", sampling_temperature=GREEDY)
    kinds = kinds_of(exam, sampled.texts, rng)[~sampled.right]
    requested = _requested(subject, exam)
    return Answering(
        sampled=proportion(~sampled.right),
        greedy=proportion(~greedy.right),
        unfinished=proportion(~sampled.finished),
        kinds={kind: proportion(kinds == kind, "no wrong answer") for kind in KINDS},
        pass_at_k=_repeated(subject, exam),
        personas=_personas(subject, exam, sampled),
        requested=requested,
        falls=falls([at.error for at in requested]) if requested else None,
    )


def persona_error(persona: str | None) -> float:
    """Error of a writer of a persona, or of none that is shown, in the corpus."""
    share = (1 / len(SKILLS),) * len(SKILLS) if persona is None else PERSONA_SKILLS[persona]
    return 1.0 - sum(p * skill for p, skill in zip(share, SKILLS, strict=True))


def level_error(level: str) -> float:
    """Error of the corpus's answers that raters put at a level."""
    after_right = np.mean(RATERS, axis=0)
    right, wrong = (rates[LEVELS.index(level)] for rates in (after_right, after_right[::-1]))
    skill = float(np.mean(SKILLS))
    return float(wrong * (1.0 - skill) / (wrong * (1.0 - skill) + right * skill))


def falls(errors: list[Estimate]) -> bool:
    """Is each error below the one before?"""
    values = [error.value for error in errors if error.value is not None]
    return all(later < earlier for earlier, later in pairwise(values))


def _personas(subject: Subject, exam: Exam, bare: Answers) -> tuple[AtPersona, ...] | None:
    if subject.personas == (None,):
        return None
    answers = {
        persona: bare if persona is None else subject.answer(exam, persona, persona=persona)
        for persona in subject.personas
    }
    return tuple(
        AtPersona(persona=persona, error=proportion(~a.right), bayes=persona_error(persona))
        for persona, a in answers.items()
    )


def _requested(subject: Subject, exam: Exam) -> tuple[AtLevel, ...] | None:
    if not subject.can_want:
        return None
    return tuple(
        AtLevel(
            level=level,
            error=proportion(~subject.answer(exam, f"want {level}", wanted=level).right),
            bayes=level_error(level),
        )
        for level in LEVELS
    )


def _repeated(subject: Subject, exam: Exam) -> tuple[AtDraws, ...]:
    """pass@k for k = 1, 2, 4, …, over a few problems with many samples each."""
    few = exam.first(PASS_PROBLEMS)
    many = few.take(np.repeat(np.arange(len(few)), PASS_SAMPLES))
    right: Flags = subject.answer(many, "repeated", shared_queries=True).right
    correct = right.reshape(len(few), PASS_SAMPLES).sum(axis=1)
    draws = [2**power for power in range(PASS_SAMPLES.bit_length())]
    return tuple(
        AtDraws(
            draws=k,
            passed=left_out(
                [pass_at_k(PASS_SAMPLES, int(count), k) for count in correct],
                lambda passed: float(passed.mean()),
                "no problem",
            ),
        )
        for k in draws
    )
