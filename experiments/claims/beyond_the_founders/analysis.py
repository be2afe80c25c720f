"""Claim 11: do founders that learn from what they agree on get beyond what they could do?

Dimensions: S founder sets (seeds), G generations, Q problems, M agents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mgptn.experiments.claims.beyond_the_founders.figure import draw_reach
from mgptn.experiments.claims.method.finding import (
    Finding,
    Number,
    above,
    estimate,
    resampled,
    share_at_or_below,
)
from mgptn.experiments.claims.method.journals import Results, wrong_answers
from mgptn.experiments.claims.method.statistics import first, first_less_second
from mgptn.experiments.config.arms import SELECTED, UNSELECTED
from mgptn.experiments.figures.reach import REACHED
from mgptn.population.measures.answer_errors import majority_errors
from mgptn.population.measures.jury import agreed_error, collision
from mgptn.population.records.agents import Agent
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

PEERS, THIRTY = "peers", "thirty"
LEARNING = (PEERS, "two", "five", "clones", "coin", "oracle", "drift", "replicating", "demes")

Errors = Callable[[Generation], Floats]

JURY: dict[str, Callable[[Generation], float]] = {
    "two that are wrong say the same": lambda g: collision(g.outcomes),
    "two descend from the same checkpoint": lambda g: _related(g.agents),
    "wrong, of what all say alike": lambda g: agreed_error(g.outcomes),
}
"""Of each generation's jury."""


def analyse(results: Results) -> Finding:
    """Reach of every arm, of what the founders could do, and the jury's independence."""
    least = min(g.size for g in results.generations(results.of(arm=PEERS)[0])) - 1
    reached = {arm: _reaches(results, arm, SELECTED, majority_errors, least) for arm in LEARNING}
    founders = {
        "the founders' vote": _reaches(results, PEERS, UNSELECTED, majority_errors, least),
        "a single founder": _reaches(results, PEERS, UNSELECTED, _mean_errors, least),
        "the best of three, picked by the verifier": _reaches(
            results, PEERS, UNSELECTED, _none_right, least
        ),
        "the vote of five": _reaches(results, "five", UNSELECTED, majority_errors, least),
        "the vote of thirty": _reaches(results, THIRTY, SELECTED, majority_errors, least),
        "the best of thirty, picked by the verifier": _reaches(
            results, THIRTY, SELECTED, _none_right, least
        ),
    }
    against = [
        _beyond(name, reached[PEERS], other)
        for name, other in (
            ("the founders' vote", founders["the founders' vote"]),
            ("the best of thirty", founders["the best of thirty, picked by the verifier"]),
            ("a coin at the peers' rate", reached["coin"]),
            ("copies of one founder", reached["clones"]),
        )
    ]
    others = [
        _beyond(arm, reached[PEERS], reached[arm])
        for arm in ("two", "five", "drift", "replicating", "demes", "oracle")
    ]
    best = np.maximum(
        founders["the best of thirty, picked by the verifier"],
        np.maximum(reached["coin"], reached["clones"]),
    )
    pair = np.stack([reached[PEERS], np.maximum(best, founders["the founders' vote"])], -1)
    drawn = resampled("beyond-the-founders: p", pair[:, None], first_less_second)
    jury = [
        estimate(f"{arm}: {name}", _mean(results, arm, of)[:, None, None], first)
        for name, of in JURY.items()
        for arm in LEARNING
    ]
    return Finding.by(
        [above(one, 1.0) for one in against],
        p=share_at_or_below(drawn, 1.0),
        numbers={
            "Reach, in digits": tuple(_number(arm, of) for arm, of in reached.items()),
            "What founders could do, in digits": tuple(
                _number(name, of) for name, of in founders.items()
            ),
            "Digits that three peers are beyond": (*against, *others),
            "The jury": tuple(jury),
        },
        caveats=CAVEATS,
        curves=_curves(results, reached, founders),
        intervals="by bootstrap over founder sets",
    )


CAVEATS = (
    "One task, one size and one layout of founders, whose places of digits are trained further "
    "than their sums: what a founder lacks is a habit, and no idea. It says that agreement can "
    "select for truth, and not how much there is to be found by it.",
    "Compute is told, not matched: a run learns in every generation, and founders do not. Founders "
    "trained on for as long on what they knew are not among the controls here.",
    "The first founder set had been seen before the claim was registered, in a run of "
    "amplify.yaml, of 64 documents a step; and the runs were interrupted once, after 160 of 500 "
    "generations, and looked at. Nothing was changed by either.",
    "Reach is bounded by the number of generations: an arm that grew in every one of them might "
    "have gone on.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Sizes by generation, and what is reached by every arm."""
    return draw_reach(finding, path)


def _reaches(results: Results, arm: str, side: str, errors: Errors, least: int) -> Floats:
    """The reach of each founder set, float64 [S]; `least` where not even the first size is."""
    return np.array(
        [
            _reach(list(results.generations(cell, side)), errors, least)
            for cell in results.of(arm=arm)
        ]
    )


def _reach(generations: list[Generation], errors: Errors, least: int) -> float:
    last = {g.size: float(errors(g).mean()) for g in generations}
    return float(max((size for size, error in last.items() if error <= REACHED), default=least))


def _mean_errors(generation: Generation) -> Floats:
    """Share of the members that err, float64 [Q]."""
    return np.asarray(wrong_answers(generation).mean(axis=1))


def _none_right(generation: Generation) -> Floats:
    """1 where no member is right, float64 [Q]."""
    return np.asarray(wrong_answers(generation).min(axis=1))


def _number(name: str, reaches: Floats) -> Number:
    return estimate(name, reaches[:, None, None], first)


def _beyond(name: str, own: Floats, other: Floats) -> Number:
    return estimate(f"beyond {name}", np.stack([own, other], -1)[:, None], first_less_second)


def _mean(results: Results, arm: str, of: Callable[[Generation], float]) -> Floats:
    """Something of each founder set's juries, the mean of where it is defined, float64 [S]."""
    rows = [[of(g) for g in results.generations(cell)] for cell in results.of(arm=arm)]
    known = [[value for value in row if not math.isnan(value)] for row in rows]
    return np.array([np.mean(row) if row else np.nan for row in known])


def _related(agents: Sequence[Agent]) -> float:
    """Share of pairs of agents whose weights began as the same checkpoint."""
    same = [a.genome.model == b.genome.model for a, b in itertools.combinations(agents, 2)]
    return sum(same) / len(same)


def _curves(
    results: Results, reached: dict[str, Floats], founders: dict[str, Floats]
) -> dict[str, tuple[float, ...]]:
    """For the figure: mean sizes by generation, and each set's reach."""
    curves: dict[str, tuple[float, ...]] = {}
    for arm in LEARNING:
        sizes = [[g.size for g in results.generations(cell)] for cell in results.of(arm=arm)]
        curves[f"size: {arm}"] = tuple(np.mean(sizes, axis=0).tolist())
    for name, of in {**reached, **founders}.items():
        curves[f"reach: {name}"] = tuple(of.tolist())
    return curves
