"""The layout of founders: digits that belong together are one token, and columns stand in order.

`123+456=` is shown as `+<36><25><14>=`: an operation, a token for each column, least significant
first, as the answer is written. `c:381=` is shown as `c381=`. The n-th column and the n-th
character of the answer have the same place, counted from the separator before; see
`mgptn.agents.engine.places`.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from mgptn.protocols.interfaces.ladder import LadderInterface
from mgptn.protocols.interfaces.markers import END, GRADE, JUDGE, MARKERS, START, WANT
from mgptn.protocols.interfaces.shown import ShownInterface

DIGITS = "0123456789"
OPERATIONS = "+xcRSP-"
COLUMNS: tuple[str, ...] = tuple(f"<{a}{b}>" for a, b in product(DIGITS, DIGITS))
"""A token for each pair of digits in a column."""

SPECIAL: tuple[str, ...] = (*MARKERS, *COLUMNS)
VOCABULARY: tuple[str, ...] = (*SPECIAL, *DIGITS, *OPERATIONS, ":", "=", END)
"""Every token of a founder, in id order."""

SEPARATORS: tuple[str, ...] = (START, JUDGE, WANT, GRADE, *OPERATIONS, "=", END)
"""Tokens from which places are counted."""

_TWO = re.compile(r"(\d+)([-+x])(\d+)=")
_SHOWN = re.compile(rf"[{OPERATIONS}]((<\d\d>)+|\d+)=")
_ONE = re.compile(r"([A-Za-z]):(\d+)=")


@lru_cache(maxsize=1 << 16)
def in_columns(query: str) -> str:
    """A query as it is shown; one that is shown so already stays.

    Raises
    ------
    ValueError
        If it is of no form that has columns.
    """
    if not query or _SHOWN.fullmatch(query):
        return query
    if two := _TWO.fullmatch(query):
        first, operation, second = two.groups()
        if len(second) == 1:
            second = second * len(first)
        if len(first) == len(second):
            pairs = zip(reversed(first), reversed(second), strict=True)
            return operation + "".join(f"<{a}{b}>" for a, b in pairs) + "="
    if one := _ONE.fullmatch(query):
        return f"{one.group(1)}{one.group(2)}="
    raise ValueError(
        f"agents.interface: expected a question such as 12+34=, 12-34=, 12x3= or c:123= for "
        f"columns, got {query!r}"
    )


class ColumnsInterface(ShownInterface):
    """The ladder's items, with queries in columns; errors are those of every such layout."""

    name = "columns"
    apart = True
    required_tokens = (*LadderInterface.required_tokens, COLUMNS[0], COLUMNS[-1])
    special = SPECIAL
    vocabulary = VOCABULARY
    separators = SEPARATORS
    shown = staticmethod(in_columns)
