"""`mgptn bench programs`: how many programs of the stack language are verified a second."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import statistics
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from mgptn.population.draws.streams import stream
from mgptn.protocols.tasks.bundled import NEAR, PERSISTENT, RANDOM, Codes, Problems, text
from mgptn.protocols.tasks.programs.behaviours import PAIRS
from mgptn.protocols.tasks.programs.language import run
from mgptn.protocols.tasks.programs.writing import Programs

PLAINLY = 20
"""The plain interpreter is timed on so many times fewer programs."""


def programs(console: Console, count: int, repeats: int) -> None:
    """Verify programs of which half are right, on all pairs of inputs, by either interpreter."""
    task = Programs()
    rng = stream(0, "bench programs")
    problems = task.draw_batch(rng, count, "train")
    wrong = task.corrupt_batch(rng, problems, rng.choice([NEAR, RANDOM, PERSISTENT], size=count))
    right = rng.random(count) < 0.5
    answers = np.where(right[:, None], problems.references, wrong)
    few = max(1, count // PLAINLY)
    table = Table("interpreter", "programs", "programs a processor's second", "least", "most")
    for name, number, verify in (
        ("many at once", count, task.right),
        ("plain", few, lambda fields, given: _plainly(task, fields, given)),
    ):
        part = Problems(problems.fields[:number], problems.references[:number])
        rates = []
        for _ in range(repeats):
            began = time.process_time()
            found = verify(part.fields, answers[:number])
            rates.append(number / (time.process_time() - began))
            if found.tolist() != right[:number].tolist():
                raise ArithmeticError(f"{name}: expected the verdicts that there are, got others")
        middle = statistics.median(rates)
        table.add_row(name, f"{number}", *(f"{r:,.0f}" for r in (middle, min(rates), max(rates))))
    console.print(table)
    console.print(
        f"Half of the programs are right, and run for all {len(PAIRS)} pairs of inputs; a wrong "
        "one until it fails."
    )


def _plainly(task: Programs, fields: np.ndarray, answers: Codes) -> np.ndarray:
    """The same verdicts, a program and a pair of inputs at a time."""
    results = task.known.results[fields[:, -1]]
    return np.array(
        [
            all(
                run(text(answer), pair).result == result
                for pair, result in zip(PAIRS.tolist(), wanted.tolist(), strict=True)
            )
            for answer, wanted in zip(answers, results, strict=True)
        ]
    )
