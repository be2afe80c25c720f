"""Where the time of an agent's lesson goes: laying out, moving numbers, steps, writing files."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mgptn.agents.learning.numbers import NumbersFolder
from mgptn.experiments.bench.engine.ceiling import synchronised
from mgptn.experiments.bench.learning.subject import RATE, Subject
from mgptn.experiments.config.sections.learning import LearningConfig
from mgptn.experiments.seats.asking import Script
from mgptn.experiments.seats.lessons import Known, learn_request
from mgptn.population.breeding.memory import Lesson, Memory
from mgptn.population.draws.streams import stream
from mgptn.population.records.agents import Agent, AgentId, Example, Genome
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import BundledTask, text

T = TypeVar("T")

STEPS = "forward, backward, optimizer"
PARTS = ("laying out documents", "moving numbers", STEPS, "writing files")


@dataclass(frozen=True, slots=True)
class LessonTime:
    """Seconds of an agent's lesson, [part][repeat]."""

    steps: int
    documents: int
    seconds: dict[str, list[float]]

    @property
    def outside(self) -> list[float]:
        """Share of the time that is in no step, repeat by repeat."""
        wholes = [sum(parts) for parts in zip(*self.seconds.values(), strict=True)]
        return [1.0 - s / whole for s, whole in zip(self.seconds[STEPS], wholes, strict=True)]

    @property
    def sentence(self) -> str:
        """The finding in words."""
        parts = ", ".join(
            f"{name} {1e3 * statistics.median(seconds):,.1f}"
            for name, seconds in self.seconds.items()
        )
        shares = self.outside
        return (
            f"A lesson of {self.steps} steps of {self.documents} documents: "
            f"{statistics.median(shares):.1%} ({min(shares):.1%} to {max(shares):.1%}) of the time "
            f"outside of forward, backward and optimizer; milliseconds: {parts}."
        )


def time_of_a_lesson(subject: Subject, folder: Path, repeats: int) -> LessonTime:
    """One agent's lessons, each of new examples a size beyond the founder's, others remembered.

    All that a run does of it in one process, the file's sync to the disk included.
    """
    steps, documents, _ = subject.scale.lesson
    learner, files, script = _watched(subject), NumbersFolder(folder), _script(subject)
    memory: Memory = (_lesson(subject, 0),)
    looks = []
    for turn in range(repeats + 1):
        memory = (*memory, _lesson(subject, turn + 1))
        looks.append(_look(subject, learner, files, script, memory, turn))
    parts = zip(*looks[1:], strict=True)  # the first one warms up
    return LessonTime(steps, documents, dict(zip(PARTS, map(list, parts), strict=True)))


def _look(
    subject: Subject,
    learner: Any,
    files: NumbersFolder,
    script: Script,
    memory: Memory,
    turn: int,
) -> tuple[float, ...]:
    """Seconds of each part of a lesson."""
    import torch

    from mgptn.agents.engine.places import Places
    from mgptn.agents.learning.learner import pages_of
    from mgptn.agents.learning.training import tensors_of

    device, checkpoint = subject.device, subject.checkpoint
    steps, documents, _ = subject.scale.lesson
    settings = LearningConfig(method="full", steps=steps, documents=documents, rate=RATE)
    genome = Genome(checkpoint.name, 1.0, weights=subject.weights[0])
    agent = Agent(AgentId(0), genome, None, AgentId(0), -1)
    known, places = Known.of(checkpoint), Places.of(checkpoint.config)
    learner.moved = 0.0
    laid, asked = _timed(
        lambda: learn_request(agent, memory, settings, script, known, turn), device
    )
    whole, learned = _timed(lambda: learner.learn(asked, subject.numbers), device)
    written, _ = _timed(lambda: files.keep(learned.numbers), device)
    # What training does first, once more: it cannot be watched from outside.
    made, _ = _timed(lambda: tensors_of(pages_of(asked), places, torch.device(device)), device)
    moved = learner.moved + made
    return laid, moved, whole - moved, written


def _script(subject: Subject) -> Script:
    """How agents are asked the lessons' problems."""
    return Script(
        task=_task(subject),
        interface=subject.interface,
        encoder=subject.encoder,
        max_tokens=_task(subject).max_answer_characters,
        grader_context="empty",
        seed=0,
        weights=subject.checkpoint.weights,
    )


def _task(subject: Subject) -> BundledTask:
    recipe = subject.scale.recipe
    return TASKS[recipe.task](recipe.most + 1)


def _lesson(subject: Subject, turn: int) -> Lesson:
    """Right answers to new problems, a size beyond the founder's."""
    task = _task(subject)
    problems = task.draw_batch(stream(0, "bench lesson", turn), subject.scale.lesson[2], "train")
    queries = task.render(problems.fields)
    pairs = zip(queries, problems.references, strict=True)
    return Lesson(task.size, tuple(Example(text(q), text(a)) for q, a in pairs))


def _watched(subject: Subject) -> Any:
    """A learner that adds up the seconds in which numbers are put on, and made a file."""
    import torch

    from mgptn.agents.learning.learner import Learner
    from mgptn.agents.learning.wardrobe import Wardrobe
    from mgptn.agents.requests import Learned

    device = subject.device

    class Watched(Learner):
        moved = 0.0

        def _begin(self, model: Any, own_masks: bool = False) -> None:
            super()._begin(model, own_masks)
            self._wardrobe = WatchedWardrobe(model)

        def _learned(self, *given: Any) -> Learned:
            spent, learned = _timed(lambda: super(Watched, self)._learned(*given), device)
            self.moved += spent
            return learned

        def _changed(self) -> dict[str, torch.Tensor]:
            spent, changed = _timed(super()._changed, device)
            self.moved += spent
            return changed

    class WatchedWardrobe(Wardrobe):
        def undress(self) -> None:
            watched.moved += _timed(super().undress, device)[0]

        def wear(self, *worn: Any) -> None:
            watched.moved += _timed(lambda: super(WatchedWardrobe, self).wear(*worn), device)[0]

    watched = Watched(subject.checkpoint.folder, torch.device(device))
    return watched


def _timed(work: Callable[[], T], device: str) -> tuple[float, T]:
    """Seconds of a piece of work, and what it gave."""
    synchronised(device)
    began = time.perf_counter()
    found = work()
    synchronised(device)
    return time.perf_counter() - began, found
