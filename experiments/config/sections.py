"""The sections of a configuration but its task and who grades: population, agents, hosts, …"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from mgptn.agents.behaviour import SCRIPTED_MODELS
from mgptn.experiments.config.endpoints import EndpointConfig, models_with_endpoints
from mgptn.experiments.config.grading import AggregationConfig, TopologyConfig
from mgptn.experiments.config.learning import FoundersConfig, LearningConfig
from mgptn.experiments.config.plugins import interfaces, protocols
from mgptn.experiments.config.section import (
    LARGEST,
    Probability,
    SamplingTemperature,
    Section,
    SelectionTemperature,
    any_of,
    nearest,
)
from mgptn.population.judging.acceptance import Acceptance
from mgptn.protocols.interfaces.wordings import WORDINGS, Wording
from mgptn.protocols.protocol import Picker, ProtocolOptions
from mgptn.protocols.scale import LEVELS


class SelectionConfig(Section):
    """How fitness becomes births and deaths; temperature ``.inf`` is neutral drift."""

    process: Literal[
        "wright-fisher", "soft-survival", "moran", "death-birth", "islands", "none"
    ] = "wright-fisher"
    resampling: Literal["multinomial", "systematic"] = "multinomial"
    operator: Literal["softmax", "proportional", "linear-rank", "truncation", "k-tournament"] = (
        "softmax"
    )
    temperature: SelectionTemperature = 0.1
    dissent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    protection: Probability = 0.0


class IslandsConfig(Section):
    """Demes of equal size, for the process ``islands``, and migration between them."""

    count: Annotated[int, Field(ge=1, le=LARGEST)] = 2
    migration: Probability = 0.1


class MutationConfig(Section):
    """Probability of each mutation at a birth, and the size of the jitter (log scale)."""

    drop: Probability = 0.1
    swap: Probability = 0.1
    duplicate: Probability = 0.05
    jitter: Probability = 0.1
    jitter_scale: Annotated[float, Field(gt=0, le=2, allow_inf_nan=False)] = 0.1
    recombination: Probability = 0.0
    noise: Probability = 0.0
    noise_scale: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 0.01
    merging: Probability = 0.0
    merging_share: Probability = 0.5


class AdversariesConfig(Section):
    """Share of the founders in each role but the ordinary one."""

    always_top: Probability = 0.0
    always_bottom: Probability = 0.0
    random: Probability = 0.0
    saboteur: Probability = 0.0
    clique: Probability = 0.0
    flatterer: Probability = 0.0
    flattery: Literal["near", "random", "persistent"] = "near"

    @property
    def shares(self) -> dict[str, float]:
        """Role → share, only of those that there are."""
        plain = self.model_dump(exclude={"flattery"})
        return {name.replace("_", "-"): share for name, share in plain.items() if share > 0.0}


class PopulationConfig(Section):
    """How many agents, for how long, under which selection and mutation."""

    size: Annotated[int, Field(ge=2, le=LARGEST)] = 8
    generations: Annotated[int, Field(ge=1, le=LARGEST)] = 6
    selection: SelectionConfig = SelectionConfig()
    islands: IslandsConfig = IslandsConfig()
    mutation: MutationConfig = MutationConfig()
    adversaries: AdversariesConfig = AdversariesConfig()


class ScriptedConfig(Section):
    """How agents without a model behave: `agents.model` is ``scripted`` or ``bayes``."""

    error: Probability = 0.5
    adaptation: Literal["none", "copy"] = "copy"
    tpr: Probability = 0.9
    fpr: Probability = 0.1
    correlation: Probability = 0.0
    blind_spot: Probability = 0.0
    spots: Literal["shared", "disjoint"] = "shared"
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


class ExampleConfig(Section):
    """A question with an answer, as `agent.json` has the examples of an exported agent."""

    question: Annotated[str, Field(min_length=1, max_length=100_000)]
    answer: Annotated[str, Field(max_length=100_000)]
    level: Annotated[int | None, Field(ge=0, lt=len(LEVELS))] = None


LAYOUTS = {"chat": "chat", "completions": "base"}
"""How problems are laid out for either API of an endpoint."""


def _endpoints_in(value: Any) -> list[EndpointConfig]:
    """Endpoints as they are configured: one, or a list of several."""
    several = [value] if isinstance(value, dict) else value
    if not isinstance(several, list | tuple):
        return []
    return [EndpointConfig.model_validate(one) for one in several]


class AgentsConfig(Section):
    """What every founder is: a bundled model's name, a checkpoint folder, or a hub id; or what a
    server has."""

    model: Annotated[str, Field(min_length=1)] = "gpt-3"
    endpoint: tuple[EndpointConfig, ...] = ()
    founders: FoundersConfig | None = None
    learning: LearningConfig = LearningConfig()
    dealt: Literal["turns", "blocks"] = "turns"
    scripted: ScriptedConfig = ScriptedConfig()
    interface: str = "auto"
    personas: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    today: date | None = None
    sampling_temperature: SamplingTemperature = 1.0
    max_answer_tokens: Annotated[int | None, Field(ge=1, le=100_000)] = None
    context_text: Literal["whole", "answer"] = "whole"
    context_capacity: Annotated[int, Field(ge=0)] = 16
    context_entry: Literal["plain", "graded", "stamped"] = "plain"
    examples: tuple[ExampleConfig, ...] = ()

    @field_validator("endpoint", mode="before")
    @classmethod
    def _one_endpoint(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) else () if value is None else value

    @model_validator(mode="before")
    @classmethod
    def _models_of_founders_and_endpoints(cls, data: Any) -> Any:
        """Founders' and endpoints' names stand where any other models' would."""
        if not isinstance(data, dict):
            return data
        try:
            founders = data.get("founders") and FoundersConfig.model_validate(data["founders"])
            endpoints = _endpoints_in(data.get("endpoint"))
        except ValidationError:
            return data  # which the field itself will say, under its own name
        names = [endpoint.called for endpoint in endpoints]
        model = data.get("model")
        if founders is not None and data.get("founders") is not None:
            trained = ",".join(founders.names)
            given = [part for part in str(model or trained).split(",") if part not in names]
            if ",".join(given) != trained:
                raise ValueError(
                    f"model: expected nothing beside agents.founders, which are trained here, got "
                    f"{model!r}"
                )
            data = {**data, "model": model or trained}
        if not isinstance(data.get("model", ""), str):
            return data
        known = models_with_endpoints(data.get("model"), names)
        if not names:
            return data
        apis = {endpoint.api for endpoint in endpoints}
        if data.get("interface", "auto") == "auto" and set(known.split(",")) <= set(names):
            layouts = {LAYOUTS[api] for api in apis}
            data = {**data, "interface": layouts.pop() if len(layouts) == 1 else "auto"}
        return {**data, "model": known}

    @property
    def remote(self) -> frozenset[str]:
        """Names of the models that are behind endpoints."""
        return frozenset(endpoint.called for endpoint in self.endpoint)

    @property
    def said(self) -> str:
        """The models in few words."""
        if self.founders is None:
            return self.model
        return f"founders of {self.founders.task} {self.founders.sizes}"

    @field_validator("examples")
    @classmethod
    def _that_can_be_held(
        cls, examples: tuple[ExampleConfig, ...], info: ValidationInfo
    ) -> tuple[ExampleConfig, ...]:
        capacity = info.data.get("context_capacity", len(examples))
        if examples and info.data.get("model") in SCRIPTED_MODELS:
            raise ValueError(f"expected none for agents without a model, got {len(examples)}")
        if len(examples) > capacity:
            raise ValueError(f"expected at most context_capacity = {capacity}, got {len(examples)}")
        return examples

    @field_validator("interface")
    @classmethod
    def _a_known_interface(cls, name: str) -> str:
        known = ["auto", *interfaces()]
        if name not in known:
            raise ValueError(f"expected {any_of(known)}, got {name!r}{nearest(name, known)}")
        if name != "auto":
            interfaces()[name]  # one that cannot be had says so
        return name


