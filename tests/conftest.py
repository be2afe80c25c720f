"""Which tests may run beside each other where pytest-xdist runs several at once (`make test`)."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Any

import pytest

MACHINE = (
    "tests/integration/agents/test_fleet.py",
    "tests/integration/agents/test_host_counts.py",
    "tests/integration/commands/",
    "tests/integration/monitoring/",
    "tests/integration/running/",
)
"""Tests that start Ray, commands or servers. One worker runs them all, one by one: they share
one Ray, count the processes that they find, and kill some."""
APART = tuple(
    f"tests/integration/commands/test_{name}.py"
    for name in (
        *("bench_engine", "bench_learning", "cards", "experiments", "founders"),
        *("package", "readme"),
    )
)
"""Of these, modules that stay within their own process,"""
BUT = ("tests/integration/commands/test_experiments.py::test_hosts_of_a_ray_cluster",)
"""but for these tests."""


def group(test: str) -> str:
    """What a worker runs as a whole: `MACHINE`, or a module, so that its fixtures are made once."""
    together = test.startswith(MACHINE) and not test.startswith(APART)
    return "machine" if together or test.startswith(BUT) else test.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal out groups, in the order of collection."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return Groups(config, log)
