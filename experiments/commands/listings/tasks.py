"""`mgptn tasks`: which tasks there are, and examples of one: right answers, and wrong ones."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from functools import partial

import numpy as np
from rich.table import Table
from rich.text import Text

from mgptn.agents.verdicts.verifier import Verifier
from mgptn.experiments.config.run_config import ConfigError, check_config
from mgptn.experiments.config.sections.plugins import protocols, tasks
from mgptn.experiments.config.sections.sandbox import SandboxConfig
from mgptn.experiments.config.sections.task import QUESTIONS
from mgptn.experiments.setting.tasks import INSTALL, make_task
from mgptn.experiments.setting.verifying import make_verifier
from mgptn.population.draws.streams import stream
from mgptn.protocols.tasks.reasoning_gym import PREFIX, UNUSABLE, dataset_names
from mgptn.protocols.tasks.task import Problem, Task, sizes_in_words, validate

VALIDATED = 50
"""Problems of each split on which a task proves its verifier before examples are shown."""

GYM_VALIDATED = 5
"""The same for a data set of reasoning-gym, some of which take seconds for a problem."""


BRIEF = 60
"""Characters of a question, or its answer, that the table shows."""


def tasks_table() -> Table:
    """A row for each bundled task, with its sizes and an example."""
    table = Table()
    for head, whole in (
        ("task", True),
        ("sizes", True),
        ("question", False),
        ("right answer", False),
    ):
        table.add_column(head, no_wrap=whole, overflow="fold")
    for name, kind in tasks().usable().items():
        task = kind(kind.default_size)
        problem = task.draw(_stream(name), "held-out")
        sizes = f"{sizes_in_words(kind.sizes)}; {kind.default_size} by default"
        # As Text: a question may look like markup.
        table.add_row(name, sizes, Text(_brief(problem.query)), Text(_brief(problem.reference)))
    return table


def _brief(text: str) -> str:
    """The beginning of what is long, as what is asked in words."""
    line = " ".join(text.split())
    return line if len(line) <= BRIEF else f"{line[: BRIEF - 1].rstrip()}…"


def further_tasks() -> list[str]:
    """What else can be a task: the user's own questions, and the data sets that there are."""
    try:
        names = dataset_names()
    except ImportError:
        gym = f"the data sets of reasoning-gym, once it is installed: {INSTALL}"
    else:
        gym = (
            f"{len(names)} data sets of reasoning-gym, with task.options: {', '.join(names)} "
            f"(and not {', '.join(UNUSABLE)})"
        )
    return [
        f"{QUESTIONS}: your own questions and answers, from task.file",
        f"{PREFIX}…: {gym}",
        *(f"{name}: cannot be used: {fault}" for name, fault in tasks().faults()),
    ]


def describe_task(name: str, size: int | None, count: int) -> Iterator[str]:
    """Lines of examples of a task, once its verifier has been put to the proof.

    Raises
    ------
    ConfigError
        If there is no such task or size, it needs something that is not here, or its verifier
        cannot be trusted.
    """
    if name == QUESTIONS:
        raise ConfigError(f"tasks: expected a task with examples, got {name}, which has your own")
    config = check_config({"name": "tasks", "task": {"name": name, "size": size}}, "tasks").task
    task = make_task(config).task
    examples = list(_examples(task, count))
    problems = VALIDATED if config.kind == "bundled" else GYM_VALIDATED
    try:
        verifier = make_verifier(task, SandboxConfig())
        verify = None if verifier.programs is None else partial(_verdict, verifier, task)
        validate(task, _stream(name, "validate"), problems, verify)
    except (AssertionError, ValueError) as error:
        raise ConfigError(f"{name}: expected a verifier to be trusted, got: {error}") from None
    shown = f"{name}, size {config.size}" if config.size else name
    yield f"{shown}; an answer has at most {task.max_answer_characters} characters"
    for problem, wrong in examples:
        yield ""
        yield from _labelled("question", problem.query)
        yield from _labelled("right", problem.reference)
        yield from _labelled("wrong", wrong)
    yield ""
    yield (
        f"The verifier accepted the right answer and rejected a wrong one to {problems} training "
        f"and {problems} held-out problems."
    )


def _verdict(verifier: Verifier, task: Task, query: str, answer: str) -> bool | None:
    return verifier(task, [(query, answer)])[0]


def _examples(task: Task, count: int) -> Iterator[tuple[Problem, str]]:
    """Different problems as a run would draw them, each with a wrong answer."""
    rng = _stream(task.name)
    for _ in range(count):
        problem = task.draw(rng, "held-out")
        yield problem, task.corrupt(problem, rng)


def _labelled(label: str, text: str) -> list[str]:
    first, *rest = text.split("\n")
    return [f"{label:>8}  {first}", *(textwrap.indent(line, " " * 10) for line in rest)]


def _stream(*words: str) -> np.random.Generator:
    return stream(0, "tasks", *words)


def protocol_lines() -> list[str]:
    """A line for each protocol: its name, what happens, and the settings that only it heeds."""
    known = protocols().usable()
    room = max(map(len, known))
    lines = [
        f"{name:{room}}  {protocol.summary}"
        + (f" ({', '.join(protocol.settings)})" if protocol.settings else "")
        for name, protocol in known.items()
    ]
    return lines + [f"{name}: cannot be used: {fault}" for name, fault in protocols().faults()]
