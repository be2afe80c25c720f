"""Which model behind which server, and how it is spoken to; the key is only ever a name here."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from mgptn.agents.texts import Usage

PREFIX = "endpoint/"
"""What names of endpoints' models begin with, where none is given."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")

Api = Literal["chat", "completions"]


class EndpointFault(RuntimeError):
    """A server that cannot be worked with: says which, what was expected, what was got."""


class Refused(EndpointFault):
    """A server that takes no such request, as it says itself."""


class LimitReached(RuntimeError):
    """What a run may spend is spent: says which limit, and how to go on."""


@dataclass(frozen=True, slots=True)
class Price:
    """Of a million tokens, in any currency."""

    prompt: float = 0.0
    completion: float = 0.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind a server.

    Attributes
    ----------
    name
        As genomes, tables and errors name it.
    url
        Up to what stands before ``/models``: most end in ``/v1``.
    model
        As the server lists it.
    key_env
        Name of the environment variable with the key; None for a server that wants none.
    api
        ``"chat"``: turns, laid out by the server; ``"completions"``: text, laid out here.
    concurrency
        Requests under way at once.
    timeout_seconds
        Of one request.
    retries
        Of one request, after a fault that may pass.
    backoff_seconds
        Before the first of them; twice as long before each further one, and no more than
        `MOST_SECONDS`.
    top
        Likeliest tokens whose log-probabilities are asked for.
    continues
        Whether the server goes on from a reply that is begun for it; ``"auto"``: it is tried.
    body
        Further fields of each request, as JSON.
    """

    name: str
    url: str
    model: str
    key_env: str | None = None
    api: Api = "chat"
    concurrency: int = 8
    timeout_seconds: float = 120.0
    retries: int = 5
    backoff_seconds: float = 0.5
    top: int = 20
    continues: Literal["auto", "yes", "no"] = "auto"
    price: Price = Price()
    body: str = "{}"

    @property
    def weights(self) -> str:
        """What stands for the hash of its weights, which nobody here can see."""
        return f"{self.model} at {self.url} ({self.api})"

    @property
    def here(self) -> bool:
        """Is the server on this machine?"""
        return urlsplit(self.url).hostname in LOOPBACK

    def usage(self, prompt_tokens: int, completion_tokens: int, retries: int) -> Usage:
        """Of one request that was answered."""
        price = self.price
        cost = price.prompt * prompt_tokens + price.completion * completion_tokens
        return Usage(1, retries, prompt_tokens, completion_tokens, cost / 1e6)


class Secret:
    """A key, which no `repr` and no error shows."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(…)"

    @property
    def header(self) -> dict[str, str]:
        """What a request carries."""
        return {"Authorization": f"Bearer {self._value}"} if self._value else {}

    def without(self, text: str) -> str:
        """A text with the key blotted out."""
        return text.replace(self._value, "…") if self._value else text


def key_of(endpoint: Endpoint) -> Secret:
    """An endpoint's key, from the environment; an empty one where it wants none.

    Raises
    ------
    EndpointFault
        If the variable is not set, or holds what cannot be a key.
    """
    if endpoint.key_env is None:
        return Secret("")
    value = os.environ.get(endpoint.key_env, "").strip()
    if not value:
        raise EndpointFault(
            f"agents.endpoint.key_env: expected the key of {endpoint.name!r} in the environment "
            f"variable {endpoint.key_env}, got nothing there"
        )
    if not value.isascii() or not value.isprintable() or " " in value:
        raise EndpointFault(
            f"agents.endpoint.key_env: expected a key of printable ASCII characters without "
            f"spaces in the environment variable {endpoint.key_env}, got another text"
        )
    return Secret(value)
