"""Claim 12: is what a jury agrees on worth as much as its members are independent?

Dimensions: S founder sets (seeds), G generations, Q problems, M agents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from mgptn.experiments.claims.independent_judges.figure import draw_planes
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number
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
from mgptn.population.measures.jury import (
    agreed_error,
    coalescence,
    collision,
    expected_identity,
)
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

SIZES = {"small": "small", "peers": "middle", "large": "large"}
"""Arm of peers → the size of its founders."""
WORST_ERROR, WORST_REACH = 0.05, 1.0
"""What peers have to be better by: a share of what is agreed on, and digits."""

JURY: dict[str, Callable[[Generation], float]] = {
    "wrong, of what all say alike": lambda g: agreed_error(g.outcomes),
    "two that are wrong say the same": lambda g: collision(g.outcomes),
    "two descend from the same checkpoint": lambda g: one_checkpoint(g.agents),
}
"""Of each generation's jury."""

CAVEATS = (
    "One task and one layout of founders, whose places of digits are trained further than their "
    "sums: what a founder lacks is a habit, and no idea.",
    "Arms go through sizes at their own pace, so that what they agree on is not of the same sizes; "
    "one that stays where it is goes on to be wrong about the same.",
    "Compute is told, not matched, but for the founders that were trained on, which saw as many "
    "documents as a run has lessons.",
    "Reach is bounded by the number of generations: an arm that grew in every one of them might "
    "have gone on.",
)


def analyse(results: Results) -> Finding:
    """Errors of what is agreed on, reach of every arm, and descent against what drift expects."""
    arms = _arms(results)
    peers = arms["middle, m = 3"]
    span = sizes_of(results.of(**peers)[0].config)
    least, apart = span[0], (span[0] - span[1], span[1] - span[0])
    reached = {
        name: reaches(results, majority_errors, least, **labels) for name, labels in arms.items()
    }
    founders = _founders(results, peers, least)
    own = reached["middle, m = 3"]
    compared = {
        "beyond a coin at their rate": reached["coin"],
        "beyond learning whatever is answered": reached["unfiltered"],
        "beyond founders that were trained on": reached["trained on"],
        "beyond the founders' vote": founders["the founders' vote"],
        "beyond the best of thirty": founders["the best of thirty, picked by the verifier"],
    }
    others = {
        f"beyond {name}": of
        for name, of in reached.items()
        if name not in ("middle, m = 3", "coin", "unfiltered", "trained on")
    }
    wrong = {
        name: per_set(results, JURY["wrong, of what all say alike"], **labels)
        for name, labels in arms.items()
        if name != "trained on"
    }
    related = {
        f"{name}, less peers: wrong of what all say": wrong[name]
        for name in ("clones", "replicating, T = 0.1")
    }
    worse = [paired(name, of, wrong["middle, m = 3"], DIFFERENCE) for name, of in related.items()]
    beyond = [paired(name, own, of, apart) for name, of in compared.items()]
    return Finding.by(
        "independent-judges",
        [*worse, *beyond],
        # All must be shown, so that the largest counts.
        p=worst(
            [*(o.p_above(WORST_ERROR) for o in worse), *(o.p_above(WORST_REACH) for o in beyond)]
        ),
        numbers={
            "Wrong, of what all say alike": tuple(
                over_sets(name, of) for name, of in wrong.items()
            ),
            "Reach, in digits": tuple(over_sets(name, of, span) for name, of in reached.items()),
            "What founders could do, in digits": tuple(
                over_sets(name, of, span) for name, of in founders.items()
            ),
            "Share of founder sets that are amplified": tuple(
                over_sets(name, _amplified(of, founders)) for name, of in reached.items()
            ),
            "Reach by as many of the founders' answers": tuple(
                reach_by_answers(results, least, arm="thirty")
            ),
            "Digits that three peers are beyond": tuple(
                paired(name, own, of, apart) for name, of in others.items()
            ),
            "The jury": tuple(
                over_sets(f"{name}: {what}", per_set(results, JURY[what], **labels))
                for what in list(JURY)[1:]
                for name, labels in arms.items()
                if name != "trained on"
            ),
            "Descent at the end": tuple(_descent(results, arms)),
        },
        caveats=CAVEATS,
        curves={
            f"reach: {name}": tuple(of.tolist()) for name, of in {**reached, **founders}.items()
        },
    )


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Reach over m and n, and over m and T; what juries agree on against their descent."""
    return draw_planes(finding, path)


def _arms(results: Results) -> dict[str, Mapping[str, str]]:
    """What each arm is called → the labels of its cells; of arms with an axis, each step."""
    found: dict[str, Mapping[str, str]] = {}
    for arm, size in SIZES.items():
        for jury in results.values("jury", arm=arm):
            found[f"{size}, m = {jury}"] = {"arm": arm, "jury": jury}
    for arm, name in (("replicating", "replicating"), ("five-replicating", "five replicating")):
        for temperature in results.values("temperature", arm=arm):
            found[f"{name}, T = {temperature}"] = {"arm": arm, "temperature": temperature}
    for arm in ("demes", "clones", "coin", "unfiltered", "oracle", "trained-on"):
        found[arm.replace("-", " ")] = {"arm": arm}
    return found


def _founders(results: Results, peers: Mapping[str, str], least: float) -> dict[str, Floats]:
    """What founders reach by themselves, those of the peers and thirty samples of them."""
    return {
        "the founders' vote": reaches(results, majority_errors, least, UNSELECTED, **peers),
        "a single founder": reaches(results, mean_errors, least, UNSELECTED, **peers),
        "the best of three, picked by the verifier": reaches(
            results, none_right, least, UNSELECTED, **peers
        ),
        "the vote of thirty": reaches(results, majority_errors, least, arm="thirty"),
        "the best of thirty, picked by the verifier": reaches(
            results, none_right, least, arm="thirty"
        ),
    }


def _amplified(reached: Floats, founders: Mapping[str, Floats]) -> Floats:
    """1 where a founder set gets beyond all that its founders could do, float64 [S]."""
    return np.asarray(reached > np.max(list(founders.values()), axis=0), dtype=np.float64)


def _descent(results: Results, arms: Mapping[str, Mapping[str, str]]) -> list[Number]:
    """Pairs of one founder in the last generation, beside what drift by the rates expects."""
    rows = []
    for name, labels in arms.items():
        if "replicating" not in name:
            continue
        runs = [list(results.generations(cell, SELECTED)) for cell in results.of(**labels)]
        seen = np.array([one_checkpoint(run[-1].agents) for run in runs])
        drift = np.array([expected_identity(map(coalescence, run[:-1])) for run in runs])
        rows += [
            over_sets(f"{name}: pairs of one founder", seen),
            over_sets(f"{name}: as coalescence by the rates expects", drift),
        ]
    return rows
