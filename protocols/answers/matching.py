"""When an answer counts as the one written down: as text, as a number, or as mathematics."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Literal

from mgptn.protocols.answers.effort import EnoughError, bounded_work, too_much

MatchName = Literal["exact", "numeric", "math"]
QuestionsMatch = Literal["exact", "numeric", "math", "mixed"]
"""Of a file of questions: all by one match, or those whose answer is a number as numbers, the
others as text."""

Same = Callable[[str, str], bool | None]
"""Called with the reference and the answer; None where it is not known. Never raises."""

TOLERANCE = Fraction(1, 10**6)
"""Relative difference within which two numbers are the same, unless both are whole."""

_NUMBER = re.compile(
    r"(?P<sign>[-+]?)\s*[$€£]?\s*(?P<whole>\d{1,3}(,\d{3})+|\d{1,300})?(\.(?P<part>\d{0,300}))?"
    r"([eE](?P<power>[-+]?\d{1,3}))?(\s*/\s*(?P<under>\d{1,300}))?\s*(?P<percent>%?)\.?",
    re.ASCII,
)


def exact() -> Same:
    """The same text, apart from space around it."""
    return lambda reference, answer: reference.strip() == answer.strip()


def numeric() -> Same:
    """The same number; `as_number` says what is read as one.

    Whole numbers must be equal; others may differ by a millionth. A reference that is no number is
    matched as text.
    """
    return _same_number


def math() -> Same:
    """The same mathematics to math-verify, which reads LaTeX and plain expressions.

    Of what `effort` gives up, by what is written or by work that would not end, and of what the
    library fails on, nothing is known, unless it is the same text.

    Raises
    ------
    ImportError
        If math-verify is not installed.
    """
    library = importlib.import_module("math_verify")
    # It warns of each answer that it cannot read in time; here that is one that is not known.
    logging.getLogger("math_verify").setLevel(logging.ERROR)

    def same(reference: str, answer: str) -> bool | None:
        if reference.strip() == answer.strip():
            return True
        if too_much(reference) or too_much(answer):
            return None
        try:
            with bounded_work():
                gold = library.parse(_as_latex(reference), parsing_timeout=None)
                read = library.parse(_as_latex(answer), parsing_timeout=None)
                return bool(library.verify(gold, read, timeout_seconds=None))
        except (Exception, EnoughError):  # noqa: BLE001 (any text may be asked about)
            return None

    return same


MATCHES: dict[MatchName, Callable[[], Same]] = {"exact": exact, "numeric": numeric, "math": math}
"""Name → what makes the comparison."""


def as_number(text: str) -> Fraction | None:
    """What ``-1,234.5``, ``$3``, ``2e-3``, ``3/4`` or ``12 %`` says; None for any other text.

    A full stop at the end is no part of a number, and neither is a currency sign before it.
    """
    found = _NUMBER.fullmatch(text.strip())
    if found is None or not (found["whole"] or found["part"]):
        return None
    digits = (found["whole"] or "0").replace(",", "")
    value = Fraction(int(digits + (found["part"] or "")), 10 ** len(found["part"] or ""))
    value *= Fraction(10) ** int(found["power"] or 0)
    if found["under"]:
        if int(found["under"]) == 0:
            return None
        value /= int(found["under"])
    if found["percent"]:
        value /= 100
    return -value if found["sign"] == "-" else value


def _same_number(reference: str, answer: str) -> bool:
    wanted, got = as_number(reference), as_number(answer)
    if wanted is None:
        return reference.strip() == answer.strip()
    if got is None:
        return False
    if wanted.denominator == got.denominator == 1:
        return wanted == got
    return abs(wanted - got) <= TOLERANCE * abs(wanted)


def _as_latex(text: str) -> str:
    """The text marked as mathematics, unless it is already: unmarked LaTeX would not be read."""
    text = text.strip()
    return text if re.search(r"\$|\\\(|\\\[|\\boxed", text) else f"${text}$"
