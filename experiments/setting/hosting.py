"""Which hosts a stage needs: their models, memory and device, in this process or on Ray."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mgptn.agents.checkpoints import Checkpoint
from mgptn.agents.endpoints.budget import Budget
from mgptn.agents.endpoints.fleet import JointFleet
from mgptn.agents.endpoints.probing import Served
from mgptn.agents.engine.memory import Lengths, Needed, needed_bytes, together
from mgptn.agents.hosts.counting import fitting, host_count
from mgptn.agents.hosts.fleet import Fleet, LocalFleet, NoFleet
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.ray_fleet import RayFleet
from mgptn.agents.learning.memory import Lesson, learning_bytes
from mgptn.agents.scripted import ScriptedAgents
from mgptn.agents.verdicts.verifier import Verifier
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.protocols.tasks.task import Task


@dataclass(frozen=True, slots=True)
class RayRoom:
    """Hosts to be: how many, how each is made, which share of a GPU it reserves, and how long each
    is waited for at least."""

    count: int
    settings: HostSettings
    gpus_per_host: float
    patience: float

    def fleet(self) -> RayFleet:
        """Have them come up."""
        return RayFleet(self.settings, self.count, self.gpus_per_host, self.patience)

    def told(self) -> str:
        """``2 hosts (cpu)``."""
        return f"{self.count} host{'s' if self.count > 1 else ''} ({self.settings.device})"


class Hosting:
    """The hosts of a stage.

    Attributes
    ----------
    config
        Of the run.
    scripted
        The agents of a run without a model; None for one with.
    checkpoints
        Name → files of each model that founders are copies of, and that is here.
    served
        Name → each that is behind an endpoint.
    task, verifier
        What is asked, and what finds the verdicts on answers.
    """

    config: RunConfig
    scripted: ScriptedAgents | None
    checkpoints: dict[str, Checkpoint]
    served: dict[str, Served]
    task: Task
    verifier: Verifier
    _lengths: dict[str, Lengths]
    _lessons: dict[str, Lesson | None]

    @property
    def hosted(self) -> bool:
        """Does any model run on a host?"""
        return self.scripted is None and bool(self.checkpoints)

    def memory(self, device: str) -> dict[str, Needed]:
        """Name → what each model takes of a host on a device."""
        hosts, found = self.config.hosts, self.checkpoints
        return {
            name: needed_bytes(found[name], hosts.dtype, hosts.slots, lengths, device)
            + learning_bytes(found[name], hosts.dtype, self._lessons[name])
            for name, lengths in self._lengths.items()
        }

    def host_settings(self, device: str) -> HostSettings:
        """How to make a host of this run on a device."""
        hosts = self.config.hosts
        if not self.checkpoints:
            return HostSettings(self.config.agents.model, "", "cpu", hosts.dtype, hosts.threads)
        (model, weights), *others = ((c.name, c.weights) for c in self.checkpoints.values())
        return HostSettings(
            model=model,
            weights=weights,
            device=device,
            dtype=hosts.dtype,
            threads=hosts.threads,
            others=tuple(others),
            memory=together(self.memory(device).values()),
        )

    def local_fleet(self) -> Fleet:
        """One host in this process; none where there is no model."""
        if not self.hosted:
            return self.joined(NoFleet(self.host_settings("cpu")))
        return self.joined(LocalFleet(self.host_settings(self.device())))

    def joined(self, fleet: Fleet, served: Mapping[str, Served] | None = None) -> Fleet:
        """A fleet with what a run has beside it: endpoints, and limits on what it may spend.

        Parameters
        ----------
        served
            Endpoints of other runs too; this one's own by default.
        """
        beside = {one.endpoint.weights: one for one in (served or self.served).values()}
        limits = self.config.limits.limits
        return JointFleet(fleet, beside, Budget(limits)) if beside or limits else fleet

    def ray_fleet(
        self,
        device: str | None = None,
        settings_on: Callable[[str], HostSettings] | None = None,
        *,
        here: bool = False,
    ) -> RayFleet:
        """Hosts as Ray actors; parameters and errors as of `ray_room`."""
        return self.ray_room(device, settings_on, here=here).fleet()

    def ray_room(
        self,
        device: str | None = None,
        settings_on: Callable[[str], HostSettings] | None = None,
        *,
        here: bool = False,
    ) -> RayRoom:
        """The hosts on Ray that the configuration asks for; Ray must be running.

        Parameters
        ----------
        device
            Instead of the configured one, for a run that was begun on it.
        settings_on
            From the device to hosts that serve other runs too; this run's own by default.
        here
            Are all on this machine, so that their memory can be planned before any is started?
            Elsewhere each looks for itself as it comes up.

        Raises
        ------
        ConfigError
            If the cluster has not got the GPUs that are asked for.
        agents.engine.memory.MemoryShortageError
            If their memory is planned and there is not enough.
        """
        import ray

        hosts = self.config.hosts
        device = device or hosts.device
        if device == "auto":
            device = "cuda" if ray.cluster_resources().get("GPU", 0) >= 1 else "cpu"
        have = ray.cluster_resources().get("GPU", 0)
        # A number of hosts is waited for: an autoscaled cluster may have no GPU until it is asked.
        if device == "cuda" and hosts.count == "auto" and have < hosts.gpus_per_host:
            raise ConfigError(
                f"hosts.device: expected a Ray cluster with GPUs for cuda, got one with "
                f"{have:g}; give hosts.count as a number if the cluster grows on demand, or use "
                "hosts.device=cpu"
            )
        gpus, settings = hosts.gpus_per_host, (settings_on or self.host_settings)(device)
        count = host_count(hosts.count, device, self.config.population.size, gpus)
        if here:
            count, gpus = fitting(hosts.count, count, settings.memory, device, gpus)
            if device == "cpu" or gpus < 1.0:
                settings = replace(settings, memory=0)
        return RayRoom(count, settings, gpus if device == "cuda" else 0.0, hosts.patience)

    def device(self) -> str:
        """The device of a host in this process.

        Raises
        ------
        ConfigError
            If cuda is asked for and there is none.
        """
        if not self.hosted:
            return "cpu"
        import torch

        wanted = self.config.hosts.device
        if wanted == "cuda" and not torch.cuda.is_available():
            raise ConfigError("hosts.device: expected a CUDA device, got none; use cpu or auto")
        if wanted == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        return wanted
