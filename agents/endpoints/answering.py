"""A text request answered by a server: one exchange, or a few where options begin alike."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import replace

from mgptn.agents.endpoints.client import Client
from mgptn.agents.endpoints.endpoint import EndpointFault
from mgptn.agents.endpoints.options import told_of
from mgptn.agents.endpoints.wire import (
    PATHS,
    Abilities,
    Reply,
    UnreadableReply,
    read_reply,
    weigh_body,
    write_body,
)
from mgptn.agents.texts import Said, TextReply, TextRequest, Usage, Weigh, Weighed, Write, Written

CUT = ("length", "content_filter")
"""Reasons of an end that the model has not made itself."""

DEEPEST = 6
"""Tokens that options may begin with alike."""


async def answer(
    asked: TextRequest, client: Client, abilities: Abilities
) -> tuple[TextReply, Usage]:
    """What a server says to a request, and what that took.

    Raises
    ------
    EndpointFault
        If it cannot be had: says why.
    """
    if isinstance(asked, Write):
        return await _write(asked, client, abilities)
    logs, usage = await _weigh(asked, client, abilities, DEEPEST)
    return Weighed(logs), usage


async def _write(asked: Write, client: Client, abilities: Abilities) -> tuple[Written, Usage]:
    body = write_body(asked, client.endpoint, abilities)
    reply, usage = await exchange(body, asked.prompt, client, abilities)
    finished = (
        reply.reason not in CUT if reply.reason else 0 < reply.completion_tokens < asked.limit
    )
    return Written(reply.text, finished, reply.completion_tokens), usage


async def _weigh(
    asked: Weigh, client: Client, abilities: Abilities, deepest: int
) -> tuple[tuple[float, ...], Usage]:
    body = weigh_body(asked, client.endpoint, abilities)
    reply, usage = await exchange(body, asked.prompt, client, abilities)
    if reply.top is None:
        # A model that would end its reply at once is told of by some servers like this.
        return (math.nan,) * len(asked.options), usage
    told = told_of(reply.top, asked.options)
    logs = list(told.log_probabilities)
    for shared in told.shared:
        further = _further(asked.prompt, shared.token, client, abilities)
        if further is None or deepest == 0:
            options = " and ".join(repr(asked.options[i]) for i in shared.options[:2])
            raise EndpointFault(
                f"{client.endpoint.name}: expected options whose first tokens differ, since "
                f"{client.endpoint.url} does not go on from a reply that is begun, got {options}, "
                f"which begin with {shared.token!r} alike; set protocol.question to others"
            )
        next_asked = Weigh(further, shared.rests)
        rests, more = await _weigh(next_asked, client, abilities, deepest - 1)
        usage += more
        for i, rest in zip(shared.options, rests, strict=True):
            logs[i] = -math.inf if math.isnan(rest) else shared.log_probability + rest
    return tuple(logs), usage


def _further(prompt: Said, token: str, client: Client, abilities: Abilities) -> Said | None:
    """What stands before the next token but one; None where the server cannot be told."""
    if client.endpoint.api == "completions":
        return replace(prompt, text=prompt.text + token)
    return replace(prompt, begun=prompt.begun + token) if abilities.continues else None


async def exchange(
    body: dict[str, object], prompt: Said, client: Client, abilities: Abilities
) -> tuple[Reply, Usage]:
    """A body's reply, read, and what it took.

    Raises
    ------
    EndpointFault
        If it cannot be had, or read, or is another model's.
    """
    endpoint = client.endpoint
    said, retries = await client.post(PATHS[endpoint.api], body)
    try:
        reply = read_reply(said, prompt, abilities)
    except UnreadableReply as error:
        raise EndpointFault(
            f"{endpoint.name}: expected {endpoint.url} to reply as OpenAI does, got {error}"
        ) from None
    client.check_speaker(reply.model)
    return reply, endpoint.usage(reply.prompt_tokens, reply.completion_tokens, retries)
