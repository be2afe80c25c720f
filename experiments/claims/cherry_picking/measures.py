"""What claim 4 measures: enumerated answers, and where selection, gradients and temperatures end.

Dimensions: K characters of an alphabet, n = K^W answers to a problem, N of a population.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from mgptn.experiments.cards.exam import Exam, draw_contexts, held_out_exam
from mgptn.experiments.claims.method.enumerating import enumerate_answers
from mgptn.experiments.claims.method.measuring import Bench
from mgptn.population.breeding.operators import replication_rates, soft_select
from mgptn.population.draws.streams import stream
from mgptn.population.records.arrays import Floats
from mgptn.population.theory.reinforcement import (
    divergence,
    greedy_answer,
    natural_policy_gradient,
    policy_gradient,
    sharpen_answers,
    sharpen_tokens,
    total_variation,
)
from mgptn.protocols.table import TASKS

SYNTHETIC = "synthetic"
SYNTHETIC_ANSWERS, SYNTHETIC_ALPHABET = 1000, 10
GRADIENT, PLAIN = "natural gradient", "plain gradient"
ONE_ROUND, ROUNDS, BETWEEN = "one round", "rounds", "between"
STRENGTHS = np.geomspace(0.02, 20.0, 61)
"""Selection temperatures among which the nearest p·e^(r/T) is looked for, beside no selection."""


class Answered(NamedTuple):
    """All answers to a problem.

    Attributes
    ----------
    probabilities, right, grades
        float64 [n]: p; 1 where right; the model's expected level in [0, 1].
    alphabet
        K.
    """

    task: str
    problem: int
    probabilities: Floats
    right: Floats
    grades: Floats
    alphabet: int

    @property
    def rewards(self) -> dict[str, Floats]:
        """By name."""
        return {"verdict": self.right, "grade": self.grades}


def measure_answers(bench: Bench) -> pl.DataFrame:
    """Every answer to every problem: its probability, verdict, and the model's own grade."""
    frames = []
    for task, count in bench.options["problems"].items():
        if task == SYNTHETIC:
            frames += [_synthetic(bench.seed, problem) for problem in range(count)]
            continue
        subject, exam = bench.subject(bench.models[0]), exam_of(bench, task)
        found = enumerate_answers(subject, exam)
        for problem in range(len(exam)):
            every = exam.take(np.full(len(found.texts), problem))
            frames.append(
                pl.DataFrame(
                    {
                        "task": task,
                        "problem": problem,
                        "mass": found.mass[problem],
                        "answer": found.texts,
                        "probability": found.probabilities[problem],
                        "right": every.right(found.texts),
                        "grade": subject.grade(every, found.texts).values,
                    }
                )
            )
    return pl.concat(frames)


def measure_samples(bench: Bench) -> pl.DataFrame:
    """How far answers sampled by the host are from p, and as many draws from p."""
    rows = []
    count = bench.options["samples"]
    for one in _answered(bench):
        if one.task == SYNTHETIC:
            continue
        exam, texts = exam_of(bench, one.task), _texts(bench, one)
        many = exam.take(np.full(count, one.problem))
        said = bench.subject(bench.models[0]).answer(
            many, f"sampled {one.problem}", shared_queries=True
        )
        place = {text: i for i, text in enumerate(texts)}
        known = [place[text] for text in said.texts if text in place]
        rng = stream(bench.seed, "cherry-picking samples", one.task, one.problem)
        draws = rng.multinomial(len(known), one.probabilities, size=20) / len(known)
        shares = np.bincount(known, minlength=len(texts)) / len(known)
        rows.append(
            {
                "task": one.task,
                "problem": one.problem,
                "distance": total_variation(shares, one.probabilities),
                "expected": float(
                    np.mean([total_variation(draw, one.probabilities) for draw in draws])
                ),
                "elsewhere": 1.0 - len(known) / count,
            }
        )
    return pl.DataFrame(rows)


def measure_endpoints(bench: Bench) -> pl.DataFrame:
    """Total variation from p·e^(r/T)/Z of where each method ends."""
    rows = []
    for one in _answered(bench):
        for reward, values in one.rewards.items():
            for temperature in bench.options["temperatures"]:
                for method, size, distance in _ends(bench, one, reward, values, temperature):
                    rows.append(
                        {
                            "task": one.task,
                            "problem": one.problem,
                            "reward": reward,
                            "temperature": temperature,
                            "method": method,
                            "size": size,
                            "distance": distance,
                        }
                    )
    return pl.DataFrame(rows)


def measure_sharpened(bench: Bench) -> pl.DataFrame:
    """Right answers and divergence from p, by selection and by both kinds of temperature."""
    rows = []
    for one in _answered(bench):
        p = one.probabilities
        likeliest, greedy = np.zeros((2, p.size))
        likeliest[int(np.argmax(p))] = greedy[greedy_answer(p, one.alphabet)] = 1.0
        ways: list[tuple[str, float, Floats, float]] = []
        for power in (1.0, *bench.options["powers"], math.inf):
            whole = likeliest if math.isinf(power) else sharpen_answers(p, power)
            tokens = greedy if math.isinf(power) else sharpen_tokens(p, one.alphabet, power)
            apart = total_variation(whole, tokens)
            ways += [("answers", power, whole, apart), ("tokens", power, tokens, apart)]
        for reward, values in one.rewards.items():
            for temperature in bench.options["selections"]:
                picked = soft_select(p, values, temperature, 1)
                ways.append((f"picked by {reward}", temperature, picked, 0.0))
        rows += [
            {
                "task": one.task,
                "problem": one.problem,
                "way": way,
                "power": power,
                "gold": float(policy @ one.right),
                "divergence": divergence(policy, p),
                "apart": apart,
            }
            for way, power, policy, apart in ways
        ]
    return pl.DataFrame(rows)


