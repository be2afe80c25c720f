"""Claim 11: do founders that learn from what they agree on get beyond what they could do?

Dimensions: S founder sets (seeds), G generations, Q problems, M agents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from mgptn.experiments.claims.beyond_the_founders.figure import draw_reach
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.reaching import (
    mean_errors,
    none_right,
    one_checkpoint,
    over_sets,
    paired,
    per_set,
    reach_by_answers,
    reaches,
    sizes_of,
)
from mgptn.experiments.config.arms import SELECTED, UNSELECTED
from mgptn.population.measures.answer_errors import majority_errors
from mgptn.population.measures.jury import agreed_error, collision
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

PEERS, THIRTY = "peers", "thirty"
LEARNING = (PEERS, "two", "five", "clones", "coin", "oracle", "drift", "replicating", "demes")

JURY: dict[str, Callable[[Generation], float]] = {
    "two that are wrong say the same": lambda g: collision(g.outcomes),
    "two descend from the same checkpoint": lambda g: one_checkpoint(g.agents),
    "wrong, of what all say alike": lambda g: agreed_error(g.outcomes),
}
"""Of each generation's jury."""


def analyse(results: Results) -> Finding:
    """Reach of every arm, of what the founders could do, and the jury's independence."""
    span = sizes_of(results.of(arm=PEERS)[0].config)
    least, apart = span[0], (span[0] - span[1], span[1] - span[0])
    reached = {arm: reaches(results, majority_errors, least, arm=arm) for arm in LEARNING}
    founders = {
        "the founders' vote": reaches(results, majority_errors, least, UNSELECTED, arm=PEERS),
        "a single founder": reaches(results, mean_errors, least, UNSELECTED, arm=PEERS),
        "the best of three, picked by the verifier": reaches(
            results, none_right, least, UNSELECTED, arm=PEERS
        ),
        "the vote of five": reaches(results, majority_errors, least, UNSELECTED, arm="five"),
        "the vote of thirty": reaches(results, majority_errors, least, SELECTED, arm=THIRTY),
        "the best of thirty, picked by the verifier": reaches(
            results, none_right, least, SELECTED, arm=THIRTY
        ),
    }
    against = [
        paired(f"beyond {name}", reached[PEERS], other, apart)
        for name, other in (
            ("the founders' vote", founders["the founders' vote"]),
            ("the best of thirty", founders["the best of thirty, picked by the verifier"]),
            ("a coin at the peers' rate", reached["coin"]),
            ("copies of one founder", reached["clones"]),
        )
    ]
    others = [
        paired(f"beyond {arm}", reached[PEERS], reached[arm], apart)
        for arm in ("two", "five", "drift", "replicating", "demes", "oracle")
    ]
    jury = [
        over_sets(f"{arm}: {name}", per_set(results, of, arm=arm))
        for name, of in JURY.items()
        for arm in LEARNING
    ]
    return Finding.by(
        "beyond-the-founders",
        against,
        # All must be shown, so that the largest counts.
        p=worst(one.p_above(1.0) for one in against),
        numbers={
            "Reach, in digits": tuple(over_sets(arm, of, span) for arm, of in reached.items()),
            "What founders could do, in digits": tuple(
                over_sets(name, of, span) for name, of in founders.items()
            ),
            "Reach by as many of the founders' answers": tuple(
                reach_by_answers(results, least, arm=THIRTY)
            ),
            "Digits that three peers are beyond": tuple(others),
            "The jury": tuple(jury),
        },
        caveats=CAVEATS,
        curves=_curves(results, reached, founders),
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
