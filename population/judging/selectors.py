"""Where fitness comes from: what each selector makes of a generation's outcomes.

A selector maps the evidence on A answers to scores, float64 [A] in [0, 1], NaN where it has nothing
to say.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from mgptn.population.judging.human import RATING_DRAWS, Human, rate
from mgptn.population.records.arrays import Floats
from mgptn.population.records.outcomes import Outcomes


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a selector may look at.

    Attributes
    ----------
    outcomes
        Of A answers.
    peers
        float64 [A], the peers' grades aggregated, as of `aggregation.aggregate`; the human's
        rating where nobody grades and a human looked.
    human
        How a simulated human rates.
    """

    outcomes: Outcomes
    peers: Floats
    human: Human = field(default_factory=Human)

    def __len__(self) -> int:
        return len(self.outcomes)


Selector = Callable[[Evidence, np.random.Generator], Floats]


def peers(evidence: Evidence, rng: np.random.Generator) -> Floats:
    """An answer's readable grades by others, aggregated; by its author where nobody else graded."""
    return evidence.peers


def own(evidence: Evidence, rng: np.random.Generator) -> Floats:
    """The author's grade of its own answer."""
    return evidence.outcomes.own_values()


def random(evidence: Evidence, rng: np.random.Generator) -> Floats:
    """A coin toss: uniform in [0, 1), whatever was answered."""
    return rng.random(len(evidence))


def shuffled(evidence: Evidence, rng: np.random.Generator) -> Floats:
    """The peers' scores, dealt out anew among the answers."""
    return evidence.peers[rng.permutation(len(evidence))]


def oracle(evidence: Evidence, rng: np.random.Generator) -> Floats:
    """The verifier's verdict; nothing where there is none."""
    return evidence.outcomes.verdict_values()


def human(evidence: Evidence, rng: np.random.Generator) -> Floats:
    """A human's rating where one looked; else the simulated human's, who knows the verdict.

    Where there is none the simulated human has nothing to say.
    """
    worth, draws = evidence.outcomes.verdict_values(), rng.random((RATING_DRAWS, len(evidence)))
    simulated = np.where(np.isnan(worth), np.nan, rate(worth, draws, evidence.human))
    given = evidence.outcomes.ratings
    return np.where(np.isnan(given), simulated, given) if given.size else simulated


def none(evidence: Evidence, rng: np.random.Generator) -> Floats:
    """Nothing: no answer is accepted and no agent is fitter."""
    return np.full(len(evidence), np.nan)


SELECTORS: dict[str, Selector] = {
    "peers": peers,
    "self": own,
    "random": random,
    "shuffled": shuffled,
    "oracle": oracle,
    "human": human,
    "none": none,
}
"""Every selector by its name in a configuration."""

AGGREGATING = ("peers", "shuffled")
"""Selectors that look at the peers' aggregated grades."""


def mixture(weights: Mapping[str, float]) -> Selector:
    """Each answer judged by one selector, drawn by weight; with one name, that selector itself.

    Parameters
    ----------
    weights
        Selector → weight, ≥ 0, sum above 0.

    Raises
    ------
    ValueError
        If a name is none of `SELECTORS`, or the weights are not such.
    """
    unknown = sorted(set(weights) - set(SELECTORS))
    if unknown:
        raise ValueError(f"selector: expected some of {', '.join(SELECTORS)}, got {unknown[0]!r}")
    shares = np.array(list(weights.values()), dtype=np.float64)
    if not shares.size or not np.all(shares >= 0.0) or not 0.0 < shares.sum() < np.inf:
        raise ValueError(f"selector: expected weights ≥ 0 of a sum above 0, got {dict(weights)}")
    if len(weights) == 1:
        return SELECTORS[next(iter(weights))]
    # In the table's order, so that the one in which a configuration names them does not matter.
    names = [name for name in SELECTORS if weights.get(name, 0.0) > 0.0]
    ends = np.cumsum([weights[name] for name in names]) / shares.sum()

    def mixed(evidence: Evidence, rng: np.random.Generator) -> Floats:
        drawn = np.minimum(
            np.searchsorted(ends, rng.random(len(evidence)), "right"), len(names) - 1
        )
        scores = np.stack([SELECTORS[name](evidence, rng) for name in names])
        picked: Floats = scores[drawn, np.arange(len(evidence))]
        return picked

    return mixed
