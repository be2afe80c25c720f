"""The sections of a configuration about weights: founders that are trained here, and learning."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from dataclasses import fields
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from mgptn.agents.founding.recipe import FounderRecipe
from mgptn.agents.learning.parts import PARTS, is_part
from mgptn.agents.requests import Lora
from mgptn.experiments.config.section import Renamed, Section, any_of, nearest

MOST = 1000
"""Founders of a run, and how far apart the seeds of different runs' founders are."""

LEVELLED = ("before", "after")
"""How an answer enters a lesson with the level that it deserves by its score."""

_USUAL = FounderRecipe()


class FoundersConfig(Section):
    """Small models of one task, trained before the first run that names them."""

    task: str = _USUAL.task
    sizes: str = f"{_USUAL.least}-{_USUAL.most}"
    count: Annotated[int, Field(ge=1, le=MOST)] = 3
    seed: Annotated[int, Field(ge=0)] = 0
    layers: int = _USUAL.layers
    width: int = _USUAL.width
    heads: int = _USUAL.heads
    steps: int = _USUAL.steps
    documents: int = _USUAL.documents
    rate: float = _USUAL.rate
    offsets: int = _USUAL.offsets
    places: int = _USUAL.places
    judging: float = _USUAL.judging
    noise: float = _USUAL.noise
    scale: str = _USUAL.scale

    @property
    def recipe(self) -> FounderRecipe:
        """What all of them share."""
        least, most = sizes_between(self.sizes)
        further = {f.name for f in fields(FounderRecipe)} - {"task", "least", "most"}
        return FounderRecipe(
            self.task, least, most, **{name: getattr(self, name) for name in sorted(further)}
        )

    @property
    def seeds(self) -> range:
        """Of the founders."""
        return range(self.seed, self.seed + self.count)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models, one a seed."""
        return tuple(map(self.recipe.name, self.seeds))

    @model_validator(mode="after")
    def _a_recipe(self) -> FoundersConfig:
        self.recipe  # noqa: B018  # says what is wrong with it
        return self


def sizes_between(text: str) -> tuple[int, int]:
    """The least and the most of sizes such as ``1-5``, or of one size.

    Raises
    ------
    ValueError
        If the text is not of this form.
    """
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    if found is None:
        raise ValueError(f"sizes: expected such as 1-5, got {text!r}")
    return int(found.group(1)), int(found.group(2) or found.group(1))


class LoraConfig(Section):
    """Factors of low rank beside the weights of linear layers, by peft's names."""

    rank: Annotated[int, Field(ge=1, le=4096)] = 8
    alpha: Annotated[int, Field(ge=1, le=1_000_000)] = 16
    modules: tuple[Annotated[str, Field(min_length=1)], ...] = ()

    @field_validator("modules", mode="before")
    @classmethod
    def _one_module(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @property
    def asked(self) -> Lora:
        """As a host is asked for them."""
        return Lora(self.rank, self.alpha, self.modules)


class LearningConfig(Renamed):
    """How weights learn from accepted answers, between generations; ``none``: they do not."""

    method: Literal["none", "full", "lora"] = "none"
    trainable: tuple[str, ...] = ("all",)
    lora: LoraConfig = LoraConfig()
    steps: Annotated[int, Field(ge=1, le=100_000)] = 60
    documents: Annotated[int, Field(ge=1, le=4096)] = 64
    rate: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1e-3
    rehearsal: Annotated[float, Field(ge=0, le=1)] = 0.5
    source: Annotated[Literal["own", "shared", "deme"], Field(alias="from")] = "own"
    memory: Literal["replace", "accumulate"] = "accumulate"
    capacity: Annotated[int, Field(ge=1)] = 20_000
    keep: Literal["living", "all"] = "living"
    entry: Literal["context", "plain", "before", "after"] = "context"
    feeds: Literal["accepted", "all"] = "accepted"

    @field_validator("trainable", mode="before")
    @classmethod
    def _one_part(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("trainable")
    @classmethod
    def _known_parts(cls, parts: tuple[str, ...]) -> tuple[str, ...]:
        known = [*PARTS, "layers.0, layers.1, …"]
        for part in parts:
            if not is_part(part):
                raise ValueError(f"expected {any_of(known)}, got {part!r}{nearest(part, PARTS)}")
        if not parts:
            raise ValueError(f"expected some of {any_of(known)}, got nothing")
        return parts

    @model_validator(mode="after")
    def _told_apart(self) -> LearningConfig:
        if self.feeds == "all" and self.entry not in LEVELLED:
            raise ValueError(
                "feeds: expected 'accepted' unless entry is before or after (a level is all that "
                f"tells what was rejected), got 'all' with entry {self.entry!r}"
            )
        return self

    @model_validator(mode="after")
    def _factors_of_modules(self) -> LearningConfig:
        if self.method == "lora" and self.trainable != ("all",):
            raise ValueError(
                "trainable: expected 'all' beside method lora, whose layers are named by "
                f"lora.modules, got {', '.join(map(repr, self.trainable))}"
            )
        return self
