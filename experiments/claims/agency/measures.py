"""What is measured: level sets by generation, and what becomes of kicked populations.

Dimensions: Q problems, A answers of full length, M agents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from mgptn.experiments.cards.exam import Exam, held_out_exam
from mgptn.experiments.claims.agency.levels import upper_levels
from mgptn.experiments.claims.method.enumerating import enumerate_answers
from mgptn.experiments.claims.method.measuring import Bench
from mgptn.experiments.config.run_config import RunConfig, check_config, set_key
from mgptn.experiments.loop.simulation import Simulation, step_together
from mgptn.experiments.running.grid import Cell
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.setting.tasks import bundled_size
from mgptn.population.draws.streams import stream
from mgptn.population.records.agents import Genome
from mgptn.population.records.arrays import Floats
from mgptn.population.records.population import Population
from mgptn.population.records.weights import noised
from mgptn.population.theory.reinforcement import sharpen_tokens
from mgptn.protocols.interfaces.interface import Shown
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import BundledTask
from mgptn.protocols.tasks.task import Problem

FOUNDERS = "founders"
CONTEXTS, WEIGHTS = "contexts", "weights"
"""What is kicked."""

AFTER_KICKS = 1000
"""The seeds of continued runs are so far from those of the runs that they continue."""


class Minds:
    """What populations answer to an exam, each kind of member asked once."""

    def __init__(self, bench: Bench, model: str, exam: Exam) -> None:
        self.subject, self.exam = bench.subject(model), exam
        self._known: dict[tuple[Any, ...], Floats] = {}

    def answers(self, genomes: Iterable[Genome]) -> Floats:
        """The mean of the members' probabilities of every answer, float64 [Q, A]."""
        each = [self._of(genome) for genome in genomes]
        return np.asarray(sum(each) / len(each))

    def _of(self, genome: Genome) -> Floats:
        key = genome.context, genome.weights
        if key not in self._known:
            shown = tuple(Shown(e.query, e.answer, e.level) for e in genome.context)
            found = enumerate_answers(self.subject, self.exam, shown, genome.weights, ends=False)
            self._known[key] = found.probabilities
        return self._known[key]

    @property
    def right(self) -> Floats:
        """1 where an answer is right, float64 [Q, A]."""
        letters, width = self.exam.task.answer_alphabet, self.exam.task.max_answer_characters
        texts = ["".join(answer) for answer in itertools.product(letters, repeat=width)]
        every = [self.exam.take(np.full(len(texts), q)).right(texts) for q in range(len(self.exam))]
        return np.array(every, dtype=np.float64)


class Kick(NamedTuple):
    """A share of examples that become wrong, or the deviation of noise that weights get."""

    kind: str
    size: float


def measure_levels(bench: Bench) -> pl.DataFrame:
    """Level sets of every run's population by generation, and of founders by temperature."""
    cells = _cells(bench)
    minds = _minds(bench, cells[0])
    right = minds.right
    begun = minds.answers([_founder(cells[0].config)])
    letters = len(minds.exam.task.answer_alphabet)
    frames = [
        _rows(bench, np.array([sharpen_tokens(p, letters, 1.0 / at) for p in begun]), right)
        .with_columns(arm=pl.lit(FOUNDERS), at=pl.lit(str(at)), generation=pl.lit(0))
        for at in bench.options["sampling"]
    ]  # fmt: skip
    for cell in cells:
        labels = dict(cell.labels)
        for generation in bench.results.generations(cell):
            found = minds.answers(generation.survivors.each_genome())
            frames.append(
                _rows(bench, found, right).with_columns(
                    arm=pl.lit(labels["arm"]),
                    at=pl.lit(labels.get("temperature", "")),
                    generation=pl.lit(generation.index + 1),
                )
            )
    return pl.concat(frames)


def measure_kicks(bench: Bench) -> pl.DataFrame:
    """Probability of a population's level set before a kick, after it, and some generations on."""
    options = bench.options
    labels = {"arm": "peers", "temperature": str(options["kicked"])}
    (cell,) = (one for one in bench.results.of(**labels) if one.config.seed == bench.seed)
    minds = _minds(bench, cell)
    *_, last = bench.results.generations(cell)
    whole = last.survivors.each_genome()
    before = minds.answers(whole)
    inside = upper_levels(before, options["share"]).inside
    kicks = [Kick(kind, size) for kind, sizes in options["kicks"].items() for size in sizes]
    kicked = {kick: kick_all(whole, kick, minds.exam.task, bench.seed) for kick in kicks}
    ended = _continued(bench, cell, kicked)

    def held(genomes: Sequence[Genome]) -> Floats:
        return np.asarray((minds.answers(genomes) * inside).sum(axis=1))

    frames = []
    for (kick, by), genomes in ended.items():
        frames.append(
            pl.DataFrame(
                {
                    "kind": kick.kind,
                    "size": kick.size,
                    "by": by,
                    "problem": range(len(minds.exam)),
                    "before": (before * inside).sum(axis=1),
                    "kicked": held(kicked[kick]),
                    "after": held(genomes),
                }
            )
        )
    return pl.concat(frames)


