"""What finds a run's verdicts, and the sandbox without which some tasks are refused."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from functools import partial

import click

from mgptn.agents.sandbox.programs import SandboxError
from mgptn.agents.verdicts.on_ray import nodes
from mgptn.agents.verdicts.programs import Programs
from mgptn.agents.verdicts.verifier import Verifier
from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.config.sections.sandbox import SandboxConfig
from mgptn.protocols.tasks.task import Task
from mgptn.protocols.tasks.trials import NeedsPrograms


def make_verifier(task: Task, sandbox: SandboxConfig, runs: bool = False) -> Verifier:
    """What finds verdicts on answers to a task, and runs programs for a protocol that `runs` some.

    Raises
    ------
    ConfigError
        If programs have to be run, and no sandbox works here, or not that one.
    """
    programs = None
    if runs or isinstance(task, NeedsPrograms):
        try:
            programs = Programs(sandbox.kind, sandbox.limits, sandbox.workers)
        except SandboxError as error:
            raise _refused(task, error) from None
    return Verifier(programs, partial(click.echo, err=True))


def check_machines(task: Task, verifier: Verifier) -> None:
    """Look for the sandbox that a task needs on the machines of the cluster that was joined.

    Raises
    ------
    ConfigError
        If there is none that works on all.
    """
    if verifier.programs is not None:
        try:
            verifier.programs.check(nodes())
        except SandboxError as error:
            raise _refused(task, error) from None


def _refused(task: Task, error: SandboxError) -> ConfigError:
    return ConfigError(f"task {task.name}: answers are programs, which are not run here: {error}")
