"""What a model makes of grading questions, found out on a few answers before a run.

Each of a few problems is put with its right answer and with a wrong one, as a run's graders are
asked. It is found how likely the model's next words are one of the options at all, and whether
right answers are graded above wrong ones.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mgptn.agents.endpoints.planning import plan_any
from mgptn.agents.hosts.fleet import Fleet
from mgptn.agents.requests import AnyReply, AnyRequest
from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.seats.asking import Cast, Script, answer_alone, to_host, weighs_alone
from mgptn.experiments.seats.reading import from_host
from mgptn.experiments.setting.endpoints import can_weigh
from mgptn.experiments.setting.stage import Stage
from mgptn.population.draws.streams import stream
from mgptn.population.measures.rates import auc
from mgptn.population.records.agents import Agent, AgentId, Genome
from mgptn.population.records.matches import Match
from mgptn.protocols.interfaces.table import OF_FOUNDERS
from mgptn.protocols.interfaces.wordings import WORDINGS
from mgptn.protocols.messages import AnswerRequest, GradeReply, GradeRequest, Seat, grader_seat
from mgptn.protocols.scale import expected_level
from mgptn.protocols.tasks.task import Problem

ITEMS = 4
"""Problems of a probe; each has a right answer and a wrong one."""

MARKED = ("ladder", *(kind.name for kind in OF_FOUNDERS))
"""Layouts whose models know nothing but the options where a grade stands."""

GRADER = grader_seat(0)


@dataclass(frozen=True, slots=True)
class Probe:
    """What one way to ask for grades came to.

    Attributes
    ----------
    name
        Of the wording, or of the reading.
    mass
        Mean probability that the next words are one of the options; NaN where none are given.
    auc
        Share of pairs of a right and a wrong answer in which the right one is graded higher, ties
        by halves; NaN if none could be read.
    """

    name: str
    mass: float
    auc: float


@dataclass(frozen=True, slots=True)
class Item:
    """An answer to be graded, and whether it is right."""

    problem: Problem
    answer: str
    right: bool


def probe_items(stage: Stage, count: int = ITEMS) -> list[Item]:
    """Answers to the run's first problems: of each the right one, and one that is not."""
    task, rng = stage.task, stream(stage.config.seed, "probe")
    items = []
    for problem in stage.problems[0][:count]:
        items.append(Item(problem, problem.reference, True))
        items.append(Item(problem, task.corrupt(problem, rng), False))
    return items


def probe(stage: Stage, fleet: Fleet, model: str, items: Sequence[Item], script: Script) -> Probe:
    """Ask a model's copies for grades in one way."""
    graded = grades(stage, fleet, model, items, script)
    values = [math.nan if g.levels is None else expected_level(g.levels) for g in graded]
    masses = [g.mass for g in graded if g.mass is not None]
    name = script.interface.wording.name if script.reading == "logits" else script.reading
    return Probe(
        name,
        float(np.mean(masses)) if masses else math.nan,
        auc(values, [item.right for item in items]),
    )


def grades(
    stage: Stage, fleet: Fleet, model: str, items: Sequence[Item], script: Script
) -> list[GradeReply]:
    """What a founder of a model, with an empty context, grades answers as."""
    asked, beside, seated = [], [], []
    for item in items:
        request = GradeRequest(GRADER, item.problem.query, item.answer)
        cast = _cast(stage, model, item.problem)
        seated.append(request)
        asked.append(to_host(request, cast, script))
        if weighs_alone(request, script):
            beside.append(answer_alone(request, script))
    replies = _ask(stage, fleet, script, [*asked, *beside])
    alone: Sequence[AnyReply | None] = replies[len(asked) :] or [None] * len(asked)
    said = []
    for reply, request, other in zip(replies, seated, alone, strict=False):
        grade = from_host(reply, request, script, other)
        assert isinstance(grade, GradeReply)
        said.append(grade)
    return said


