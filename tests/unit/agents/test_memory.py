"""Memory is planned: what a host says it needs covers what it takes, and a shortage is said."""

# SPDX-License-Identifier: Apache-2.0

import pytest

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.agents.engine.memory import (
    PREFIX_CACHE_BYTES,
    Lengths,
    MemoryShortageError,
    check_memory,
    needed_bytes,
)
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.setting.stage import Stage

LENGTHS = Lengths(prefix=200, row=16, answer=8)


def test_what_is_needed_covers_slots_columns_layers_and_prefixes():
    """gpt-3: 4 layers of 4 heads, 32 wide, so that a token's keys and values take 4 kB."""
    checkpoint = find_checkpoint("gpt-3")
    state = 4 * 2 * 4 * 32 * 4
    base, doubled = (needed_bytes(checkpoint, "float32", slots, LENGTHS) for slots in (64, 128))
    assert base > PREFIX_CACHE_BYTES + 1_054_000 * 4 + 64 * (16 + 8) * state + 200 * state
    assert doubled - base > 64 * (16 + 8) * state
    assert doubled < 2 * base
    half = needed_bytes(checkpoint, "bfloat16", 64, LENGTHS)
    assert half < base


def test_a_shortage_names_the_setting_to_lower():
    check_memory(10**9, 10**9, "here")
    with pytest.raises(MemoryShortageError, match=r"hosts\.slots: expected at least 2\.0 GB free "):
        check_memory(2 * 10**9, 10**9, "here")
    with pytest.raises(MemoryShortageError, match=r"got 1\.0 GB; lower hosts\.slots, hosts\.count"):
        check_memory(10**9, 10**9, "here", hosts=2)


def test_a_run_that_cannot_fit_is_refused_before_it_begins(monkeypatch):
    config = check_config({"name": "large", "hosts": {"device": "cpu", "count": 2}})
    stage = Stage(config)
    stage.check_memory()
    assert stage.host_settings("cpu").memory == stage.memory > PREFIX_CACHE_BYTES
    monkeypatch.setattr(
        "mgptn.experiments.setting.stage.available_memory", lambda: 2 * stage.memory - 1
    )
    with pytest.raises(MemoryShortageError, match="for 2 hosts of"):
        stage.check_memory()
    monkeypatch.setattr("mgptn.agents.hosts.make_host.free_memory", lambda device: stage.memory - 1)
    with pytest.raises(MemoryShortageError, match="GB free on cpu for a host"):
        stage.local_fleet()
