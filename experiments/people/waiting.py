"""The run's side of picks on a page: questions are put, people waited for, and picks counted.

What was decided is on the disk before the run goes on: one that is killed and resumed decides the
same again, whatever people have done in between.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mgptn.experiments.config.sections.grading import HumanConfig
from mgptn.experiments.people.exchange import PICKS, QUESTIONS, Exchange, Pick, Question, invite
from mgptn.experiments.people.lines import Line, Writer
from mgptn.experiments.seats.humans import Choice, Opinion, Picks
from mgptn.population.draws.streams import stream

POLL_SECONDS = 0.25
SETTLE_SECONDS = 3.0
"""Between the last pick and its counting: it can be taken back."""

REST_SECONDS = 5.0
"""After so long hosts are let go."""


class PagePicks(Picks):
    """Several people, on a page; each sees what nobody else does of who said what.

    Parameters
    ----------
    folder
        Of the run.
    tell
        Called with sentences for whoever looks on at the run.
    """

    def __init__(
        self, folder: Path, human: HumanConfig, seed: int, tell: Callable[[str], None]
    ) -> None:
        self.people = invite(folder, human.labels, human.note).people
        self._human, self._seed, self._tell = human, seed, tell
        self._exchange = Exchange(folder)
        self._writer = Writer(folder / PICKS / QUESTIONS)

    def __call__(self, choices: Sequence[Choice]) -> list[int | None]:
        """What was decided; waits for what was not."""
        self.ready(choices)
        decided = self._exchange.standing.decided
        return [decided[choice.key]["decided"] for choice in choices]

    def opinions(self, choice: Choice) -> tuple[Opinion, ...]:
        """What each person had picked as it was decided."""
        line = self._exchange.standing.decided[choice.key]
        return tuple(Opinion(**told) for told in line["opinions"])

    def ready(self, choices: Sequence[Choice], rest: Callable[[], None] = lambda: None) -> None:
        """Puts the questions that are new, and waits until everything is decided."""
        self._exchange.read()
        standing, new = self._exchange.standing, dict[str, Choice]()
        for choice in choices:
            if choice.key not in standing.questions:
                new[choice.key] = choice
        self._writer.add(_asked(choice) for choice in new.values())
        self._exchange.read()
        keys = dict.fromkeys(choice.key for choice in choices)
        waited = [standing.questions[key] for key in keys if key not in standing.decided]
        if waited:
            self._wait(waited, rest)
            self._writer.add(self._decide(question) for question in waited)
            self._exchange.read()

    def _wait(self, waited: Sequence[Question], rest: Callable[[], None]) -> None:
        """Until all have picked; or enough have, and nobody has said anything for so long."""
        human, everybody = self._human, len(self.people)
        quorum = human.quorum or everybody
        began = changed = time.monotonic()
        resting = short = False
        self._tell(f"Waiting for {self._missing(waited, everybody)}.")
        while True:
            now = time.monotonic()
            if self._exchange.read():
                changed = now
            picked = min(map(self._count, waited))
            silent = now - changed
            if picked == everybody and silent >= SETTLE_SECONDS:
                return
            if picked >= quorum and silent >= max(human.patience, SETTLE_SECONDS):
                self._tell(f"Going on without {self._missing(waited, everybody)}.")
                return
            if silent >= human.patience and not short and quorum < everybody:
                self._tell(f"Still waiting for {self._missing(waited, quorum)} (human.quorum).")
                short = True
            if now - began >= REST_SECONDS and not resting:
                rest()
                resting = True
            time.sleep(POLL_SECONDS)

    def _count(self, question: Question) -> int:
        """Who of those that were invited have picked."""
        picks = self._exchange.standing.picks
        return sum(question.key in picks.get(person.label, {}) for person in self.people)

    def _missing(self, waited: Sequence[Question], of: int) -> str:
        """How many picks are wanted of whom."""
        standing = self._exchange.standing
        wanted = sum(max(0, of - self._count(q)) for q in waited)
        done = {p.label: sum(q.key in standing.picks.get(p.label, {}) for q in waited)
                for p in self.people}  # fmt: skip
        who = ", ".join(f"{label} {count}" for label, count in done.items())
        return f"{wanted} picks of {len(waited)} questions (so far: {who})"

    def _decide(self, question: Question) -> Line:
        """What most people picked; between equals the seed draws."""
        own = self._exchange.standing.picks
        said: list[Pick] = [
            own[person.label][question.key]
            for person in self.people
            if question.key in own.get(person.label, {})
        ]
        votes = Counter(pick.picked for pick in said)
        most = max(votes.values())
        best = sorted((one for one, count in votes.items() if count == most), key=_last_if_none)
        draw = stream(self._seed, "people", question.key).integers(len(best))
        opinions: list[dict[str, Any]] = [
            {"who": one.who, "picked": one.picked, "shown": one.shown, "seconds": one.seconds}
            for one in said
        ]
        return {
            "kind": "decided",
            "key": question.key,
            "decided": best[int(draw)],
            "opinions": opinions,
        }


def _last_if_none(candidate: int | None) -> tuple[bool, int]:
    return candidate is None, candidate or 0


def _asked(choice: Choice) -> Line:
    return {
        "kind": "asked",
        "key": choice.key,
        "query": choice.query,
        "candidates": list(choice.candidates),
    }