def first_answer(
    stage: Stage, fleet: Fleet, model: str, problem: Problem
) -> tuple[AnyRequest, AnyReply]:
    """What a founder of a model is asked to answer a problem, and what it writes."""
    script = stage.scripts[model]
    asked = to_host(AnswerRequest(GRADER, problem.query), _cast(stage, model, problem), script)
    return asked, _ask(stage, fleet, script, [asked])[0]


def other_wordings(stage: Stage, model: str) -> dict[str, Script]:
    """How a model could be asked otherwise: every wording, and by its own answering.

    Of one behind an endpoint, those that its server can tell probabilities for.
    """
    script, served = stage.scripts[model], stage.served.get(model)
    found = {}
    for wording in WORDINGS.values():
        layout = stage.layout(model, wording)
        if layout is not None and (served is None or can_weigh(layout.level_options, served)):
            found[wording.name] = replace(script, interface=layout, reading="logits")
    if served is None:
        for reading in ("likelihood", "confidence"):
            found[reading] = replace(script, reading=reading)
    return found


def check_mass(stage: Stage, fleet: Fleet) -> None:
    """Refuse a run whose graders would hardly ever say one of the options that they are given.

    Raises
    ------
    ConfigError
        Saying what probability the options have, and what other wordings would.
    """
    protocol = stage.config.protocol
    least = protocol.least_mass
    asks = stage.protocol.seating(protocol.as_options()) != "nobody" and not stage.protocol.compares
    if not least or stage.scripted is not None or protocol.reading != "logits" or not asks:
        return
    items = probe_items(stage)
    for model, script in stage.scripts.items():
        if script.interface.name in MARKED:
            continue
        found = probe(stage, fleet, model, items, script)
        if found.mass >= least:
            continue
        raise ConfigError(
            f"protocol.question: expected options that {model!r} says with a probability of at "
            f"least protocol.least_mass = {least:g} together, got {found.mass:.2g} by "
            f"{found.name!r} under agents.interface={script.interface.name}. "
            f"{_better(stage, fleet, model, items, found)}"
        )


def _better(stage: Stage, fleet: Fleet, model: str, items: Sequence[Item], got: Probe) -> str:
    """What other ways to ask come to, best first, as a sentence."""
    tried = [
        probe(stage, fleet, model, items, script)
        for name, script in other_wordings(stage, model).items()
        if name != got.name
    ]
    enough = stage.config.protocol.least_mass
    able = [t for t in tried if not t.mass < enough]  # no options need none
    told = "; ".join(told_probe(t) for t in sorted(tried, key=_worth, reverse=True))
    advice = "" if able else " None would do: the model may be no instruct model."
    return (
        f"Others, on {len(items)} answers: {told}.{advice} Set protocol.question, or "
        "protocol.reading=likelihood, confidence or sampled; 'mgptn ask' shows what the model is "
        "asked"
    )


def told_probe(one: Probe) -> str:
    """``yes-no: mass .43, AUC .88``."""
    mass = "" if math.isnan(one.mass) else f"mass {one.mass:.2g}, "
    return f"{one.name}: {mass}AUC {one.auc:.2f}"


def _worth(one: Probe) -> tuple[float, float]:
    return (0.0 if math.isnan(one.auc) else one.auc, one.mass)


def _cast(stage: Stage, model: str, problem: Problem) -> Cast:
    """A founder of a model in every seat."""
    agents = stage.config.agents
    persona = agents.personas[0] if agents.personas else None
    genome = Genome(model, agents.sampling_temperature, persona=persona)
    founder = Agent(AgentId(0), genome, None, AgentId(0), -1)
    seats: dict[Seat, Agent] = defaultdict(lambda: founder)
    return Cast(Match(founder.id, 0, ()), problem, seats, 0)


def _ask(
    stage: Stage, fleet: Fleet, script: Script, requests: Sequence[AnyRequest]
) -> list[AnyReply]:
    asked = [((script.weights, None), request) for request in requests]
    planned = plan_any(asked, stage.config.hosts.slots)
    return planned.collect(fleet.run(planned.tiles))
