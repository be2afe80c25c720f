"""Whether an answer is a right one: what counts of it, compared with what somebody wrote down."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from functools import lru_cache

from mgptn.protocols.answers.extraction import PEOPLE, Extraction, make_extractor, marked, plain
from mgptn.protocols.answers.matching import MATCHES, MatchName, QuestionsMatch, as_number

SENTENCE = 64
"""Characters that an answer may be longer by where only a part of it counts."""

READ = 1 << 14
"""References that are remembered as they were read."""


class AnswerReading:
    """Reads answers by one match and one extraction.

    A reference is read as a person would, whatever the extraction: its file was written by one.

    Parameters
    ----------
    match
        As what the part that counts is compared: text, a number or mathematics.
    extraction
        Which part counts. Where not all of an answer does, text is compared in small letters and
        without what dresses it.

    Raises
    ------
    ImportError
        If the match needs math-verify, and it is not installed.
    ValueError
        If the extraction's pattern is none.
    """

    def __init__(self, match: MatchName, extraction: Extraction) -> None:
        self._match: MatchName = match
        self._same = MATCHES[match]()
        self._extraction = extraction
        self._extract = make_extractor(extraction, match)
        self._as_people = make_extractor(PEOPLE, match)
        self._read = lru_cache(READ)(self._reference)

    @property
    def extracts(self) -> bool:
        """May less than all of an answer count?"""
        return self._extraction.name != "whole"

    def counted(self, answer: str, reference: str = "") -> str | None:
        """What counts of an answer, whatever the reference; None where all does, or nothing."""
        return self._extract(answer) if self.extracts else None

    def same(self, reference: str, answer: str) -> bool | None:
        """Is this answer the one written down? None where it is not known.

        Any text may be asked about; none raises.
        """
        if not self.extracts:
            return self._same(reference, answer)
        said, wanted = self._extract(answer), self._read(reference)
        if self._match != "exact":
            return False if said is None else self._same(wanted[0], said)
        return said in wanted or (self._extraction == PEOPLE and plain(answer) in wanted)

    def fault(self, reference: str) -> str | None:
        """Why no answer could ever be this one, as what was expected and got; None if one can.

        Told of a number that is none. Text and mathematics can be anything.
        """
        if self._match != "numeric":
            return None
        shown = repr(reference if len(reference) <= 60 else reference[:59] + "…")
        if self.extracts:
            if self._as_people(reference) is not None:
                return None
            return f"expected a number in the answer (task.match is numeric), got {shown}"
        if as_number(reference) is not None:
            return None
        part = self._as_people(reference)
        hint = "" if part is None else f"; with task.extract, {part} would count of it"
        return f"expected a number as the answer (task.match is numeric), got {shown}{hint}"

    def _reference(self, reference: str) -> tuple[str, ...]:
        """What counts of a reference: of text, all of it, or what it marks as its answer."""
        if self._match == "exact":
            part = marked(reference)
            read = (plain(reference), None if part is None else plain(part))
            return tuple(one for one in read if one) or (reference.strip(),)
        if self._match == "math":
            return (marked(reference) or reference,)
        value = as_number(reference)
        return (reference if value is not None else self._as_people(reference) or reference,)


class MixedReading:
    """Reads answers as numbers where the reference is one, and as text where it is not.

    Parameters and errors as of `AnswerReading`.
    """

    def __init__(self, extraction: Extraction) -> None:
        self._numbers = AnswerReading("numeric", extraction)
        self._texts = AnswerReading("exact", extraction)

    @property
    def extracts(self) -> bool:
        """As of `AnswerReading`."""
        return self._texts.extracts

    def counted(self, answer: str, reference: str = "") -> str | None:
        """What counts of an answer where this is right; None where all does, or nothing."""
        return self._of(reference).counted(answer)

    def same(self, reference: str, answer: str) -> bool | None:
        """As of `AnswerReading`."""
        return self._of(reference).same(reference, answer)

    def fault(self, reference: str) -> str | None:
        """None: whatever is no number is text."""
        return None

    def _of(self, reference: str) -> AnswerReading:
        return self._texts if as_number(reference) is None else self._numbers


Reading = AnswerReading | MixedReading


def make_reading(match: QuestionsMatch, extraction: Extraction) -> Reading:
    """What reads answers by a match and an extraction; errors as of `AnswerReading`."""
    return MixedReading(extraction) if match == "mixed" else AnswerReading(match, extraction)