def measure_context(bench: Bench) -> pl.DataFrame:
    """How far p moves after right examples, and how far from the nearest p·e^(r/T) that is."""
    rows, wrong = [], np.zeros((1, bench.options["examples"]), dtype=np.bool_)
    of_problem = {(one.task, one.problem): one for one in _answered(bench)}
    for (task, problem), one in of_problem.items():
        if task == SYNTHETIC:
            continue
        exam = exam_of(bench, task).take(np.array([problem]))
        rng = stream(bench.seed, "cherry-picking context", task, problem)
        context = draw_contexts(exam.task, rng, wrong)[0]
        moved = enumerate_answers(bench.subject(bench.models[0]), exam, context).probabilities[0]
        p = one.probabilities
        nearest = min(
            [total_variation(moved, soft_select(p, one.right, t, 1)) for t in STRENGTHS]
            + [total_variation(moved, p)]
        )
        rows.append(
            {
                "task": task,
                "problem": problem,
                "moved": total_variation(moved, p),
                "left": nearest,
                "gold": float(moved @ one.right),
            }
        )
    return pl.DataFrame(rows)


def exam_of(bench: Bench, task: str) -> Exam:
    """A task's held-out problems of a seed."""
    made = TASKS[task](TASKS[task].default_size)
    rng = stream(bench.seed, "cherry-picking exam", task)
    return held_out_exam(made, bench.options["problems"][task], rng)[0]


def pick(
    p: Floats, rewards: Floats, temperature: float, size: int, rounds: int, rng: np.random.Generator
) -> Floats:
    """Shares of a population of sampled answers after rounds of survival, float64 [n].

    Each round of the N are children of those that survive with probability e^((r − max r)/T):
    a Wright–Fisher generation, whose counts are multinomial.
    """
    counts = rng.multinomial(size, p)
    for _ in range(rounds):
        present = np.flatnonzero(counts)
        weights = counts[present] * replication_rates(rewards[present], temperature)
        counts = np.zeros_like(counts)
        counts[present] = rng.multinomial(size, weights / weights.sum())
    return np.asarray(counts / size, dtype=np.float64)


def _ends(
    bench: Bench, one: Answered, reward: str, values: Floats, temperature: float
) -> Iterator[tuple[str, int, float]]:
    """Method, its size, and the distance of its end."""
    p, rounds = one.probabilities, bench.options["rounds"]
    target = soft_select(p, values, temperature, 1)
    found = natural_policy_gradient(p, values, temperature, one.alphabet)
    yield GRADIENT, 0, total_variation(found.distribution, target)
    found = policy_gradient(p, values, temperature, one.alphabet, bench.options["plain_steps"])
    yield PLAIN, 0, total_variation(found.distribution, target)
    for size in bench.options["populations"]:
        where = (one.task, one.problem, reward, repr(temperature), size)
        rng = stream(bench.seed, "cherry-picking", *where)
        once = pick(p, values, temperature, size, 1, rng)
        often = pick(p, values, temperature * rounds, size, rounds, rng)
        yield ONE_ROUND, size, total_variation(once, target)
        yield ROUNDS, size, total_variation(often, target)
        yield BETWEEN, size, total_variation(once, often)


def _answered(bench: Bench) -> Iterator[Answered]:
    table = bench.results.measured("answers").filter(pl.col("seed") == bench.seed)
    for (task, problem), rows in table.group_by("task", "problem", maintain_order=True):
        name, number = str(task), int(str(problem))
        alphabet = len(TASKS[name].answer_alphabet) if name in TASKS else SYNTHETIC_ALPHABET
        columns = (rows[c].cast(pl.Float64).to_numpy() for c in ("probability", "right", "grade"))
        p, right, grades = columns
        yield Answered(name, number, p / p.sum(), right, grades, alphabet)


def _texts(bench: Bench, one: Answered) -> list[str]:
    table = bench.results.measured("answers").filter(pl.col("seed") == bench.seed)
    rows = table.filter((pl.col("task") == one.task) & (pl.col("problem") == one.problem))
    return list(rows["answer"])


def _synthetic(seed: int, problem: int) -> pl.DataFrame:
    """Zipf's law in random order; a tenth right; grades that mostly say so."""
    rng = stream(seed, "cherry-picking synthetic", problem)
    p = rng.permutation(1.0 / np.arange(1.0, SYNTHETIC_ANSWERS + 1.0))
    right = rng.random(SYNTHETIC_ANSWERS) < 0.1
    columns: Mapping[str, Any] = {
        "task": SYNTHETIC,
        "problem": problem,
        "mass": 1.0,
        "answer": [str(i) for i in range(SYNTHETIC_ANSWERS)],
        "probability": p / p.sum(),
        "right": right,
        "grade": np.where(right, rng.beta(4, 2, right.size), rng.beta(2, 4, right.size)),
    }
    return pl.DataFrame(columns)
