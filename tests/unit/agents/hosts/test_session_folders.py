"""Folders of a Ray: private, removed at the end, and swept where the end was a sudden one."""

# SPDX-License-Identifier: Apache-2.0

import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mgptn.agents.hosts.ray.folders import LONGEST, PREFIX, private_folder, sweep

HOLDING = """
import sys, time
from mgptn.agents.hosts.ray.folders import private_folder
with private_folder() as folder:
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def root(monkeypatch):
    """A place with a path as short as sockets want it."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t") as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        yield Path(folder)


def test_a_folder_is_the_users_alone_and_gone_at_the_end(root):
    with private_folder() as folder:
        assert len(str(folder)) <= LONGEST
        folder.chmod(0o777)  # as Ray does
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
        assert folder.parent.parent == root
        (folder / "session/sockets").mkdir(parents=True)
        (folder / "latest").symlink_to(folder / "session")
        assert sweep(root) == []  # it is in use
        assert folder.exists()
    assert list(root.iterdir()) == []


def test_what_a_killed_run_has_left_is_swept_by_the_next_and_nothing_else(root):
    others = root / f"{PREFIX}other"
    others.mkdir()  # without a lock: nobody knows whose
    with subprocess.Popen([sys.executable, "-c", HOLDING], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        left = Path(holder.stdout.readline().decode().strip()).parent
        with private_folder():
            assert left.exists()
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    assert left.exists()
    (left / "r/log").write_text("what was said")
    with private_folder():
        assert not left.exists()
    assert list(root.iterdir()) == [others]


def test_a_place_too_long_for_sockets_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / ("x" * 60)))
    with pytest.raises(OSError, match="RAY_TMPDIR: expected a path of at most"), private_folder():
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_long_place_that_nobody_chose_is_passed_over(monkeypatch, tmp_path):
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("x" * 60)))
    with private_folder() as folder:
        assert len(str(folder)) <= LONGEST
