"""The layout of founders that write programs: a case is one token.

`03:3|27:9|66:2|90:9/+.....=` is shown as `<033><279><662><909>/+.....=`. Words of a program have
the same places in a question and in an answer, counted from the separator before.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from mgptn.protocols.interfaces.columns import DIGITS
from mgptn.protocols.interfaces.ladder import LadderInterface
from mgptn.protocols.interfaces.markers import END, GRADE, JUDGE, MARKERS, START, WANT
from mgptn.protocols.interfaces.shown import ShownInterface
from mgptn.protocols.tasks.programs.language import AGAIN, ALPHABET, SKIP
from mgptn.protocols.tasks.programs.testing import ABOUT

CASES: tuple[str, ...] = tuple(f"<{a}{b}{c}>" for a, b, c in product(DIGITS, repeat=3))
"""A token for each case: two inputs and a result."""

_SPECIAL = (*MARKERS, *CASES)
_WORDS = "".join(word for word in ALPHABET if word not in DIGITS)
_PROGRAM = rf"[{re.escape(ALPHABET)}]*"
_SPEC = re.compile(rf"(\d\d:\d)(\|\d\d:\d)*({ABOUT}{_PROGRAM})?=")
_CASE = re.compile(r"\|?(\d\d):(\d)")
_SHOWN = re.compile(rf"((<\d\d\d>)+({ABOUT}{_PROGRAM})?|{_PROGRAM})=")


@lru_cache(maxsize=1 << 16)
def in_cases(query: str) -> str:
    """A question about programs as it is shown; one that is shown so already stays.

    Raises
    ------
    ValueError
        If it is of no such form.
    """
    if not query or _SHOWN.fullmatch(query):
        return query
    if _SPEC.fullmatch(query):
        return _CASE.sub(r"<\1\2>", query)
    raise ValueError(
        f"agents.interface: expected a question about programs, such as 03:3|27:9=, 03:3|27:9/+= "
        f"or ss+=, got {query!r}"
    )


class CasesInterface(ShownInterface):
    """The ladder's items, with specs in cases; errors are those of every such layout."""

    name = "cases"
    apart = True
    required_tokens = (*LadderInterface.required_tokens, CASES[0], CASES[-1], SKIP, AGAIN)
    special = _SPECIAL
    vocabulary = (*_SPECIAL, *DIGITS, *_WORDS, ":", ABOUT, "=", END)
    separators = (START, JUDGE, WANT, GRADE, ABOUT, "=", END)
    shown = staticmethod(in_cases)
