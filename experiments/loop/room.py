"""Does a full context fit into what a server reads? Found out by asking once, before a run.

Nobody here knows how a server's tokenizer counts, and some servers cut what is too long without a
word: so a founder with a context as full as any may become is asked for one token, and what the
server counted is held against what it was sent.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from mgptn.agents.endpoints.endpoint import Refused
from mgptn.agents.endpoints.planning import plan_any
from mgptn.agents.hosts.fleet import Fleet
from mgptn.agents.texts import Write
from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.seats.asking import Cast, to_host
from mgptn.experiments.setting.stage import Stage
from mgptn.population.records.agents import Agent, AgentId, Example, Genome
from mgptn.population.records.matches import Match
from mgptn.protocols.messages import AnswerRequest, Seat, grader_seat

WORD = " word"
"""Of one token or more in every usual vocabulary."""


def check_room(stage: Stage, fleet: Fleet) -> None:
    """Refuse a run whose contexts may grow beyond what an endpoint reads.

    Raises
    ------
    ConfigError
        Naming the endpoint, with what it said, or what it counted of how much.
    """
    capacity = stage.config.agents.context_capacity
    for name, served in stage.served.items():
        if not capacity:
            continue
        request, words = _fullest(stage, name)
        longest = stage.scripts[name].max_tokens
        full = f"one of {capacity} answers of {longest} tokens"
        planned = plan_any([((served.endpoint.weights, None), request)], 1)
        key = f"agents.context_capacity: expected a context that {name!r} at {served.endpoint.url}"
        try:
            (reply,) = fleet.run(planned.tiles)
        except Refused as fault:
            raise ConfigError(f"{key} takes, got {full}: {fault}") from None
        assert reply.work.usage is not None
        counted = reply.work.usage.prompt_tokens
        if served.abilities.counts and counted < words:
            raise ConfigError(
                f"{key} reads whole, got {full}: of {words} words it counted {counted} tokens, and "
                "left the rest out; give the server more, or set agents.max_answer_tokens too"
            )
        room, needed = served.known.get("max_model_len"), counted + longest
        if isinstance(room, int) and needed > room:
            raise ConfigError(
                f"{key} has room for ({room} tokens with the answer, as it says), got {full}: "
                f"{needed} tokens"
            )


def _fullest(stage: Stage, model: str) -> tuple[Write, int]:
    """A request with as long a context as there may be, and how many words stand in it."""
    script, agents = stage.scripts[model], stage.config.agents
    problem = max(stage.problems[0], key=lambda one: len(one.query))
    answer = (WORD * script.max_tokens).strip()
    context = (Example(problem.query, answer),) * agents.context_capacity
    persona = max(agents.personas, key=len, default=None)
    genome = Genome(model, agents.sampling_temperature, context, persona)
    founder = Agent(AgentId(0), genome, None, AgentId(0), -1)
    seats: dict[Seat, Agent] = defaultdict(lambda: founder)
    cast = Cast(Match(founder.id, 0, ()), problem, seats, 0)
    request = to_host(AnswerRequest(grader_seat(0), problem.query), cast, script)
    assert isinstance(request, Write)
    return replace(request, limit=1), agents.context_capacity * script.max_tokens
