"""The stage of a run: task, problems, model, layout and fleet, checked before anything starts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mgptn.agents.behaviour import SCRIPTED_MODELS, Behaviour
from mgptn.agents.checkpoints import Checkpoint, expand_models, find_checkpoint
from mgptn.agents.encoder import Encoder
from mgptn.agents.engine.memory import available_memory, check_memory, needed_bytes
from mgptn.agents.hosts.fleet import Fleet, LocalFleet, NoFleet
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.ray_fleet import RayFleet
from mgptn.agents.hosts.ray_session import host_count
from mgptn.agents.scripted import ScriptedAgents
from mgptn.experiments.config.plugins import find_protocol, interfaces
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.seats.asking import Script
from mgptn.experiments.seats.humans import make_picks
from mgptn.experiments.setting.fitting import check_answers_fit, check_context_fits
from mgptn.experiments.setting.problems import draw_problems
from mgptn.experiments.setting.tasks import bundled_size, make_task
from mgptn.population.records.agents import Agent, AgentId, Genome
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.interfaces.table import Setting, make_interface


class Stage:
    """Everything that a run's arms share. Making one starts nothing.

    Attributes
    ----------
    scripted
        The agents of a run without a model; None for one with.
    checkpoints
        Name → files of each model that founders are copies of.
    scripts
        Name → how its copies are asked; a run without a model has none.
    memory
        Bytes that a host needs.

    Raises
    ------
    ConfigError
        If the task cannot be had as configured, or has too few problems, or its questions and
        answers do not fit the model.
    agents.checkpoints.CheckpointError
        If the model cannot be used.
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        made = make_task(config.task)
        self.task, self.task_file_hash = made.task, made.file_hash
        self.libraries = made.libraries
        self.problems = draw_problems(self.task, config)
        self.protocol = find_protocol(config.protocol.name)
        self.picks = make_picks(config, self.task)
        self.scripts: dict[str, Script] = {}
        self.memory = 0
        behaviour = scripted_behaviour(config)
        if behaviour is not None:
            check_scripted_protocol(config)
            name = config.agents.model
            self.checkpoints = {name: Checkpoint(name, Path(name), behaviour.digest(), {})}
            self.scripted: ScriptedAgents | None = ScriptedAgents(behaviour, self.task)
            return
        self.scripted = None
        names = expand_models(config.agents.model)[: config.population.size]
        self.checkpoints = {name: find_checkpoint(name) for name in names}
        self.scripts = {name: self._script(found) for name, found in self.checkpoints.items()}

    @property
    def script(self) -> Script:
        """How the first model's copies are asked."""
        return next(iter(self.scripts.values()))

    @property
    def weights(self) -> dict[str, str]:
        """Name → hash of the files of each model."""
        return {name: found.weights for name, found in self.checkpoints.items()}

    def host_settings(self, device: str) -> HostSettings:
        """How to make a host of this run on a device."""
        hosts = self.config.hosts
        (model, weights), *others = ((c.name, c.weights) for c in self.checkpoints.values())
        return HostSettings(
            model=model,
            weights=weights,
            device=device,
            dtype=hosts.dtype,
            threads=hosts.threads,
            others=tuple(others),
            memory=self.memory,
        )

    def local_fleet(self) -> Fleet:
        """One host in this process; none where there is no model."""
        if self.scripted is not None:
            return NoFleet(self.host_settings("cpu"))
        return LocalFleet(self.host_settings(self.device()))

    def ray_fleet(
        self,
        device: str | None = None,
        settings_on: Callable[[str], HostSettings] | None = None,
    ) -> RayFleet:
        """Hosts as Ray actors, as many as the configuration asks for; Ray must be running.

        Parameters
        ----------
        device
            Instead of the configured one, for a run that was begun on it.
        settings_on
            From the device to hosts that serve other runs too; this run's own by default.

        Raises
        ------
        ConfigError
            If the cluster has not got the GPUs that are asked for.
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
        gpus = hosts.gpus_per_host if device == "cuda" else 0.0
        count = host_count(hosts.count, device, self.config.population.size, hosts.gpus_per_host)
        return RayFleet((settings_on or self.host_settings)(device), count, gpus)

    def check_memory(self) -> None:
        """Is there room on this machine for the hosts that it is to start, on its CPU?

        Hosts on GPUs, and on other machines, look for themselves as they come up.

        Raises
        ------
        agents.engine.memory.MemoryShortageError
            If there is not.
        """
        hosts = self.config.hosts
        if self.scripted is not None or self.device() == "cuda":
            return
        agents = self.config.population.size
        count = {"auto": 1, "per-agent": agents}.get(str(hosts.count)) or int(hosts.count)
        check_memory(self.memory, available_memory(), "on this machine", count)

    def device(self) -> str:
        """The device of a host in this process.

        Raises
        ------
        ConfigError
            If cuda is asked for and there is none.
        """
        import torch

        wanted = self.config.hosts.device
        if wanted == "cuda" and not torch.cuda.is_available():
            raise ConfigError("hosts.device: expected a CUDA device, got none; use cpu or auto")
        if wanted == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        return wanted

    def _multiline(self) -> bool:
        """Has any right answer several lines?"""
        return any("\n" in p.reference for generation in self.problems for p in generation)

    def _script(self, checkpoint: Checkpoint) -> Script:
        """How the copies of a model are asked; it is checked that everything asked fits."""
        config = self.config
        encoder = Encoder(checkpoint)
        try:
            interface = make_interface(
                config.agents.interface,
                Setting(
                    model=checkpoint.name,
                    vocabulary=encoder.vocabulary,
                    wording=config.protocol.wording,
                    multiline=self._multiline(),
                    render=encoder.chat,
                ),
                interfaces(),
            )
            for persona in config.agents.personas:
                interface.answer_prompt(Asked("", persona=persona))
        except ValueError as error:
            raise ConfigError(str(error)) from None
        script = Script(
            task=self.task,
            interface=interface,
            encoder=encoder,
            max_tokens=self.task.max_answer_characters + interface.extra_answer_tokens,
            grader_context=config.protocol.grader_context,
            sampled=config.protocol.reading == "sampled",
            seed=config.seed,
            weights=checkpoint.weights,
        )
        encoder.stops(interface.stops)
        problems = [problem for generation in self.problems for problem in generation]
        check_answers_fit(problems, script, checkpoint.name)
        longest = max(config.agents.personas, key=len, default=None)
        genome = Genome(checkpoint.name, config.agents.sampling_temperature, persona=longest)
        founder = Agent(AgentId(0), genome, None, AgentId(0), -1)
        room = checkpoint.context_tokens
        lengths = check_context_fits(problems, script, founder, self.protocol, config, room)
        hosts = config.hosts
        self.memory += needed_bytes(checkpoint, hosts.dtype, hosts.slots, lengths)
        return script


SCRIPTED_PROTOCOLS = ("survey", "self-survey")
"""Protocols that agents without a model can follow: they answer and grade, and do nothing else."""


def check_scripted_protocol(config: RunConfig) -> None:
    """Refuse what agents without a model cannot do.

    Raises
    ------
    ConfigError
        Naming the setting.
    """
    protocol, agents = config.protocol, config.agents
    settings = (
        ("protocol.name", protocol.name, SCRIPTED_PROTOCOLS),
        ("protocol.reading", protocol.reading, ("logits",)),
        ("protocol.question", protocol.question, ("words",)),
        ("protocol.grader_context", protocol.grader_context, ("empty",)),
        ("agents.context_entry", agents.context_entry, ("plain",)),
        ("agents.personas", agents.personas, ((),)),
    )
    for name, value, possible in settings:
        if value not in possible:
            raise ConfigError(
                f"{name}: expected {' or '.join(map(str, possible))} for agents without a model, "
                f"got {value!r}"
            )


def scripted_behaviour(config: RunConfig) -> Behaviour | None:
    """The behaviour of a run without a model; None for one with."""
    name, scripted = config.agents.model, config.agents.scripted
    if name not in SCRIPTED_MODELS:
        return None
    if config.task.kind != "bundled":
        raise ConfigError(
            f"agents.model: expected a model for the task {config.task.name}, whose right answers "
            f"agents without one do not know, got {name!r}"
        )
    skills = scripted.skills
    return Behaviour(
        task=config.task.name,
        size=bundled_size(config.task),
        adaptation="bayes" if name == "bayes" else scripted.adaptation,
        error=scripted.error,
        tpr=scripted.tpr,
        fpr=scripted.fpr,
        correlation=scripted.correlation,
        blind_spot=scripted.blind_spot,
        spots=scripted.spots,
        skills=skills,
        prior=scripted.prior or (1.0 / len(skills),) * len(skills),
        seed=config.seed,
    )
