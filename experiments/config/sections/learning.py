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
from mgptn.experiments.config.sections.section import Renamed, Section, any_of, nearest

MOST = 1000
"""Founders of a run, and how far apart the seeds of different runs' founders are."""

LEVELLED = ("before", "after")
"""How an answer enters a lesson with the level that it deserves by its score."""

_USUAL = FounderRecipe()


class FoundersConfig(Section):
    """Small models of one task, trained before the first run that names them."""

    task: str = _USUAL.task
    """The bundled task that they learn."""
    sizes: str = f"{_USUAL.least}-{_USUAL.most}"
    """Its sizes that they learn, equally often."""
    count: Annotated[int, Field(ge=1, le=MOST)] = 3
    """How many: one a seed."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the first; if not set, by the run's."""
    layers: int = _USUAL.layers
    """Of a GPT-2 with squared ReLU."""
    width: int = _USUAL.width
    """Of its layers."""
    heads: int = _USUAL.heads
    """Of its attention, a divisor of the width."""
    steps: int = _USUAL.steps
    """Of training."""
    documents: int = _USUAL.documents
    """Problems of a step."""
    rate: float = _USUAL.rate
    """Highest learning rate."""
    offsets: int = _USUAL.offsets
    """Largest number that places are counted from."""
    places: int = _USUAL.places
    """How many places there are."""
    judging: float = _USUAL.judging
    """Share of the documents that teach to judge."""
    noise: float = _USUAL.noise
    """How careless those are whose answers they learn."""
    scale: str = _USUAL.scale
    """What they learn to grade in: the levels' `words`, or `digits`, or `yes-no`, which
    `protocol.question` then asks for."""

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
    """Of factors."""
    alpha: Annotated[int, Field(ge=1, le=1_000_000)] = 16
    """Their scale, as peft has it."""
    modules: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Layers that have them, by peft's names; all linear ones but the head if not set."""

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
    """`full`: all weights learn; `lora`: factors of low rank beside them, which needs the extra
    `lora` (docs/concepts/lora.md)."""
    trainable: tuple[str, ...] = ("all",)
    """Which may change: `all`, or some of `attention`, `mlp`, `head`, `embeddings`, `layers.0`,
    …."""
    lora: LoraConfig = LoraConfig()
    steps: Annotated[int, Field(ge=1, le=100_000)] = 60
    """Of AdamW in a generation."""
    documents: Annotated[int, Field(ge=1, le=4096)] = 64
    """Of a step."""
    rate: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1e-3
    """Learning rate."""
    rehearsal: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the documents that are not of the newest lesson, but spread evenly over all sizes
    remembered, and those that founders were trained on."""
    source: Annotated[Literal["own", "shared", "deme"], Field(alias="from")] = "own"
    """An agent's `own` accepted answers; or everybody's, `shared`; or everybody's of its `deme`, as
    of `population.islands.count`."""
    memory: Literal["replace", "accumulate"] = "accumulate"
    """`accumulate`: earlier lessons are remembered, up to so many answers as `capacity` says, and
    are part of what is rehearsed, or, where nothing is, of all that is learned; or they are
    `replace`d."""
    capacity: Annotated[int, Field(ge=1)] = 20_000
    """Answers that are remembered."""
    keep: Literal["living", "all"] = "living"
    """Whose weights stay in the run's folder: of who lives, or of `all`."""
    entry: Literal["context", "plain", "before", "after"] = "context"
    """Whether a learned answer tells the level that it deserves, the one nearest to its score:
    `before` it, asked for as by `protocol.wanted`; `after` it, as a grade; or not, `plain`.
    `context`: as `agents.context_entry` enters it, with a level before it if with any."""
    feeds: Literal["accepted", "all"] = "accepted"
    """Answers that are learned: those `accepted`; or `all` that have a score and an end, where
    levels tell them apart."""

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
