"""Models behind servers, looked at before a run: are they there, and can they do what it asks?"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from mgptn.agents.endpoints.client import Client
from mgptn.agents.endpoints.endpoint import Endpoint, key_of
from mgptn.agents.endpoints.fleet import in_the_background
from mgptn.agents.endpoints.options import ambiguous
from mgptn.agents.endpoints.probing import Served, probe
from mgptn.agents.texts import Weigh
from mgptn.agents.verdicts.verifier import Verifier
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.config.sections.agents import LAYOUTS
from mgptn.experiments.seats.asking import Script
from mgptn.experiments.setting.fitting import asked_in_play
from mgptn.population.records.agents import Agent
from mgptn.protocols.interfaces.chat import Render
from mgptn.protocols.interfaces.interface import Message
from mgptn.protocols.interfaces.table import Setting, usual_wording
from mgptn.protocols.protocol import Protocol
from mgptn.protocols.tasks.task import Problem


def find_served(config: RunConfig, names: Collection[str]) -> dict[str, Served]:
    """Name → each endpoint of these names, with what its server says and can do.

    Raises
    ------
    mgptn.agents.endpoints.endpoint.EndpointFault
        If a key is missing, or a server cannot be reached, or has another model.
    ConfigError
        If a limit counts what a server does not tell.
    """
    endpoints = [one.endpoint for one in config.agents.endpoint if one.called in names]
    with in_the_background(_probe_all(endpoints)) as found:
        served = {one.endpoint.name: one for one in found.result()}
    for name, one in served.items():
        counted = [key for key in ("tokens", "cost") if getattr(config.limits, key) is not None]
        if counted and not one.abilities.counts:
            raise ConfigError(
                f"limits.{counted[0]}: expected servers that say how many tokens a request took, "
                f"got none from {name!r} at {one.endpoint.url}"
            )
    return served


async def _probe_all(endpoints: Sequence[Endpoint]) -> list[Served]:
    clients = [Client(endpoint, key_of(endpoint), None) for endpoint in endpoints]
    try:
        return list(await asyncio.gather(*map(probe, clients)))
    finally:
        for client in clients:
            await client.aclose()


def remote_layout(config: RunConfig, served: Served) -> str:
    """The layout's name by which an endpoint's model is asked: turns, or text.

    Raises
    ------
    ConfigError
        If the configured one is none that the API carries.
    """
    endpoint, asked = served.endpoint, config.agents.interface
    wanted = LAYOUTS[endpoint.api]
    if asked != "auto" and (asked == "chat") != (wanted == "chat"):
        raise ConfigError(
            f"agents.interface: expected {wanted} for {endpoint.name!r}, whose "
            f"agents.endpoint.api is {endpoint.api}, got {asked!r}"
        )
    return wanted if asked == "auto" else asked


def remote_setting(config: RunConfig, served: Served, multiline: bool) -> Setting:
    """What an endpoint's layout is made from."""
    return Setting(
        model=served.endpoint.name,
        vocabulary=(),
        wording=config.protocol.wording or usual_wording(remote_layout(config, served)),
        multiline=multiline,
        render=_rendered(served.abilities.system),
    )


def _rendered(system: bool) -> Render:
    """Turns as text, in which nobody is asked them: the layout that counts is the server's."""

    def render(messages: Sequence[Message], answering: bool) -> str:
        if not system and any(message["role"] == "system" for message in messages):
            raise ValueError("agents.personas: expected a layout with a system's turn, got none")
        turns = "".join(f"{turn['role']}: {turn['content']}\n\n" for turn in messages)
        return f"{turns}assistant:" if answering else turns

    return render


def check_remote(
    examples: Iterable[tuple[Script, Sequence[Problem]]],
    served: Served,
    founder: Agent,
    protocol: Protocol,
    config: RunConfig,
    verifier: Verifier,
) -> None:
    """What a run asks must be what the server can tell, and right answers what can be read.

    Parameters
    ----------
    examples
        Scripts, of every size of the task, with some of their problems.
    verifier
        Finds the verdicts on right answers as they are read.

    Raises
    ------
    ConfigError
        Saying what cannot be, and what to set instead.
    """
    for script, problems in examples:
        _check_answers(problems, script, verifier)
        longest = max(problems, key=lambda problem: len(problem.query))
        for request in asked_in_play(longest, script, founder, protocol, config):
            if isinstance(request, Weigh):
                _check_weighed(request, served, protocol)


def _check_answers(problems: Sequence[Problem], script: Script, verifier: Verifier) -> None:
    room = script.task.max_answer_characters
    for problem in problems:
        if len(problem.reference) > room:
            raise ConfigError(
                f"task.max_answer_characters: expected at least {len(problem.reference)}, the "
                f"length of the right answer to {problem.query!r:.80}, got {room}"
            )
    read = [(p.query, script.interface.read_answer(p.reference)) for p in problems]
    verdicts = verifier(script.task, read)
    for problem, (_, text), verdict in zip(problems, read, verdicts, strict=True):
        if not verdict:
            told = ", of which nothing is known" if verdict is None else ""
            raise ConfigError(
                f"agents.interface: expected a layout that a right answer passes through, got "
                f"{script.interface.name}, with which {problem.reference!r:.80}, the answer to "
                f"{problem.query!r:.80}, is read as {text!r:.80}{told}"
            )


def _check_weighed(request: Weigh, served: Served, protocol: Protocol) -> None:
    endpoint = served.endpoint
    if not served.abilities.logprobs:
        said = f" ({served.abilities.refusal})" if served.abilities.refusal else ""
        instead = (
            "use a protocol that compares nothing"
            if protocol.compares
            else "set protocol.reading: sampled"
        )
        raise ConfigError(
            f"protocol.reading: expected sampled for {endpoint.name!r}, since {endpoint.url} tells "
            f"no log-probabilities of tokens{said}, got logits; {instead}"
        )
    alike = ambiguous(request.options)
    if alike is not None:
        raise ConfigError(
            f"protocol.question: expected options of which none begins another for "
            f"{endpoint.name!r}, whose first words alone are seen, got {alike[0]!r} and "
            f"{alike[1]!r}"
        )


def can_weigh(options: Sequence[str], served: Served) -> bool:
    """Can a server tell these options apart, and how likely each is?"""
    can = served.abilities
    apart = can.continues or len({option.split()[0] for option in options}) == len(options)
    return can.logprobs and apart and ambiguous(options) is None


def irreproducible(served: Mapping[str, Served]) -> dict[str, object]:
    """What a manifest says of endpoints: that nobody can promise the same again, and of which."""
    if not served:
        return {}
    named = ", ".join(served)
    return {
        "reproducible": False,
        "irreproducible": f"answers and grades of {named} come from servers, whose weights, "
        "versions, arithmetic and random numbers are not known here; the journal has what they "
        "said, so that a replay still holds",
        "endpoints": {
            name: {
                "url": one.endpoint.url,
                "model": one.endpoint.model,
                "api": one.endpoint.api,
                "says": one.known,
                "continues": one.abilities.continues,
                "logprobs": one.abilities.logprobs,
                "system": one.abilities.system,
            }
            for name, one in served.items()
        },
    }
