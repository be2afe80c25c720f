"""The hosts of one run or of several: started, shared, and closed."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from mgptn.agents.behaviour import SCRIPTED_MODELS
from mgptn.agents.checkpoints import FOUNDERS, is_own
from mgptn.agents.endpoints.probing import Served
from mgptn.agents.engine.memory import NOTHING, Needed, together
from mgptn.agents.hosts.fleet import Fleet, LocalFleet, NoFleet
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.ray.beginning import Beginning, beginning
from mgptn.agents.hosts.ray_address import cluster_to_join
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.setting.founders import founders_to_train, train_founders
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.setting.verifying import check_machines
from mgptn.experiments.views.doing import doing

PRELOADED = ("mgptn.agents.hosts.ray_host", "mgptn.agents.hosts.transformers_host")
BY_TRANSFORMERS = ("transformers.modeling_utils",)
"""What hosts import before they can load a model; and before one that was not trained here."""


def joint_settings(stages: Sequence[Stage], device: str) -> HostSettings:
    """Hosts that serve every model of some stages, with the memory of who asks most of each.

    Raises
    ------
    ConfigError
        If they ask for hosts of different kinds.
    """
    first = stages[0].host_settings(device)
    models: dict[str, str] = {}
    memory: dict[str, Needed] = {}
    for stage in stages:
        settings = stage.host_settings(device)
        if (settings.dtype, settings.threads) != (first.dtype, first.threads):
            raise ConfigError("hosts: expected one dtype and one number of threads in all cells")
        if stage.hosted:
            models |= dict([(settings.model, settings.weights), *settings.others])
            for name, needed in stage.memory(device).items():
                memory[name] = needed.at_most(memory.get(name, NOTHING))
    if not models:
        return first
    (model, weights), *others = models.items()
    return replace(
        first,
        model=model,
        weights=weights,
        others=tuple(others),
        memory=together(memory.values()),
    )


def fleet_here(stages: Sequence[Stage]) -> Fleet:
    """One host in this process for all that some stages ask; none where no model is asked."""
    served = {name: one for stage in stages for name, one in stage.served.items()}
    if not any(stage.hosted for stage in stages):
        return stages[0].joined(NoFleet(stages[0].host_settings("cpu")), served)
    settings = joint_settings(stages, stages[0].device())
    with doing(f"1 host ({settings.device}): loading {_models(settings)}"):
        return stages[0].joined(LocalFleet(settings), served)


@contextmanager
def hosts(
    stage: Stage,
    ray_address: str | None,
    device: str | None = None,
    settings_on: Callable[[str], HostSettings] | None = None,
    served: Mapping[str, Served] | None = None,
    begun: Beginning | None = None,
) -> Iterator[Fleet]:
    """A fleet for as long as the context lasts; Ray too, if it is needed and had to be started.

    Parameters
    ----------
    begun
        A Ray at the address that starts already.
    settings_on
        From a device to hosts that serve more than the stage; its own by default.
    served
        Endpoints of more than the stage; its own by default.
    """
    with ExitStack() as stack:
        if not stage.hosted:
            stack.enter_context(terminated_as_interrupted())
            fleet = stage.joined(NoFleet(stage.host_settings("cpu")), served)
            stack.callback(fleet.close)
            yield fleet
            return
        joining = cluster_to_join(ray_address)
        begun = begun or stack.enter_context(beginning(ray_address, storing=_stores(stage.config)))
        if joining is None:  # which takes longer
            threading.Thread(target=_import_results).start()
        with doing(f"joining {joining.told()}" if joining else "starting Ray"):
            started = begun.take()
            stack.callback(begun.end)
        check_machines(stage.task, stage.verifier)
        stack.enter_context(terminated_as_interrupted())
        room = stage.ray_room(device, settings_on, here=started)
        with doing(f"{room.told()}: loading {_models(room.settings)}"):
            fleet = stage.joined(room.fleet(), served)
            stack.callback(fleet.close)
        yield fleet


def _import_results() -> None:
    """What a run needs to write its results, imported while Ray is waited for.

    In a thread of its own, since Ctrl-C is told to the main one: an import that it hits may turn it
    into another error.
    """
    import mgptn.experiments.figures.files
    import mgptn.experiments.results.report  # noqa: F401


def ray_beside(config: RunConfig, ray_address: str | None) -> AbstractContextManager[Any]:
    """Have Ray start, if a run needs one, while its stage is set; gives a `Beginning`, or None."""
    if config.agents.model in SCRIPTED_MODELS:
        return nullcontext()
    if set(config.agents.model.split(",")) <= config.agents.remote:
        return nullcontext()
    # One host a core imports what it needs as Ray comes up; of one a GPU there are fewer.
    gpus = config.hosts.device != "cpu" and any(Path("/dev").glob("nvidia[0-9]*"))
    if gpus or config.hosts.count != "auto":
        return beginning(ray_address, storing=_stores(config))
    own = all(map(is_own, config.agents.model.split(",")))
    preloaded = PRELOADED if own else (*PRELOADED, *BY_TRANSFORMERS)
    return beginning(ray_address, preloaded, storing=_stores(config))


def _stores(config: RunConfig) -> bool:
    """Will hosts be given weights by Ray's store?"""
    return config.agents.learning.method != "none"


def reading(config: RunConfig) -> AbstractContextManager[None]:
    """While a run's stage is set: its model's files are read, and its problems drawn."""
    return doing(f"preparing {config.agents.said} on {config.task.name}")


def train_first(config: RunConfig) -> None:
    """Train the founders that a run needs and that are not here yet, saying so.

    Raises
    ------
    ConfigError
        If they cannot be written.
    """
    wanted = founders_to_train(config)
    training = train_founders(config)
    for place in range(1, wanted + 1):
        with doing(f"training founder {place} of {wanted}, once and for all runs"):
            next(training, None)


def _models(settings: HostSettings) -> str:
    """The models that a host serves, in few words."""
    others = len(settings.others)
    model = settings.model.rpartition("-")[0] if settings.model.startswith(FOUNDERS) else ""
    first = f"{model}…" if model else settings.model
    return f"{first} and {others} more" if others else first


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM, as a cluster sends it to end a job, acts like Ctrl-C: the run stays resumable.

    It does what Ctrl-C does at the time it comes; where that is nothing, as in the background of a
    script, it is a KeyboardInterrupt.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        as_pressed = signal.getsignal(signal.SIGINT)
        if callable(as_pressed):
            as_pressed(number, frame)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        # Once it has come, whoever answers to Ctrl-C may have something else in its place.
        if signal.getsignal(signal.SIGTERM) is interrupt:
            signal.signal(signal.SIGTERM, before)
