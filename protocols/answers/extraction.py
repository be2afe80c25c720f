"""Which part of an answer counts: of a sentence its number, of a solution what stands in the box.

Models that converse answer as people do, in sentences. `make_extractor` makes what finds the part
that counts; what then is right is `matching`'s and `questions`'.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mgptn.protocols.answers.matching import MatchName, as_number
from mgptn.protocols.answers.numbers_in_text import (
    first_said,
    last_number,
    last_said,
    number_as_text,
)
from mgptn.protocols.answers.thoughts import without_thoughts

ExtractName = Literal["people", "whole", "last-number", "boxed", "after", "regex"]
Extractor = Callable[[str], str | None]
"""From an answer to what counts of it, the same text for the same answer; None if nothing does."""


@dataclass(frozen=True, slots=True)
class Extraction:
    r"""How the part of an answer that counts is found.

    Attributes
    ----------
    name
        ``"whole"``: all of it. ``"people"``: as a person would read it, suited to the match: what
        stands in the last ``\boxed{}``, else after the last ``####``, else after ``answer is`` or
        ``answer:``, else the number, word or formula that the text ends in saying.
        ``"last-number"``, ``"boxed"``: that alone. ``"after"``: what follows the last `marker` on
        its line, or on the next one with text. ``"regex"``: the first group of the last match of
        `pattern`, or all of the match.
    """

    name: ExtractName = "people"
    marker: str = ""
    pattern: str = ""


WHOLE = Extraction("whole")
PEOPLE = Extraction("people")

_ANSWER = re.compile(
    r"\banswer\b[^\n.:=]{0,40}?(?:\b(?:is|was|would be|equals)\b|[:=])[\s*_`:]*", re.IGNORECASE
)
_DENIED = re.compile(r"not\b|n['’]t\b", re.IGNORECASE)
_DENIED_BEFORE = re.compile(r"(?:\bnot|n['’]t)\s*$", re.IGNORECASE)
_BRACE = re.compile(r"\\(?:boxed|fbox)\s*\{|[{}]")
_EMPHASIS = re.compile(r"(?<!\w)(\*{1,3}|_{1,3}|`{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)", re.DOTALL)
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*|__([^_\n]+)__")
_IS = re.compile(r"\b(?:is|was|are|were)\b|(?<=\b[Ii]t)['’]s\b|(?<=\b[Tt]hat)['’]s\b")
_SENTENCE = re.compile(r"(?<=\w{3})[.!?][\"'*)]*\s+(?=\S)")
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}")
_WRAPPED = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\s*\{([^{}]*)\}")


def make_extractor(extraction: Extraction, match: MatchName) -> Extractor:
    """What finds the part of an answer that counts.

    Parameters
    ----------
    match
        What the part is then compared as: a number is told in one form, text in small letters
        without what dresses it.

    Raises
    ------
    ValueError
        If the pattern is none.
    """
    find, read = make_finder(extraction, match), _READERS[match]

    def extract(answer: str) -> str | None:
        part = find(without_thoughts(answer))
        return read(part) if part else None

    return extract if extraction.name != "whole" else lambda answer: answer


def plain(text: str) -> str:
    """A text in small letters, without Markdown, quotes, and stops at its ends."""
    text = _WRAPPED.sub(r"\1", unicodedata.normalize("NFKC", text))
    text = _EMPHASIS.sub(r"\2", text)
    text = " ".join(text.split()).strip(" .,;:!?\"'“”‘’")
    dressed = len(text) > 2 and text[0] == text[-1] == "$"
    return (text[1:-1].strip() if dressed else text).casefold()


def marked(text: str) -> str | None:
    """What a text itself marks as its answer: the last box, else what follows the last ``####``."""
    box = _boxed(text)
    if box is not None:
        return box
    return _after(text, "####")


