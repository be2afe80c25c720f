"""A claim: what is asserted, how it is tested, when it fails, and the runs that test it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from mgptn.experiments.claims.method.deciding import Decides
from mgptn.experiments.config.arms import ARMS, SELECTED
from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config, set_key
from mgptn.experiments.config.sections.section import Section, any_of
from mgptn.experiments.config.yaml_reading import YamlError, read_yaml
from mgptn.experiments.running.grid import Cell, plain

FOLDER = Path(__file__).parents[1] / "registered"
Scale = Literal["smoke", "laptop", "cluster"]
SCALES: tuple[Scale, ...] = ("smoke", "laptop", "cluster")
Values = Annotated[tuple[Any, ...], Field(min_length=1)]
Places = Annotated[dict[str, dict[str, Any]], Field(min_length=1)]
OPTION = "options."
"""What keys begin with that change what is measured, and not the cells."""


def _known_control(name: str) -> str:
    known = [one for one in ARMS if one != SELECTED]
    if name not in known:
        raise ValueError(f"expected {any_of(known)}, got {name!r}")
    return name


Control = Annotated[str, AfterValidator(_known_control)]


class ArmConfig(Section):
    """An arm of a claim: the keys that it sets, and the axes that it is run along.

    An axis is a key with its values; or a word with named places, each of which sets several keys.
    `controls` are those of its cells, in place of the claim's.
    """

    set: dict[str, Any] = Field(default_factory=dict)
    axes: dict[str, Values | Places] = Field(default_factory=dict)
    controls: tuple[Control, ...] | None = None


class ScaleConfig(Section):
    """What a scale changes: seeds, keys of every cell, and of arms; never the logic.

    Seeds are numbered from the `first` on: another one than 0 leaves out those that have been seen.
    Where an arm has an axis, or what is measured an option, a scale may give it other values, or
    choose among the axis' places.
    """

    seeds: Annotated[int, Field(ge=1)] = 1
    first: Annotated[int, Field(ge=0)] = 0
    set: dict[str, Any] = Field(default_factory=dict)
    arms: dict[str, ArmConfig] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)

    @property
    def drawn(self) -> range:
        """The seeds."""
        return range(self.first, self.first + self.seeds)


class Registered(Section):
    """A claim as it was registered before it was tested.

    Attributes
    ----------
    quote
        The sentence that it is about.
    metric, fails_if
        What is looked at, and what of it would refute the claim.
    changed
        What of the registration was changed after there had been a result, and why.
    decides
        That in numbers: the verdict follows from these conditions, and from nothing else.
    base
        The configuration that all cells share.
    controls
        Names in `mgptn.experiments.config.arms.ARMS` that every cell has beside the run itself.
    arms
        By name; every combination of an arm's axes is a cell, for every seed. A claim that only
        measures has none.
    options
        Of what is measured beside the cells' journals; see `measuring`.
    models
        Names of the models that a measurement asks.
    """

    title: str
    quote: str
    hypothesis: str
    metric: str
    fails_if: str
    method: str
    stopping: str
    changed: str = ""
    decides: Annotated[tuple[Decides, ...], Field(min_length=1)]
    base: dict[str, Any] = Field(default_factory=dict)
    controls: tuple[Control, ...] = ()
    arms: dict[str, ArmConfig] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    models: tuple[str, ...] = ()
    scales: dict[Scale, ScaleConfig]

    @model_validator(mode="after")
    def _every_scale_of_the_arms(self) -> Registered:
        if not self.arms and not self.options:
            raise ValueError("arms: expected at least one where there are no options, got none")
        for scale in SCALES:
            if scale not in self.scales:
                raise ValueError(f"scales: expected {any_of(SCALES)}, got none for {scale!r}")
            for option in self.scales[scale].options:
                if option not in self.options:
                    raise ValueError(
                        f"scales.{scale}.options: expected {any_of(self.options)}, got {option!r}"
                    )
            for name, sized in self.scales[scale].arms.items():
                if name not in self.arms:
                    raise ValueError(
                        f"scales.{scale}.arms: expected {any_of(self.arms)}, got {name!r}"
                    )
                _check_axes(f"scales.{scale}.arms.{name}.axes", sized, self.arms[name])
        return self


@dataclass(frozen=True, slots=True)
class Claim:
    """A registered claim by its name."""

    name: str
    registered: Registered

    @property
    def arms(self) -> tuple[str, ...]:
        """What every cell runs: the run itself, then its controls."""
        return (SELECTED, *self.registered.controls)

    @property
    def digest(self) -> str:
        """Hexadecimal hash of the registration, however its file is laid out."""
        plain = self.registered.model_dump_json()
        return hashlib.blake2b(plain.encode(), digest_size=16).hexdigest()

    def cells(self, scale: Scale, changes: Mapping[str, Any] | None = None) -> list[Cell]:
        """Every run of a scale: seed by seed, so that runs which share requests run together.

        Parameters
        ----------
        changes
            Keys set in every cell, after all others; those of options are none of its.

        Raises
        ------
        ConfigError
            Naming the cell that cannot be run, or a key where there are no cells.
        """
        sized = self.registered.scales[scale]
        changes = {k: v for k, v in (changes or {}).items() if not k.startswith(OPTION)}
        if changes and not self.registered.arms:
            raise ConfigError(
                f"experiment {self.name}: expected {OPTION}NAME=VALUE, since it has no runs, got "
                f"{next(iter(changes))!r}"
            )
        cells = []
        for seed in sized.drawn:
            for name, arm in self.registered.arms.items():
                own = sized.arms.get(name, ArmConfig())
                for along in itertools.product(*_steps(arm, own)):
                    labels = {axis: label for axis, label, _ in along}
                    keys = {**sized.set, **arm.set, **own.set}
                    for _, _, step in along:
                        keys |= step
                    cells.append(self._cell(name, labels, {**keys, **changes, "seed": seed}))
        return cells

    def options(self, scale: Scale, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What is measured at a scale: the registered options, the scale's, and changed ones.

        Parameters
        ----------
        changes
            Of them the keys ``options.NAME``.

        Raises
        ------
        ConfigError
            If there is no such option.
        """
        known = self.registered.options
        given = {
            key.removeprefix(OPTION): value
            for key, value in (changes or {}).items()
            if key.startswith(OPTION)
        }
        for name in given:
            if name not in known:
                raise ConfigError(f"{OPTION}{name}: expected {any_of(known) or 'no option'}")
        return {**known, **self.registered.scales[scale].options, **given}

    def ground(self, model: str) -> RunConfig:
        """A run of a model that is measured, for its hosts' settings: nothing else of it is used.

        Raises
        ------
        ConfigError
            If the base does not fit the model.
        """
        data = {"name": self.name, **deepcopy(self.registered.base)}
        set_key(data, "agents.model", model)
        return check_config(data, source=f"experiment {self.name}, model {model}")

    def _cell(self, arm: str, along: Mapping[str, Any], settings: Mapping[str, Any]) -> Cell:
        data = {"name": self.name, **deepcopy(self.registered.base)}
        parts = [arm, *(f"{_leaf(key)}-{value}" for key, value in along.items())]
        name = "-".join([*map(plain, parts), f"seed{settings['seed']}"])
        for key, value in settings.items():
            set_key(data, key, deepcopy(value))
        config = check_config(data, source=f"experiment {self.name}, cell {name}")
        labels = [("arm", arm), *((_leaf(key), str(value)) for key, value in along.items())]
        own = self.registered.arms[arm].controls
        return Cell(name, config, tuple(labels), () if own is None else (SELECTED, *own))


