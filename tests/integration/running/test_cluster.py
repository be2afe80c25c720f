"""A run as the main job on a real Ray cluster of two nodes: one is lost, and another comes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from mgptn.experiments.record.rounds import population_hash

NODES = '''
"""Two Ray nodes on this machine, of one CPU each; a line of JSON for each thing done on them."""

import json, sys, threading, time
from pathlib import Path

import psutil
import ray
from ray.cluster_utils import Cluster
from rich.console import Console

from mgptn.experiments.config.run_config import load_config
from mgptn.experiments.running.run import run
from mgptn.experiments.record.rounds import population_hash
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.setting.stage import Stage

config, folder, said = load_config(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3])
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
second = cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
ray.init(address=cluster.address, log_to_driver=False)


def say(**found):
    with said.open("a") as file:
        print(json.dumps(found), file=file)


def watch():
    """The raylets, one a node, that hosts belong to while the run lasts."""
    while not over.is_set():
        for process in psutil.Process().children(recursive=True):
            try:
                if process.cmdline()[0].startswith("ray::HostActor"):
                    raylets.add(process.ppid())
            except (psutil.Error, IndexError):
                continue
        over.wait(0.2)


raylets, over = set(), threading.Event()
watcher = threading.Thread(target=watch)
watcher.start()
finished = run(config, folder, Console(quiet=True), controls=False)
over.set()
watcher.join()
say(nodes=len(ray.nodes()), raylets=sorted(raylets), hash=finished.population_hash)

stage = Stage(config)
fleet = stage.ray_fleet()
generations = []
for generation in Simulation(config, stage=stage, fleet=fleet):
    generations.append(generation)
    if generation.index == 1:
        cluster.remove_node(second, allow_graceful=False)
        while sum(node["Alive"] for node in ray.nodes()) > 1:
            time.sleep(0.1)
    if generation.index == 3:
        restarts, nodes = fleet.restarts, sum(node["Alive"] for node in ray.nodes())
        cluster.add_node(num_cpus=1)
# The host that there was no room for comes up on the new node.
hosts = {psutil.Process(process).ppid() for process in fleet.process_ids}
say(hash=population_hash(generations), restarts=restarts, nodes=nodes, raylets=sorted(hosts))
ray.shutdown()
cluster.shutdown()
'''

pytestmark = pytest.mark.slow

TIMEOUT = 480
"""Seconds for both runs: 15 to 200, by the machine; most of it is Ray's, to notice a lost node."""


@pytest.fixture(scope="module")
def config(small: Any) -> Any:
    """Two hosts of a CPU each; long enough that a lost node is noticed before the end."""
    return small({"hosts.count": 2, "population.generations": 12})


@pytest.fixture(scope="module")
def said(
    config: Any, config_file: Any, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """What the script says, as far as it gets."""
    folder = tmp_path_factory.mktemp("cluster")
    script = folder / "two_nodes.py"
    script.write_text(NODES)
    root = Path(__file__).parents[3]
    # A folder of its own, with a short path for sockets, so that nobody takes this cluster for one
    # to be joined.
    with (folder / "log").open("w") as log, tempfile.TemporaryDirectory(dir="/tmp") as ray_folder:
        process = subprocess.Popen(
            [sys.executable, script, config_file(config), folder / "run", folder / "said"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root / "src"), "RAY_TMPDIR": ray_folder},
            stdout=log,
            stderr=log,
        )
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TIMEOUT)
        finally:
            if process.poll() is None:
                below = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                process.wait()
                for left in below:
                    if left.is_running():
                        left.kill()
                psutil.wait_procs(below, timeout=10)
    assert (folder / "said").exists(), (folder / "log").read_text()[-5000:]
    return [json.loads(line) for line in (folder / "said").read_text().splitlines()]


@pytest.mark.timeout(TIMEOUT + 60)
def test_hosts_land_on_both_nodes_and_the_hash_is_that_of_one(
    said: list[dict[str, Any]], config: Any, course: Any
) -> None:
    assert said[0]["nodes"] == 2
    assert len(said[0]["raylets"]) == 2
    assert said[0]["hash"] == population_hash(course(config))


@pytest.mark.timeout(TIMEOUT + 60)
def test_the_node_that_is_left_finishes_the_work_of_one_that_is_lost(
    said: list[dict[str, Any]], config: Any, course: Any
) -> None:
    assert len(said) == 2, f"expected a run to go on within {TIMEOUT} s after a node was lost"
    assert said[1]["nodes"] == 1
    assert said[1]["restarts"] >= 1
    assert said[1]["hash"] == population_hash(course(config))


@pytest.mark.timeout(TIMEOUT + 60)
def test_a_node_that_comes_has_the_host_that_the_lost_one_had(said: list[dict[str, Any]]) -> None:
    assert len(said) == 2, f"expected a run to end within {TIMEOUT} s"
    lost_and_kept, kept_and_new = set(said[0]["raylets"]), set(said[1]["raylets"])
    assert len(kept_and_new) == 2
    assert len(lost_and_kept & kept_and_new) == 1