class QuestionConfig(Section):
    """A grading question in your own words."""

    question: Annotated[str, Field(min_length=1)]
    lead: Annotated[str, Field(min_length=1)]
    options: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=2)]
    levels: tuple[Annotated[int, Field(ge=1, le=len(LEVELS))], ...]

    @model_validator(mode="after")
    def _a_level_an_option(self) -> QuestionConfig:
        if len(self.levels) != len(self.options):
            raise ValueError(
                f"levels: expected {len(self.options)} numbers from 1 to {len(LEVELS)}, one an "
                f"option, got {self.levels}"
            )
        if len(set(self.options)) != len(self.options):
            raise ValueError(f"options: expected each once, got {self.options}")
        return self


class AcceptConfig(Section):
    """Accept so large a share of a generation's answers, the best by score."""

    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class ProtocolConfig(Section):
    """Who says what to whom, and what it takes to be accepted."""

    name: str = "survey"
    graders: Annotated[int, Field(ge=1, le=LARGEST)] = 4
    topology: TopologyConfig = TopologyConfig()
    self_grading: Literal["none", "also"] = "none"
    aggregation: AggregationConfig = AggregationConfig()
    fitness: Literal["mean", "bradley-terry"] = "mean"
    threshold: Probability = 0.6
    accept: Literal["threshold", "calibrated"] | AcceptConfig = "threshold"
    grader_context: Literal["empty", "own", "shared"] = "empty"
    question: Literal["auto", "words", "digits", "yes-no", "correct"] | QuestionConfig = "auto"
    reading: Literal["logits", "sampled", "likelihood", "confidence"] = "logits"
    least_mass: Probability = 0.05
    shots: Annotated[int, Field(ge=0, le=64)] = 0
    draws: Annotated[int, Field(ge=2, le=1024)] = 4
    turns: Annotated[int, Field(ge=1, le=64)] = 1
    wanted: Annotated[int, Field(ge=1, le=len(LEVELS))] = len(LEVELS)
    picker: Picker = "peers"
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("name")
    @classmethod
    def _a_known_protocol(cls, name: str) -> str:
        known = protocols()
        if name not in known:
            raise ValueError(f"expected {any_of(known)}, got {name!r}{nearest(name, known)}")
        known[name]  # one that cannot be had says so
        return name

    @property
    def wording(self) -> Wording | None:
        """The grading question's; None for the layout's own."""
        if self.question == "auto":
            return None
        if isinstance(self.question, str):
            return WORDINGS[self.question]
        own = self.question
        levels = tuple(level - 1 for level in own.levels)
        return Wording("own", own.question, own.lead, own.options, levels)

    @property
    def acceptance(self) -> Acceptance:
        """From which score on an answer is accepted."""
        if isinstance(self.accept, str):
            return Acceptance(self.threshold, self.accept)
        return Acceptance(self.threshold, "share", self.accept.share)

    def as_options(self) -> ProtocolOptions:
        """What the protocol is told; an author that grades too has the last grader's seat."""
        return ProtocolOptions(
            graders=self.graders + (self.self_grading == "also"),
            draws=self.draws,
            turns=self.turns,
            wanted=self.wanted - 1,
            picker=self.picker,
            further=self.options,
        )

    def __hash__(self) -> int:  # pydantic's own would want to hash the options
        return hash(self.model_dump_json())


class HostsConfig(Section):
    """The fleet: ``auto`` is one host a GPU, or one a CPU core where there is none."""

    count: Literal["auto", "per-agent"] | Annotated[int, Field(ge=1)] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    gpus_per_host: Annotated[float, Field(gt=0, le=8, allow_inf_nan=False)] = 1.0
    dtype: Literal["float32", "bfloat16"] = "float32"
    slots: Annotated[int, Field(ge=1, le=1024)] = 32
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    patience: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] = 60.0
    watts: Annotated[float | None, Field(gt=0, le=1e6, allow_inf_nan=False)] = None


class MetricsConfig(Section):
    """Where Prometheus finds the run, and for how long after its end.

    Port 0 turns it off; ``auto`` is 9464, or where that is taken any other that is free.
    """

    host: str = "127.0.0.1"
    port: Literal["auto"] | Annotated[int, Field(ge=0, le=65535)] = "auto"
    linger_seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 0.0
