"""The section `task` of a configuration: which recurrent task, and what is set about it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from mgptn.experiments.config.sections.plugins import options_of, tasks
from mgptn.experiments.config.sections.section import (
    NamedSection,
    Renamed,
    Section,
    any_of,
    nearest,
)
from mgptn.protocols.answers.extraction import PEOPLE, WHOLE, Extraction
from mgptn.protocols.answers.matching import QuestionsMatch
from mgptn.protocols.tasks.questions import Questions
from mgptn.protocols.tasks.reasoning_gym import PREFIX
from mgptn.protocols.tasks.split import HeldOut
from mgptn.protocols.tasks.task import sizes_in_words

QUESTIONS = Questions.name

TASK_KEYS: dict[str, tuple[str, ...]] = {
    "size": ("bundled",),
    "growth": ("bundled",),
    "options": ("bundled", "reasoning-gym"),
    "pass_score": ("reasoning-gym",),
    "file": ("questions",),
    "question_field": ("questions",),
    "answer_field": ("questions",),
    "match": ("questions",),
    "extract": ("questions", "reasoning-gym"),
    "held_out": ("questions", "reasoning-gym"),
    "max_answer_characters": ("questions", "reasoning-gym"),
}
"""Keys of the section `task` → the kinds of task that they are for."""


REACHED = 0.05
"""Most that the majority of the members may err for a size to count as reached."""


class GrowthConfig(Renamed):
    """A task whose size grows: by what members agree on, by verdicts for a control, or by time."""

    start: Annotated[int, Field(ge=1, alias="from")]
    """Its first size, instead of `task.size`."""
    step: Annotated[int, Field(ge=1)] = 1
    """What is added to its size at a time."""
    by: Literal["agreement", "gold", "schedule"] = "agreement"
    """When it grows: after a generation in which all members gave the same answer to a share `gate`
    of the problems (`agreement`), in which that share of the answers was right (`gold`), or each
    `every` generations (`schedule`)."""
    gate: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.5
    """The share of `by: agreement` and `by: gold`."""
    agree: Annotated[int | None, Field(ge=2)] = None
    """How many members have to give the same answer for a problem to count as agreed on; all of
    them if not set."""
    every: Annotated[int, Field(ge=1)] = 1
    """The generations of `by: schedule`."""
    largest: Annotated[int | None, Field(ge=1)] = None
    """Where growth ends; the task's largest size if not set."""

    @property
    def grows(self) -> bool:
        """Is there a larger size than the first?"""
        return self.largest is None or self.largest > self.start


class ExtractConfig(NamedSection):
    """What counts of an answer: a name alone, or one with the text that it looks for."""

    name: Literal["auto", "whole", "people", "last-number", "boxed", "after", "regex"] = "auto"
    """Under `questions` and `reasoning-gym/…`: what counts of an answer, for verdicts and wherever
    answers are held to be the same: the `whole`; or as `people` read it, which finds the number,
    word or formula that a sentence says; or the `last-number`, or what is `boxed`, alone; or what
    stands `after` a marker, or matches a `regex`. `auto` is `people` in chats, else `whole`. What a
    model thinks aloud before its answer never counts."""
    marker: Annotated[str | None, Field(min_length=1, validate_default=True)] = None
    """Under `after`: the text that the answer stands behind."""
    pattern: Annotated[str | None, Field(min_length=1, validate_default=True)] = None
    """Under `regex`: the expression whose last match, or its first group, counts."""

    @field_validator("marker", "pattern")
    @classmethod
    def _where_it_is_looked_for(cls, value: str | None, info: ValidationInfo) -> str | None:
        name, field = info.data.get("name"), str(info.field_name)
        wanted = {"after": "marker", "regex": "pattern"}.get(str(name)) == field
        if wanted and value is None:
            raise ValueError(f"expected the text that {name!r} looks for, got nothing")
        if name is not None and not wanted and value is not None:
            raise ValueError(f"expected nothing here for {name!r}, got {value!r}")
        return value

    @field_validator("pattern")
    @classmethod
    def _a_regular_expression(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"expected a regular expression ({error}), got {pattern!r}") from None
        return pattern

    def extraction(self, *, talks: bool) -> Extraction:
        """The extraction, for a model that talks as people do or for one that only answers."""
        if self.name == "auto":
            return PEOPLE if talks else WHOLE
        return Extraction(self.name, self.marker or "", self.pattern or "")


