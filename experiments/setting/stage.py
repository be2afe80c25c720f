"""The stage of a run: task, problems, model, layout and fleet, checked before anything starts."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

from mgptn.agents.checkpoints import Checkpoint, expand_models, find_checkpoint
from mgptn.agents.endpoints.probing import Served
from mgptn.agents.endpoints.textual import TextOnly
from mgptn.agents.scripted import ScriptedAgents
from mgptn.agents.tokens.encoder import Encoder
from mgptn.agents.tokens.templates import has_template
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.config.sections.plugins import find_protocol, interfaces
from mgptn.experiments.seats.asking import Script, grown_script
from mgptn.experiments.seats.humans import make_picks
from mgptn.experiments.setting.endpoints import (
    check_remote,
    find_served,
    remote_layout,
    remote_setting,
)
from mgptn.experiments.setting.fitting import (
    check_answers_fit,
    check_context_fits,
    check_places_fit,
)
from mgptn.experiments.setting.founders import train_founders
from mgptn.experiments.setting.hosting import Hosting
from mgptn.experiments.setting.learning import learning_libraries, lesson_of
from mgptn.experiments.setting.planning import check_room
from mgptn.experiments.setting.problems import draw_grown, draw_problems
from mgptn.experiments.setting.scripted import check_scripted_protocol, scripted_behaviour
from mgptn.experiments.setting.shots import draw_graded_shots, draw_shots
from mgptn.experiments.setting.tasks import bundled_size, grown_tasks, make_task
from mgptn.experiments.setting.verifying import make_verifier
from mgptn.population.draws.streams import stream
from mgptn.population.records.agents import Agent, AgentId, Genome
from mgptn.protocols.interfaces.interface import Asked, Interface, Shown
from mgptn.protocols.interfaces.table import Setting, make_interface, usual_wording
from mgptn.protocols.interfaces.wordings import Wording
from mgptn.protocols.tasks.task import Problem, Task


@dataclass(frozen=True, slots=True)
class Scene:
    """A generation's task and problems, and how the copies of each model are asked."""

    task: Task
    problems: tuple[Problem, ...]
    scripts: Mapping[str, Script]


