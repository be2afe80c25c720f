"""A Ray that begins beside something else: taken, left, refused; with nothing left behind."""

# SPDX-License-Identifier: Apache-2.0

import os

import psutil
import pytest

from mgptn.agents.hosts.fleet import FleetError
from mgptn.agents.hosts.ray import thrift
from mgptn.agents.hosts.ray.beginning import beginning
from tests.ports import free_port


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr("ray.is_initialized", lambda: False)  # another test's may be
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def test_what_went_wrong_is_told_to_who_takes_it():
    with beginning(f"127.0.0.1:{free_port()}") as begun:
        with pytest.raises(FleetError, match="expected a Ray cluster at 127"):
            begun.take()
        begun.end()


def test_what_went_wrong_is_nothing_to_who_never_asked():
    with beginning(f"127.0.0.1:{free_port()}"):
        pass


def test_what_is_done_beside_it_may_fail_and_says_why():
    with pytest.raises(KeyError, match="beside"), beginning(f"127.0.0.1:{free_port()}"):
        raise KeyError("beside")


def test_ray_has_what_is_replaced_and_has_it_again():
    """Where a version of Ray has it no longer, starting is slower, and this says so."""
    from ray._private import node

    names = {name for _, name, _ in thrift._replacements()}
    assert names == {*thrift.UNWANTED, thrift.SERVER, "get_dashboard_dependency_error"}
    before = node.Node.start_monitor
    with thrift.spared():
        assert node.Node.start_monitor is not before
    assert node.Node.start_monitor is before


def test_no_thread_is_left():
    before = psutil.Process(os.getpid()).num_threads()
    for _ in range(3):
        with beginning(f"127.0.0.1:{free_port()}"):
            pass
    assert psutil.Process(os.getpid()).num_threads() <= before + 1
