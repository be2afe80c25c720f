"""Adversaries on hosts: what agents of a role say in place of what their model said.

Applied to each reply as it comes in, so that a protocol goes on from what was said. A vote by
answering, as in the protocol of majority, is an answer: of graders' roles only flattery touches it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mgptn.experiments.seats.asking import Cast
from mgptn.experiments.seats.reading import part_that_counts
from mgptn.population.draws.streams import stream
from mgptn.population.judging.roles import FLATTERER, RANDOM, SABOTEUR, adjusted_grade
from mgptn.population.records.agents import ORDINARY
from mgptn.protocols.messages import (
    AUTHOR,
    AnswerReply,
    AnswerRequest,
    CompareReply,
    GradeReply,
    Reply,
    Request,
    RevisionRequest,
)
from mgptn.protocols.tasks.bundled import NEAR, PERSISTENT, BundledTask, Problems, codes, text
from mgptn.protocols.tasks.bundled import RANDOM as ANY
from mgptn.protocols.tasks.task import Problem, Task

ERROR_KINDS: dict[str, int] = {"near": NEAR, "random": ANY, "persistent": PERSISTENT}
"""Kinds of wrong answers of a bundled task, by name."""


def as_said(reply: Reply, request: Request, cast: Cast, task: Task, kind: str, seed: int) -> Reply:
    """A reply as an agent of the seat's role gives it.

    Parameters
    ----------
    kind
        In `ERROR_KINDS`: of a flatterer's wrong answers.
    seed
        Of the run.
    """
    role = cast.seats[request.seat].genome.role
    if role == ORDINARY:
        return reply
    place = cast.generation, cast.match.author, cast.match.problem, request.seat
    if isinstance(reply, GradeReply):
        # Only who draws its grade needs a number.
        drawn = stream(seed, "adversary", *place).random() if role == RANDOM else 0.0
        author = cast.seats[AUTHOR].genome.role
        return replace(reply, levels=adjusted_grade(role, reply.levels, author, drawn))
    if isinstance(reply, CompareReply) and reply.first is not None:
        if role == SABOTEUR:
            return replace(reply, first=1.0 - reply.first)
        if role == RANDOM:
            return replace(reply, first=float(stream(seed, "adversary", *place).random()))
    if (
        role == FLATTERER
        and isinstance(reply, AnswerReply)
        and isinstance(request, AnswerRequest | RevisionRequest)
    ):
        rng = stream(seed, "flattery", *place)
        wrong = flattery(cast.problem, task, kind, rng)
        part = part_that_counts(cast.problem.query, wrong, task)
        return replace(reply, text=wrong, finished=True, part=part)
    return reply


def flattery(problem: Problem, task: Task, kind: str, rng: np.random.Generator) -> str:
    """A wrong answer of a kind; of any kind where the task is not one that has kinds."""
    fields = task.parse(problem.query) if isinstance(task, BundledTask) else None
    if not isinstance(task, BundledTask) or fields is None:
        return task.corrupt(problem, rng)
    problems = Problems(fields, codes(problem.reference)[None])
    return text(task.corrupt_batch(rng, problems, np.array([ERROR_KINDS[kind]]))[0])
