"""Verdicts on a real Ray cluster of two nodes: programs in sandboxes, slow checkers as tasks."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from mgptn.agents.sandbox.kinds import KINDS, fault_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(all(map(fault_of, KINDS)), reason="no sandbox works here"),
]

NODES = '''
"""Two Ray nodes on this machine, whose CPUs an actor holds, as hosts do; a line of JSON."""

import json, os, time

import ray
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
ray.init(address=cluster.address, log_to_driver=False)

from mgptn.agents.sandbox.programs import Limits, SandboxError
from mgptn.agents.verdicts import programs as programs_module, verifier as verifier_module
from mgptn.agents.verdicts.on_ray import nodes, on_each
from mgptn.agents.verdicts.programs import Programs
from mgptn.agents.verdicts.verifier import Verifier
from mgptn.protocols.tasks.trials import Program
from tests.expressions import Expressions


@ray.remote(num_cpus=1)
class Holder:
    def here(self):
        return os.getpid()


holders = [Holder.remote() for _ in range(2)]
ray.get([holder.here.remote() for holder in holders])
places = nodes()
run = Programs("auto", Limits(seconds=0.3, wall=60), 1)
ran = run([Program("", (f"{i} + 1",)) for i in range(30)] + [Program("while True: pass")])
verdicts = Verifier(run)(Expressions(), [("3+4=", "7"), ("3+4=", "8"), ("3+4=", "[0] * 10**11")])


class Slow:
    name = "slow"

    def verify(self, query, answer):
        if answer == "raise":
            raise KeyError("strange")
        time.sleep(0.05)
        return answer == query


told = []
verifier_module.TRIED = verifier_module.WORTH = 0.01
slow = Verifier(tell=told.append)
pairs = [(str(i % 7), str(i % 5)) for i in range(60)] + [("q", "raise")]
found = slow(Slow(), pairs)
programs_module.faults_here = lambda: {"bubblewrap": "no", "interpreter": "no"}
try:
    Programs("auto", Limits(), 1).check(places)
    refused = ""
except SandboxError as error:
    refused = str(error)
print(json.dumps({
    "nodes": len(places),
    "apart": len(set(on_each(places, lambda: os.getppid()))),
    "values": [one.values for one in ran[:-1]],
    "last": ran[-1].status,
    "verdicts": verdicts,
    "slow": found == [a == q for q, a in pairs[:-1]] + [None],
    "told": told,
    "elsewhere": slow._processes is None,
    "refused": refused,
}))
ray.shutdown()
cluster.shutdown()
'''


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the script says."""
    script = tmp_path_factory.mktemp("nodes") / "two_nodes.py"
    script.write_text(NODES)
    root = Path(__file__).parents[3]
    with tempfile.TemporaryDirectory(dir="/tmp") as ray_folder:
        done = subprocess.run(
            [sys.executable, script],
            env={
                **os.environ,
                "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}",
                "RAY_TMPDIR": ray_folder,
            },
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-5000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_programs_run_on_all_nodes_though_hosts_hold_their_cpus(said: Any) -> None:
    assert (said["nodes"], said["apart"]) == (2, 2)
    assert said["values"] == [[str(i + 1)] for i in range(30)]
    assert said["last"] == "time"
    assert said["verdicts"] == [True, False, False]


def test_slow_checkers_are_asked_there_and_what_they_raise_is_told(said: Any) -> None:
    assert said["slow"]
    assert said["elsewhere"]
    (line,) = said["told"]
    assert line.startswith("task slow: expected a verdict on any answer, got KeyError: 'strange'")


def test_a_node_without_a_sandbox_has_the_task_refused(said: Any) -> None:
    assert said["refused"].startswith("sandbox.kind: expected one that works on all 2 machines")
