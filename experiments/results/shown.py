"""How values stand in a report: numbers short, settings exact, the unknown a dash."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from mgptn.experiments.views.printable import visible

UNDEFINED = "–"
NO_SPREAD = "no spread"

ROUNDING = 1e-9
"""Width of an interval that is none."""

LONGEST_SETTING = 2_000
"""Characters of a setting that are shown."""


def shown(value: Any) -> Any:
    """A value as it stands in the page: numbers short, the unknown a dash, nothing invisible."""
    if isinstance(value, Markup):
        return value
    if value is None:
        return UNDEFINED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f") if abs(value) < 10**9 else str(value)
    if isinstance(value, float):
        return _number(value)
    return visible(str(value))


def with_interval(value: Any, low: float, high: float) -> str:
    """A value with its interval, where it has one; of one without a width that is said."""
    if math.isnan(low) or math.isnan(high):
        return str(shown(value))
    if low == high or high - low < ROUNDING:
        return f"{shown(value)}, {NO_SPREAD}"
    return f"{shown(value)} [{shown(low)},\u00a0{shown(high)}]"


def cut(text: str, most: int) -> str:
    """A text, or its beginning and how much more there is."""
    if len(text) <= most:
        return text
    return f"{text[:most]} … ({len(text) - most} more characters)"


def flat(nested: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested plain data as (dotted key, exact text) pairs, in order; plain lists stay whole."""
    if isinstance(nested, Mapping):
        return [
            pair
            for key, value in nested.items()
            for pair in flat(value, f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(nested, list | tuple):
        if any(isinstance(item, Mapping | list | tuple) for item in nested):
            return flat({str(i): item for i, item in enumerate(nested)}, prefix)
        return [(prefix, ", ".join(_exact(item) for item in nested))]
    return [(prefix, _exact(nested))]


def _exact(value: Any) -> str:
    """A setting as it was set, no digit lost."""
    if value is None or isinstance(value, bool) or value in (math.inf, -math.inf):
        return str(shown(value))
    return cut(str(value), LONGEST_SETTING)


def _number(value: float) -> str:
    if math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.2e}".replace("-", "−")
    return f"{value:.3f}".replace("-", "−") if abs(value) < 10 else f"{value:.1f}"
