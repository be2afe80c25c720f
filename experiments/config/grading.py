"""What a configuration says of grading: who grades whom, how grades become scores, who selects."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from mgptn.experiments.config.section import (
    LARGEST,
    NamedSection,
    Probability,
    Section,
    any_of,
    nearest,
)
from mgptn.population.judging.human import Human
from mgptn.population.judging.selectors import SELECTORS, mixture


class TopologyConfig(NamedSection):
    """Among whom the graders of an answer are drawn."""

    name: Literal[
        "random",
        "all-pairs",
        "ring",
        "grid",
        "torus",
        "small-world",
        "islands",
        "central-judge",
        "strong-grades-weak",
        "weak-grades-strong",
    ] = "random"
    neighbours: Annotated[int, Field(ge=2, le=LARGEST, multiple_of=2)] = 4
    rewiring: Probability = 0.1
    weakest_first: tuple[Annotated[str, Field(min_length=1)], ...] = ()


class AggregationConfig(NamedSection):
    """How the grades of an answer become one score."""

    name: Literal[
        "mean", "trimmed-mean", "majority", "unanimity", "quorum", "reputation", "dawid-skene"
    ] = "mean"
    trim: Annotated[float, Field(ge=0, lt=0.5, allow_inf_nan=False)] = 0.25
    least: Annotated[int, Field(ge=1)] = 1


Label = Annotated[str, Field(min_length=1, max_length=40)]
"""What a person is called in a journal."""

MOST_PEOPLE = 100


class HumanConfig(Section):
    """Who picks where a protocol asks a human, and how a simulated one differs from the verifier.

    `folder` is where questions and answers are exchanged with a human by files. `people`, `note`,
    `quorum` and `patience` are of those who pick on a page.
    """

    source: Literal["simulated", "prompt", "file", "page"] = "simulated"
    folder: Annotated[str, Field(min_length=1)] = "human"
    people: (
        Annotated[int, Field(ge=1, le=MOST_PEOPLE)]
        | Annotated[tuple[Label, ...], Field(min_length=1, max_length=MOST_PEOPLE)]
    ) = 1
    note: Annotated[str, Field(max_length=2000)] = ""
    quorum: Annotated[int | None, Field(ge=1)] = None
    patience: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 600.0
    noise: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.1
    lapse: Probability = 0.02
    bias: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)] = 0.0
    position_bias: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    reserve: Annotated[float, Field(allow_inf_nan=False)] = 0.5

    @model_validator(mode="after")
    def _enough_people(self) -> HumanConfig:
        labels = self.labels
        if len(set(labels)) != len(labels):
            raise ValueError(f"people: expected every label once, got {', '.join(labels)}")
        if self.quorum is not None and self.quorum > len(labels):
            raise ValueError(
                f"quorum: expected at most {len(labels)}, the people there are, got {self.quorum}"
            )
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """What those who pick on a page are called."""
        if isinstance(self.people, tuple):
            return self.people
        return tuple(f"person {i}" for i in range(1, self.people + 1))

    @property
    def simulated(self) -> Human:
        """The simulated human."""
        own = {"noise", "lapse", "bias", "position_bias", "reserve"}
        return Human(**self.model_dump(include=own))


def read_selector(value: Any) -> Any:
    """A selector's name, or several with their weights as pairs; given as a mapping or as pairs."""
    if isinstance(value, str):
        _check_name(value)
        return value
    if isinstance(value, dict):
        pairs = tuple(value.items())
    elif isinstance(value, list | tuple) and all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in value
    ):
        pairs = tuple(tuple(pair) for pair in value)
    else:
        raise ValueError(f"expected a name, or a mapping of names to weights, got {value!r}")
    for name, weight in pairs:
        _check_name(name)
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise ValueError(f"expected a number as the weight of {name}, got {weight!r}")
    weights = {name: float(weight) for name, weight in pairs}
    try:
        mixture(weights)
    except ValueError as error:
        raise ValueError(str(error).removeprefix("selector: ")) from None
    return tuple(weights.items())


def weights_of(selector: str | tuple[tuple[str, float], ...]) -> dict[str, float]:
    """Selector → weight; only those with a weight above 0."""
    pairs = ((selector, 1.0),) if isinstance(selector, str) else selector
    return {name: weight for name, weight in pairs if weight > 0.0}


SelectorChoice = Annotated[str | tuple[tuple[str, float], ...], BeforeValidator(read_selector)]
"""The key `selector`: a name, or a mapping of names to weights."""


def _check_name(name: Any) -> None:
    if name not in SELECTORS:
        raise ValueError(
            f"expected {any_of(SELECTORS)}, or a mapping of some of them to weights, got "
            f"{name!r}{nearest(str(name), SELECTORS)}"
        )
