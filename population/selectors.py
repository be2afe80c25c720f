"""Where fitness comes from: what each selector makes of a generation's outcomes.

A selector maps A outcomes to scores, float64 [A] in [0, 1], NaN where it has nothing to say.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from population.outcomes import Floats, Outcomes

Selector = Callable[[Outcomes, np.random.Generator], Floats]


def peers(outcomes: Outcomes, rng: np.random.Generator) -> Floats:
    """The mean of an answer's readable grades."""
    return outcomes.mean_grades()


def random(outcomes: Outcomes, rng: np.random.Generator) -> Floats:
    """A coin toss: uniform in [0, 1), whatever was answered."""
    return rng.random(len(outcomes))


def shuffled(outcomes: Outcomes, rng: np.random.Generator) -> Floats:
    """The peers' scores, dealt out anew among the answers."""
    return outcomes.mean_grades()[rng.permutation(len(outcomes))]


def oracle(outcomes: Outcomes, rng: np.random.Generator) -> Floats:
    """The verifier's verdict."""
    return outcomes.verdicts.astype(np.float64)


def none(outcomes: Outcomes, rng: np.random.Generator) -> Floats:
    """Nothing: no answer is accepted and no agent is fitter."""
    return np.full(len(outcomes), np.nan)


SELECTORS: dict[str, Selector] = {
    "peers": peers,
    "random": random,
    "shuffled": shuffled,
    "oracle": oracle,
    "none": none,
}
