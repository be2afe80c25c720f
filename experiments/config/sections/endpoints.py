"""The sections of a configuration about models behind servers, and about what a run may spend."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from mgptn.agents.behaviour import SCRIPTED_MODELS
from mgptn.agents.endpoints.budget import Limits
from mgptn.agents.endpoints.endpoint import PREFIX, Endpoint, Price
from mgptn.experiments.config.sections.section import Section

OWN_FIELDS = ("messages", "model", "n", "prompt", "stream")
"""Fields of a request's body that are not the configuration's to set."""


class PriceConfig(Section):
    """Of a million tokens, in any currency."""

    prompt: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Of what is asked."""
    completion: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Of what is answered."""

    @property
    def charges(self) -> bool:
        """Does anything cost anything?"""
        return self.prompt > 0.0 or self.completion > 0.0


class EndpointConfig(Section):
    """A model behind an OpenAI-compatible server."""

    url: str
    """Address of the server, up to `/v1`."""
    model: Annotated[str, Field(min_length=1)]
    """As the server lists it."""
    name: Annotated[str, Field(min_length=1)] | None = None
    """Its name among the run's models; `endpoint/` and the model if not set."""
    key_env: str | None = None
    """The environment variable that holds the key, never the key itself."""
    api: Literal["chat", "completions"] = "chat"
    """`chat`: turns that the server lays out; `completions`: text that is laid out here, for a base
    model."""
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 8
    """Requests at once."""
    timeout_seconds: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 120.0
    """The time of one."""
    retries: Annotated[int, Field(ge=0, le=100)] = 5
    """How often one is asked again."""
    backoff_seconds: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 0.5
    """After how long, the first time."""
    top: Annotated[int, Field(ge=1, le=1000)] = 20
    """Likeliest tokens that are asked for."""
    continues: Literal["auto", "yes", "no"] = "auto"
    """Whether the server goes on from a reply that is begun: `yes`, `no`, or tried (`auto`)."""
    price: PriceConfig = PriceConfig()
    """What it costs."""
    body: dict[str, Any] = Field(default_factory=dict)
    """Further fields of each request."""

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host, parts = None, urlsplit("")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(
                "expected an address without a user, a password or a query (key_env names a "
                "key), got one with some"
            )
        if parts.scheme not in ("http", "https") or not host:
            raise ValueError(f"expected such as http://127.0.0.1:8000/v1, got {url!r}")
        return url.rstrip("/")

    @field_validator("key_env")
    @classmethod
    def _a_name_and_no_key(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            raise ValueError(
                "expected the name of an environment variable, such as OPENAI_API_KEY, and never "
                "the key itself, got another text"
            )
        return name

    @field_validator("name", "model")
    @classmethod
    def _one_name(cls, name: str | None) -> str | None:
        if name is not None and set(name) & set(",*"):
            raise ValueError(f"expected a name without ',' and '*', got {name!r}")
        return name

    @field_validator("body")
    @classmethod
    def _further_fields(cls, body: dict[str, Any]) -> dict[str, Any]:
        own = sorted(set(body) & set(OWN_FIELDS))
        if own:
            raise ValueError(f"expected further fields alone, got {', '.join(own)}")
        try:
            json.dumps(body, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"expected what JSON can hold, got: {error}") from None
        return body

    @property
    def called(self) -> str:
        """Its name among the models of a run."""
        return self.name or f"{PREFIX}{self.model}"

    @property
    def endpoint(self) -> Endpoint:
        """As it is spoken to."""
        return Endpoint(
            name=self.called,
            url=self.url,
            model=self.model,
            key_env=self.key_env,
            api=self.api,
            concurrency=self.concurrency,
            timeout_seconds=self.timeout_seconds,
            retries=self.retries,
            backoff_seconds=self.backoff_seconds,
            top=self.top,
            continues=self.continues,
            price=Price(self.price.prompt, self.price.completion),
            body=json.dumps(self.body, sort_keys=True),
        )

    def __hash__(self) -> int:  # pydantic's own would want to hash the body
        return hash(self.model_dump_json())


class LimitsConfig(Section):
    """What a run may spend from a start or a resumption on; nothing said is no limit."""

    tokens: Annotated[int, Field(ge=1)] | None = None
    """Of prompts and answers, of endpoints and hosts together."""
    requests: Annotated[int, Field(ge=1)] | None = None
    """To models."""
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Of wall time."""
    cost: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """By the endpoints' prices."""

    @property
    def limits(self) -> Limits:
        """As they are counted against."""
        return Limits(self.tokens, self.requests, self.seconds, self.cost)


def models_with_endpoints(model: str | None, names: Sequence[str]) -> str:
    """What `agents.model` is where there are endpoints: theirs are among its names.

    Parameters
    ----------
    model
        As it was set; None where it was not.

    Raises
    ------
    ValueError
        If two endpoints have one name, or it names one that there is not, or agents without a
        model.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"endpoint: expected a name for each (agents.endpoint.name), got {twice[0]!r} twice"
        )
    given = [part.strip() for part in (model or "").split(",") if part.strip()]
    strange = [p for p in given if p.startswith(PREFIX) and p not in names]
    if strange:
        raise ValueError(
            f"model: expected agents.endpoint to say where {strange[0]!r} is, got "
            f"{', '.join(map(repr, names)) or 'nothing'} there"
        )
    if names and set(given) & set(SCRIPTED_MODELS):
        raise ValueError(f"model: expected models beside agents.endpoint, got {model!r}")
    return ",".join([*given, *(name for name in names if name not in given)])
