"""What a server can do, found out by a few requests of one token before any work starts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mgptn.agents.endpoints.answering import exchange
from mgptn.agents.endpoints.client import Client
from mgptn.agents.endpoints.endpoint import Endpoint, EndpointFault
from mgptn.agents.endpoints.wire import Abilities, Reply, plain_body, weigh_body
from mgptn.agents.texts import Said, Weigh, Write

ASKED = "What is the capital of France?"
BEGUN = "The answer is"
"""Three tokens in every usual vocabulary."""

PERSONA = "You are careful."


@dataclass(frozen=True, slots=True)
class Served:
    """An endpoint, what its server says of the model, and what it can do."""

    endpoint: Endpoint
    known: dict[str, Any]
    abilities: Abilities


async def probe(client: Client) -> Served:
    """Look whether the model is there, and what its server can do.

    Whether it goes on from a reply that is begun is seen from its count of tokens: where the turn
    is closed and another one opened after it, there are more than the beginning's own.

    Raises
    ------
    EndpointFault
        If the server cannot be reached, or has another model, or does not answer.
    """
    known = await client.identify()
    endpoint, found = client.endpoint, Abilities()
    if endpoint.api == "completions":
        first, found = await _likeliest(Said(f"Question: {ASKED}\nAnswer:"), client, found)
        return Served(endpoint, known, replace(found, system=False, counts=first.counted))
    asked = Said(turns=(("user", ASKED),))
    first, found = await _likeliest(asked, client, found)
    found = replace(found, counts=first.counted)
    system = Said(turns=(("system", PERSONA), *asked.turns))
    told = await _plain(system, client)
    more = told is not None and (not told.counted or told.prompt_tokens > first.prompt_tokens)
    found = replace(found, system=more)
    if endpoint.continues == "no":
        return Served(endpoint, known, replace(found, continues=False))
    begun = await _plain(replace(asked, begun=BEGUN), client)
    if begun is None:
        if endpoint.continues == "yes":
            raise EndpointFault(
                f"{endpoint.name}: expected {endpoint.url} to go on from an assistant's turn, as "
                "agents.endpoint.continues says, got a refusal"
            )
        return Served(endpoint, known, replace(found, continues=False))
    added = begun.prompt_tokens - first.prompt_tokens
    goes_on = endpoint.continues == "yes" or (begun.counted and added <= len(BEGUN.split()))
    echoes = begun.text.startswith(BEGUN)
    return Served(endpoint, known, replace(found, continues=goes_on, echoes=goes_on and echoes))


async def _likeliest(said: Said, client: Client, found: Abilities) -> tuple[Reply, Abilities]:
    """The reply to a request for the likeliest tokens; where that is refused, to one without."""
    body = weigh_body(Weigh(said, ("A", "B")), client.endpoint, found)
    try:
        reply, _ = await exchange(body, said, client, found)
    except EndpointFault as fault:
        plain = await _plain(said, client)
        if plain is None:
            raise
        return plain, replace(found, logprobs=False, refusal=str(fault))
    return reply, replace(found, logprobs=reply.top is not None)


async def _plain(said: Said, client: Client) -> Reply | None:
    """The reply to a request of one token; None where it is refused."""
    body = plain_body(Write(said, (), 1, 1.0, (0, 0)), client.endpoint)
    try:
        reply, _ = await exchange(body, said, client, Abilities())
    except EndpointFault:
        return None
    return reply
