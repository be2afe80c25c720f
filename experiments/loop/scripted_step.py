"""One generation of one arm under way; and the kind of it that is arrays, without hosts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from mgptn.agents.scripted import ScriptedAgents
from mgptn.experiments.record.committed import COUNTERS, PHASES, Committed
from mgptn.experiments.record.picked import Picked
from mgptn.experiments.setting.stage import Scene, Stage
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.tournament import Tournament


class Play(ABC):
    """A generation from its matches to what is committed of it, with what it costs.

    Attributes
    ----------
    matches
        What the tournament asks for.
    seconds, counters
        As of `Committed`.
    learned
        As of `Tournament.tell`.
    """

    def __init__(self, arm: str, tournament: Tournament, stage: Stage) -> None:
        self.arm = arm
        self.tournament = tournament
        self.stage = stage
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.learned: tuple[str | None, ...] = ()
        self._ended: Outcomes | None = None
        began = time.perf_counter()
        self.matches = tournament.ask()
        self.seconds["select"] = time.perf_counter() - began

    def scene(self) -> Scene:
        """What is set up for the generation, with as many problems as are asked."""
        whole = self.stage.scene(self.tournament.generation, self.tournament.size)
        return replace(whole, problems=whole.problems[: self.matches.problems])

    @contextmanager
    def verifying(self) -> Iterator[None]:
        """Book what the stage's verifier is asked within."""
        verifier = self.stage.verifier
        seconds, asked = verifier.seconds, verifier.asked
        yield
        self.seconds["verify"] += verifier.seconds - seconds
        self.counters["verdicts_asked"] += verifier.asked - asked

    @abstractmethod
    def outcomes(self) -> Outcomes:
        """How the matches ended."""
        ...

    def ended(self) -> Outcomes:
        """`outcomes`, once."""
        if self._ended is None:
            self._ended = self.outcomes()
        return self._ended

    def recall(self, outcomes: Outcomes) -> None:
        """That the matches have ended so, as is recorded."""
        self._ended = outcomes

    def picked(self) -> Picked:
        """What several people picked on the way; nothing where nobody was asked."""
        return Picked()

    def finish(self) -> Committed:
        """Tell the tournament, and say what happened and what it cost."""
        outcomes = self.ended()
        began = time.perf_counter()
        generation = self.tournament.tell(outcomes, self.learned)
        self.seconds["select"] += time.perf_counter() - began
        parts = ("answer", "grade", "learn", "verify", "select")
        self.seconds["total"] = sum(self.seconds[name] for name in parts)
        return Committed(self.arm, generation, self.seconds, self.counters, self.picked())


class ScriptedPlay(Play):
    """A generation of agents without a model, whose answers and grades are drawn as arrays."""

    def __init__(
        self, arm: str, tournament: Tournament, stage: Stage, agents: ScriptedAgents
    ) -> None:
        super().__init__(arm, tournament, stage)
        self._agents = agents

    def outcomes(self) -> Outcomes:
        """How the matches ended."""
        generation = self.tournament.generation
        problems = self.scene().problems
        began = time.perf_counter()
        with self.verifying():
            given = self._agents.answer(self.matches, self.tournament.agents, problems, generation)
        answered = time.perf_counter()
        roles = self.tournament.agents.roles()
        outcomes = self._agents.grade(self.matches, problems, given, generation, roles)
        self.seconds["answer"] = answered - began - self.seconds["verify"]
        self.seconds["grade"] = time.perf_counter() - answered
        self.counters["answer_requests"] = len(outcomes)
        self.counters["grade_requests"] = outcomes.grades.size
        return outcomes
