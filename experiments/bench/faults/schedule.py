"""A schedule of faults: everything that is drawn, from one number.

Every life of a run, from its start or resumption to its end, has faults of its own. After a few
lives there are none any more, so that a run that can end does.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mgptn.experiments.bench.faults.kinds import DISK, LYING, POWER, SITES
from mgptn.population.draws.streams import stream

FAULTY_LIVES = 4
"""Lives of a run that may have faults; those that follow have none."""

MOST = (4, 3, 2, 2)
"""Faults that are drawn at most for each of them; 1 at least for the first."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes
    ----------
    kind
        Of `kinds`.
    at
        Which of its site's things it strikes, from 0.
    amount
        In [0, 1): how much, how long, or which of several ways.
    """

    kind: str
    at: int
    amount: float

    def __str__(self) -> str:
        return f"{self.kind} at {SITES[self.kind]} {self.at} ({self.amount:.3f})"


@dataclass(frozen=True, slots=True)
class Cast:
    """What a schedule's run is: one of some populations, on so many hosts."""

    population: str
    hosts: int


def cast(seed: int, populations: Sequence[str]) -> Cast:
    """Which population a schedule's run is of."""
    rng = stream(seed, "simulated faults: cast")
    return Cast(populations[int(rng.integers(len(populations)))], int(rng.integers(1, 5)))


def faults_of(seed: int, life: int, sizes: Mapping[str, int]) -> tuple[Fault, ...]:
    """The faults of a life of a schedule's run.

    Parameters
    ----------
    sizes
        Site → how many things happen there in a run that nothing befalls; sites that a run has
        none of are struck by nothing.
    """
    if life >= FAULTY_LIVES:
        return ()
    rng = stream(seed, "simulated faults", life)
    kinds = [kind for kind, site in SITES.items() if sizes.get(site)]
    faults = []
    for _ in range(int(rng.integers(life == 0, MOST[life] + 1))):
        kind = kinds[int(rng.integers(len(kinds)))]
        # What is left of a run that was resumed is less.
        reach = float(rng.random()) ** (1 + life)
        at = int(reach * sizes[SITES[kind]])
        faults.append(Fault(kind, at, float(rng.random())))
        if kind == LYING:
            later = at + 1 + int(float(rng.random()) * (sizes[DISK] - at))
            faults.append(Fault(POWER, later, float(rng.random())))
    return tuple(faults)


class Due:
    """The faults of one life as it goes on: which strike now, and which have struck.

    Attributes
    ----------
    counts
        Site → things that have happened there.
    struck
        Faults that have made a difference.
    told
        What happened, a line each.
    """

    def __init__(self, faults: Sequence[Fault], told: list[str]) -> None:
        self.faults = tuple(faults)
        self.counts: dict[str, int] = {}
        self.struck: list[Fault] = []
        self.told = told

    def at(self, site: str) -> tuple[Fault, ...]:
        """The faults that strike the next thing at a site."""
        place = self.counts.get(site, 0)
        self.counts[site] = place + 1
        return tuple(f for f in self.faults if f.at == place and SITES[f.kind] == site)

    def strikes(self, fault: Fault, what: str) -> None:
        """Take down that a fault has struck."""
        if fault not in self.struck:
            self.struck.append(fault)
        self.say(f"{fault.kind}: {what}")

    def say(self, line: str) -> None:
        """Take down what happened."""
        self.told.append(line)
