"""Who picks among answers where a protocol asks a human: a simulated one, or you."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from mgptn.agents.verdicts.judging import Pair
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.config.sections.plugins import find_protocol
from mgptn.experiments.record.picked import NONE_OF_THEM, Picked
from mgptn.population.draws.streams import stream
from mgptn.population.judging.human import NOBODY, PICK_DRAWS, Human, pick
from mgptn.population.records.arrays import interned
from mgptn.protocols.best_of_n import BEST_OF_N

Verdicts = Callable[[Sequence[Pair]], Sequence[bool | None]]
"""The verdict on each (query, answer), in their order."""

POLL_SECONDS = 1.0
"""Between two looks at a file of answers."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a human is asked: a query, the answers to choose from, and where in the run."""

    generation: int
    author: int
    problem: int
    query: str
    candidates: tuple[str, ...]

    @property
    def key(self) -> str:
        """A hexadecimal name of the question by its content: equal ones are asked once."""
        content = json.dumps([self.query, *self.candidates]).encode()
        return hashlib.blake2b(content, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person picked of a choice.

    `picked` is the candidate's index, None for none of them; `shown` the place in which it was
    shown, from 0, and None likewise; `seconds` how long the question was before their eyes.
    """

    who: str
    picked: int | None
    shown: int | None
    seconds: float


def columns_of(
    decided: Sequence[tuple[int, Choice, int | None, Sequence[Opinion]]],
) -> Picked:
    """Choices with the index of the answer that came of each, what counts, and all opinions."""
    rows = [(place, one) for place, (*_, opinions) in enumerate(decided) for one in opinions]
    people, who = interned(one.who for _, one in rows)
    return Picked(
        answers=_column(answer for answer, *_ in decided),
        keys=tuple(choice.key for _, choice, *_ in decided),
        decided=_column(counts for *_, counts, _ in decided),
        people=people,
        choices=_column(place for place, _ in rows),
        who=who,
        picked=_column(one.picked for _, one in rows),
        shown=_column(one.shown for _, one in rows),
        seconds=np.array([one.seconds for _, one in rows], dtype=np.float64),
    )


def _column(values: Iterable[int | None]) -> NDArray[np.int64]:
    return np.array([NONE_OF_THEM if v is None else v for v in values], dtype=np.int64)


def _nothing() -> None:
    return None


class Picks(ABC):
    """Picks one candidate of each choice, or None for none of them."""

    @abstractmethod
    def __call__(self, choices: Sequence[Choice]) -> list[int | None]:
        """Indices of the picked candidates, in the choices' order."""

    def ready(  # noqa: B027
        self, choices: Sequence[Choice], rest: Callable[[], None] = _nothing
    ) -> None:
        """Have whoever picks decide; called with all choices of a round before any is taken.

        Parameters
        ----------
        rest
            Called before people are waited for: hosts need not be held meanwhile.
        """

    def opinions(self, choice: Choice) -> tuple[Opinion, ...]:
        """What several people picked of a choice that is decided; nothing where one decides."""
        return ()


class SimulatedPicks(Picks):
    """A human who sees what is right, up to noise, lapses and bias.

    One of which that is not known is never picked.
    """

    def __init__(self, human: Human, verdicts: Verdicts, seed: int) -> None:
        self._human, self._verdicts, self._seed = human, verdicts, seed

    def __call__(self, choices: Sequence[Choice]) -> list[int | None]:
        """Draws are keyed by seed, generation, author and problem."""
        pairs = [(choice.query, text) for choice in choices for text in choice.candidates]
        verdicts = iter(self._verdicts(pairs))
        return [self._pick(choice, verdicts) for choice in choices]

    def _pick(self, choice: Choice, verdicts: Iterator[bool | None]) -> int | None:
        said = [next(verdicts) for _ in choice.candidates]
        right = [math.nan if one is None else float(one) for one in said]
        place = choice.generation, choice.author, choice.problem
        uniforms = stream(self._seed, "human", *place).random((PICK_DRAWS, 1))
        picked = int(pick([right], uniforms, self._human)[0])
        return None if picked == NOBODY else picked


class AskedPicks(Picks):
    """You, at the terminal: each choice is shown, and the answer is a number."""

    def __init__(self, ask: Callable[[str], str] = input) -> None:
        self._ask = ask
        self._known: dict[str, int | None] = {}

    def __call__(self, choices: Sequence[Choice]) -> list[int | None]:
        """Equal choices are asked once."""
        for number, choice in enumerate(choices, start=1):
            if choice.key not in self._known:
                lines = [f"\nGeneration {choice.generation}, {number} of {len(choices)}:"]
                lines += [choice.query]
                lines += [f"  {i}. {text}" for i, text in enumerate(choice.candidates, start=1)]
                click.echo("\n".join(lines))
                self._known[choice.key] = self._answer(len(choice.candidates))
        return [self._known[choice.key] for choice in choices]

    def ready(self, choices: Sequence[Choice], rest: Callable[[], None] = _nothing) -> None:
        """Asks at the terminal."""
        if any(choice.key not in self._known for choice in choices):
            rest()
            self(choices)

    def _answer(self, candidates: int) -> int | None:
        while True:
            try:
                said = self._ask(f"Which is best? 1 to {candidates}, 0 for none: ").strip()
            except EOFError:
                raise ConfigError(
                    "human.source: expected answers at the prompt, got the end of the input; use "
                    "human.source=file where there is no terminal"
                ) from None
            if said.isdecimal() and int(said) <= candidates:
                return int(said) - 1 if int(said) else None
            click.echo(f"expected a number from 0 to {candidates}, got {said!r}")


class FilePicks(Picks):
    """You, through files: questions go to ``questions.jsonl``, answers come in ``answers.jsonl``.

    Each line of the first has a `key`, a `query` and its `candidates`; each line that you write to
    the second has a `key` and a `pick`, from 1, or 0 for none. A run that is resumed finds the
    answers that are there already.
    """

    def __init__(self, folder: Path) -> None:
        self._questions, self._answers = folder / "questions.jsonl", folder / "answers.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        self._asked = {str(line["key"]) for line in _lines(self._questions)}

    def __call__(self, choices: Sequence[Choice]) -> list[int | None]:
        """Waits until every choice has an answer.

        Raises
        ------
        ConfigError
            If a line of the answers cannot be read, named.
        """
        new = {c.key: c for c in choices if c.key not in self._asked}
        with self._questions.open("a", encoding="utf-8") as file:
            for key, choice in new.items():
                line = {"key": key, "query": choice.query, "candidates": choice.candidates}
                file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._asked |= set(new)
        rooms = {choice.key: len(choice.candidates) for choice in choices}
        told = False
        while True:
            known = self._known(rooms)
            missing = len(rooms.keys() - known.keys())
            if not missing:
                return [known[choice.key] for choice in choices]
            if not told:
                click.echo(f"waiting for {missing} answers in {self._answers}", err=True)
                told = True
            time.sleep(POLL_SECONDS)

    def ready(self, choices: Sequence[Choice], rest: Callable[[], None] = _nothing) -> None:
        """Waits until every choice has an answer."""
        rooms = {choice.key: len(choice.candidates) for choice in choices}
        if rooms.keys() - self._known(rooms).keys():
            rest()
            self(choices)

    def _known(self, rooms: dict[str, int]) -> dict[str, int | None]:
        known: dict[str, int | None] = {}
        for number, line in enumerate(_lines(self._answers), start=1):
            picked, key = line.get("pick"), str(line.get("key"))
            if key not in rooms:
                continue
            if not isinstance(picked, int) or not 0 <= picked <= rooms[key]:
                raise ConfigError(
                    f"{self._answers}, line {number}: expected a pick from 0 to {rooms[key]}, got "
                    f"{picked!r}"
                )
            known[key] = picked - 1 if picked else None
        return known


class Unasked(Picks):
    """People on a page, where there is no page."""

    def __call__(self, choices: Sequence[Choice]) -> list[int | None]:
        """Raises ConfigError: a page belongs to a run in a folder."""
        raise ConfigError(
            "human.source: expected simulated, prompt or file here (a page belongs to a run in a "
            "folder of its own: mgptn run), got 'page'"
        )


def asks_people(config: RunConfig) -> bool:
    """Do people pick on a page in a run of this configuration?"""
    settings = find_protocol(config.protocol.name).settings
    picks = config.protocol.name != BEST_OF_N.name or config.protocol.picker == "human"
    return config.human.source == "page" and "human" in settings and picks


def make_picks(config: RunConfig, verdicts: Verdicts) -> Picks:
    """Who picks in a run, by its section `human`.

    Parameters
    ----------
    verdicts
        On answers to the run's task.

    Raises
    ------
    ConfigError
        If people are to pick on a page, and nobody is asked in this run.
    """
    human = config.human
    if human.source == "page":
        if not asks_people(config):
            raise ConfigError(
                "human.source: expected a protocol that asks people where they pick on a page "
                "(cherry-pick, or best-of-n with protocol.picker=human), got 'page' and the "
                f"protocol {config.protocol.name}"
            )
        return Unasked()
    if human.source == "prompt":
        return AskedPicks()
    if human.source == "file":
        return FilePicks(Path(human.folder))
    return SimulatedPicks(human.simulated, verdicts, config.seed)


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file of JSON lines; one still being written is left for later."""
    if not path.exists():
        return []
    *whole, _ = path.read_text(encoding="utf-8").split("\n")
    lines = []
    for number, text in enumerate(whole, start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{path}, line {number}: expected JSON, got: {error}") from None
        if not isinstance(line, dict):
            raise ConfigError(f"{path}, line {number}: expected an object, got {text!r}")
        lines.append(line)
    return lines