def kick_all(genomes: Sequence[Genome], kick: Kick, task: BundledTask, seed: int) -> list[Genome]:
    """Every member kicked, each by draws of its own."""
    found = []
    for slot, genome in enumerate(genomes):
        rng = stream(seed, "kick", kick.kind, repr(kick.size), slot)
        if kick.kind == WEIGHTS:
            first, second = rng.integers(0, 2**64, size=2, dtype=np.uint64).tolist()
            weights = noised(genome.weights, genome.model, (first, second), kick.size)
            found.append(replace(genome, weights=weights))
        else:
            found.append(_misled(genome, kick.size, task, rng))
    return found


def _misled(genome: Genome, share: float, task: BundledTask, rng: np.random.Generator) -> Genome:
    """A genome of whose examples a share is answered wrongly."""
    context = list(genome.context)
    places = rng.permutation(len(context))[: round(share * len(context))]
    for place in places.tolist():
        query = context[place].query
        wrong = task.corrupt(Problem(query, task.reference(query)), rng)
        context[place] = replace(context[place], answer=wrong)
    return replace(genome, context=tuple(context))


def _continued(
    bench: Bench, cell: Cell, kicked: Mapping[Kick, list[Genome]]
) -> dict[tuple[Kick, str], list[Genome]]:
    """Every kicked population some generations on, by what it is selected by."""
    options = bench.options
    configs = {
        name: _continuing(bench, cell.config, **changes)
        for name, changes in options["selected"].items()
    }
    stage = Stage(next(iter(configs.values())))
    runs = {}
    for kick, genomes in kicked.items():
        for name, config in configs.items():
            run = Simulation(config, stage=stage)
            run.tournament.agents = with_genomes(run.tournament.agents, genomes)
            runs[kick, name] = run
    fleet = bench.subject(bench.models[0]).fleet
    for _ in range(options["generations"]):
        step_together(list(runs.values()), fleet)
    return {key: run.tournament.agents.each_genome() for key, run in runs.items()}


def with_genomes(agents: Population, genomes: Sequence[Genome]) -> Population:
    """The same agents with other genomes, in slot order."""
    return Population(
        agents.ids, agents.parents, agents.founders, agents.born, tuple(genomes),
        np.arange(len(genomes)),
    )  # fmt: skip


def _cells(bench: Bench) -> list[Cell]:
    return [cell for cell in bench.results.cells if cell.config.seed == bench.seed]


def _minds(bench: Bench, cell: Cell) -> Minds:
    """An exam of problems that no run of this seed asks about."""
    task = TASKS[cell.config.task.name](bundled_size(cell.config.task))
    stages = [Stage(cell.config), Stage(_continuing(bench, cell.config))]
    asked = {task.canonical(p.query) for stage in stages for some in stage.problems for p in some}
    count = bench.options["problems"]
    found, _ = held_out_exam(task, count + len(asked), stream(bench.seed, "agency"))
    fresh = [i for i, query in enumerate(found.queries) if task.canonical(query) not in asked]
    return Minds(bench, bench.models[0], found.take(np.array(fresh[:count])))


def _continuing(bench: Bench, config: RunConfig, **changes: Any) -> RunConfig:
    """The configuration of a run that goes on with other problems."""
    data = config.model_dump(exclude_unset=True)
    changes = {
        "seed": config.seed + AFTER_KICKS,
        "population.generations": bench.options["generations"],
        **changes,
    }
    for key, value in changes.items():
        set_key(data, key, value)
    return check_config(data, source="experiment agency, a run that goes on")


def _founder(config: RunConfig) -> Genome:
    return Genome(config.agents.model, config.agents.sampling_temperature)


def _rows(bench: Bench, probabilities: Floats, right: Floats) -> pl.DataFrame:
    levels = upper_levels(probabilities, bench.options["share"])
    return pl.DataFrame(
        {
            "problem": range(len(probabilities)),
            "size": levels.size,
            "gap": levels.gap,
            "right": (probabilities * right).sum(axis=1),
            "likeliest": probabilities.max(axis=1),
        }
    )
