"""What a run and the page where people pick say to each other, in a folder of the run's.

The run writes `questions.jsonl`: what is asked, and what was decided. The page writes
`picks.jsonl`: each pick as it is made, and each that is taken back. `people.json` has who may pick.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mgptn.agents.files import write_whole
from mgptn.experiments.people.lines import Line, LinesError, Reader

PICKS = "picks"
"""Folder within a run's."""

QUESTIONS, PICKED, PEOPLE = "questions.jsonl", "picks.jsonl", "people.json"


@dataclass(frozen=True, slots=True)
class Person:
    """Who picks: a label for the journal, and the token by which the page knows them."""

    label: str
    token: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of people; `number` is its place among all, from 0."""

    number: int
    key: str
    query: str
    candidates: tuple[str, ...]

    @property
    def distinct(self) -> tuple[int, ...]:
        """Candidates that are shown: of equal texts the first."""
        firsts: dict[str, int] = {}
        for i, text in enumerate(self.candidates):
            firsts.setdefault(text, i)
        return tuple(firsts.values())


@dataclass(frozen=True, slots=True)
class Pick:
    """What a person picked of a question: a candidate, or None for none of them."""

    key: str
    who: str
    picked: int | None
    shown: int | None
    seconds: float


@dataclass(slots=True)
class Standing:
    """How things stand, as far as the files were read.

    Attributes
    ----------
    questions
        By key, in the order in which they were asked.
    decided
        Key → the line in which the run said what was decided.
    picks
        Person → key → pick, in the order in which they were made.
    undone
        Person → keys that they took back, the newest last.
    """

    questions: dict[str, Question] = field(default_factory=dict)
    decided: dict[str, Line] = field(default_factory=dict)
    picks: dict[str, dict[str, Pick]] = field(default_factory=dict)
    undone: dict[str, list[str]] = field(default_factory=dict)

    @property
    def open(self) -> list[Question]:
        """Questions that nothing was decided of."""
        return [q for key, q in self.questions.items() if key not in self.decided]

    def count(self, key: str) -> int:
        """People who have picked of a question."""
        return sum(key in own for own in self.picks.values())

    def asked(self, line: Line) -> None:
        """Take in a line of `questions.jsonl`."""
        key = str(line.get("key"))
        if line.get("kind") == "decided":
            if key in self.questions:
                _place(line.get("decided"), range(len(self.questions[key].candidates)), key)
                self.decided[key] = line
            return
        texts = line.get("candidates")
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise LinesError(f"{QUESTIONS}: expected texts as candidates of {key}, got others")
        query = str(line.get("query"))
        self.questions[key] = Question(len(self.questions), key, query, tuple(texts))

    def said(self, line: Line) -> None:
        """Take in a line of `picks.jsonl`; one about a question that nobody asked says nothing."""
        key, who = str(line.get("key")), str(line.get("who"))
        question = self.questions.get(key)
        if question is None:
            return
        own, undone = self.picks.setdefault(who, {}), self.undone.setdefault(who, [])
        if line.get("undone"):
            if own.pop(key, None) is not None:
                undone.append(key)
            return
        if key in undone:
            undone.remove(key)
        places = range(len(question.candidates))
        picked, shown = (_place(line.get(name), places, key) for name in ("pick", "shown"))
        seconds = line.get("seconds", 0.0)
        if not isinstance(seconds, int | float) or not seconds >= 0:
            raise LinesError(f"{PICKED}: expected seconds ≥ 0 of {key}, got {seconds!r:.40}")
        own.pop(key, None)
        own[key] = Pick(key, who, picked, shown, float(seconds))


def _place(value: Any, places: range, key: str) -> int | None:
    if value is None or (type(value) is int and value in places):
        return value
    raise LinesError(f"{PICKED}: expected one of {len(places)} candidates of {key}, got {value!r}")


class Exchange:
    """Reads how things stand in a run's folder, from where it has read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / PICKS
        self.standing = Standing()
        self._questions = Reader(self.folder / QUESTIONS)
        self._picks = Reader(self.folder / PICKED)

    def read(self) -> bool:
        """Read on; whether there was anything new.

        Raises
        ------
        LinesError
            If a line is none that run and page write.
        """
        # Picks first: each is of a question that was written before it.
        said, asked = self._picks.new(), self._questions.new()
        for line in asked:
            self.standing.asked(line)
        for line in said:
            self.standing.said(line)
        return bool(asked or said)


@dataclass(frozen=True, slots=True)
class Invited:
    """Who may pick in a run, and what all of them are told above each question."""

    people: tuple[Person, ...]
    note: str = ""

    def to_plain(self) -> Line:
        """As JSON has it."""
        people = [{"label": one.label, "token": one.token} for one in self.people]
        return {"people": people, "note": self.note}


def invite(folder: Path, labels: Sequence[str], note: str = "") -> Invited:
    """Invite people to pick in a run, with the tokens that they had before, or with new ones."""
    path = folder / PICKS / PEOPLE
    before = invited(folder) if path.exists() else None
    known = {person.label: person for person in before.people} if before else {}
    found = tuple(known.get(label) or Person(label, secrets.token_urlsafe(16)) for label in labels)
    told = Invited(found, note)
    if told != before:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda file: file.write(json.dumps(told.to_plain()).encode()))
        os.chmod(path, 0o600)
    return told


def invited(folder: Path) -> Invited:
    """Who may pick in a run.

    Raises
    ------
    LinesError
        If nobody was invited, or the file has no people.
    """
    path = folder / PICKS / PEOPLE
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        people = tuple(Person(str(one["label"]), str(one["token"])) for one in told["people"])
        return Invited(people, str(told.get("note", "")))
    except FileNotFoundError:
        raise LinesError(
            f"{path}: expected people who may pick, got nothing; a run with human.source=page "
            "writes it as it begins"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LinesError(f"{path}: expected people and their tokens, got: {error}") from None
