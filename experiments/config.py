"""The run's configuration: one YAML file, checked whole before anything starts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from protocols.table import TASKS
from protocols.tasks.answer_matching import MatchName
from protocols.tasks.questions import Questions
from protocols.tasks.reasoning_gym import PREFIX
from protocols.tasks.split import HeldOut
from protocols.tasks.task import sizes_in_words

SEED_LIMIT = 2**63
QUESTIONS = Questions.name

TASK_KEYS: dict[str, tuple[str, ...]] = {
    "size": ("bundled",),
    "options": ("reasoning-gym",),
    "pass_score": ("reasoning-gym",),
    "file": ("questions",),
    "question_field": ("questions",),
    "answer_field": ("questions",),
    "match": ("questions",),
    "held_out": ("questions", "reasoning-gym"),
    "max_answer_characters": ("questions", "reasoning-gym"),
}
"""Keys of the section `task` → the kinds of task that they are for."""


class ConfigError(ValueError):
    """A configuration that cannot be run: names each field, what was expected, what was got."""


def _finite_or_infinite(value: float) -> float:
    if math.isnan(value):
        raise ValueError("expected a number > 0, got NaN")
    return value


def _plain_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
        raise ValueError(
            "expected letters, digits, '.', '_' and '-', starting with one of the first two"
        )
    return value


def _any_of(names: Collection[str]) -> str:
    """What may stand somewhere, as pydantic words it for a literal."""
    *most, last = (repr(name) for name in names)
    return f"{', '.join(most)} or {last}" if most else last


def _nearest(name: str, names: Collection[str]) -> str:
    """A suggestion for a name that is none of these; empty where none is near."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


SelectionTemperature = Annotated[float, Field(gt=0), AfterValidator(_finite_or_infinite)]
SamplingTemperature = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value(cls, value: Any) -> Any:
        if isinstance(value, bool):  # would pass for 1 or 0
            raise ValueError(f"expected a number, a name or a section, got {value}")
        return value


class TaskConfig(_Section):
    """Which recurrent task, and what is set about it; a size not given is the task's own."""

    name: str = "addition"
    size: Annotated[int | None, Field(validate_default=True)] = None
    options: dict[str, Any] = Field(default_factory=dict)
    pass_score: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    file: Annotated[str | None, Field(min_length=1, validate_default=True)] = None
    question_field: Annotated[str, Field(min_length=1)] = "question"
    answer_field: Annotated[str, Field(min_length=1)] = "answer"
    match: MatchName = "exact"
    held_out: HeldOut | None = None
    max_answer_characters: Annotated[int | None, Field(ge=1, le=100_000)] = None

    @property
    def kind(self) -> str:
        """Whose task it is: ``bundled``, ``questions`` or ``reasoning-gym``."""
        return _kind_of_task(self.name)

    def __hash__(self) -> int:  # pydantic's own would want to hash the options
        return hash(self.model_dump_json())

    @field_validator("name")
    @classmethod
    def _a_known_task(cls, name: str) -> str:
        if name in TASKS or name == QUESTIONS or (name.startswith(PREFIX) and name != PREFIX):
            return name
        known = [*sorted(TASKS), QUESTIONS, f"{PREFIX}…"]
        raise ValueError(f"expected {_any_of(known)}, got {name!r}{_nearest(name, known)}")

    @field_validator(*TASK_KEYS)
    @classmethod
    def _for_this_task(cls, value: Any, info: ValidationInfo) -> Any:
        name, field = info.data.get("name"), str(info.field_name)
        if name is None or _kind_of_task(name) in TASK_KEYS[field]:
            return value
        if value != cls.model_fields[field].get_default(call_default_factory=True):
            raise ValueError(f"expected nothing here for the task {name}, got {value!r}")
        return value

    @field_validator("size")
    @classmethod
    def _a_size_of_the_task(cls, size: int | None, info: ValidationInfo) -> int | None:
        task = TASKS.get(info.data.get("name", ""))
        if task is None:
            return size
        if size is None:
            return task.default_size
        if size not in task.sizes:
            raise ValueError(f"expected {sizes_in_words(task.sizes)}, got {size}")
        return size

    @field_validator("file")
    @classmethod
    def _a_file_of_questions(cls, file: str | None, info: ValidationInfo) -> str | None:
        if file is None and info.data.get("name") == QUESTIONS:
            raise ValueError("expected the path of a file of questions, got nothing")
        return file


def _kind_of_task(name: str) -> str:
    if name in TASKS:
        return "bundled"
    return "questions" if name == QUESTIONS else "reasoning-gym"


