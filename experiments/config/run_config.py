"""The run's configuration: one YAML file, checked whole before anything starts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, model_validator

from mgptn.agents.behaviour import SCRIPTED_MODELS
from mgptn.experiments.config.bundled import bundled_instead, find_config
from mgptn.experiments.config.explaining import explained, keys_of
from mgptn.experiments.config.sections.agents import AgentsConfig
from mgptn.experiments.config.sections.endpoints import LimitsConfig
from mgptn.experiments.config.sections.grading import HumanConfig, SelectorChoice, weights_of
from mgptn.experiments.config.sections.hosts import HostsConfig, MetricsConfig
from mgptn.experiments.config.sections.learning import MOST
from mgptn.experiments.config.sections.plugins import find_protocol, protocols
from mgptn.experiments.config.sections.population import PopulationConfig
from mgptn.experiments.config.sections.protocol import ProtocolConfig
from mgptn.experiments.config.sections.sandbox import SandboxConfig
from mgptn.experiments.config.sections.section import LARGEST, Section, plain_name
from mgptn.experiments.config.sections.task import TaskConfig
from mgptn.experiments.config.topology import check_seats
from mgptn.experiments.config.yaml_reading import MOST_BYTES, YamlError, read_yaml
from mgptn.population.display.html import folded, heading, table
from mgptn.population.judging.roles import FLATTERER, dealt_roles

SEED_LIMIT = 2**63

NAMED = ("task", "topology", "aggregation", "extract")
"""Sections for which a name alone may stand."""


class ConfigError(ValueError):
    """A configuration that cannot be run: names each field, what was expected, what was got."""


class RunConfig(Section):
    """Everything that decides a run."""

    name: Annotated[str, AfterValidator(plain_name)]
    """Labels the run in its journal, metrics and report."""
    seed: Annotated[int, Field(ge=0, lt=SEED_LIMIT)] = 0
    """Every random draw follows from it."""
    task: TaskConfig = TaskConfig()
    population: PopulationConfig = PopulationConfig()
    agents: AgentsConfig = AgentsConfig()
    protocol: ProtocolConfig = ProtocolConfig()
    selector: SelectorChoice = "peers"
    """Where fitness comes from: `peers`; `self`, which needs `protocol.self_grading: also`, or a
    protocol in which authors grade; `oracle`; `human`, a simulated one; `random`; `shuffled`, the
    peers' scores dealt out anew; `none`; or a mixture such as `{peers: 0.9, human: 0.1}`, in which
    each answer is judged by one of them, drawn by weight."""
    human: HumanConfig = HumanConfig()
    hosts: HostsConfig = HostsConfig()
    metrics: MetricsConfig = MetricsConfig()
    limits: LimitsConfig = LimitsConfig()
    sandbox: SandboxConfig = SandboxConfig()
    problems_per_generation: Annotated[int, Field(ge=1, le=LARGEST)] = 24
    """Problems that every agent answers; none is drawn twice in a run."""
    as_many: Annotated[int, Field(ge=0, le=100)] = 0
    """Once more beside a run, its founders answer and grade the last generation's problems, as
    often as all generations answered theirs, so many times over: what the vote and the best of as
    many of their answers are worth, over *k* and at equal FLOPs. Costs about as many answers and
    grades as the run; not where a task grows."""

    def _repr_html_(self) -> str:
        """For notebooks: what is set otherwise than by default, and everything."""
        usual = _flat(RunConfig(name=self.name).model_dump(mode="json"))
        own = _flat(self.model_dump(mode="json"))
        other = [(key, value, usual.get(key, "")) for key, value in own.items()]
        changed = [row for row in other if row[0] not in usual or row[1] != row[2]]
        return (
            heading(f"{self.name}: {self.population.size} × {self.agents.said} on {self.task.name}")
            + table(("key", "set to", "by default"), changed)
            + folded("Every key", table(("key", "value"), own.items()))
        )

    @model_validator(mode="before")
    @classmethod
    def _task_by_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("task"), str):
            return {**data, "task": {"name": data["task"]}}
        return data

    @model_validator(mode="before")
    @classmethod
    def _founders_by_seed(cls, data: Any) -> Any:
        """Another seed of a run has other founders, unless it says which."""
        if not isinstance(data, dict) or not isinstance(data.get("seed", 0), int):
            return data
        agents = data.get("agents")
        if not isinstance(agents, dict):
            return data
        founders = agents.get("founders")
        if not isinstance(founders, dict) or "seed" in founders:
            return data
        founders = {**founders, "seed": MOST * data.get("seed", 0)}
        return {**data, "agents": {**agents, "founders": founders}}

    @model_validator(mode="after")
    def _enough_peers(self) -> RunConfig:
        protocol = find_protocol(self.protocol.name)
        seating = protocol.seating(self.protocol.as_options())
        graders = self.protocol.graders if seating == "peers" else 0
        peers = self.population.size - 1 - protocol.partners
        if peers < 0:
            raise ValueError(
                f"population.size: expected at least {1 + protocol.partners} for the protocol "
                f"{protocol.name}, got {self.population.size}"
            )
        if graders > peers:
            beside = f" − {protocol.partners} who take part" if protocol.partners else ""
            raise ValueError(
                f"protocol.graders: expected at most population.size − 1{beside} = {peers} "
                f"(nobody grades itself), got {graders}"
            )
        return self

    @model_validator(mode="after")
    def _a_task_of_the_protocol(self) -> RunConfig:
        protocol = find_protocol(self.protocol.name)
        wanted = protocol.tasks
        if wanted and self.task.name not in wanted:
            raise ValueError(
                f"protocol.name: expected one for any task beside the task {self.task.name}, got "
                f"{self.protocol.name!r}, which is for {', '.join(wanted)}"
            )
        try:
            protocol.check(self.protocol.as_options())
        except ValueError as error:
            raise ValueError(f"protocol.{error}") from None
        return self

    @model_validator(mode="after")
    def _somebody_grades_itself(self) -> RunConfig:
        seating = find_protocol(self.protocol.name).seating(self.protocol.as_options())
        also = self.protocol.self_grading == "also"
        if also and seating != "peers":
            why = "its author grades anyway" if seating == "self" else "nobody grades"
            raise ValueError(
                f"protocol.self_grading: expected none for the protocol {self.protocol.name} "
                f"({why}), got 'also'"
            )
        asked = also or seating == "self"
        if "self" in weights_of(self.selector) and not asked:
            raise ValueError(
                "selector: expected protocol.self_grading = also for 'self' (nobody else asks an "
                f"author for its own grade), got {self.protocol.self_grading!r}"
            )
        return self

    @model_validator(mode="after")
    def _as_many_to_what_is_asked(self) -> RunConfig:
        if self.as_many and self.task.growth is not None:
            raise ValueError(
                "as_many: expected 0 where a task grows, whose last size nobody knows before, "
                f"got {self.as_many}"
            )
        return self

    @model_validator(mode="after")
    def _growth_by_what_selects(self) -> RunConfig:
        growth, reads = self.task.growth, {"oracle", "human"} & set(weights_of(self.selector))
        if growth is not None and growth.by == "agreement" and reads:
            raise ValueError(
                "task.growth.by: expected gold or schedule where the selector goes by verdicts "
                f"({', '.join(sorted(reads))}), got 'agreement', which is to take none"
            )
        return self

    @model_validator(mode="after")
    def _nothing_that_a_server_cannot(self) -> RunConfig:
        if not self.agents.endpoint:
            if self.limits.cost is not None:
                raise ValueError("limits.cost: expected an agents.endpoint with a price, got none")
            return self
        mutation = self.population.mutation
        for key, value, allowed in (
            ("agents.learning.method", self.agents.learning.method, "none"),
            ("population.mutation.noise", mutation.noise, 0.0),
            ("population.mutation.merging", mutation.merging, 0.0),
        ):
            if value != allowed:
                raise ValueError(
                    f"{key}: expected {allowed} beside agents.endpoint (weights behind a server "
                    f"stay as they are), got {value!r}"
                )
        if self.protocol.reading in ("likelihood", "confidence"):
            raise ValueError(
                "protocol.reading: expected logits or sampled beside agents.endpoint (a server "
                "tells the likeliest next tokens, and not how likely a text is), got "
                f"{self.protocol.reading!r}"
            )
        if self.limits.cost is not None and not any(e.price.charges for e in self.agents.endpoint):
            raise ValueError(
                "limits.cost: expected a price in agents.endpoint to count by, got none"
            )
        return self

    @model_validator(mode="after")
    def _enough_to_agree(self) -> RunConfig:
        growth, aggregation, size = (
            self.task.growth,
            self.protocol.aggregation,
            self.population.size,
        )
        if growth is not None and growth.agree is not None and growth.agree > size:
            raise ValueError(
                f"task.growth.agree: expected at most population.size = {size}, got {growth.agree}"
            )
        seats = self.protocol.as_options().graders
        if aggregation.name == "quorum" and aggregation.least > seats:
            raise ValueError(
                f"protocol.aggregation.least: expected at most {seats}, the graders of an answer, "
                f"got {aggregation.least}"
            )
        return self

    @model_validator(mode="after")
    def _something_to_compare(self) -> RunConfig:
        compares = find_protocol(self.protocol.name).compares
        if self.protocol.fitness == "bradley-terry" and not compares:
            known = [name for name, one in protocols().usable().items() if one.compares]
            raise ValueError(
                f"protocol.fitness: expected mean under the protocol {self.protocol.name}, which "
                f"compares nothing ({', '.join(known)} do), got {self.protocol.fitness!r}"
            )
        return self

    @model_validator(mode="after")
    def _equal_islands(self) -> RunConfig:
        size, count = self.population.size, self.population.islands.count
        apart = (self.population.selection.process, self.protocol.topology.name)
        learns = self.agents.learning.method != "none" and self.agents.learning.source == "deme"
        if ("islands" in apart or learns) and size % count:
            raise ValueError(
                f"population.islands.count: expected a divisor of population.size = {size} "
                f"(islands are of equal size), got {count}"
            )
        return self

    @model_validator(mode="after")
    def _adversaries_among_the_founders(self) -> RunConfig:
        shares = self.population.adversaries.shares
        dealt_roles(shares, self.population.size, self.seed)
        blind = self.agents.scripted.blind_spot > 0.0
        if FLATTERER in shares and self.agents.model in SCRIPTED_MODELS and not blind:
            raise ValueError(
                "population.adversaries.flatterer: expected agents.scripted.blind_spot > 0 for it "
                f"to exploit, got {shares[FLATTERER]} of them and a blind spot of 0"
            )
        return self

    @model_validator(mode="after")
    def _spots_side_by_side(self) -> RunConfig:
        scripted, seats = self.agents.scripted, self.protocol.as_options().graders
        if scripted.spots == "disjoint" and seats * scripted.blind_spot > 1.0 + 1e-9:
            raise ValueError(
                f"agents.scripted.blind_spot: expected at most 1/{seats} where the spots of "
                f"{seats} graders are disjoint, got {scripted.blind_spot}"
            )
        return self

    @model_validator(mode="after")
    def _everybody_can_be_graded(self) -> RunConfig:
        protocol = self.protocol
        if find_protocol(protocol.name).seating(protocol.as_options()) == "peers":
            check_seats(protocol, self.population, self.agents.model, self.seed)
        return self


def _flat(section: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Dotted keys and their values."""
    found: dict[str, Any] = {}
    for key, value in section.items():
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{above}{key}.")
        else:
            found[above + key] = value
    return found


