"""Who may ask the page what: by token, from the page itself, in few bytes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mgptn.experiments.people.exchange import PICKED, PICKS
from mgptn.experiments.picking.app import MOST_BYTES
from mgptn.experiments.watching.guard import HEADERS
from tests.integration.picking.conftest import put, served

PICK = {"key": "key q", "shown": 0, "seconds": 1.0}


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is being served, and the token of somebody who was invited."""

    folder: Path
    port: int
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """The status of the reply, and the reply."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        told = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        line.request(method, path, sent, {k: v for k, v in told.items() if v})
        reply = line.getresponse()
        for name, value in HEADERS.items():
            assert reply.headers[name] == value
        return reply.status, reply.read()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    put(tmp_path, [("q", ("a", "b"))])
    with served(tmp_path, ["ann"]) as (link,):
        parts = urlsplit(link)
        assert parts.port is not None
        yield Page(tmp_path, parts.port, parts.fragment)


def nothing_written(page: Page) -> bool:
    return not (page.folder / PICKS / PICKED).read_bytes()


def test_with_a_token_a_pick_is_taken(page: Page) -> None:
    assert page.ask("GET", "/pick")[0] == 200
    status, reply = page.ask("POST", "/api/pick", PICK, Origin=f"http://127.0.0.1:{page.port}")
    assert status == 200
    assert json.loads(reply)["done"] == 1
    assert not nothing_written(page)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer another"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer \xe9"}, 401),
        ({"Authorization": "Basic YTph"}, 401),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "elsewhere.example"}, 421),
        ({"Content_Type": "text/plain"}, 400),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 400),
    ],
)
def test_others_are_refused(page: Page, headers: dict[str, str], status: int) -> None:
    for path, body in (("/api/pick", PICK), ("/api/undo", {})):
        assert page.ask("POST", path, body, **headers)[0] == status
    assert nothing_written(page)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"[" * 2000, b" " * (MOST_BYTES + 1), b"{}" + b" " * 10**6]
)
def test_what_is_no_pick_is_refused(page: Page, body: bytes) -> None:
    try:
        status, _ = page.ask("POST", "/api/pick", body)
    except (BrokenPipeError, ConnectionResetError):
        status = 400  # it was refused before it was sent whole
    assert status in (400, 409)
    assert nothing_written(page)


def test_other_verbs_and_files_are_refused(page: Page) -> None:
    assert page.ask("GET", "/api/pick")[0] == 405
    assert page.ask("PUT", "/api/pick", PICK)[0] == 405
    assert page.ask("OPTIONS", "/api/pick")[0] == 405
    assert page.ask("GET", "/assets/main.js")[0] == 404
    assert page.ask("GET", "/assets/..%2Fdesk.py")[0] == 404
    assert page.ask("GET", "/api/question", Authorization="")[0] == 401
