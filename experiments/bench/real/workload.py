"""A population's work on a model: what agents with contexts are asked, in tokens, as a run asks it.

Answers are greedy, so that all ways to write them can be held against each other; the answers that
are graded are given by whoever wrote them once, and are the same for all.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mgptn.agents.learning.numbers import Numbers
from mgptn.agents.requests import Generate, Generated, HostRequest, Score, Scored, TileReply
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.loop.founding import found_tournament
from mgptn.experiments.loop.hosted_step import HostedPlay
from mgptn.experiments.setting.stage import Stage
from mgptn.population.draws.streams import stream
from mgptn.population.records.agents import Agent, Example
from mgptn.population.records.population import Population
from mgptn.protocols.tasks.questions import Questions
from mgptn.protocols.tasks.task import Problem

PERSONAS = ("You answer as a careful teacher does.", "You answer as a quick student does.")

Answering = Callable[[list[Generate]], Sequence[Generated]]


@dataclass(frozen=True, slots=True)
class Size:
    """How much work there is.

    Attributes
    ----------
    problems
        That every agent answers.
    examples
        In an agent's context, its own.
    shots
        Graded answers that a grader is shown before its question: the rubric.
    """

    problems: int = 4
    agents: int = 8
    graders: int = 4
    examples: int = 4
    shots: int = 4


QUICK = Size(problems=1, agents=2, graders=1, examples=1, shots=2)


@dataclass(frozen=True, slots=True)
class Workload:
    """What every way to run a model is to do: answers, then grades of them; no request twice.

    Attributes
    ----------
    weights
        Hash of the model's files.
    slots
        Answers that the host writes at once: those that an agent gives.
    """

    weights: str
    slots: int
    answers: tuple[Generate, ...]
    grades: tuple[Score, ...]

    def as_plain(self) -> dict[str, Any]:
        """As JSON has it; `workload_of` reads it back."""
        return {
            "weights": self.weights,
            "slots": self.slots,
            "answers": [
                [r.prefix, r.suffix, r.stops, sorted(r.endings), r.max_tokens] for r in self.answers
            ],
            "grades": [[r.prefix, r.suffix, r.options] for r in self.grades],
        }

    def said(self) -> dict[str, float]:
        """Its size in numbers: mean tokens of prompts, and of prefixes among them."""

        def mean(lengths: Sequence[int]) -> float:
            return float(np.mean(lengths))

        return {
            "answers": len(self.answers),
            "answer_prefix": mean([len(r.prefix) for r in self.answers]),
            "answer_prompt": mean([len(r.prefix + r.suffix) for r in self.answers]),
            "grades": len(self.grades),
            "grade_prefix": mean([len(r.prefix) for r in self.grades]),
            "grade_prompt": mean([len(r.prefix + r.suffix) for r in self.grades]),
        }


def workload_of(plain: dict[str, Any]) -> Workload:
    """A workload from its plain form."""
    answers = tuple(
        greedy(Generate(tuple(p), tuple(s), tuple(stops), most, 1.0, (0, i), frozenset(ends)))
        for i, (p, s, stops, ends, most) in enumerate(plain["answers"])
    )
    grades = tuple(
        Score(tuple(p), tuple(s), tuple(map(tuple, options))) for p, s, options in plain["grades"]
    )
    return Workload(plain["weights"], plain["slots"], answers, grades)


def configured(model: str, size: Size, device: str, dtype: str, threads: int) -> RunConfig:
    """A run on the bundled questions, whose graders see their own examples and a rubric."""
    return check_config(
        {
            "name": "bench",
            "task": {"name": "questions", "file": "words.jsonl", "match": "mixed"},
            "population": {"size": size.agents, "generations": 1},
            "problems_per_generation": size.problems,
            "agents": {
                "model": model,
                "personas": list(PERSONAS),
                "context_capacity": size.examples,
            },
            "protocol": {
                "graders": size.graders,
                "grader_context": "own",
                "reading": "logits",
                "shots": size.shots,
            },
            "hosts": {
                "device": device, "dtype": dtype, "threads": threads, "slots": size.problems,
            },
        }
    )  # fmt: skip


def make_workload(stage: Stage, size: Size, answering: Answering) -> Workload:
    """A generation's requests, of agents that have full contexts; the answers to grade are asked.

    Raises
    ------
    ValueError
        If the task has too few problems for contexts of different examples.
    """
    tournament = found_tournament(stage.config, SELECTED)
    contexts = _contexts(stage, size)
    taught = tuple(map(_taught, tournament.agents, contexts))
    tournament.agents = Population.of(taught)
    play = HostedPlay(SELECTED, tournament, stage, Numbers())
    answers = _asked(play, answering)
    grades = _asked(play, answering)
    (checkpoint,) = stage.checkpoints.values()
    return Workload(
        checkpoint.weights,
        size.problems,
        tuple(r for r in answers if isinstance(r, Generate)),
        tuple(r for r in grades if isinstance(r, Score)),
    )


def greedy(request: Generate) -> Generate:
    """The same, with the likeliest token always."""
    return replace(request, top_k=1)


def _asked(play: HostedPlay, answering: Answering) -> list[HostRequest]:
    """What a round asks, each request once, prefixes that begin alike side by side; replied to."""
    planned = play.plan()
    requests = [
        greedy(r) if isinstance(r, Generate) else r
        for tile in planned.tiles
        for r in tile.requests
        if isinstance(r, Generate | Score)
    ]
    said = iter(answering([r for r in requests if isinstance(r, Generate)]))
    # Grades are of no consequence here, so that nobody is asked for them yet.
    replies = [
        next(said) if isinstance(r, Generate) else Scored((-1.0,) * len(r.options))
        for r in requests
    ]
    left = iter(replies)
    in_tiles = [TileReply(tuple(next(left) for _ in tile.requests)) for tile in planned.tiles]
    play.answer(planned, in_tiles)
    return requests


def _contexts(stage: Stage, size: Size) -> list[tuple[Example, ...]]:
    """For each agent other problems than any other's, with their right answers."""
    assert isinstance(stage.task, Questions)
    taken = {stage.task.canonical(p.query) for some in stage.problems for p in some}
    taken |= {stage.task.canonical(shown.query) for shown in stage.graded_shots}
    free = [p for p in stage.task.problems if stage.task.canonical(p.query) not in taken]
    needed = size.agents * size.examples
    if len(free) < needed:
        raise ValueError(f"problems: expected {needed} beside those asked, got {len(free)}")
    order = stream(0, "bench", "contexts").permutation(len(free))[:needed]
    chosen = [_example(free[i]) for i in order]
    each = size.examples
    return [tuple(chosen[i * each : (i + 1) * each]) for i in range(size.agents)]


def _example(problem: Problem) -> Example:
    return Example(problem.query, problem.reference)


def _taught(agent: Agent, context: tuple[Example, ...]) -> Agent:
    return agent.taught(context, len(context))