def load_config(config: str | Path, overrides: tuple[str, ...] = ()) -> RunConfig:
    """Read a YAML file, apply ``key.path=value`` overrides, and check the whole.

    Parameters
    ----------
    config
        A path, or the name of a bundled configuration; a file that exists always wins.

    Raises
    ------
    ConfigError
        If the file is missing, is not YAML, or any field of it is not as it should be. Every
        fault is named at once.
    """
    path = find_config(config)
    try:
        with path.open("rb") as file:
            data = read_yaml(file.read(MOST_BYTES + 1), str(path))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: expected a YAML file, got nothing at this path{bundled_instead(path)}"
        ) from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: expected YAML, got: a folder") from None
    except YamlError as error:
        raise ConfigError(str(error)) from None
    if not isinstance(data, dict):
        raise ConfigError(
            f"{path}: expected a mapping of configuration keys, got {type(data).__name__}"
        )
    for change in overrides:
        override(data, change)
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
        lines = [explained(fault, known_keys()) for fault in error.errors()]
        raise ConfigError(f"{source}:\n" + "\n".join(f"  {line}" for line in lines)) from None


def override(data: dict[str, Any], change: str) -> None:
    """Set one ``key.path=value`` in nested data; the value is read as YAML.

    Raises
    ------
    ConfigError
        If it is not of this form, or leads through what is no section.
    """
    path, equals, text = change.partition("=")
    if not equals or not path:
        raise ConfigError(f"--set {change}: expected key=value, such as population.size=8")
    set_key(data, path, read_value(text, f"--set {change}"), change)


def read_value(text: str, source: str) -> Any:
    """A value that is given on the command line, read as YAML.

    Raises
    ------
    ConfigError
        If it is none, naming the source.
    """
    try:
        return read_yaml(text, source, lines=False)
    except YamlError as error:
        raise ConfigError(str(error)) from None


def set_key(data: dict[str, Any], path: str, value: Any, change: str | None = None) -> None:
    """Set one dotted key in nested data.

    Parameters
    ----------
    change
        How an error names the change; the key itself if None.

    Raises
    ------
    ConfigError
        If the key leads through what is no section.
    """
    *parents, leaf = path.split(".")
    here = data
    for parent in parents:
        below = here.get(parent)
        if isinstance(below, str) and parent in NAMED:
            below = {"name": below}
        if below is None:
            below = {}
        if not isinstance(below, dict):
            raise ConfigError(
                f"--set {change or path}: expected {parent!r} to be a section, got a value"
            )
        here[parent] = below
        here = below
    here[leaf] = value


def known_keys() -> list[str]:
    """Dotted paths of every key a configuration may have."""
    return keys_of(RunConfig)
