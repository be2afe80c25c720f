"""The two forms of an OpenAI-compatible API: bodies of requests, and what replies say."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from mgptn.agents.endpoints.endpoint import Endpoint
from mgptn.agents.endpoints.options import Top
from mgptn.agents.texts import Said, Weigh, Write

PATHS = {"chat": "/chat/completions", "completions": "/completions"}

GOES_ON = {"continue_final_message": True, "add_generation_prompt": False}
"""What vLLM and SGLang want to be told; llama.cpp and Ollama go on from a last assistant's turn."""

SEEDS = 2**31
"""Seeds that every server takes are smaller."""


class UnreadableReply(ValueError):
    """A reply that is not of the API's form: says what is missing."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a server was found to do.

    Attributes
    ----------
    logprobs
        Does it tell the likeliest next tokens?
    continues
        Does it go on from a reply that is begun for it?
    echoes
        Does it repeat that beginning in its reply?
    system
        Does its layout have a system's turn?
    counts
        Does it say how many tokens a request took?
    refusal
        What it said to a request for log-probabilities, if anything.
    """

    logprobs: bool = True
    continues: bool = True
    echoes: bool = False
    system: bool = True
    counts: bool = True
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said.

    Attributes
    ----------
    top
        Likeliest tokens in the first place; None where nothing is told of it.
    """

    model: str
    text: str
    reason: str
    prompt_tokens: int
    completion_tokens: int
    counted: bool
    top: Top | None


def write_body(asked: Write, endpoint: Endpoint, abilities: Abilities) -> dict[str, Any]:
    """Of a request for text."""
    return {
        **_said(asked.prompt, endpoint, abilities),
        "max_tokens": asked.limit,
        "temperature": asked.sampling_temperature,
        "top_p": 1.0,
        "seed": asked.key[0] % SEEDS,
        **({"stop": list(asked.stops)} if asked.stops else {}),
        **json.loads(endpoint.body),
    }


def weigh_body(asked: Weigh, endpoint: Endpoint, abilities: Abilities) -> dict[str, Any]:
    """Of a request for the next token's likeliest."""
    chat = endpoint.api == "chat"
    return {
        **_said(asked.prompt, endpoint, abilities),
        "max_tokens": 1,
        "temperature": 1.0,
        "top_p": 1.0,
        "seed": 0,
        **(
            {"logprobs": True, "top_logprobs": endpoint.top} if chat else {"logprobs": endpoint.top}
        ),
        **json.loads(endpoint.body),
    }


def plain_body(asked: Write, endpoint: Endpoint) -> dict[str, Any]:
    """Of the smallest request, in which nothing is asked that a server might not know."""
    said = _said(asked.prompt, endpoint, Abilities())
    return {**said, "max_tokens": asked.limit, **json.loads(endpoint.body)}


def _said(prompt: Said, endpoint: Endpoint, abilities: Abilities) -> dict[str, Any]:
    if endpoint.api == "completions":
        return {"model": endpoint.model, "prompt": _sendable(prompt.text)}
    turns = [{"role": role, "content": _sendable(text)} for role, text in prompt.turns]
    if not prompt.begun or not abilities.continues:
        return {"model": endpoint.model, "messages": turns}
    turns.append({"role": "assistant", "content": _sendable(prompt.begun)})
    return {"model": endpoint.model, "messages": turns, **GOES_ON}


def _sendable(text: str) -> str:
    """A text without lone surrogates, which JSON cannot carry as UTF-8."""
    return text.encode("utf-8", "replace").decode()


def read_reply(said: dict[str, Any], prompt: Said, abilities: Abilities) -> Reply:
    """A reply as it came.

    Raises
    ------
    UnreadableReply
        If it has no text.
    """
    choices = said.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise UnreadableReply(f"a reply without choices ({_short(said)})")
    choice, usage = choices[0], said.get("usage")
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else choice.get("text")
    if text is None and isinstance(message, dict):
        text = ""  # all of it was thought, or refused
    if not isinstance(text, str):
        raise UnreadableReply(f"a reply without text ({_short(said)})")
    if prompt.begun and abilities.echoes:
        text = text.removeprefix(prompt.begun)
    counted = isinstance(usage, dict)
    taken = usage if isinstance(usage, dict) else {}
    return Reply(
        model=said["model"] if isinstance(said.get("model"), str) else "",
        text=text,
        reason=str(choice.get("finish_reason") or ""),
        prompt_tokens=_count(taken.get("prompt_tokens")),
        completion_tokens=_count(taken.get("completion_tokens")),
        counted=counted and "prompt_tokens" in taken,
        top=_top(choice.get("logprobs")),
    )


def _top(logs: Any) -> Top | None:
    """The first place's likeliest tokens, in the form of either API."""
    if not isinstance(logs, dict):
        return None
    if isinstance(logs.get("content"), list):
        places = logs["content"]
        told = places[0].get("top_logprobs") if places and isinstance(places[0], dict) else None
        pairs = [(t.get("token"), t.get("logprob")) for t in told or () if isinstance(t, dict)]
    else:
        places = logs.get("top_logprobs")
        first = places[0] if isinstance(places, list) and places else None
        pairs = list(first.items()) if isinstance(first, dict) else []
    found = [
        (token, float(log))
        for token, log in pairs
        if isinstance(token, str) and isinstance(log, int | float) and not math.isnan(log)
    ]
    return found or None


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else 0


def _short(said: Any) -> str:
    text = " ".join(json.dumps(said).split())
    return text if len(text) <= 120 else f"{text[:119]}…"
