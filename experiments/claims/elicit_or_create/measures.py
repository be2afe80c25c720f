"""What claim 9 measures: a base model and populations raised from it, tried again and again.

Dimensions: M agents, Q problems.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from mgptn.experiments.cards.exam import Context, Exam, held_out_exam
from mgptn.experiments.claims.method.enumerating import answer_log_probabilities
from mgptn.experiments.claims.method.measuring import Bench
from mgptn.experiments.config.arms import GREEDY, LIKELIEST, RANDOM, SELECTED
from mgptn.experiments.running.grid import Cell
from mgptn.population.draws.streams import stream
from mgptn.population.measures.answer_errors import problem_errors
from mgptn.population.records.generation import Generation
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import BundledTask, text

BASE = "base"
SIDES = (BASE, SELECTED, RANDOM)
NO_CONTEXT: Context = ()
WEIGHTS = "weights"
"""The arm whose agents inherit weights."""


class Examined(NamedTuple):
    """A population's contexts, and the problems that it is examined on.

    Attributes
    ----------
    name
        What it was raised on, and what it is examined on.
    contexts
        By side, one for each of the M agents alive at the end; the base has one, empty.
    exam
        Problems that no agent was asked.
    """

    name: str
    contexts: dict[str, tuple[Context, ...]]
    exam: Exam


def measure_attempts(bench: Bench) -> pl.DataFrame:
    """Right answers among many to each problem, each by an agent drawn evenly."""
    subject, count, rows = bench.subject(bench.models[0]), bench.options["samples"], []
    for examined in _examined(bench, bench.options["problems"]):
        exam = examined.exam
        many = exam.take(np.repeat(np.arange(len(exam)), count))
        for side in SIDES:
            contexts = examined.contexts[side]
            rng = stream(bench.seed, "elicit agents", examined.name, side)
            authors = rng.integers(len(contexts), size=len(many))
            answers = subject.answer(
                many,
                f"attempts {examined.name} {side}",
                contexts=[contexts[author] for author in authors],
                shared_queries=True,
            )
            correct = answers.right.reshape(len(exam), count).sum(axis=1)
            rows += [
                {
                    "exam": examined.name,
                    "side": side,
                    "problem": problem,
                    "samples": count,
                    "correct": int(correct[problem]),
                }
                for problem in range(len(exam))
            ]
        alone = subject.answer(
            exam, f"likeliest {examined.name}", sampling_temperature=LIKELIEST, shared_queries=True
        )
        rows += [
            {
                "exam": examined.name,
                "side": GREEDY,
                "problem": problem,
                "samples": 1,
                "correct": int(right),
            }
            for problem, right in enumerate(alone.right)
        ]
    return pl.DataFrame(rows)


def measure_probabilities(bench: Bench) -> pl.DataFrame:
    """How probable the one right answer is, the mean over agents, read from the logits."""
    subject, rows = bench.subject(bench.models[0]), []
    for examined in _examined(bench, bench.options["read_problems"]):
        exam = examined.exam
        references = [text(row) for row in exam.problems.references]
        for side in SIDES:
            contexts = examined.contexts[side]
            logs = answer_log_probabilities(
                subject,
                exam.queries * len(contexts),
                references * len(contexts),
                [context for context in contexts for _ in range(len(exam))],
            )
            right = np.exp(logs).reshape(len(contexts), len(exam)).mean(axis=0)
            rows += [
                {"exam": examined.name, "side": side, "problem": problem, "right": right[problem]}
                for problem in range(len(exam))
            ]
    return pl.DataFrame(rows)


def measure_founders(bench: Bench) -> pl.DataFrame:
    """Where weights learned: how often the last fresh problems were answered right, the mean over
    members, and how probable the right answer is under the founders, one of them drawn evenly."""
    *_, last = bench.results.generations(_cell(bench, WEIGHTS))
    founders = next(bench.results.generations(_cell(bench, WEIGHTS))).agents
    names = list(dict.fromkeys(agent.genome.model for agent in founders))
    task, queries = TASKS["addition"](last.size), last.outcomes.queries
    logs = [
        answer_log_probabilities(
            bench.subject(name),
            queries,
            [task.reference(query) for query in queries],
            [NO_CONTEXT] * len(queries),
        )
        for name in names
    ]
    return pl.DataFrame(
        {
            "problem": range(len(queries)),
            "size": [last.size] * len(queries),
            "answered": 1.0 - problem_errors(last),
            "founders": np.exp(logs).mean(axis=0),
        }
    )


def measure_winners(bench: Bench) -> pl.DataFrame:
    """Log-probability under the base of the answers that were accepted in the last generation."""
    subject, frames = bench.subject(bench.models[0]), []
    for arm in dict.fromkeys(arm for arm, *_ in bench.options["exams"]):
        for side in (SELECTED, RANDOM):
            outcomes = (last := _last(bench, arm, side)).outcomes
            chosen = [outcomes[int(i)] for i in last.accepted]
            logs = answer_log_probabilities(
                subject,
                [one.query for one in chosen],
                [one.answer for one in chosen],
                [NO_CONTEXT] * len(chosen),
            )
            columns = {
                "arm": [arm] * len(chosen),
                "side": [side] * len(chosen),
                "answer": [one.answer for one in chosen],
                "right": [one.verdict for one in chosen],
                "log_probability": logs,
            }
            frames.append(pl.DataFrame(columns, WINNERS))
    return pl.concat(frames)


WINNERS = {
    "arm": pl.String,
    "side": pl.String,
    "answer": pl.String,
    "right": pl.Boolean,
    "log_probability": pl.Float64,
}


def final_contexts(generation: Generation) -> tuple[Context, ...]:
    """The contexts of those alive after a generation."""
    return tuple(
        tuple((example.query, example.answer) for example in agent.genome.context)
        for agent in generation.survivors
    )


def _examined(bench: Bench, count: int) -> Iterator[Examined]:
    for arm, task, *size in bench.options["exams"]:
        contexts: dict[str, tuple[Context, ...]] = {BASE: (NO_CONTEXT,)}
        for side in (SELECTED, RANDOM):
            contexts[side] = final_contexts(_last(bench, arm, side))
        made = TASKS[task](*size or (TASKS[task].default_size,))
        exam = _unseen(bench, arm, made, count)
        yield Examined(arm if size or arm == task else f"{arm} → {task}", contexts, exam)


def _unseen(bench: Bench, arm: str, made: BundledTask, count: int) -> Exam:
    """Held-out problems that the arm's population was never asked."""
    asked = {
        made.canonical(query)
        for generation in bench.results.generations(_cell(bench, arm))
        for query in generation.outcomes.queries
    }
    rng = stream(bench.seed, "elicit exam", arm, made.name)
    exam, _ = held_out_exam(made, count + len(asked), rng)
    fresh = [i for i, query in enumerate(exam.queries) if made.canonical(query) not in asked]
    return exam.take(np.array(fresh[:count]))


def _last(bench: Bench, arm: str, side: str) -> Generation:
    *_, last = bench.results.generations(_cell(bench, arm), side)
    return last


def _cell(bench: Bench, arm: str) -> Cell:
    return next(c for c in bench.results.of(arm=arm) if c.config.seed == bench.seed)
