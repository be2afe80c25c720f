"""The planes of the phase diagram: errors of collectives and of what they must match, by cell.

Dimensions: S seeds, P problems of the last generations, B bars, X rungs, I sizes.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mgptn.agents.checkpoints import count_parameters, expand_models, find_checkpoint
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.phase_diagram.boundary import Integers, Successes
from mgptn.experiments.config.arms import RANDOM, SELECTED
from mgptn.experiments.running.grid import Cell
from mgptn.population.measures.answer_errors import (
    best_of_n_errors,
    collective_errors,
    majority_errors,
    problem_errors,
)
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

PLANE = "clones"
"""The arm whose plane is judged."""

LAST = 2
"""Generations whose problems decide."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell of a plane stands.

    Attributes
    ----------
    arm, task, rung
        Labels.
    size
        m.
    """

    arm: str
    task: str
    rung: str
    size: int

    @property
    def labels(self) -> dict[str, str]:
        return {"arm": self.arm, "task": self.task, "rung": self.rung, "m": str(self.size)}


class Planes:
    """The cells of the ladder in all their arms, beside unselected collectives."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self.tasks = results.values("task", arm="unselected")
        self.rungs = results.values("rung", arm="unselected")
        self.largest = results.of(arm="unselected")[0].config.population.size
        known = {int(one) for one in results.values("m", task=self.tasks[0])}
        self.sizes = sorted(size for size in known if size <= self.largest)
        self._votes = self._unselected(majority_errors)
        self._best = self._unselected(best_of_n_errors)
        self._collectives: dict[tuple[str, ...], Floats] = {}

    def places(self, arm: str) -> list[Place]:
        """Every place of an arm, along tasks, then rungs, then sizes."""
        found = {
            Place(arm, label["task"], label["rung"], int(label["m"]))
            for label in (dict(cell.labels) for cell in self._results.of(arm=arm))
        }
        return sorted(
            found,
            key=lambda p: (self.tasks.index(p.task), self.rungs.index(p.rung), p.size),
        )

    def cells(self, place: Place) -> list[Cell]:
        """The cells of a place, by seed."""
        return self._results.of(**place.labels)

    def collective(self, place: Place, side: str = SELECTED, **further: str) -> Floats:
        """Errors of a collective's answers, float64 [S, P]: of a single agent, its own."""
        labels = {**place.labels, **further}
        key = (side, *labels.values())
        if key not in self._collectives:
            of = problem_errors if place.size == 1 else collective_errors
            self._collectives[key] = _last(self._results.stacked(of, side, **labels))
        return self._collectives[key]

    def of_best(self, place: Place) -> Floats:
        """Errors of the best graded answers of as many unselected agents, float64 [S, P]."""
        return self._best[place.task, place.rung][..., self.sizes.index(place.size)]

    def bars(self, place: Place) -> Floats:
        """Errors by majority vote of every unselected M-GPT-N above, float64 [S, P, B]."""
        above = [
            self._votes[place.task, rung][..., self.sizes.index(place.size) :]
            for rung in self.rungs[self.rungs.index(place.rung) :]
        ]
        return np.concatenate(above, axis=-1)

    def margins(self, place: Place, side: str = SELECTED, **further: str) -> Floats:
        """Errors of a collective and of its bars, float64 [S, P, 1 + B]."""
        own = self.collective(place, side, **further)
        return np.concatenate([own[..., None], self.bars(place)], axis=-1)

    def amplified(self, place: Place, side: str = SELECTED, **further: str) -> Integers:
        """1 for each seed whose collective errs no more than any bar, int64 [S]."""
        means = self.margins(place, side, **further).mean(axis=1)
        return np.asarray(margin(means) <= 1e-12, dtype=np.int64)

    def log_parameters(self, rung: str) -> float:
        """log₁₀ of a rung's parameters."""
        model = self._results.of(arm="unselected", rung=rung)[0].config.agents.model
        return float(np.log10(count_parameters(find_checkpoint(expand_models(model)[0]).folder)))

    def _unselected(self, of: Callable[[Generation, int], Floats]) -> dict[tuple[str, str], Floats]:
        """What is measured of the first 1, 2, … agents, by task and rung: float64 [S, P, I]."""

        def of_all(generation: Generation) -> Floats:
            return np.stack([of(generation, size) for size in self.sizes], axis=-1)

        return {
            (task, rung): _last(
                self._results.stacked(of_all, arm="unselected", task=task, rung=rung)
            )
            for task in self.tasks
            for rung in self.rungs
        }


@dataclass(frozen=True, slots=True)
class Ladder:
    """One task's plane of clones.

    Attributes
    ----------
    rungs, sizes
        Its axes, in ascending order.
    amplified, twin
        By place, 1 for each seed that is amplified: of runs, and of their random-selector twins.
    """

    task: str
    rungs: tuple[str, ...]
    sizes: tuple[int, ...]
    amplified: dict[Place, Integers]
    twin: dict[Place, Integers]

    @classmethod
    def of(cls, planes: Planes, task: str) -> Ladder:
        places = [place for place in planes.places(PLANE) if place.task == task]
        return cls(
            task,
            tuple(rung for rung in planes.rungs if any(place.rung == rung for place in places)),
            tuple(sorted({place.size for place in places})),
            {place: planes.amplified(place) for place in places},
            {place: planes.amplified(place, RANDOM) for place in places},
        )

    @property
    def seeds(self) -> int:
        return len(next(iter(self.amplified.values())))

    def along(self, rung: str) -> list[Place]:
        """A rung's places, by size."""
        return [place for place in self.amplified if place.rung == rung]


def margin(means: Floats) -> Floats:
    """A collective's error less that of its lowest bar, from means [D, 1 + B] to [D]."""
    return np.asarray(means[..., 0] - means[..., 1:].min(axis=-1), dtype=np.float64)


def counted(positions: list[float], sizes: list[int], amplified: list[list[Integers]]) -> Successes:
    """Seeds' successes at each position and size, positions put in ascending order.

    Parameters
    ----------
    amplified
        For each position, for each size, int64 [S].
    """
    order = np.argsort(positions)
    return Successes(
        positions=np.array(positions, dtype=np.float64)[order],
        sizes=np.array(sizes, dtype=np.float64),
        successes=np.array([[of.sum() for of in amplified[place]] for place in order]),
        trials=np.array([[of.size for of in amplified[place]] for place in order]),
    )


def _last(courses: Floats) -> Floats:
    """Of [S, G, Q, …] the last generations' problems, [S, P, …]."""
    kept = courses[:, -LAST:]
    return kept.reshape(len(kept), -1, *kept.shape[3:])
