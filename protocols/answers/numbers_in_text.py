"""The number that a text says, written as people write: with words, units, sums and mathematics.

A text says a number if it can be told which one is meant. Of ``20 + 22 = 42`` it is what the sum
comes to; ``20 + 22`` alone, ``41 or 42`` and ``not 42`` say none.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from mgptn.protocols.answers.matching import as_number

_NUMBER = re.compile(
    r"(?<![\w.^])(?<!\^\{)(?<!\d,)"  # no part of a word, of a longer number, or a power
    r"(?:(?<![\w)\]])[-+])?[$€£]?"
    r"(?:(?P<units>\d{1,300})[ ](?=\d+/\d))?"
    r"(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d{1,300}(?![\d]|,\d))?(?:\.\d{1,300})?(?<=\d)"
    r"(?:[eE][-+]?\d{1,3}(?!\w))?(?:\s?/\s?\d{1,300})?(?:\s?%)?",
    re.ASCII,
)
_JOINED = re.compile(r"[-+*/x×·÷^=]|\\times|\\cdot|\\div")
_DENIED = re.compile(r"(?:\b(?:not|never)|n['’]t|≠|!=|\\neq?)\s*$", re.IGNORECASE)
_CHOICE = re.compile(r"[^.!?\n]{0,24}\bor\b[^.!?\n]{0,24}", re.IGNORECASE)
_WITHIN = re.compile(r"\bbetween\s*$", re.IGNORECASE)
_FRACTION = re.compile(r"\\[dt]?frac\s*\{\s*(-?\d+)\s*\}\s*\{\s*(\d+)\s*\}")
_VULGAR = re.compile(r"(?<=\d)(?=[¼½¾⅐-⅞]|\\[dt]?frac)")
_BEFORE = 40
"""Characters ahead of a number in which a denial is looked for."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A number or a calculation: where it begins and ends, and its value if it comes to one."""

    start: int
    end: int
    value: Fraction | None


def last_number(text: str) -> Fraction | None:
    """The last number of a text, whatever is said of it; None if there is none."""
    found = _found(_plainer(text))
    return found[-1].value if found else None


def first_said(text: str) -> Fraction | None:
    """The number that a text begins to say, as after ``Answer:``; None if it says none."""
    text = _plainer(text)
    said = _calculations(text)
    if not said or (len(said) > 1 and _alternatives(text, said[0], said[1])):
        return None
    return said[0].value


def last_said(text: str) -> Fraction | None:
    """The number that a text ends in saying; None if it says none.

    A number that is denied is passed over, and one that is offered beside another is none.
    """
    text = _plainer(text)
    said = _calculations(text)
    if not said or (len(said) > 1 and _alternatives(text, said[-2], said[-1])):
        return None
    return said[-1].value


def number_as_text(value: Fraction) -> str:
    """The same text for the same number: ``42``, ``-0.5``, ``1/3``."""
    under, places = value.denominator, 0
    for prime in (2, 5):
        while under % prime == 0:
            under, places = under // prime, places + 1
    if under != 1:
        return str(value)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    whole, part = digits[: len(digits) - places], digits[len(digits) - places :].rstrip("0")
    return f"{'-' if value < 0 else ''}{whole}{'.' if part else ''}{part}"


def _plainer(text: str) -> str:
    """A text without what only dresses its numbers."""
    text = text.replace("−", "-").replace("\\$", "$").replace("{,}", ",").replace("\\,", "")
    text = re.sub(r"[²³¹⁰-⁹]+", "", text)  # powers, of units
    text = re.sub(r"\s*\\%", "%", text)
    text = re.sub(r"([$€£])([-+])(?=[\d.])", r"\2\1", text)
    text = unicodedata.normalize("NFKC", _VULGAR.sub(" ", text)).replace("⁄", "/")
    return _FRACTION.sub(r"\1/\2", text)


def _found(text: str) -> list[_Said]:
    """Every number, in order."""
    found = []
    for match in _NUMBER.finditer(text):
        value = _value(match)
        if value is not None:
            found.append(_Said(match.start(), match.end(), value))
    return found


def _value(match: re.Match[str]) -> Fraction | None:
    units = match["units"]
    if units is None:
        return as_number(match[0])
    whole, _, rest = match[0].partition(" ")
    base, part = as_number(whole), as_number(rest)
    if base is None or part is None:
        return None
    return base - part if whole.startswith("-") else base + part


def _calculations(text: str) -> list[_Said]:
    """Numbers and calculations that are not denied, in order."""
    chains: list[tuple[list[_Said], list[str]]] = []
    for number in _found(text):
        if chains:
            before = chains[-1][0][-1].end
            between = re.sub(r"[\s$(){}\[\]*_]|\\[()\[\]]", "", text[before : number.start])
            between = between or ("*" if "*" in text[before : number.start] else "")
            signed = not between and text[number.start] in "+-"
            if signed or _JOINED.fullmatch(between):
                chains[-1][0].append(number)
                chains[-1][1].append(between or "+")
                continue
        chains.append(([number], []))
    said = []
    for numbers, joints in chains:
        start, end = numbers[0].start, numbers[-1].end
        ahead = re.sub(r"[\s$(*_]+$|\\[(\[]\s*$", "", text[max(0, start - _BEFORE) : start])
        if not _DENIED.search(ahead):
            said.append(_Said(start, end, _outcome(numbers, joints)))
    return said


def _outcome(numbers: list[_Said], joints: list[str]) -> Fraction | None:
    """What a calculation comes to: its last side that is a number alone; None without one."""
    sides: list[list[_Said]] = [[numbers[0]]]
    for joint, number in zip(joints, numbers[1:], strict=True):
        if joint == "=":
            sides.append([number])
        else:
            sides[-1].append(number)
    alone = [side[0].value for side in sides if len(side) == 1]
    return alone[-1] if alone else None


def _alternatives(text: str, first: _Said, second: _Said) -> bool:
    """Are two numbers next to each other offered as one or the other?"""
    if first.value is not None and first.value == second.value:
        return False
    if _CHOICE.fullmatch(text[first.end : second.start]):
        return True
    return _WITHIN.search(text[: first.start]) is not None
