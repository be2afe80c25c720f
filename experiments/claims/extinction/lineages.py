"""Lineages that answer as their founder did, in the tournament itself, and the chain they follow.

Dimensions: M agents, G generations, S states of a chain.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import multivariate_hypergeom

from mgptn.experiments.claims.method.measuring import Bench
from mgptn.population.breeding.mutation import MutationRates
from mgptn.population.breeding.processes import ProcessOptions
from mgptn.population.draws.streams import stream
from mgptn.population.judging.topology import Topology
from mgptn.population.records.agents import Genome
from mgptn.population.records.arrays import Floats, Truths
from mgptn.population.records.matches import Matches
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.settings import TournamentSettings
from mgptn.population.theory.conformity import (
    diffusion_fixation,
    fixations,
    in_demes,
    lost_by,
    one_population,
    parents_right,
)
from mgptn.population.tournament import Tournament

STILL = MutationRates(drop=0.0, swap=0.0, duplicate=0.0, jitter=0.0)


@dataclass(frozen=True, slots=True)
class Condition:
    """A population, and how it breeds.

    Attributes
    ----------
    size, right
        Agents, and how many of the founders are right.
    temperature
        T of e^(f/T), f being the share of the other agents of the deme who say the same.
    demes, migration
        Of equal size; one deme where all compete.
    protection
        Share of the births that are kept for the rare.
    """

    size: int
    right: int
    temperature: float
    demes: int = 1
    migration: float = 0.0
    protection: float = 0.0

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Condition:
        """As registered: the temperature may be ``.inf``, and the share of the right is a share."""
        plain = dict(given)
        share, size = plain.pop("share"), plain["size"]
        return cls(right=round(share * size), **plain)

    @property
    def settings(self) -> TournamentSettings:
        """Of the tournament: everybody in a deme votes on every answer of the others."""
        return TournamentSettings(
            problems=1,
            graders=self.size // self.demes - 1,
            threshold=0.6,
            context_capacity=0,
            process="islands" if self.demes > 1 else "wright-fisher",
            selection_temperature=self.temperature,
            mutation=STILL,
            options=ProcessOptions(demes=self.demes, migration=self.migration),
            protection=self.protection,
            topology=Topology(name="islands", islands=self.demes),
        )

    @property
    def chain(self) -> Floats:
        """What theory says of a generation, float64 [S, S]."""
        own = parents_right(self.size // self.demes, self.temperature, self.protection)
        return one_population(own) if self.demes == 1 else in_demes(own, self.demes, self.migration)

    @property
    def start(self) -> Floats:
        """Where it begins, founders being dealt to demes by lot: float64 [S]."""
        each = self.size // self.demes
        states = np.indices((each + 1,) * self.demes).reshape(self.demes, -1).T
        begun = np.zeros(len(states))
        possible = states.sum(axis=1) == self.right
        begun[possible] = multivariate_hypergeom.pmf(
            states[possible], [each] * self.demes, self.right
        )
        return begun


def measure_lineages(bench: Bench) -> pl.DataFrame:
    """Of every condition how many trials lost the right answer, and what was to be expected."""
    trials, generations = bench.options["trials"], bench.options["generations"]
    rows = []
    for name, given in bench.options["conditions"].items():
        condition = Condition.of(given)
        lost = [
            right_after(condition, generations, bench.seed, f"{name} {trial}") == 0
            for trial in range(trials)
        ]
        rows.append(
            {
                "condition": name,
                "temperature": condition.temperature,
                "size": condition.size,
                "trials": trials,
                "lost": float(np.mean(lost)),
                "expected": lost_by(condition.chain, condition.start, generations),
                "fixation": _fixation(condition),
                "diffusion": _diffusion(condition),
            }
        )
    return pl.DataFrame(rows)


def right_after(condition: Condition, generations: int, seed: int, trial: str) -> int:
    """Agents that are right after so many generations of a tournament."""
    rng = stream(seed, "lineages", trial)
    right = np.zeros(condition.size, dtype=np.bool_)
    right[rng.permutation(condition.size)[: condition.right]] = True
    tournament = Tournament(
        condition.settings, [Genome("lineage", 1.0)] * condition.size, int(rng.integers(2**62))
    )
    for _ in range(generations):
        alive = right[tournament.agents.founders]
        if alive.all() or not alive.any():
            break
        tournament.tell(said(tournament.ask(), alive))
    return int(right[tournament.agents.founders].sum())


def said(matches: Matches, right: Truths) -> Outcomes:
    """How matches of one problem end where each agent is right or not: equal answers are votes."""
    answers = (~right).astype(np.int64)
    alike = right[:, None] == right[matches.graders]
    return Outcomes(
        matches=matches,
        queries=("?",),
        texts=("right", "wrong"),
        answers=answers,
        finished=np.ones(len(right), dtype=np.bool_),
        tokens=np.ones(len(right), dtype=np.int64),
        log_probabilities=np.zeros(len(right)),
        verdicts=right,
        levels=np.eye(2),
        values=np.array([0.0, 1.0]),
        grades=alike.astype(np.int64),
    )


def _fixation(condition: Condition) -> float:
    """Probability of taking over in the end, exactly; NaN where neither answer ever does."""
    if condition.demes > 1 or condition.protection > 0.0:
        return math.nan
    return float(fixations(condition.chain)[condition.right])


def _diffusion(condition: Condition) -> float:
    """Kimura's approximation of the same."""
    if condition.demes > 1 or condition.protection > 0.0:
        return math.nan
    share = condition.right / condition.size
    return diffusion_fixation(share, condition.size, condition.temperature)
