"""Numbers beside axes, as letters alone: names that stand in figures are never read as mathematics,
so that what matplotlib writes as mathematics beside its logarithmic axes has to be letters too."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, LogFormatter, LogitFormatter

_RAISED = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")
_POWER = re.compile(r"\^\{([-−]?\d+)\}")
_FRACTION = re.compile(r"\\frac\{(\d+)\}\{(\d+)\}")
_WRITTEN = re.compile(r"^\$\\mathdefault\{(.*)\}\$$")


def plainly(written: str) -> str:
    r"""What matplotlib writes beside an axis, ``$\mathdefault{10^{-2}}$``, in letters: ``10⁻²``."""
    found = _WRITTEN.match(written)
    if not found:
        return written
    told = _POWER.sub(lambda power: power[1].translate(_RAISED), found[1])
    told = _FRACTION.sub(r"\1/\2", told).replace(r"\times", "·").replace(r"\cdot", "·")
    return told.replace("-", "−")


class Plain(Formatter):
    """What another says, in letters."""

    def __init__(self, other: Formatter) -> None:
        self._other = other

    def __call__(self, x: float, pos: int | None = None) -> str:
        return plainly(self._other(x, pos))

    def set_axis(self, axis: Any) -> None:
        """As the other's."""
        super().set_axis(axis)
        self._other.set_axis(axis)

    def set_locs(self, locs: list[float]) -> None:
        """As the other's."""
        super().set_locs(locs)
        self._other.set_locs(locs)


def write_ticks_plainly(figure: Figure) -> None:
    """Have the ticks of all logarithmic axes of a figure said in letters."""
    for axes in figure.axes:
        _plain(axes)


def _plain(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        major, minor = axis.get_major_formatter(), axis.get_minor_formatter()
        if isinstance(major, LogFormatter | LogitFormatter):
            axis.set_major_formatter(Plain(major))
        if isinstance(minor, LogFormatter | LogitFormatter):
            axis.set_minor_formatter(Plain(minor))
