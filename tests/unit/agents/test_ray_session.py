"""Which Ray a run uses: named with where its address is from, and refused in seconds if dead."""

# SPDX-License-Identifier: Apache-2.0

import re
import time

import pytest

from mgptn.agents.hosts.fleet import FleetError
from mgptn.agents.hosts.ray.session import start_ray
from mgptn.agents.hosts.ray_address import (
    Joining,
    check_answers,
    cluster_endpoint,
    cluster_to_join,
)
from tests.greeting import SETTINGS, listening
from tests.ports import free_port


@pytest.mark.parametrize(
    ("given", "announced", "joined"),
    [
        (None, None, None),
        (None, "", None),
        (None, "local", None),
        ("local", None, None),
        (None, "10.0.0.1:6379", Joining("10.0.0.1:6379", inherited=True)),
        (None, "auto", Joining("auto", inherited=True)),
        ("auto", "10.0.0.1:6379", Joining("10.0.0.1:6379", inherited=True)),
        ("auto", None, Joining("auto", inherited=False)),
        ("there:1", "10.0.0.1:6379", Joining("there:1", inherited=False)),
    ],
)
def test_an_address_is_the_users_or_else_the_environments(monkeypatch, given, announced, joined):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if announced is not None:
        monkeypatch.setenv("RAY_ADDRESS", announced)
    assert cluster_to_join(given) == joined


def test_a_leftover_address_is_named_with_what_to_do_on_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr("ray.is_initialized", lambda: False)  # another test's may be
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    for address in (f"127.0.0.1:{free_port()}", "auto"):
        monkeypatch.setenv("RAY_ADDRESS", address)
        began = time.perf_counter()
        with pytest.raises(FleetError) as caught:
            start_ray()
        assert time.perf_counter() - began < 30
        said = str(caught.value)
        assert re.search(f"at {address}, which the environment variable RAY_ADDRESS names", said)
        assert "unset it to start Ray on this machine" in said
        assert "\n" not in said
        with pytest.raises(FleetError) as caught:
            start_ray(f"127.0.0.1:{free_port()}")
        assert "RAY_ADDRESS" not in str(caught.value)


@pytest.mark.parametrize(
    ("says", "complaint"),
    [(b"", "no word from"), (b"HTTP/1.1 400 Bad Request", "something else than a Ray cluster")],
)
def test_what_listens_and_is_no_cluster_is_refused_in_time(says, complaint):
    with listening(says) as address:
        place = cluster_endpoint(address)
        with pytest.raises(OSError, match=complaint):
            check_answers(*place, seconds=0.3)
    with listening(SETTINGS) as address:
        check_answers(*cluster_endpoint(address), seconds=5)
