"""What a process may use: the machine's, by affinity and by its control groups' limits."""

# SPDX-License-Identifier: Apache-2.0

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mgptn.agents.allowance import UNLIMITED, available_memory, usable_cpus

GB = 10**9


def tree(root: Path, member: str, files: dict[str, str]) -> tuple[Path, Path]:
    """Control groups as they are mounted, and what the process is told of its own."""
    groups = root / "cgroup"
    groups.mkdir()
    for path, content in files.items():
        (groups / path).parent.mkdir(parents=True, exist_ok=True)
        (groups / path).write_text(content)
    (root / "member").write_text(member)
    return groups, root / "member"


@pytest.fixture
def many_cpus(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)


@pytest.mark.parametrize(
    ("member", "files", "cpus"),
    [
        ("0::/\n", {"cpu.max": "max 100000\n"}, 16),
        ("0::/\n", {"cpu.max": "250000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "30000 100000\n"}, 1),
        # A job below a slice: the least of all above counts.
        (
            "0::/slurm/job\n",
            {"slurm/job/cpu.max": "max 100000\n", "slurm/cpu.max": "400000 100000\n"},
            4,
        ),
        # In a container of version 1 the path is the host's, and the root is the container's own.
        (
            "4:cpu,cpuacct:/docker/0123\n1:name=systemd:/\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "150000\n", "cpu,cpuacct/cpu.cfs_period_us": "50000"},
            3,
        ),
        ("4:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "1000"}, 16),
        ("4:memory:/\n", {"memory/cpu.max": "100000 100000\n"}, 16),
        ("nonsense", {"cpu.max": "of no form"}, 16),
    ],
)
def test_cpus_are_bounded_by_quotas_of_either_version(tmp_path, many_cpus, member, files, cpus):
    assert usable_cpus(*tree(tmp_path, member, files)) == cpus


@pytest.mark.parametrize(
    ("member", "files", "free"),
    [
        (
            "0::/a\n",
            {
                "a/memory.max": f"{2 * GB}\n",
                "a/memory.current": f"{2 * GB - 5000}\n",
                "a/memory.stat": "anon 7\ninactive_file 3000\n",
            },
            8000,
        ),
        (
            "0::/a/b\n",
            {
                "a/b/memory.max": "max\n",
                "a/b/memory.current": "5\n",
                "a/memory.max": "9000\n",
                "a/memory.current": "4000\n",
            },
            5000,
        ),
        (
            "9:memory:/docker/0123\n",
            {
                "memory/memory.limit_in_bytes": "9000\n",
                "memory/memory.usage_in_bytes": "8000\n",
                "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 500\n",
            },
            1500,
        ),
        ("0::/\n", {"memory.max": "9000\n", "memory.current": "9500\n"}, 0),
    ],
)
def test_memory_is_what_groups_of_either_version_leave(tmp_path, member, files, free):
    assert available_memory(*tree(tmp_path, member, files)) == free


def test_no_limit_is_none(tmp_path):
    endless = {
        "memory/memory.limit_in_bytes": f"{2**63 - 4096}",
        "memory/memory.usage_in_bytes": "1",
    }
    assert UNLIMITED > available_memory(*tree(tmp_path, "9:memory:/\n", endless)) > 0
    assert available_memory(tmp_path / "none", tmp_path / "none") > 0
    assert usable_cpus(tmp_path / "none", tmp_path / "none") >= 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_a_process_that_is_kept_to_one_cpu_counts_one():
    code = (
        "import os; from mgptn.agents.allowance import usable_cpus; "
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(usable_cpus())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "1\n"
