"""`mgptn export-weights`: what an agent of a run became, as a folder for others."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

from mgptn.agents.behaviour import SCRIPTED_MODELS
from mgptn.agents.checkpoints import Checkpoint, find_checkpoint
from mgptn.agents.learning.numbers import NumbersError, NumbersFolder
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.record.rounds import read_rounds
from mgptn.experiments.running.session import WEIGHTS
from mgptn.population.records.agents import Agent


def export_weights(
    run: Path,
    agent: int,
    out: Path,
    *,
    arm: str = SELECTED,
    generation: int | None = None,
    adapter: bool = False,
) -> str:
    """Write an agent's weights to a folder that is not there yet; a sentence about it.

    Parameters
    ----------
    agent
        Id of one who is alive after the generation.
    generation
        The last one that was committed, if None.
    adapter
        Factors as a folder of peft's, instead of a checkpoint that they are merged into.

    Raises
    ------
    ConfigError, ManifestError, JournalError, CheckpointError, ExportError, TakenError
        If there is no such run, arm, generation or agent, its numbers are no longer kept, the
        founder is another than then, or there is something at `out`.
    """
    manifest, config = recorded(run)
    if config.agents.model in SCRIPTED_MODELS:
        raise ConfigError(f"{run}: expected a run with a model, got one without weights")
    found, after = _alive(run, manifest["arms"], agent, arm, generation)
    checkpoint = _founder(run, found, manifest.get("weights", {}))
    worn = found.genome.weights
    numbers = NumbersFolder(run / WEIGHTS)
    missing = numbers.missing([] if worn is None else sorted(set(worn.contents())))
    if missing:
        raise NumbersError(f"{missing[0]}; {_keeping(config)}")
    # Only here: it imports torch and transformers.
    from mgptn.agents.learning.exporting import ExportError, write_adapter, write_checkpoint

    if not adapter:
        write_checkpoint(out, checkpoint, worn, numbers, config.hosts.dtype)
    elif worn is None or not worn.content:
        kind = "the founder's own" if worn is None else f"weights that are {worn.step}"
        raise ExportError(f"--adapter: expected agent {agent} to have learned last, got {kind}")
    else:
        write_adapter(out, checkpoint, numbers(worn.content))
    what = "factors" if adapter else "weights"
    return f"{out}: {what} of agent {agent} of arm {arm} after generation {after}"


def _alive(
    run: Path, arms: list[str], agent: int, arm: str, generation: int | None
) -> tuple[Agent, int]:
    """Somebody who is alive after a generation, and which that is."""
    if arm not in arms:
        raise ConfigError(f"--arm: expected one of {', '.join(arms)}, got {arm!r}")
    last = None
    for done in read_rounds(run):
        last = done
        if done.index == generation:
            break
    if last is None or generation not in (None, last.index):
        got = "none" if last is None else f"0 to {last.index}"
        raise ConfigError(
            f"--generation: expected one that {run} has, {got}, got "
            f"{'the last' if generation is None else generation}"
        )
    committed = last.of(arm)
    assert committed is not None
    survivors = {int(one.id): one for one in committed.generation.survivors}
    if agent not in survivors:
        raise ConfigError(
            f"agent: expected one who is alive after generation {last.index} of arm {arm} "
            f"({', '.join(map(str, sorted(survivors)))}), got {agent}"
        )
    return survivors[agent], last.index


def _founder(run: Path, agent: Agent, weights: dict[str, str]) -> Checkpoint:
    """The files that an agent's weights began as, still the same."""
    name = agent.genome.model
    found = find_checkpoint(name)
    if found.weights != weights.get(name):
        raise ConfigError(
            f"{run}: expected {name!r} with weights hash {weights.get(name)}, got {found.weights}"
        )
    return found


def _keeping(config: RunConfig) -> str:
    keep = config.agents.learning.keep
    return (
        "weights of those who are no longer alive are kept where agents.learning.keep is all, "
        f"which is {keep} here"
    )
