"""Which tests run beside each other: those that share the machine never do."""

# SPDX-License-Identifier: Apache-2.0

import pytest

from tests.conftest import group

RUNNING = "tests/integration/running/test_resume.py"
EXPERIMENTS = "tests/integration/commands/test_experiments.py"


@pytest.mark.parametrize(
    ("test", "together"),
    [
        (f"{RUNNING}::test_a_torn_run_is_resumed[x]", "machine"),
        ("tests/integration/agents/test_fleet.py::test_a", "machine"),
        ("tests/integration/commands/test_cli.py::test_a", "machine"),
        (f"{EXPERIMENTS}::test_hosts_of_a_ray_cluster_find_the_same", "machine"),
        (f"{EXPERIMENTS}::test_a_claim_is_run_and_judged[gaming]", EXPERIMENTS),
        ("tests/unit/agents/test_tiles.py::test_a[1]", "tests/unit/agents/test_tiles.py"),
    ],
)
def test_a_module_is_a_group_and_what_shares_the_machine_is_one(test: str, together: str):
    assert group(test) == together
