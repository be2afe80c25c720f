"""Columns of requests as what hosts are asked: each different request once, found by its number.

What `asking` does a request at a time, with the same result. Prefixes are laid out once for each
reader, and queries and answers once for all readers, where the interface lays them out apart.

Dimensions: A conversations, of M authors and Q problems; R different requests of a round.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from mgptn.agents.requests import Generate, HostRequest, Tokens
from mgptn.agents.tiles import Model
from mgptn.experiments.seats.asking import (
    Script,
    asked_to_answer,
    asked_to_grade,
    before_grading,
    scoring,
)
from mgptn.experiments.seats.reading import answer_of, grade_of
from mgptn.population.draws.streams import PhiloxKeys
from mgptn.population.records.agents import Agent, AgentId
from mgptn.population.records.arrays import interned
from mgptn.population.records.matches import Matches
from mgptn.protocols.columns import AnswerColumn, Column, GradeColumn, RequestColumn
from mgptn.protocols.interfaces.interface import Prompt, Shown, lays_apart
from mgptn.protocols.messages import AUTHOR, Reply, Seat, grader_seat, partner_seat
from mgptn.protocols.tasks.task import Problem

Places = NDArray[np.int64]
Options = tuple[Tokens, tuple[Tokens, ...]]
"""A suffix, and what may follow it."""
Ending = TypeVar("Ending")


@dataclass(frozen=True, slots=True)
class Laid:
    """A round of columns as requests to hosts.

    Attributes
    ----------
    requests
        [R], of which model and what.
    read
        [R], what makes a host's reply the seat's.
    places
        int64 [A] for each column, index in `requests`.
    """

    requests: list[tuple[Model, HostRequest]]
    read: list[Callable[[Any], Reply]]
    places: list[Places]

    def columns(self, said: Sequence[Reply]) -> list[Column[Any]]:
        """A column of replies for each that was asked, given the seats' [R]."""
        return [Column(said, places) for places in self.places]


