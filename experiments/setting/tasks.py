"""From a configuration's `task` section to the task itself, all of it checked before a run."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, get_type_hints

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from mgptn.experiments.config.bundled import find_questions
from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.config.sections.plugins import options_of, tasks
from mgptn.experiments.config.sections.task import TaskConfig
from mgptn.experiments.setting.question_file import QuestionFile, read_questions
from mgptn.protocols.answers.reading import make_reading
from mgptn.protocols.tasks.questions import Questions
from mgptn.protocols.tasks.reasoning_gym import PREFIX, ReasoningGym, check_dataset, options_class
from mgptn.protocols.tasks.task import Task

INSTALL = "pip install -c constraints.txt -e '.[tasks]', from mgptn's own folder"


@dataclass(frozen=True, slots=True)
class MadeTask:
    """A task, and what of it belongs into a run's manifest.

    Attributes
    ----------
    task
        The task.
    file_hash
        Of the file of questions; None without one.
    libraries
        Packages whose versions decide what the task's problems and verdicts are.
    """

    task: Task
    file_hash: str | None = None
    libraries: tuple[str, ...] = ()


def make_task(config: TaskConfig, talks: bool = False) -> MadeTask:
    """The task that a checked configuration names.

    Parameters
    ----------
    talks
        Does a model answer as people do? Then a part of an answer counts, unless `task.extract`
        says else.

    Raises
    ------
    ConfigError
        If the task needs a library that is not installed, or its data set, options or file are
        not as they should be.
    """
    try:
        if config.name in tasks():
            libraries = _libraries(config.name)
            return MadeTask(_sized(config, bundled_size(config)), None, libraries)
        if config.name == Questions.name:
            return _questions(config, talks)
        return _reasoning_gym(config, talks)
    except ImportError as error:
        raise ConfigError(
            f"task: expected an installation with the libraries that {config.name} needs, got "
            f"{type(error).__name__}: {error}; {INSTALL}"
        ) from None
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(str(error)) from None


def bundled_size(config: TaskConfig) -> int:
    """The size of a bundled task, the first of one that grows; a checked configuration has one."""
    if config.growth is not None:
        return config.growth.start
    assert config.size is not None
    return config.size


def grown_tasks(config: TaskConfig) -> dict[int, Task]:
    """A task at every size that it may grow to; none of one that does not grow."""
    growth = config.growth
    if growth is None:
        return {}
    assert growth.largest is not None
    sizes = range(growth.start, growth.largest + 1, growth.step)
    return {size: _sized(config, size) for size in sizes}


def _sized(config: TaskConfig, size: int) -> Task:
    """A task from a class of tasks, with its options."""
    kind = tasks()[config.name]
    made: Task = kind(size, **checked_options(config.name, options_of(kind), config.options))
    return made


def _libraries(name: str) -> tuple[str, ...]:
    """The distributions that a class of tasks needs, all of which are here.

    Raises
    ------
    ConfigError
        Naming those that are not.
    """
    needed = tuple(getattr(tasks()[name], "libraries", ()))
    missing = [library for library in needed if not _installed(library)]
    if missing:
        raise ConfigError(
            f"task: expected an installation with {', '.join(needed)}, which {name} needs, got one "
            f"without {', '.join(missing)}; pip install {' '.join(missing)}"
        )
    return needed


def _installed(library: str) -> bool:
    try:
        version(library)
    except PackageNotFoundError:
        return False
    return True


def _questions(config: TaskConfig, talks: bool) -> MadeTask:
    assert config.file is not None
    extraction = config.extract.extraction(talks=talks)
    reading = make_reading(config.match, extraction)
    read: QuestionFile = read_questions(
        find_questions(config.file), config.question_field, config.answer_field, reading.fault
    )
    task = Questions(
        read.problems,
        match=config.match,
        extraction=extraction,
        held_out=config.held_out or "all",
        max_answer_characters=config.max_answer_characters,
    )
    libraries = ("math-verify", "latex2sympy2-extended", "sympy") if config.match == "math" else ()
    return MadeTask(task, read.digest, libraries)


def _reasoning_gym(config: TaskConfig, talks: bool) -> MadeTask:
    name = config.name.removeprefix(PREFIX)
    check_dataset(name)
    task = ReasoningGym(
        name,
        checked_options(config.name, _fields(options_class(name)), config.options),
        held_out=config.held_out or "hash",
        pass_score=config.pass_score,
        extraction=config.extract.extraction(talks=talks),
        max_answer_characters=config.max_answer_characters,
    )
    return MadeTask(task, None, ("reasoning-gym", "sympy"))


def _fields(kind: type[Any]) -> dict[str, Any]:
    """Name → type of each field of a dataclass."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def checked_options(
    task: str, hints: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Options as a task wants them: known, and of the right types.

    Parameters
    ----------
    hints
        Name → type of each that it has.

    Raises
    ------
    ConfigError
        With a line for each that is not.
    """
    checked: dict[str, Any] = {}
    faults: list[str] = []
    for name, value in options.items():
        if name not in hints:
            faults.append(_unknown(task, name, set(hints)))
            continue
        try:
            checked[name] = TypeAdapter(hints[name]).validate_python(value)
        except PydanticUserError:  # a type of the library's own: its checks are all there are
            checked[name] = value
        except ValidationError as error:
            message = error.errors()[0]["msg"].removeprefix("Input should be ")
            faults.append(f"task.options.{name}: expected {message}, got {value!r}")
    if faults:
        raise ConfigError("\n".join(faults))
    return checked


def _unknown(task: str, name: str, fields: set[str]) -> str:
    near = difflib.get_close_matches(name, fields, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"task.options.{name}: expected an option of {task} ({', '.join(sorted(fields))}){hint}"
