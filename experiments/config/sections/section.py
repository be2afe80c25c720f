"""What every section of a configuration is made of: its base, its kinds of numbers, its wording."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

LARGEST = 10**6
"""Of a size that memory and time grow with; what else has no room is refused before a run."""


def finite_or_infinite(value: float) -> float:
    """A number that is not NaN."""
    if math.isnan(value):
        raise ValueError("expected a number > 0, got NaN")
    return value


def plain_name(value: str) -> str:
    """A name that can be part of a path."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", value):
        raise ValueError(
            "expected letters, digits, '.', '_' and '-', starting with one of the first two, and "
            "at most 100 of them"
        )
    return value


def any_of(names: Collection[str]) -> str:
    """What may stand somewhere, as pydantic words it for a literal."""
    *most, last = (repr(name) for name in names)
    return f"{', '.join(most)} or {last}" if most else last


def nearest(name: str, names: Collection[str]) -> str:
    """A suggestion for a name that is none of these; empty where none is near."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


SelectionTemperature = Annotated[float, Field(gt=0), AfterValidator(finite_or_infinite)]
SamplingTemperature = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Section(BaseModel):
    """A section: frozen, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value(cls, value: Any) -> Any:
        if isinstance(value, bool):  # would pass for 1 or 0
            raise ValueError(f"expected a number, a name or a section, got {value}")
        return value


class NamedSection(Section):
    """A section whose name alone may stand for it: ``ring`` for ``{name: ring}``."""

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, data: Any) -> Any:
        return {"name": data} if isinstance(data, str) else data


class Renamed(Section):
    """A section with keys that are no names in Python; it is written as it is read."""

    model_config = ConfigDict(populate_by_name=True)

    @model_serializer(mode="wrap")
    def _as_read(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields, written = type(self).model_fields, write(self)
        return {fields[name].alias or name: value for name, value in written.items()}
