"""What a configuration says of grading: who grades whom, how grades become scores, who selects."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from mgptn.experiments.config.sections.section import (
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
    """`random` (all others), `all-pairs` (*k* is all others), `ring`, `grid` (with edges) and
    `torus` (without), `small-world` (Watts–Strogatz), `islands` (those of `population.islands`),
    `central-judge` (the first *k* slots grade everybody, the next stands in on their own answers),
    `strong-grades-weak` (the author's rung or above) and `weak-grades-strong`. `protocol.topology:
    ring` says the same."""
    neighbours: Annotated[int, Field(ge=2, le=LARGEST, multiple_of=2)] = 4
    """Under `ring` and `small-world`: nearest neighbours, an even number."""
    rewiring: Probability = 0.1
    """Under `small-world`: probability that an edge leads elsewhere."""
    weakest_first: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Under `strong-grades-weak` and `weak-grades-strong`: the models in order of strength, where
    their names do not say a rung."""


class AggregationConfig(NamedSection):
    """How the grades of an answer become one score."""

    name: Literal[
        "mean", "trimmed-mean", "majority", "unanimity", "quorum", "reputation", "dawid-skene"
    ] = "mean"
    """`mean`, `trimmed-mean`, `majority`, `unanimity`, `quorum`; `reputation`, weights learned from
    agreement with the others; `dawid-skene`, the probability of being right, by EM. The last two
    learn without verdicts, from generation to generation. `protocol.aggregation: majority` says the
    same."""
    trim: Annotated[float, Field(ge=0, lt=0.5, allow_inf_nan=False)] = 0.25
    """Under `trimmed-mean`: share of the grades left out at each end."""
    least: Annotated[int, Field(ge=1)] = 1
    """Under `quorum`: how many of the graders have to accept; with `majority`, *q* − 1 of them for
    an answer that *q* agents give."""


Label = Annotated[str, Field(min_length=1, max_length=40)]
"""What a person is called in a journal."""

MOST_PEOPLE = 100


class HumanConfig(Section):
    """Who picks where a protocol asks a human, and how a simulated one differs from the verifier.

    `folder` is where questions and answers are exchanged with a human by files. `people`, `note`,
    `quorum` and `patience` are of those who pick on a page.
    """

    source: Literal["simulated", "prompt", "file", "page"] = "simulated"
    """Who picks under `cherry-pick`, or under `best-of-n` where `protocol.picker` is `human`: a
    simulated human, you at the `prompt`, you through a `file` in a folder, or people on a `page` of
    the run's (docs/how-to/human-picks.md)."""
    folder: Annotated[str, Field(min_length=1)] = "human"
    """Where questions and answers are exchanged by files."""
    people: (
        Annotated[int, Field(ge=1, le=MOST_PEOPLE)]
        | Annotated[tuple[Label, ...], Field(min_length=1, max_length=MOST_PEOPLE)]
    ) = 1
    """Who picks on the page: how many, or a list of labels for the journal."""
    note: Annotated[str, Field(max_length=2000)] = ""
    """What they are told above each question."""
    quorum: Annotated[int | None, Field(ge=1)] = None
    """How many people's picks every question must have; all of them if not set."""
    patience: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 600.0
    """Seconds without a pick by anybody after which a run goes on with `quorum` of them."""
    noise: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.1
    """The simulated human: standard deviation of a rating."""
    lapse: Probability = 0.02
    """The simulated human: probability of rating without looking."""
    bias: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)] = 0.0
    """The simulated human: leniency, added to every rating."""
    position_bias: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    """As it picks one of several: added to the first one's utility."""
    reserve: Annotated[float, Field(allow_inf_nan=False)] = 0.5
    """As it picks one of several: utility of picking none."""

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


_FORM = {
    "anyOf": [
        {"enum": list(SELECTORS)},
        {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
    ]
}
SelectorChoice = Annotated[
    str | tuple[tuple[str, float], ...], BeforeValidator(read_selector), WithJsonSchema(_FORM)
]
"""The key `selector`: a name, or a mapping of names to weights."""


def _check_name(name: Any) -> None:
    if name not in SELECTORS:
        raise ValueError(
            f"expected {any_of(SELECTORS)}, or a mapping of some of them to weights, got "
            f"{name!r}{nearest(str(name), SELECTORS)}"
        )