class ColumnAsking:
    """All conversations of a generation cast: who sits where, for which problem.

    Parameters
    ----------
    agents
        In slot order.
    shared
        Examples that graders see where they see the population's.
    """

    def __init__(
        self,
        matches: Matches,
        agents: Sequence[Agent],
        problems: Sequence[Problem],
        scripts: Mapping[str, Script],
        generation: int,
        shared: tuple[Shown, ...] = (),
    ) -> None:
        self._agents, self._problems, self._shared = agents, problems, shared
        self._scripts = [scripts[agent.genome.model] for agent in agents]
        self._asked = matches.asked
        self._slots: dict[Seat, Places] = {AUTHOR: matches.slots}
        for name, seated in ((grader_seat, matches.graders), (partner_seat, matches.partners)):
            for i, slots in enumerate(seated.T if seated.size else ()):
                self._slots[name(i)] = slots.astype(np.int64)
        self._keys = PhiloxKeys(self._scripts[0].seed, "answer", generation)
        self._parts: dict[Hashable, _Parts[Any]] = {}

    def lay_out(self, columns: Sequence[RequestColumn]) -> Laid:
        """What hosts are asked in a round."""
        laid = Laid([], [], [np.empty(0, dtype=np.int64)] * len(columns))
        kinds = [_kind(column) for column in columns]
        for kind in dict.fromkeys(kinds):
            chosen = [i for i, other in enumerate(kinds) if other == kind]
            slots = np.concatenate([self._slots[columns[i].seat] for i in chosen])
            first = columns[chosen[0]]
            if isinstance(first, AnswerColumn):
                places = self._answers(first, slots, laid)
            else:
                places = self._grades(first, slots, laid)
            for i, own in zip(chosen, np.split(places, len(chosen)), strict=True):
                laid.places[i] = own
        return laid

    def _answers(self, column: AnswerColumn, slots: Places, laid: Laid) -> Places:
        """Requests for answers by some slots, [some times A], added; the place of each."""
        count = len(self._problems)
        cells = slots * count + np.tile(self._asked, len(slots) // len(self._asked))
        found, places = np.unique(cells, return_inverse=True)
        places += len(laid.requests)
        draw = (column.draw,) if column.draw else ()
        for slot, own in groupby(found.tolist(), key=lambda cell: cell // count):
            agent, script = self._agents[slot], self._scripts[slot]
            encoder, layout = script.encoder, script.interface
            parts = self._answering(column, slot)
            stops, endings = encoder.stops(layout.stops), encoder.endings(layout.endings)
            limit, temperature = script.max_tokens, agent.genome.sampling_temperature
            model, keys = (script.weights, agent.genome.weights), self._keys.under(agent.id)
            for cell in own:
                problem = cell % count
                prefix, suffix = parts.of(agent, problem)
                key = keys.at(problem, *draw)
                asked = Generate(prefix, suffix, stops, limit, temperature, key, endings)
                laid.requests.append((model, asked))
                query = self._problems[problem].query
                laid.read.append(partial(answer_of, query=query, script=script))
        return places

    def _grades(self, column: GradeColumn, slots: Places, laid: Laid) -> Places:
        """Requests for grades by some slots, [some times A], added; the place of each."""
        texts, told = interned(said.text for said in column.answers.said)
        items = self._asked * len(texts) + told[column.answers.places]
        count = len(self._problems) * len(texts)
        cells = self._readers(column)[slots] * count + np.tile(items, len(slots) // len(items))
        found, places = np.unique(cells, return_inverse=True)
        places += len(laid.requests)
        for slot, own in groupby(found.tolist(), key=lambda cell: cell // count):
            agent, script = self._agents[slot], self._scripts[slot]
            parts = self._grading(column, slot)
            model = (script.weights, agent.genome.weights)
            read = partial(grade_of, script=script)
            for cell in own:
                problem, text = divmod(cell % count, len(texts))
                prefix, (suffix, options) = parts.of(agent, (problem, texts[text]))
                laid.requests.append((model, scoring(prefix, suffix, options)))
                laid.read.append(read)
        return places

    def _readers(self, column: GradeColumn) -> Places:
        """int64 [M], the first slot that asks a model the same of an answer as each does."""
        _, numbers = interned(
            (
                script.weights,
                "" if agent.genome.weights is None else agent.genome.weights.digest(),
                agent.genome.persona,
                self._before(column, agent, script),
            )
            for agent, script in zip(self._agents, self._scripts, strict=True)
        )
        return np.unique(numbers, return_index=True)[1][numbers]

    def _before(self, column: GradeColumn, agent: Agent, script: Script) -> tuple[Shown, ...]:
        context = "own" if column.context == "own" else script.grader_context
        return before_grading(agent, context, self._shared)

    def _answering(self, column: AnswerColumn, slot: int) -> _Parts[Tokens]:
        """What an agent, and those like it, are asked for answers, by problem."""
        script, persona = self._scripts[slot], self._agents[slot].genome.persona
        name = "answer", script.weights, persona, column.wanted
        if name not in self._parts:

            def ask(agent: Agent, script: Script, problem: int) -> Prompt:
                query = self._problems[problem].query
                asked = asked_to_answer(query, agent, script, column.wanted)
                return script.interface.answer_prompt(asked)

            self._parts[name] = _Parts(script, self._agents[slot], ask, script.encoder.suffix)
        return self._parts[name]

    def _grading(self, column: GradeColumn, slot: int) -> _Parts[Options]:
        """What an agent, and those like it, are asked for grades, by problem and answer."""
        script, persona = self._scripts[slot], self._agents[slot].genome.persona
        name = "grade", script.weights, persona, column.context
        if name not in self._parts:

            def ask(agent: Agent, script: Script, item: tuple[int, str]) -> Prompt:
                query, before = self._problems[item[0]].query, self._before(column, agent, script)
                asked = asked_to_grade(query, item[1], agent, before, script)
                return script.interface.grade_prompt(asked)

            def end(suffix: str) -> Options:
                return script.encoder.before(suffix, script.interface.level_options)

            self._parts[name] = _Parts(script, self._agents[slot], ask, end)
        return self._parts[name]


class _Parts(Generic[Ending]):
    """Prompts of one kind to copies of a model under one persona, as tokens.

    Parameters
    ----------
    like
        One of the agents that are asked.
    ask
        The prompt to an agent about an item.
    end
        What a prompt's suffix comes to.
    """

    def __init__(
        self,
        script: Script,
        like: Agent,
        ask: Callable[[Agent, Script, Any], Prompt],
        end: Callable[[str], Ending],
    ) -> None:
        self._script, self._ask, self._end = script, ask, end
        self._apart = lays_apart(script.interface)
        # A suffix that depends on no examples is laid out after none.
        self._bare = replace(like, genome=replace(like.genome, context=()))
        self._plain = replace(script, shots=(), graded_shots=(), grader_context="empty")
        self._prefixes: dict[AgentId, Tokens] = {}
        self._suffixes: dict[Hashable, Ending] = {}

    def of(self, agent: Agent, item: Hashable) -> tuple[Tokens, Ending]:
        """A prompt's prefix, which is the agent's, and its suffix, which is the item's."""
        begin = self._script.encoder.prefix
        if not self._apart:
            prompt = self._ask(agent, self._script, item)
            return begin(prompt.prefix), self._end(prompt.suffix)
        prefix, suffix = self._prefixes.get(agent.id), self._suffixes.get(item)
        if prefix is None:
            prompt = self._ask(agent, self._script, item)
            prefix = self._prefixes[agent.id] = begin(prompt.prefix)
        if suffix is None:
            prompt = self._ask(self._bare, self._plain, item)
            suffix = self._suffixes[item] = self._end(prompt.suffix)
        return prefix, suffix


def _kind(column: RequestColumn) -> Hashable:
    """Columns of one kind differ in their seats alone."""
    if isinstance(column, AnswerColumn):
        return column.draw, column.wanted
    return id(column.answers), column.context
