"""The best agent of a run, for use elsewhere: as a prompt, and as a checkpoint if weights evolve.

The best one is so by fitness, which is what its peers said. Verdicts are told beside it, and decide
nothing: picking by them would be selection by an oracle after the fact.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path
from typing import Any

from mgptn.agents.files import write_whole
from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.sharing.prompts import QUESTION, Told
from mgptn.experiments.sharing.references import References
from mgptn.experiments.sharing.source import Source
from mgptn.population.records.agents import Agent, AgentId
from mgptn.population.records.arrays import known_means
from mgptn.population.records.generation import Generation

AGENT, PROMPT, CHECKPOINT = "agent.json", "prompt.txt", "checkpoint"


@dataclass(frozen=True, slots=True)
class Best:
    """Somebody alive, and whose fitness speaks for it.

    Attributes
    ----------
    agent
        As it would answer next.
    measured
        Who answered in the generation: the agent itself, or whom it is a child of.
    fitness
        Of who was measured.
    right
        Share of its answers that the verifier calls right.
    mutations
        What befell the agent since it was measured.
    """

    agent: Agent
    measured: AgentId
    fitness: float
    right: float
    mutations: tuple[str, ...]


def best_of(generation: Generation) -> Best:
    """Of those alive after a generation, the one whose fitness, or its parent's, is the highest.

    Of several, the one with the fewest mutations since, and then the oldest.

    Raises
    ------
    ConfigError
        If nobody has a fitness.
    """
    fitness = generation.by_agent(generation.fitness)
    judged = generation.by_problem(generation.outcomes.verdict_values())
    shares = known_means(judged, len(generation.agents))
    right = generation.by_agent(shares)
    births = {birth.child: birth for birth in generation.births}
    found: list[Best] = []
    for agent in generation.survivors:
        measured, mutations = agent.id, list[str]()
        while measured not in fitness:
            mutations += births[measured].mutations
            measured = births[measured].parent
        if not math.isnan(fitness[measured]):
            worth, share = fitness[measured], right[measured]
            found.append(Best(agent, measured, worth, share, tuple(mutations)))
    if not found:
        raise ConfigError(
            f"--best: expected agents with a fitness in generation {generation.index}, got none"
        )
    return min(found, key=lambda one: (-one.fitness, len(one.mutations), one.agent.id))


def write_best(source: Source, folder: Path, arm: str) -> str:
    """Write the best agent of a run's last generation; a sentence that says which and by what.

    Raises
    ------
    ConfigError
        If the run has no such arm, or nobody there has a fitness.
    """
    if arm not in source.manifest["arms"]:
        known = ", ".join(source.manifest["arms"])
        raise ConfigError(f"--arm: expected one of {known}, got {arm!r}")
    last: Committed | None = None
    for done in source.read():
        last = done.of(arm)
    assert last is not None
    best = best_of(last.generation)
    said = _said(best, last)
    references = References(source)
    told = Told.of(source, references)
    if references.fault and source.config.task.shots:
        said = f"{said}. Its examples from task.shots are not there: {references.fault}"
    plain = _plain(best, last, source, said) | {
        "shots": [_example(*shown) for shown in told.shots],
        "examples": [_example(x.query, x.answer, x.level) for x in best.agent.genome.context],
        "instruction": told.instruction,
        "messages": told.messages(best.agent.genome, QUESTION),
    }
    files = {
        AGENT: json.dumps(plain, indent=2, ensure_ascii=False) + "\n",
        PROMPT: told.text(best.agent.genome, QUESTION),
    }
    for name, text in files.items():
        write_whole(folder / name, methodcaller("write", text.encode("utf-8", "backslashreplace")))
    if best.agent.genome.weights is not None:
        # Only here: what becomes of weights takes torch.
        from mgptn.experiments.running.export import export_weights

        export_weights(source.folder, int(best.agent.id), folder / CHECKPOINT, arm=arm)
    return said


def _said(best: Best, one: Committed) -> str:
    index = one.generation.index
    if best.measured == best.agent.id:
        who = f"agent {best.agent.id}, whose fitness of {best.fitness:.3f}"
    else:
        born = ", ".join(best.mutations) or "no mutation"
        who = (
            f"agent {best.agent.id}, born with {born} to agent {best.measured}, whose fitness of "
            f"{best.fitness:.3f}"
        )
    return (
        f"{who} in generation {index} is the highest of arm {one.arm} that is alive or has a child "
        f"alive; chosen by fitness, not by verdict ({best.right:.3f} of its answers are right)"
    )


def _plain(best: Best, one: Committed, source: Source, said: str) -> dict[str, Any]:
    """The agent, and what is known of where it came from."""
    genome, agent = best.agent.genome, best.agent
    return {
        "chosen": said,
        "agent": agent.id,
        "parent": agent.parent,
        "founder": agent.founder,
        "arm": one.arm,
        "generation": one.generation.index,
        "fitness": best.fitness,
        "share_right": best.right,
        "mutations": list(best.mutations),
        "model": genome.model,
        "weights": CHECKPOINT if genome.weights is not None else None,
        "interface": source.manifest.get("interface"),
        "sampling_temperature": genome.sampling_temperature,
        "persona": genome.persona,
        "role": genome.role,
        "run": {"name": source.config.name, "state": source.state, **source.provenance},
    }


def _example(query: str, answer: str, level: int | None = None) -> dict[str, Any]:
    return {"question": query, "answer": answer, **({} if level is None else {"level": level})}
