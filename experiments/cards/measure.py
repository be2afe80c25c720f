"""Measuring a card, task by task: what is finished is kept, and not measured again."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from mgptn.agents.training.corpus import MIXTURE
from mgptn.experiments.cards.adaptation import EXAMPLES, examine_adaptation
from mgptn.experiments.cards.answering import examine_answers
from mgptn.experiments.cards.card import (
    CARD,
    SCHEMA_VERSION,
    Card,
    CardError,
    Provenance,
    Settings,
    TaskCard,
    read_card,
    write_card,
)
from mgptn.experiments.cards.contexts import examine_contexts, examine_mass
from mgptn.experiments.cards.exam import chance, held_out_exam
from mgptn.experiments.cards.exchange import examine_correlation, examine_exchange
from mgptn.experiments.cards.grading import examine_grading
from mgptn.experiments.cards.request import Request, Step, task_name
from mgptn.experiments.cards.subject import ANSWER_MARKERS, Subject
from mgptn.experiments.record.manifest import library_versions
from mgptn.population.draws.streams import stream
from mgptn.protocols.interfaces.markers import PERSONAS, WANT
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import BundledTask

UNFINISHED = CARD + ".part"

PARTS = ("answers", "adaptation", "grading", "contexts", "graders")
"""What is measured of each task, in this order."""

GUESSABLE = 0.1
"""Accuracy of random answers from which the Bayes columns no longer say what a model should do."""

BAYES_HOLDS = "Bayes for the corpus's prior, of a model that can answer and can err at will."


def measure(request: Request, folder: Path) -> Iterator[Step]:
    """Measure a model into ``card.json``, saying before each part what it is.

    Raises
    ------
    CheckpointError
        If there is no such model, or no such grader.
    CardError
        If a model does not read the ladder's layout, or the folder has a card of the same weights
        with other settings and tasks that would be lost.
    """
    subject = Subject(request.model, request.seed, threads=request.threads)
    names = [name for name in dict.fromkeys(request.graders) if name != request.model]
    others = [Subject(name, request.seed, threads=request.threads) for name in names]
    card = _carried_on(_blank(request, subject, others), folder, request)
    wanted = [task for task in request.tasks if task_name(task) not in card.tasks]
    total, done = len(wanted) * len(PARTS), 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, size in wanted:
        task, called = TASKS[name](size), task_name((name, size))
        if unknown := subject.lacks(_characters(task, request.seed)):
            why = f"the model has no tokens for {' '.join(unknown)}"
            card = card.model_copy(update={"absent": card.absent | {called: why}})
            done += len(PARTS)
            continue
        parts = _measure_task(subject, others, task, request.problems)
        while True:
            try:
                part = next(parts)
            except StopIteration as finished:
                card = card.model_copy(update={"tasks": card.tasks | {called: finished.value}})
                write_card(card, folder / UNFINISHED)
                break
            yield Step(called, part, done, total)
            done += 1
    ordered = {
        task_name(t): card.tasks[task_name(t)] for t in MIXTURE if task_name(t) in card.tasks
    }
    write_card(card.model_copy(update={"tasks": ordered}), folder / UNFINISHED)
    os.replace(folder / UNFINISHED, folder / CARD)
    yield Step("", "", total, total)


def _measure_task(
    subject: Subject, others: Sequence[Subject], task: BundledTask, problems: int
) -> Generator[str, None, TaskCard]:
    """Everything about one task; yields the name of each part before it, returns a TaskCard."""
    rng = stream(subject.seed, "card problems", task.name, task.size)
    exam, everything = held_out_exam(task, problems, rng)
    guessed = chance(exam, rng)
    comparable = guessed < GUESSABLE
    yield PARTS[0]
    own = subject.answer(exam, "zero-shot")
    answering = examine_answers(subject, exam, own)
    yield PARTS[1]
    adaptation = examine_adaptation(subject, exam, comparable)
    yield PARTS[2]
    grades = subject.grade(exam, own.texts)
    graded = examine_grading(subject, exam, own, grades)
    yield PARTS[3]
    contexts = examine_contexts(subject, exam, own, grades)
    levels = examine_mass(subject, exam, own)
    yield PARTS[4]
    correlations = examine_correlation(subject, others, exam, own)
    exchanges = examine_exchange(subject, others, exam, own, grades)
    return TaskCard(
        task=task.name,
        size=task.size,
        problems=len(exam),
        all_held_out=everything,
        chance=round(guessed, 6),
        reference=BAYES_HOLDS if comparable else _guessable(guessed),
        absent=_absent(subject, others, task),
        answering=answering,
        adaptation=adaptation,
        grading=graded,
        contexts=contexts,
        levels=levels,
        correlations=correlations,
        exchanges=exchanges,
    )


def _guessable(guessed: float) -> str:
    return (
        f"Random answers are right with probability {guessed:.2f}: a model that cannot tell right "
        f"from wrong errs at {1 - guessed:.2f} whatever its context shows, so that only one that "
        "can would follow Bayes, and no gap is stated."
    )


def _absent(subject: Subject, others: Sequence[Subject], task: BundledTask) -> dict[str, str]:
    """Parts that this model or measurement does not have."""
    absent = {}
    if unknown := subject.lacks([*PERSONAS.values()]):
        absent["personas"] = f"the model has no tokens for {' '.join(unknown)}"
    if unknown := subject.lacks([WANT]):
        absent["requested"] = f"the model has no token for {' '.join(unknown)}"
    if not others:
        absent["exchanges"] = "no other graders were named"
    room = subject.room(task, ANSWER_MARKERS)
    for examples in EXAMPLES:
        if examples > room:
            absent[f"adaptation {examples}"] = f"only {room} examples fit into the context"
    return absent


def _characters(task: BundledTask, seed: int) -> list[str]:
    """Characters that a task's items are written in."""
    drawn = task.draw_batch(stream(seed, "card characters", task.name), 1000, "held-out")
    queries = task.render(drawn.fields)
    return sorted(set(queries.tobytes().decode("ascii")) | set(task.answer_alphabet))


def _blank(request: Request, subject: Subject, others: Sequence[Subject]) -> Card:
    made = subject.made
    return Card(
        schema_version=SCHEMA_VERSION,
        provenance=Provenance(
            model=request.model,
            weights=subject.checkpoint.weights,
            rung=made.get("recipe", {}).get("rung"),
            parameters=subject.parameters,
            context_tokens=subject.checkpoint.context_tokens,
            command=request.command,
            versions=library_versions(),
        ),
        settings=Settings(
            problems=request.problems,
            seed=request.seed,
            graders={other.name: other.checkpoint.weights for other in others},
        ),
        tasks={},
        absent={},
    )


def _carried_on(blank: Card, folder: Path, request: Request) -> Card:
    """The card to start from, with the finished tasks of the same weights and settings."""
    card = blank
    for path in (folder / CARD, folder / UNFINISHED):
        if not path.exists():
            continue
        try:
            before = read_card(path)
        except CardError as error:
            raise CardError(f"{error}; remove it, or choose --out") from None
        same_weights = before.provenance.weights == blank.provenance.weights
        if same_weights and before.settings == blank.settings:
            card = card.model_copy(update={"tasks": card.tasks | before.tasks})
        elif same_weights and path.name == CARD:
            lost = set(before.tasks) - {task_name(task) for task in request.tasks}
            if lost:
                raise CardError(
                    f"{path}: expected no tasks but those to measure, since the settings are "
                    f"others than the card's, got also {', '.join(sorted(lost))}; choose --out"
                )
    return card
