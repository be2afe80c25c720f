"""A claim: what is asserted, how it is tested, when it fails, and the runs that test it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from experiments.cells import Cell, plain
from experiments.config import ConfigError, check_config, set_key
from experiments.config_section import Section

FOLDER = Path(__file__).parent / "registered"
Scale = Literal["smoke", "laptop", "cluster"]
SCALES: tuple[Scale, ...] = ("smoke", "laptop", "cluster")


class ScaleConfig(Section):
    """What a scale changes: seeds, values of axes, and keys of every cell; never the logic."""

    seeds: Annotated[int, Field(ge=1)] = 1
    axes: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    set: dict[str, Any] = Field(default_factory=dict)


class Registered(Section):
    """A claim as it was registered before it was tested.

    Attributes
    ----------
    quote
        The sentence that it is about.
    fails_if
        What would refute it; `metric` is what is looked at.
    base
        The configuration that all cells share.
    arms
        Name → keys that the arm sets.
    axes
        Key → values; every combination is run in every arm.
    """

    title: str
    quote: str
    hypothesis: str
    metric: str
    fails_if: str
    method: str
    stopping: str
    base: dict[str, Any]
    arms: dict[str, dict[str, Any]]
    axes: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    scales: dict[Scale, ScaleConfig]


@dataclass(frozen=True, slots=True)
class Claim:
    """A registered claim by its name."""

    name: str
    registered: Registered

    def cells(self, scale: Scale, changes: Mapping[str, Any] | None = None) -> list[Cell]:
        """Every run of a scale: arm by arm, along the axes, seed by seed.

        Parameters
        ----------
        changes
            Keys set in every cell, after all others.

        Raises
        ------
        ConfigError
            Naming the cell that cannot be run.
        """
        registered, sized = self.registered, self.registered.scales[scale]
        axes = {**registered.axes, **sized.axes}
        cells = []
        for arm, keys in registered.arms.items():
            for place in itertools.product(*axes.values()):
                along = dict(zip(axes, place, strict=True))
                for seed in range(sized.seeds):
                    settings = {**sized.set, **along, **keys, **(changes or {}), "seed": seed}
                    cells.append(self._cell(arm, along, settings))
        return cells

    def _cell(self, arm: str, along: Mapping[str, Any], settings: Mapping[str, Any]) -> Cell:
        data = {"name": self.name, **deepcopy(self.registered.base)}
        for key, value in settings.items():
            set_key(data, key, value)
        labels = (("arm", arm), *((key, str(value)) for key, value in along.items()))
        parts = [arm, *(f"{key.rpartition('.')[2]}-{value}" for key, value in along.items())]
        name = "-".join([*map(plain, parts), f"seed{settings['seed']}"])
        return Cell(name, check_config(data, source=f"claim {self.name}, cell {name}"), labels)


def claim_names() -> list[str]:
    """Names of the registered claims, in the order of their files."""
    return [path.stem.partition("-")[2] for path in sorted(FOLDER.glob("*.yaml"))]


def load_claim(name: str) -> Claim:
    """A registered claim.

    Raises
    ------
    ConfigError
        If there is none of this name, or its file is not as it should be.
    """
    found = [path for path in sorted(FOLDER.glob("*.yaml")) if path.stem.partition("-")[2] == name]
    if not found:
        raise ConfigError(f"experiment: expected one of {', '.join(claim_names())}, got {name!r}")
    data = yaml.safe_load(found[0].read_text())
    try:
        return Claim(name, Registered.model_validate(data))
    except ValidationError as error:
        raise ConfigError(f"{found[0]}: {error}") from None