class SelectionConfig(_Section):
    """How fitness becomes births and deaths; temperature ``.inf`` is neutral drift."""

    process: Literal[
        "wright-fisher", "soft-survival", "moran", "death-birth", "islands", "none"
    ] = "wright-fisher"
    resampling: Literal["multinomial", "systematic"] = "multinomial"
    operator: Literal["softmax", "proportional", "linear-rank", "truncation", "k-tournament"] = (
        "softmax"
    )
    temperature: SelectionTemperature = 0.1


class IslandsConfig(_Section):
    """Demes of equal size, for the process ``islands``, and migration between them."""

    count: Annotated[int, Field(ge=1)] = 2
    migration: Probability = 0.1


class MutationConfig(_Section):
    """Probability of each mutation at a birth, and the size of the jitter (log scale)."""

    drop: Probability = 0.1
    swap: Probability = 0.1
    duplicate: Probability = 0.05
    jitter: Probability = 0.1
    jitter_scale: Annotated[float, Field(gt=0, le=2, allow_inf_nan=False)] = 0.1
    recombination: Probability = 0.0


class PopulationConfig(_Section):
    """How many agents, for how long, under which selection and mutation."""

    size: Annotated[int, Field(ge=2)] = 8
    generations: Annotated[int, Field(ge=1)] = 6
    selection: SelectionConfig = SelectionConfig()
    islands: IslandsConfig = IslandsConfig()
    mutation: MutationConfig = MutationConfig()


class ScriptedConfig(_Section):
    """How agents without a model behave: `agents.model` is ``scripted`` or ``bayes``."""

    error: Probability = 0.5
    adaptation: Literal["none", "copy"] = "copy"
    tpr: Probability = 0.9
    fpr: Probability = 0.1
    correlation: Probability = 0.0
    blind_spot: Probability = 0.0
    skills: Annotated[tuple[Probability, ...], Field(min_length=1)] = (0.05, 0.35, 0.65, 0.95)
    prior: tuple[Probability, ...] = ()

    @model_validator(mode="after")
    def _a_prior_over_the_skills(self) -> ScriptedConfig:
        if self.prior and (
            len(self.prior) != len(self.skills) or abs(sum(self.prior) - 1.0) > 1e-9
        ):
            raise ValueError(
                f"prior: expected {len(self.skills)} probabilities that sum to 1, one a skill, "
                f"got {self.prior}"
            )
        return self


class AgentsConfig(_Section):
    """What every founder is: a bundled model's name, a checkpoint folder, or a hub id."""

    model: Annotated[str, Field(min_length=1)] = "gpt-3"
    scripted: ScriptedConfig = ScriptedConfig()
    interface: Literal["auto", "ladder", "base"] = "auto"
    sampling_temperature: SamplingTemperature = 1.0
    context_capacity: Annotated[int, Field(ge=0)] = 16


class ProtocolConfig(_Section):
    """Who says what to whom, and what it takes to be accepted."""

    name: Literal["survey"] = "survey"
    graders: Annotated[int, Field(ge=1)] = 4
    threshold: Probability = 0.6
    grader_context: Literal["empty", "own"] = "empty"


class HostsConfig(_Section):
    """The fleet: ``auto`` is one host a GPU, or one a CPU core where there is none."""

    count: Literal["auto", "per-agent"] | Annotated[int, Field(ge=1)] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    gpus_per_host: Annotated[float, Field(gt=0, le=8, allow_inf_nan=False)] = 1.0
    dtype: Literal["float32", "bfloat16"] = "float32"
    slots: Annotated[int, Field(ge=1, le=1024)] = 32
    threads: Annotated[int, Field(ge=1, le=256)] = 1


