"""What each person is shown next, and what they say of it: blind, in an order of their own."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import math
import random
import secrets
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mgptn.experiments.people.exchange import (
    PICKED,
    PICKS,
    Exchange,
    Person,
    Question,
    invited,
)
from mgptn.experiments.people.lines import Line, Writer
from mgptn.experiments.views.printable import visible

LONGEST_SECONDS = 86400.0
"""What a person can have looked at one question at most."""

LONGEST_TEXT = 20_000
"""Characters of a question or an answer that are shown."""

Told = dict[str, Any]


class DeskError(ValueError):
    """Something was said that does not fit how things stand."""


class StrangerError(ValueError):
    """Somebody without a token of this run's."""


class Desk:
    """Questions of a run for the people who were invited. Any thread may call.

    Nobody is told who wrote what, in which arm or generation, or what others picked; candidates are
    named by the place in which they are shown.

    Parameters
    ----------
    folder
        Of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._invited = invited(folder)
        self._exchange = Exchange(folder)
        self._writer = Writer(folder / PICKS / PICKED)
        self._lock = threading.Lock()

    @property
    def people(self) -> Sequence[Person]:
        """Who was invited."""
        return self._invited.people

    def next(self, token: str) -> Told:
        """What the person is to be shown now, and how far they are."""
        with self._lock:
            return self._told(self._person(token))

    def pick(self, token: str, said: Told) -> Told:
        """Take a pick: the place of a candidate as it was shown, or None for none of them.

        Raises
        ------
        DeskError
            If the question is not open to the person, or there is no such place.
        """
        with self._lock:
            person = self._person(token)
            question = self._open(said.get("key"))
            if question.key in self._own(person):
                raise DeskError("key: expected a question that you have not answered, got another")
            order, shown = _order(person, question), said.get("shown")
            if shown is not None and not (type(shown) is int and 0 <= shown < len(order)):
                raise DeskError(f"shown: expected null or 0 to {len(order) - 1}, got {shown!r:.40}")
            seconds = _seconds(said.get("seconds"))
            self._write(
                {
                    "key": question.key,
                    "who": person.label,
                    "pick": None if shown is None else order[shown],
                    "shown": shown,
                    "seconds": seconds,
                    "at": round(time.time(), 3),
                }
            )
            return self._told(person)

    def undo(self, token: str) -> Told:
        """Take the person's last pick back, if nothing was decided of it.

        Raises
        ------
        DeskError
            If there is none.
        """
        with self._lock:
            person = self._person(token)
            last = self._last(person)
            if last is None:
                raise DeskError("undo: expected a pick that counts for nothing yet, got none")
            line = {"key": last, "who": person.label, "undone": True, "at": round(time.time(), 3)}
            self._write(line)
            return self._told(person)

    def _write(self, line: Line) -> None:
        self._writer.add([line])
        self._exchange.read()

    def _person(self, token: str) -> Person:
        self._exchange.read()
        found = [one for one in self.people if secrets.compare_digest(one.token, token)]
        if not found:
            raise StrangerError("expected a link of this run's: it ends with a token")
        return found[0]

    def _own(self, person: Person) -> Told:
        return self._exchange.standing.picks.get(person.label, {})

    def _open(self, key: object) -> Question:
        found = [q for q in self._exchange.standing.open if q.key == key]
        if not found:
            raise DeskError("key: expected a question that is open, got another")
        return found[0]

    def _last(self, person: Person) -> str | None:
        """The question of their last pick, if it is still open."""
        last = next(reversed(self._own(person)), None)
        return None if last in self._exchange.standing.decided else last

    def _told(self, person: Person) -> Told:
        standing, own = self._exchange.standing, self._own(person)
        left = [q for q in standing.open if q.key not in own]
        told: Told = {
            "label": visible(person.label),
            "done": len(standing.open) - len(left),
            "total": len(standing.open),
            "undo": self._last(person) is not None,
            "note": visible(self._invited.note),
            "question": None,
        }
        if left:
            undone = standing.undone.get(person.label, [])
            turns = {key: place for place, key in enumerate(undone)}

            def turn(q: Question) -> tuple[int, int, bytes]:
                return -turns.get(q.key, -1), standing.count(q.key), _shuffled(person, q.key)

            question = min(left, key=turn)
            told["question"] = {
                "key": question.key,
                "query": _shown(question.query),
                "candidates": [_shown(question.candidates[i]) for i in _order(person, question)],
            }
        return told


def _seconds(said: object) -> float:
    """How long a question was looked at, as a browser has it, kept within a day."""
    if isinstance(said, bool) or not isinstance(said, int | float) or math.isnan(said):
        raise DeskError(f"seconds: expected a number, got {said!r:.40}")
    return round(float(min(max(said, 0), LONGEST_SECONDS)), 3)


def _order(person: Person, question: Question) -> list[int]:
    """Candidates as a person is shown them: the same each time, another order for another."""
    order = list(question.distinct)
    random.Random(_shuffled(person, f"order {question.key}")).shuffle(order)
    return order


def _shuffled(person: Person, what: str) -> bytes:
    return hashlib.blake2b(what.encode(), key=person.token.encode()[:64], digest_size=16).digest()


def _shown(text: str) -> str:
    shown = visible(text[:LONGEST_TEXT])
    return shown if len(text) <= LONGEST_TEXT else f"{shown}… ({len(text)} characters in all)"