def claim_names(folder: Path = FOLDER) -> list[str]:
    """Names of the registered claims, in the order of their files."""
    return [path.stem.partition("-")[2] for path in sorted(folder.glob("*.yaml"))]


def load_claim(name: str, folder: Path = FOLDER) -> Claim:
    """A registered claim.

    Raises
    ------
    ConfigError
        If there is none of this name, or its file is not as it should be.
    """
    found = [path for path in sorted(folder.glob("*.yaml")) if path.stem.partition("-")[2] == name]
    if not found:
        raise ConfigError(f"experiment: expected {any_of(claim_names(folder))}, got {name!r}")
    try:
        data = read_yaml(found[0].read_bytes(), str(found[0]))
        return Claim(name, Registered.model_validate(data))
    except YamlError as error:
        raise ConfigError(str(error)) from None
    except ValidationError as error:
        lines = [
            f"  {'.'.join(map(str, fault['loc'])) or 'file'}: "
            + fault["msg"].removeprefix("Value error, ")
            for fault in error.errors()
        ]
        raise ConfigError("\n".join([f"{found[0]}:", *lines])) from None


def _steps(arm: ArmConfig, own: ArmConfig) -> list[list[tuple[str, Any, dict[str, Any]]]]:
    """For each axis of an arm its steps: the axis, what the step is called, the keys it sets."""
    steps = []
    for axis, along in {**arm.axes, **own.axes}.items():
        places = arm.axes[axis]
        if isinstance(places, dict):
            steps.append([(axis, place, places[place]) for place in along])
        else:
            steps.append([(axis, value, {axis: value}) for value in along])
    return steps


def _check_axes(field: str, own: ArmConfig, arm: ArmConfig) -> None:
    for axis, along in own.axes.items():
        if axis not in arm.axes:
            raise ValueError(f"{field}: expected axes of the arm, got {axis!r}")
        places = arm.axes[axis]
        if not isinstance(places, dict):
            continue
        if isinstance(along, dict):
            raise ValueError(f"{field}.{axis}: expected a list of the arm's places, got a mapping")
        if unknown := [place for place in along if place not in places]:
            raise ValueError(f"{field}.{axis}: expected {any_of(places)}, got {unknown[0]!r}")


def _leaf(key: str) -> str:
    """The last part of a key; of ``task.name`` the first, which says more."""
    return key.partition(".")[0] if key == "task.name" else key.rpartition(".")[2]