def make_finder(extraction: Extraction, match: MatchName) -> Extractor:
    """What finds the part of an answer that counts, as it was written; thoughts are still there.

    Parameters and errors as of `make_extractor`.
    """
    if extraction.name == "whole":
        return lambda text: text
    if extraction.name == "regex":
        try:
            pattern = re.compile(extraction.pattern)
        except re.error as error:
            raise ValueError(f"expected a regular expression, got: {error}") from None
        return lambda text: _matched(text, pattern)
    if extraction.name == "after":
        return lambda text: _after(text, extraction.marker)
    if extraction.name == "boxed":
        return _boxed
    if extraction.name == "last-number":
        return _last_number
    return {"numeric": _numeric, "exact": _words, "math": _formula}[match]


def _last_number(text: str) -> str | None:
    value = last_number(text)
    return None if value is None else number_as_text(value)


def _numeric(text: str) -> str | None:
    """The number that a text says, by what it marks first."""
    for part in (marked(text), _answer(text)):
        if part is not None:
            value = first_said(part)
            if value is not None or last_number(part) is not None:
                return None if value is None else number_as_text(value)
    value = last_said(text)
    return None if value is None else number_as_text(value)


def _words(text: str) -> str:
    """What a sentence says: what it marks, what is bold, or what follows its only ``is``."""
    part = marked(text) or _answer(text)
    if part is not None:
        return _SENTENCE.split(part)[0]
    bold = list(_BOLD.finditer(text))
    if len(bold) == 1 and not _DENIED_BEFORE.search(text[: bold[0].start()]):
        return bold[0][1] or bold[0][2]
    said = _IS.split(text)
    alone = "\n" not in text.strip() and not _SENTENCE.search(text)
    return said[1] if alone and len(said) == 2 and said[1].strip(" .") else text


def _formula(text: str) -> str:
    """What a text says as mathematics: what it marks, or what it ends in."""
    part = marked(text) or _answer(text)
    if part is not None:
        return _SENTENCE.split(part)[0].strip().rstrip(".")
    formulas = ["".join(groups) for groups in _FORMULA.findall(text)]
    if formulas:
        return formulas[-1]
    last = text.strip().rpartition("\n")[2]
    if not _WORDS.search(last):
        return text
    value = last_said(text)
    return text if value is None else number_as_text(value)


def _answer(text: str) -> str | None:
    """What follows the last ``answer is`` or ``answer:`` that is not denied."""
    for found in reversed(list(_ANSWER.finditer(text))):
        rest = _line(text[found.end() :])
        if rest and not _DENIED.match(rest):
            return rest
    return None


def _after(text: str, marker: str) -> str | None:
    """What stands behind the last marker, whatever its case, on its line or the next."""
    places = [found.end() for found in re.finditer(re.escape(marker), text, re.IGNORECASE)]
    return _line(text[places[-1] :]) or None if places else None


def _matched(text: str, pattern: re.Pattern[str]) -> str | None:
    found = None
    for found in pattern.finditer(text):  # noqa: B007 (the last one counts)
        pass
    if found is None:
        return None
    return found[1] if pattern.groups else found[0]


def _boxed(text: str) -> str | None:
    """What stands in the last box that is closed."""
    begun: list[int | None] = []  # where the braces that are open began, if they are a box's
    held = None
    for brace in _BRACE.finditer(text):
        if brace[0] != "}":
            begun.append(brace.end() if brace[0] != "{" else None)
        elif begun:
            start = begun.pop()
            held = held if start is None else text[start : brace.start()].strip()
    return held or None


def _line(text: str) -> str:
    """The first line that has text."""
    return next((line.strip() for line in text.split("\n") if line.strip(" \t\r*_`")), "")


def _as_number(part: str) -> str | None:
    value = as_number(part)
    value = last_said(part) if value is None else value
    return None if value is None else number_as_text(value)


_READERS: dict[MatchName, Extractor] = {
    "numeric": _as_number,
    "exact": lambda part: plain(part) or None,
    "math": lambda part: part.strip().strip("$").strip() or None,
}
"""From a part of an answer to what is compared."""