class Stage(Hosting):
    """Everything that a run's arms share. Making one starts nothing.

    Attributes
    ----------
    scripts
        Name → how its copies are asked; a run without a model has none.
    grown
        Size → task, of one that grows.
    problems
        Of every generation; of a task that grows, of the first alone.
    verifier
        Finds the verdicts on answers.
    shots, graded_shots
        Examples shown before every context, and before every grade.
    today
        What chat templates are told of the date: the configured one, or the day that the run was
        begun on, or this one.

    Raises
    ------
    ConfigError
        If the task cannot be had as configured, or has too few problems, or its questions and
        answers do not fit the model, or its weights cannot learn as configured.
    mgptn.agents.checkpoints.CheckpointError
        If the model cannot be used.
    mgptn.agents.endpoints.endpoint.EndpointFault
        If a server cannot be worked with.
    """

    def __init__(self, config: RunConfig, begun: date | None = None) -> None:
        check_room(config)
        self.config = config
        self.today = config.agents.today or begun or date.today()
        libraries = learning_libraries(config)
        for _ in train_founders(config):
            pass
        self.checkpoints = self._found()
        made = make_task(config.task, self._talks())
        self.task, self.task_file_hash = made.task, made.file_hash
        self.libraries = made.libraries + libraries
        self.protocol = find_protocol(config.protocol.name)
        runs = self.task.name in self.protocol.runs and not scripted_behaviour(config)
        self.verifier = make_verifier(self.task, config.sandbox, runs)
        self.grown = grown_tasks(config.task)
        if self.grown:
            first = draw_grown(self.task, bundled_size(config.task), 0, config)
            self.problems = [first]
        else:
            self.problems = draw_problems(self.task, config)
        asked = {self.task.canonical(p.query) for some in self.problems for p in some}
        self.shots = draw_shots(self.task, config, asked)
        self.graded_shots = draw_graded_shots(self.task, config, asked)
        self.picks = make_picks(config, partial(self.verifier, self.task))
        self.scripts: dict[str, Script] = {}
        self._settings: dict[str, Setting] = {}
        self._grown_scripts: dict[int, dict[str, Script]] = {}
        self._lengths = {}
        self._lessons = {}
        self.served = {}
        behaviour = scripted_behaviour(config)
        if behaviour is not None:
            check_scripted_protocol(config)
            verify = partial(self.verifier, self.task)
            options = repr(sorted(config.task.options.items()))
            self.scripted = ScriptedAgents(behaviour, self.task, verify, options)
            return
        self.scripted = None
        for found in self.checkpoints.values():
            _check_whole(found)
        if config.agents.remote:
            self.served = find_served(config, set(self._names()) - set(self.checkpoints))
        self.scripts = {
            name: self._remote_script(self.served[name])
            if name in self.served
            else self._script(self.checkpoints[name])
            for name in self._names()
        }

    def _found(self) -> dict[str, Checkpoint]:
        """Name → files of each model that is here; of agents without one, what they do."""
        config = self.config
        behaviour = scripted_behaviour(config)
        if behaviour is not None:
            name = config.agents.model
            return {name: Checkpoint(name, Path(name), behaviour.digest(), {})}
        remote = config.agents.remote
        return {name: find_checkpoint(name) for name in self._names() if name not in remote}

    def _names(self) -> tuple[str, ...]:
        """Of the models that founders are copies of."""
        return expand_models(self.config.agents.model)[: self.config.population.size]

    def _interface(self, checkpoint: Checkpoint) -> str:
        """The layout's name: one that nobody chose is a chat where the model has a template."""
        name = self.config.agents.interface
        return "chat" if name == "auto" and has_template(checkpoint.folder) else name

    def _talks(self) -> bool:
        """Does any model answer as people do?"""
        agents, names = self.config.agents, self._names()
        chats = (e.api == "chat" for e in agents.endpoint if e.called in names)
        here = (self._interface(found) == "chat" for found in self.checkpoints.values())
        return any(chats) or any(here)

    def scene(self, generation: int, size: int) -> Scene:
        """What is set up for a generation, whose task has a size if it grows."""
        if not self.grown:
            return Scene(self.task, self.problems[generation], self.scripts)
        task = self.grown[size]
        if size not in self._grown_scripts:
            self._grown_scripts[size] = {
                name: grown_script(script, task) for name, script in self.scripts.items()
            }
        problems = draw_grown(task, size, generation, self.config)
        return Scene(task, problems, self._grown_scripts[size])

    @property
    def dated(self) -> bool:
        """Does any prompt say what day it is?"""
        return any(s.interface.name == "chat" and s.encoder.dated for s in self.scripts.values())

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is laid out otherwise than asked, a sentence each."""
        chosen = self.config.agents.interface == "auto"
        chats = tuple(
            f"{name!r} has a chat template, and is asked in chats: agents.interface=base would ask "
            "it in few-shot text."
            for name, script in self.scripts.items()
            if chosen and script.interface.name == "chat" and name in self.checkpoints
        )
        if not self.config.agents.personas:
            return chats
        return chats + tuple(
            f"The chat template of {name!r} has no system message: agents.personas stand at the "
            "head of the first user message."
            for name, script in self.scripts.items()
            if not getattr(script.interface, "has_system", True)
        )

    @property
    def script(self) -> Script:
        """How the first model's copies are asked."""
        return next(iter(self.scripts.values()))

    @property
    def weights(self) -> dict[str, str]:
        """Name → hash of the files of each model, or what stands for it."""
        remote = {name: one.endpoint.weights for name, one in self.served.items()}
        return {name: found.weights for name, found in self.checkpoints.items()} | remote

    def layout(self, model: str, wording: Wording) -> Interface | None:
        """A model's layout with another grading question; None where it has no words for it."""
        name, setting = self.scripts[model].interface.name, self._settings[model]
        try:
            return make_interface(name, replace(setting, wording=wording), interfaces())
        except ValueError:
            return None

    def _multiline(self) -> bool:
        """Has any right answer several lines?"""
        return any("\n" in p.reference for _, problems in self._examples() for p in problems)

    def _examples(self) -> list[tuple[Task, list[Problem]]]:
        """Problems of the run: all, or a few of every size of a task that grows."""
        if not self.grown:
            return [(self.task, [p for generation in self.problems for p in generation])]
        rng = stream(self.config.seed, "examples of every size")
        return [
            (task, [task.draw(rng, "held-out") for _ in range(3)]) for task in self.grown.values()
        ]

    def _script(self, checkpoint: Checkpoint) -> Script:
        """How the copies of a model are asked; it is checked that everything asked fits."""
        config = self.config
        encoder = Encoder(checkpoint, self.today)
        try:
            setting = Setting(
                model=checkpoint.name,
                vocabulary=encoder.vocabulary,
                wording=config.protocol.wording or usual_wording(self._interface(checkpoint)),
                multiline=self._multiline(),
                render=encoder.chat,
                plain=encoder.plain,
            )
            self._settings[checkpoint.name] = setting
            interface = make_interface(self._interface(checkpoint), setting, interfaces())
        except ValueError as error:
            raise ConfigError(str(error)) from None
        script = self._script_of(interface, encoder, checkpoint.weights)
        encoder.stops(interface.stops)
        if checkpoint.restarts and self.grown:
            check_places_fit(checkpoint, max(self.grown))
        examples = [(grown_script(script, task), some) for task, some in self._examples()]
        for one, some in examples:
            check_answers_fit(some, one, checkpoint.name, self.verifier)
        largest, problems = examples[-1]
        founder = self._founder(checkpoint.name)
        lengths = check_context_fits(problems, largest, founder, self.protocol, config, checkpoint)
        self._lengths[checkpoint.name] = lengths
        self._lessons[checkpoint.name] = lesson_of(config, checkpoint, largest, problems)
        return script

    def _remote_script(self, served: Served) -> Script:
        """How an endpoint's model is asked; it is checked that its server can do so."""
        try:
            setting = remote_setting(self.config, served, self._multiline())
            self._settings[served.endpoint.name] = setting
            interface = make_interface(remote_layout(self.config, served), setting, interfaces())
        except ValueError as error:
            raise ConfigError(str(error)) from None
        script = self._script_of(interface, TextOnly(), served.endpoint.weights)
        examples = [(grown_script(script, task), some) for task, some in self._examples()]
        founder = self._founder(served.endpoint.name)
        check_remote(examples, served, founder, self.protocol, self.config, self.verifier)
        return script

    def _script_of(self, interface: Interface, encoder: Encoder, weights: str) -> Script:
        config = self.config
        try:
            for persona in (None, *config.agents.personas):
                interface.answer_prompt(Asked("", persona=persona))
            given = [Shown(x.question, x.answer, x.level) for x in config.agents.examples]
            interface.answer_prompt(Asked("", examples=given))
        except ValueError as error:
            raise ConfigError(str(error)) from None
        usual = self.task.max_answer_characters + interface.extra_answer_tokens
        least = getattr(interface, "least_answer_tokens", 0)
        return Script(
            task=self.task,
            interface=interface,
            encoder=encoder,
            max_tokens=config.agents.max_answer_tokens or max(usual, least),
            grader_context=config.protocol.grader_context,
            reading=config.protocol.reading,
            seed=config.seed,
            weights=weights,
            instruction=config.task.told(talks=interface.name == "chat"),
            shots=self.shots,
            graded_shots=self.graded_shots,
        )

    def _founder(self, model: str) -> Agent:
        """One with an empty context, and the longest persona."""
        agents = self.config.agents
        longest = max(agents.personas, key=len, default=None)
        genome = Genome(model, agents.sampling_temperature, persona=longest)
        return Agent(AgentId(0), genome, None, AgentId(0), -1)


def _check_whole(checkpoint: Checkpoint) -> None:
    """Refuse a checkpoint that lacks weights; of mgptn's own making, files and header suffice."""
    if not checkpoint.own:
        # Only here: it imports torch and transformers.
        from mgptn.agents.engine.loading import check_whole

        check_whole(checkpoint)