class MetricsConfig(_Section):
    """Where Prometheus finds the run, and for how long after its end; port 0 turns it off."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9464
    linger_seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 0.0


class RunConfig(_Section):
    """Everything that decides a run."""

    name: Annotated[str, AfterValidator(_plain_name)]
    seed: Annotated[int, Field(ge=0, lt=SEED_LIMIT)] = 0
    task: TaskConfig = TaskConfig()
    population: PopulationConfig = PopulationConfig()
    agents: AgentsConfig = AgentsConfig()
    protocol: ProtocolConfig = ProtocolConfig()
    selector: Literal["peers", "random", "shuffled", "oracle", "none"] = "peers"
    hosts: HostsConfig = HostsConfig()
    metrics: MetricsConfig = MetricsConfig()
    problems_per_generation: Annotated[int, Field(ge=1)] = 24

    @model_validator(mode="before")
    @classmethod
    def _task_by_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("task"), str):
            return {**data, "task": {"name": data["task"]}}
        return data

    @model_validator(mode="after")
    def _enough_peers(self) -> RunConfig:
        peers = self.population.size - 1
        if self.protocol.graders > peers:
            raise ValueError(
                f"protocol.graders: expected at most population.size − 1 = {peers} "
                f"(nobody grades itself), got {self.protocol.graders}"
            )
        return self

    @model_validator(mode="after")
    def _equal_islands(self) -> RunConfig:
        size, count = self.population.size, self.population.islands.count
        if self.population.selection.process == "islands" and size % count:
            raise ValueError(
                f"population.islands.count: expected a divisor of population.size = {size} "
                f"(islands are of equal size), got {count}"
            )
        return self


def load_config(path: Path, overrides: tuple[str, ...] = ()) -> RunConfig:
    """Read a YAML file, apply ``key.path=value`` overrides, and check the whole.

    Raises
    ------
    ConfigError
        If the file is missing, is not YAML, or any field of it is not as it should be. Every
        fault is named at once.
    """
    try:
        data = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise ConfigError(f"{path}: expected a YAML file, got nothing at this path") from None
    except (yaml.YAMLError, UnicodeDecodeError, IsADirectoryError) as error:
        raise ConfigError(f"{path}: expected YAML, got: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError(
            f"{path}: expected a mapping of configuration keys, got {type(data).__name__}"
        )
    for override in overrides:
        _apply(data, override)
    return check_config(data, source=str(path))


def check_config(data: dict[str, Any], source: str = "configuration") -> RunConfig:
    """A checked configuration from plain data.

    Raises
    ------
    ConfigError
        With a line for each fault: the field, what was expected, what was got.
    """
    try:
        return RunConfig.model_validate(data)
    except ValidationError as error:
        lines = [_explain(fault) for fault in error.errors()]
        raise ConfigError(f"{source}:\n" + "\n".join(f"  {line}" for line in lines)) from None


def _apply(data: dict[str, Any], override: str) -> None:
    """Set one ``key.path=value`` in nested data; the value is read as YAML."""
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise ConfigError(f"--set {override}: expected key=value, such as population.size=8")
    *parents, leaf = path.split(".")
    here = data
    for parent in parents:
        below = here.get(parent)
        if isinstance(below, str) and parent == "task":
            below = {"name": below}
        if below is None:
            below = {}
        if not isinstance(below, dict):
            raise ConfigError(f"--set {override}: expected {parent!r} to be a section, got a value")
        here[parent] = below
        here = below
    try:
        here[leaf] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override}: expected a YAML value, got: {error}") from None


def known_keys(model: type[BaseModel] = RunConfig, prefix: str = "") -> list[str]:
    """Dotted paths of every key a configuration may have."""
    keys: list[str] = []
    for name, field in model.model_fields.items():
        keys.append(prefix + name)
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            keys += known_keys(kind, f"{prefix}{name}.")
    return keys


def _explain(fault: Any) -> str:
    """One line of plain words for one of pydantic's faults."""
    path = ".".join(str(part) for part in fault["loc"] if not _is_tag(str(part)))
    if fault["type"] == "extra_forbidden":
        return f"{path}: unknown key{_nearest_key(path)}"
    if fault["type"] == "missing":
        return f"{path}: expected a value, got nothing"
    message = fault["msg"].removeprefix("Value error, ").partition(", got a number with")[0]
    if not path:
        return str(message)
    if ", got " in message:
        return f"{path}: {message}"
    expected = message.removeprefix("Input should be ").removeprefix("expected ")
    return f"{path}: expected {expected}, got {fault['input']!r}"


def _nearest_key(path: str) -> str:
    """A suggestion for an unknown key, by its last part first, then by the whole path."""
    section, _, leaf = path.rpartition(".")
    known = [key.rpartition(".") for key in known_keys()]
    near = difflib.get_close_matches(leaf, [last for _, _, last in known], n=1, cutoff=0.7)
    if near:
        homes = [home for home, _, last in reversed(known) if last == near[0]]
        home = max(homes, key=lambda home: difflib.SequenceMatcher(None, home, section).ratio())
        return f"; did you mean {home}.{near[0]}?" if home else f"; did you mean {near[0]}?"
    whole = difflib.get_close_matches(path, known_keys(), n=1, cutoff=0.5)
    return f"; did you mean {whole[0]}?" if whole else ""


def _is_tag(part: str) -> bool:
    """Does pydantic name a member of a union here, and not a key of ours?"""
    return part == "int" or part.startswith(("literal[", "constrained-", "function-"))
