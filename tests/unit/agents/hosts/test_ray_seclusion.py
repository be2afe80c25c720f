"""What Ray is told before one is started here: by its environment, and only for as long.

That it hears it is held by `tests/integration/running/test_faults.py`, in a process of its own.
"""

# SPDX-License-Identifier: Apache-2.0

import os
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest

from mgptn.agents.hosts.ray.seclusion import CLUSTERS, MODE, TOKEN, TOKEN_FILE, secluded


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    """A user at home without a token; and the Ray of this process, if it has one, is left alone."""
    for name in (CLUSTERS, MODE, TOKEN, TOKEN_FILE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("mgptn.agents.hosts.ray.seclusion._known_to_ray", nullcontext)


def test_a_mode_and_a_token_are_set_for_as_long_as_they_are_needed():
    before = dict(os.environ)
    tokens = set()
    for _ in range(2):
        with secluded() as folder:
            assert os.environ[MODE] == "token"
            path = Path(os.environ[TOKEN_FILE])
            assert path.parent == folder
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            tokens.add(path.read_text())
        assert dict(os.environ) == before
    assert [len(token) for token in tokens] == [64, 64]  # two, of 256 bits


@pytest.mark.parametrize("name", [TOKEN, TOKEN_FILE])
def test_a_token_that_the_user_names_counts(monkeypatch, name):
    monkeypatch.setenv(name, "mine")
    with secluded():
        assert {key: os.environ.get(key) for key in (TOKEN, TOKEN_FILE)} == {
            **dict.fromkeys((TOKEN, TOKEN_FILE)),
            name: "mine",
        }


@pytest.mark.parametrize(("mode", "counts"), [(0o600, True), (0o644, False)])
def test_a_token_at_home_counts_unless_others_can_read_it(tmp_path, mode, counts):
    usual = tmp_path / ".ray/auth_token"
    usual.parent.mkdir()
    usual.write_text("mine")
    usual.chmod(mode)
    with secluded():
        assert (TOKEN_FILE not in os.environ) == counts


def test_a_mode_that_the_user_has_set_counts_and_is_told_of(monkeypatch, caplog):
    monkeypatch.setenv(MODE, "disabled")
    with secluded():
        assert os.environ[MODE] == "disabled"
    assert "RAY_AUTH_MODE is disabled: while this run lasts, whoever has an account" in caplog.text