class TaskConfig(Section):
    """Which recurrent task, and what is set about it; a size not given is the task's own."""

    name: str = "addition"
    """The recurrent task: a bundled one, `reasoning-gym/` and a data set, or `questions`, your own;
    `mgptn tasks` lists them. `task: NAME` says the same."""
    size: Annotated[int | None, Field(validate_default=True)] = None
    """Size knob of a bundled task, by default the task's own; under `addition` the width of each
    number, 1 to 48 digits."""
    options: dict[str, Any] = Field(default_factory=dict)
    """`budget` of `walks`, `scribbled-walks` and `cups` (docs/concepts/dial.md); under
    `reasoning-gym/…` the data set's own options; of another package's task those of its class
    (docs/tutorials/own-protocol.md). Checked before the run."""
    pass_score: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    """Under `reasoning-gym/…`: score of the library from which an answer is right."""
    file: Annotated[str | None, Field(min_length=1, validate_default=True)] = None
    """Under `questions`: a file of JSON lines, or one JSON list; by gzip too. An answer may be a
    list: any of it is right, the first is shown."""
    question_field: Annotated[str, Field(min_length=1)] = "question"
    """Under `questions`: name of the field with the question. An `id`, if there is one, must be
    unique."""
    answer_field: Annotated[str, Field(min_length=1)] = "answer"
    """Under `questions`: name of the field with the right answer, or a list of them."""
    match: QuestionsMatch = "exact"
    """Under `questions`: answers are compared as text (`exact`), as numbers (`numeric`), by
    math-verify (`math`), within bounds (docs/trust/reliability.md#inputs); or `mixed`, which is
    `numeric` for questions whose right answer is a number and `exact` for the others. A right
    answer without a number is refused under `numeric`."""
    extract: ExtractConfig = ExtractConfig()
    instruction: Annotated[str, Field(min_length=1, max_length=10_000)] = "auto"
    """What is said of an answer's form, after the question: `auto` asks models in chats for the
    final answer only, and others for nothing; `none`, or your own words."""
    shots: Annotated[int, Field(ge=0, le=64)] = 0
    """So many other problems with their right answers stand before every agent's context."""
    held_out: HeldOut | None = None
    """Which problems runs draw: a fifth, by `hash` of the question, as by default from
    `reasoning-gym/…`; or `all`, as from `questions`."""
    max_answer_characters: Annotated[int | None, Field(ge=1, le=100_000)] = None
    """Under `questions` and `reasoning-gym/…`: longest answer. If not set, half as much again as
    the longest right one, and 64 more where a part of it counts."""
    growth: GrowthConfig | None = None

    def told(self, *, talks: bool) -> str | None:
        """What is said of an answer's form, to a model that talks as people do or to another."""
        if self.instruction == "auto":
            number = self.match == "numeric"
            form = "Give only the final answer" + (", as a number." if number else ".")
            return form if talks else None
        return None if self.instruction == "none" else self.instruction

    @property
    def kind(self) -> str:
        """Whose task it is: ``bundled``, ``questions`` or ``reasoning-gym``."""
        return _kind_of_task(self.name)

    def __hash__(self) -> int:  # pydantic's own would want to hash the options
        return hash(self.model_dump_json())

    @field_validator("name")
    @classmethod
    def _a_known_task(cls, name: str) -> str:
        if name in tasks():
            tasks()[name]  # one that cannot be had says so
            return name
        if name == QUESTIONS or (name.startswith(PREFIX) and name != PREFIX):
            return name
        known = [*sorted(tasks()), QUESTIONS, f"{PREFIX}…"]
        raise ValueError(f"expected {any_of(known)}, got {name!r}{nearest(name, known)}")

    @field_validator(*TASK_KEYS)
    @classmethod
    def _for_this_task(cls, value: Any, info: ValidationInfo) -> Any:
        name, field = info.data.get("name"), str(info.field_name)
        kind = name and _kind_of_task(name)
        none = field == "options" and kind == "bundled" and not options_of(tasks()[str(name)])
        if name is None or (kind in TASK_KEYS[field] and not none):
            return value
        if value != cls.model_fields[field].get_default(call_default_factory=True):
            raise ValueError(f"expected nothing here for the task {name}, got {value!r}")
        return value

    @field_validator("size")
    @classmethod
    def _a_size_of_the_task(cls, size: int | None, info: ValidationInfo) -> int | None:
        task = tasks().get(info.data.get("name", ""))
        if task is None:
            return size
        if size is None:
            return task.default_size
        if size not in task.sizes:
            raise ValueError(f"expected {sizes_in_words(task.sizes)}, got {size}")
        return size

    @field_validator("growth")
    @classmethod
    def _sizes_of_the_task(
        cls, growth: GrowthConfig | None, info: ValidationInfo
    ) -> GrowthConfig | None:
        task = tasks().get(info.data.get("name", ""))
        if task is None or growth is None:
            return growth
        last = task.sizes[-1] if growth.largest is None else growth.largest
        for key, size in (("from", growth.start), ("largest", last)):
            if size not in task.sizes:
                raise ValueError(f"{key}: expected {sizes_in_words(task.sizes)}, got {size}")
        if last < growth.start:
            raise ValueError(f"largest: expected at least from = {growth.start}, got {last}")
        if missing := set(range(growth.start, last + 1, growth.step)) - set(task.sizes):
            raise ValueError(f"step: expected sizes of {task.name}, got {min(missing)}")
        return growth.model_copy(update={"largest": last})

    @field_validator("file")
    @classmethod
    def _a_file_of_questions(cls, file: str | None, info: ValidationInfo) -> str | None:
        if file is None and info.data.get("name") == QUESTIONS:
            raise ValueError("expected the path of a file of questions, got nothing")
        return file


def _kind_of_task(name: str) -> str:
    if name in tasks():
        return "bundled"
    return "questions" if name == QUESTIONS else "reasoning-gym"
