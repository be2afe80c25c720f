"""Who may ask the page: this machine's browser, on its own address, to read what is the page's."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import http.client
import re
import socket
from importlib.resources import files
from urllib.parse import urlsplit

import pytest

from tests.integration.watching.conftest import Page

VENDORED = {
    "uPlot.LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
"""SHA-256 of what others wrote: uPlot 1.6.32, as its package has it."""

ASSETS = files("mgptn.experiments.watching") / "assets"


def replied(page: Page, method: str = "GET", path: str = "/api/runs", **headers: str) -> tuple:
    parts = urlsplit(page.address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    for name, value in {"Host": parts.netloc, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    reply = connection.getresponse()
    found = reply.status, reply.read().decode(), dict(reply.getheaders())
    connection.close()
    return found


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "", "[::1", "127.0.0.1@evil.example", "0.0.0.0"],
)
def test_another_host_is_refused(page: Page, host: str) -> None:
    assert replied(page, Host=host)[0] in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_loopback_by_any_name_is_served(page: Page, host: str) -> None:
    assert replied(page, Host=f"{host}:{urlsplit(page.address).port}")[0] == 200


def test_another_origin_is_refused(page: Page) -> None:
    own = page.address.rstrip("/")
    assert replied(page, Origin=own)[0] == 200
    for origin in ("http://evil.example", "null", own.replace("http", "https"), own + "0"):
        assert replied(page, Origin=origin)[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_can_be_changed(page: Page, method: str) -> None:
    assert replied(page, method)[0] == 405


def test_every_reply_forbids_what_is_not_the_pages(page: Page) -> None:
    for path in ("/", "/assets/main.js", "/api/runs", "/nowhere", "/api/run?run=x"):
        headers = {name.lower(): value for name, value in replied(page, path=path)[2].items()}
        assert headers["content-security-policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        *("/assets/../app.py", "/assets/vendor/../../app.py", "/assets/%2e%2e/app.py"),
        *("/assets//etc/passwd", "/assets/vendor", "/assets/", "/assets/x.js"),
    ],
)
def test_no_other_file_is_served(page: Page, path: str) -> None:
    assert replied(page, path=path)[0] == 404


def test_it_listens_on_loopback_alone(page: Page) -> None:
    port = urlsplit(page.address).port
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", port or 0)) != 0


def test_what_others_wrote_is_what_they_wrote() -> None:
    found = {
        one.name: hashlib.sha256(one.read_bytes()).hexdigest()
        for one in (ASSETS / "vendor").iterdir()
    }
    assert found == VENDORED


def test_own_scripts_make_elements_and_never_markup() -> None:
    scripts = [one for one in ASSETS.iterdir() if one.name.endswith(".js")]
    assert len(scripts) > 5
    for one in scripts:
        written = one.read_text(encoding="utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(", written
        )
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", written)
