"""The runs that faults befall: small ones of every kind that a run may be, and how each should end.

One without a model and with its controls, one whose contexts are inherited, and two whose weights
learn, of which one keeps all that was learned. Hosts are simulated; all else of a run is its own.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from mgptn.agents.hosts.fleet import Fleet, NoFleet
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.ray_cluster import Cluster
from mgptn.agents.hosts.ray_fleet import RayFleet
from mgptn.experiments.bench.faults.hosts import PureHosts
from mgptn.experiments.config.arms import NEUTRAL, SELECTED
from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.setting.stage import Stage

_HOSTED: dict[str, Any] = {
    "name": "simulated-faults",
    "task": {"name": "addition", "size": 1},
    "population": {"size": 3, "generations": 3},
    "agents": {"model": "gpt-1", "context_capacity": 2},
    "protocol": {"graders": 1, "threshold": 0.0},
    "problems_per_generation": 3,
    "hosts": {"device": "cpu", "slots": 4},
    "metrics": {"port": 0},
}
_WEIGHTS: dict[str, Any] = {
    **_HOSTED,
    "agents": {
        "model": "gpt-1",
        "context_capacity": 0,
        "learning": {"method": "full", "steps": 1, "documents": 2},
    },
}
_KEPT = {**_WEIGHTS["agents"], "learning": {**_WEIGHTS["agents"]["learning"], "keep": "all"}}

CONFIGS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "scripted": ({**_HOSTED, "agents": {"model": "scripted"}}, (SELECTED, NEUTRAL)),
    "contexts": (_HOSTED, (SELECTED,)),
    "weights": (_WEIGHTS, (SELECTED,)),
    "weights kept": ({**_WEIGHTS, "agents": _KEPT}, (SELECTED,)),
}
"""Name → what is configured, and which arms are run."""


@dataclass(frozen=True, slots=True)
class Population:
    """A run to be: its configuration, arms and stage, and what its hosts reply."""

    name: str
    config: RunConfig
    arms: tuple[str, ...]
    stage: Stage
    hosts: PureHosts

    @property
    def settings(self) -> HostSettings:
        """Of its hosts."""
        return self.stage.host_settings("cpu")

    def fleet(self, cluster: Cluster, hosts: int) -> Fleet:
        """A run's own fleet, on a cluster; none of a run without a model."""
        if not self.stage.hosted:
            return NoFleet(self.settings)
        return RayFleet(self.settings, hosts, cluster=cluster)


@cache
def population(name: str) -> Population:
    """One of `CONFIGS`, made once a process: a stage is the same for every run on it."""
    plain, arms = CONFIGS[name]
    config = check_config(plain, source=f"simulated faults, {name}")
    stage = Stage(config)
    letters = stage.script.encoder.suffix("0123456789") if stage.scripts else ()
    return Population(name, config, arms, stage, PureHosts(tuple(letters)))
