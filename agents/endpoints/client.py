"""A client of one server: so many requests at once, what may pass repeated, all else a fault.

What may pass is a connection that fails, a time limit, half a reply, 408, 425, 429 and 5xx. After a
connection has failed, the server is asked anew which models it has, before it is asked anything
else: what comes up again may be another's.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import asyncio
import json
import random
import ssl
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx2

from mgptn.agents.endpoints.endpoint import Endpoint, EndpointFault, Refused, Secret

MOST_SECONDS = 60.0
"""That a retry waits, unless the server says more."""

MOST_ASKED = 600.0
"""Seconds up to which a server's own word is waited for."""

PASSING = (408, 425, 429)
"""Statuses below 500 that may pass."""

TOLD = ("n_params", "n_vocab", "size")
"""What llama.cpp says of a model, that another one under its name would not have."""


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed; read once, since that takes a third of a second."""
    return httpx2.create_ssl_context()


class Again(Exception):
    """A fault that may pass: what came, and how many seconds the server asks to wait."""

    def __init__(self, got: str, wait: float = 0.0) -> None:
        super().__init__(got)
        self.wait = wait


class Client:
    """Speaks with one server; to be used within one event loop, and closed with `aclose`.

    Parameters
    ----------
    known
        What the server said of its model when it was first asked; None where it was not.
    """

    def __init__(self, endpoint: Endpoint, key: Secret, known: dict[str, Any] | None) -> None:
        self.endpoint = endpoint
        self.known = known
        self.speaker: str | None = None
        self._key = key
        self._slots = asyncio.Semaphore(endpoint.concurrency)
        self._asking_who = asyncio.Lock()
        self._doubt = False
        self._not_before = 0.0
        self._chance = random.Random()
        self._http = httpx2.AsyncClient(
            headers={"User-Agent": "mgptn", **key.header},
            timeout=httpx2.Timeout(endpoint.timeout_seconds, connect=15.0),
            limits=httpx2.Limits(max_connections=endpoint.concurrency + 1),
            trust_env=not endpoint.here,  # no proxy stands before this machine
            verify=_trusted() if endpoint.url.startswith("https:") else False,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def post(self, path: str, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """What the server replies to a body, and how often it had to be asked again.

        Raises
        ------
        EndpointFault
            If it refuses, or nothing comes after all retries.
        """
        content = json.dumps(body).encode()
        return await self._insist("POST", path, content)

    async def identify(self) -> dict[str, Any]:
        """What the server says of its model.

        Raises
        ------
        EndpointFault
            If it cannot be reached, or has another model.
        """
        said, _ = await self._insist("GET", "/models", None)
        self._check_model(said)
        assert self.known is not None
        return self.known

    def check_speaker(self, model: str) -> None:
        """Refuse a reply that says it is another model's: other than asked for, or than before.

        Some servers answer by a longer name than they list.
        """
        wanted = self.endpoint.model
        if not model or model == wanted:
            return
        said, short = model.lower(), wanted.rpartition("/")[2].lower()
        longer = short in said or said in wanted.lower()
        if not longer or self.speaker not in (None, model):
            raise EndpointFault(
                f"{self._where}: expected replies of {self.speaker or wanted!r} from "
                f"{self.endpoint.url}, got one of {self._plain(model)!r}"
            )
        self.speaker = model

    async def _insist(
        self, method: str, path: str, content: bytes | None
    ) -> tuple[dict[str, Any], int]:
        last = Again("nothing")
        for attempt in range(self.endpoint.retries + 1):
            try:
                if method == "POST":
                    await self._be_sure()
                return await self._once(method, path, content), attempt
            except Again as fault:
                last = fault
            if attempt < self.endpoint.retries:
                await self._back_off(attempt, last.wait)
        times = self.endpoint.retries + 1
        raise EndpointFault(
            f"{self._where}: expected a reply from {self.endpoint.url}{path}, got {last}, "
            f"{times} time{'s' if times > 1 else ''}"
        )

    async def _once(self, method: str, path: str, content: bytes | None) -> dict[str, Any]:
        while (left := self._not_before - time.monotonic()) > 0:
            await asyncio.sleep(left * self._chance.uniform(1.0, 1.1))
        async with self._slots:
            try:
                async with asyncio.timeout(self.endpoint.timeout_seconds):
                    response = await self._http.request(
                        method,
                        self.endpoint.url + path,
                        content=content,
                        headers={} if content is None else {"Content-Type": "application/json"},
                    )
            except (TimeoutError, httpx2.TimeoutException):
                self._doubt = True
                raise Again(f"nothing in {self.endpoint.timeout_seconds:g} s") from None
            except httpx2.TransportError as error:
                self._doubt = True
                said = self._plain(str(error)) or type(error).__name__
                raise Again(f"a connection that failed ({said})") from None
        return self._read(response, path)

    def _read(self, response: httpx2.Response, path: str) -> dict[str, Any]:
        status = response.status_code
        if status in PASSING or status >= 500:
            raise Again(f"{status}: {self._message(response)}", self._asked_to_wait(response))
        if status in (401, 403):
            name = self.endpoint.key_env
            with_key = f"the key in {name}" if name else "no key; agents.endpoint.key_env names one"
            raise EndpointFault(
                f"{self._where}: expected {self.endpoint.url} to let us in, got {status} with "
                f"{with_key}: {self._message(response)}"
            )
        if status != 200:
            moved = response.headers.get("location", "")
            kind = Refused if status in (400, 413, 422) else EndpointFault
            raise kind(
                f"{self._where}: expected a reply from {self.endpoint.url}{path}, got {status}: "
                f"{self._plain(moved) if moved else self._message(response)}"
            )
        try:
            said = response.json()
        except ValueError:
            raise Again(f"{len(response.content)} bytes that are no JSON") from None
        if not isinstance(said, dict):
            raise Again("JSON that is no object")
        if "error" in said and "choices" not in said and "data" not in said:
            raise Again(f"an error: {self._message(response)}")
        return said

    async def _be_sure(self) -> None:
        """After a connection has failed: is it still the same model?"""
        if not self._doubt:
            return
        async with self._asking_who:
            if self._doubt:
                said = await self._once("GET", "/models", None)
                self._check_model(said)
                self._doubt = False

    def _check_model(self, said: dict[str, Any]) -> None:
        wanted, listed = self.endpoint.model, said.get("data")
        models = (
            [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        )
        found = next((one for one in models if one.get("id") == wanted), None)
        if found is None:
            names = ", ".join(repr(one.get("id")) for one in models[:8]) or "none"
            more = f" and {len(models) - 8} more" if len(models) > 8 else ""
            raise EndpointFault(
                f"{self._where}: expected {self.endpoint.url}/models to list {wanted!r}, got "
                f"{self._plain(names)}{more}"
            )
        meta = found.get("meta") if isinstance(found.get("meta"), dict) else {}
        about = {name: meta[name] for name in TOLD if meta and name in meta}
        if isinstance(found.get("root"), str):
            about["root"] = found["root"]
        if isinstance(found.get("max_model_len"), int):
            about["max_model_len"] = found["max_model_len"]
        if self.known is not None and self.known != about:
            raise EndpointFault(
                f"{self._where}: expected {wanted!r} at {self.endpoint.url} to be the model that "
                f"the run was begun with, {self.known}, got {about}"
            )
        self.known = about

    async def _back_off(self, attempt: int, wait: float) -> None:
        """Wait, twice as long each time and never quite alike; all wait for what a server says."""
        if wait > MOST_ASKED:
            raise EndpointFault(
                f"{self._where}: expected to be asked again soon, got {self.endpoint.url}'s wish "
                f"that we wait for {wait:.0f} s; its limits are reached"
            )
        pause = min(MOST_SECONDS, self.endpoint.backoff_seconds * 2.0**attempt)
        pause *= self._chance.uniform(0.5, 1.0)
        if wait > 0:
            self._not_before = max(self._not_before, time.monotonic() + wait)
        await asyncio.sleep(max(pause, wait))

    def _message(self, response: httpx2.Response) -> str:
        """What a server says of a fault, in a line, without our key."""
        text = response.text
        try:
            said = response.json()
        except ValueError:
            said = text
        for name in ("error", "message", "detail"):
            if isinstance(said, dict) and said.get(name):
                said = said[name]
        if isinstance(said, dict):
            said = said.get("message") or json.dumps(said)
        return self._plain(str(said)) or "nothing"

    def _plain(self, text: str) -> str:
        line = " ".join(self._key.without(text).split())
        return line if len(line) <= 300 else f"{line[:299]}…"

    @staticmethod
    def _asked_to_wait(response: httpx2.Response) -> float:
        """Seconds by a Retry-After, which has a number or a date; 0 where there is none."""
        said = response.headers.get("retry-after", "").strip()
        try:
            return max(0.0, float(said))
        except ValueError:
            pass
        try:
            until = parsedate_to_datetime(said)
        except ValueError:
            return 0.0
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        return max(0.0, (until - datetime.now(UTC)).total_seconds())

    @property
    def _where(self) -> str:
        return self.endpoint.name
