"""The section `agents` of a configuration: what every founder is, and what it holds."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from mgptn.agents.behaviour import SCRIPTED_MODELS
from mgptn.experiments.config.sections.endpoints import EndpointConfig, models_with_endpoints
from mgptn.experiments.config.sections.learning import FoundersConfig, LearningConfig
from mgptn.experiments.config.sections.plugins import interfaces
from mgptn.experiments.config.sections.section import (
    Probability,
    SamplingTemperature,
    Section,
    any_of,
    nearest,
)
from mgptn.protocols.scale import LEVELS


class ScriptedConfig(Section):
    """How agents without a model behave: `agents.model` is ``scripted`` or ``bayes``."""

    error: Probability = 0.5
    """Error with an empty context."""
    adaptation: Literal["none", "copy"] = "copy"
    """Under `scripted`: the error is the share of wrong examples in context (`copy`), or it stays
    (`none`)."""
    tpr: Probability = 0.9
    """Share of right answers that graders pass."""
    fpr: Probability = 0.1
    """Share of wrong answers that graders pass."""
    correlation: Probability = 0.0
    """Correlation of the graders' errors."""
    blind_spot: Probability = 0.0
    """Share of the problems on which graders pass everything."""
    spots: Literal["shared", "disjoint"] = "shared"
    """Those problems are the same for every grader; or `disjoint`: each grader's seat has its
    own."""
    skills: Annotated[tuple[Probability, ...], Field(min_length=1)] = (0.05, 0.35, 0.65, 0.95)
    """Under `bayes`: the errors that an agent infers from its context."""
    prior: tuple[Probability, ...] = ()
    """Under `bayes`: their prior; even if not set."""

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
    """The question."""
    answer: Annotated[str, Field(max_length=100_000)]
    """The answer that is shown with it."""
    level: Annotated[int | None, Field(ge=0, lt=len(LEVELS))] = None
    """The level that it is shown with, from 0, if any."""


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
    """A bundled model's name, a checkpoint folder, or a hub id, safetensors only; several with
    commas between them, or `gpt-1/*` for every bundled seed of a rung, are dealt to the founders in
    turn; or no model at all: `scripted`, or `bayes`."""
    endpoint: tuple[EndpointConfig, ...] = ()
    """A model behind an OpenAI-compatible server (docs/how-to/endpoints.md); a list of several is
    dealt to the founders in turn, beside `agents.model` if that is set."""
    founders: FoundersConfig | None = None
    """Instead of `agents.model`: small models of one task, trained before the first run that names
    them, kept in `~/.cache/mgptn` (or where `MGPTN_CACHE` says), and dealt to the founders in turn;
    `{}` is all defaults."""
    learning: LearningConfig = LearningConfig()
    dealt: Literal["turns", "blocks"] = "turns"
    """Several models are dealt to the founders in `turns`, or in `blocks`, as demes want them."""
    scripted: ScriptedConfig = ScriptedConfig()
    interface: str = "auto"
    """Layout of problems as text: `ladder` for bundled models, `columns` for founders, `cases` for
    those of tasks about programs, `steps` for those of `walks`, `scribbled-walks` and `cups`;
    `chat`, the tokenizer's own template, where it has one; `base` (few-shot text) for any other
    causal model. `auto` chooses so."""
    personas: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Who the founders are told to be, dealt out in turn and inherited: `careful` and `careless`
    with the ladder, any text with the others (the system's message in a chat, or the head of the
    first user message where the template has none, which is said)."""
    today: date | None = None
    """The date that a chat template is told, if it asks: the day the run began if not set; recorded
    with a run that needs it, and kept when the run goes on."""
    sampling_temperature: SamplingTemperature = 1.0
    """The founders' decoder's."""
    max_answer_tokens: Annotated[int | None, Field(ge=1, le=100_000)] = None
    """Tokens after which an answer is cut off, and counts as wrong: by the task if not set, and in
    chats at least 64."""
    context_text: Literal["whole", "answer"] = "whole"
    """What of an accepted answer enters its author's context: the `whole`, or the `answer` in it,
    which is what counts of it."""
    context_capacity: Annotated[int, Field(ge=0)] = 16
    """Accepted examples that an agent holds; the oldest are forgotten."""
    context_entry: Literal["plain", "graded", "stamped"] = "plain"
    """How an accepted answer enters its author's context: bare (`plain`); `graded`, with the level
    nearest to its mean grade; or `stamped` with the top level, whatever its grade."""
    examples: tuple[ExampleConfig, ...] = ()
    """What the founders hold in their contexts from the start, a list of questions with answers:
    inherited, mutated and forgotten like any other example (`task.shots` are not). The `examples`
    of an exported `agent.json` may stand here."""

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
