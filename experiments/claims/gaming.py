"""Claim 10: does having several evaluators stop what games one of them?

Dimensions: S seeds, G generations, Q problems, P answers of a pool, N strengths of selection,
D bootstrap samples.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.arms import RANDOM, SELECTED
from experiments.claims.finding import (
    Finding,
    Floats,
    Number,
    above,
    estimate,
    resampled,
    share_at_or_below,
    within,
)
from experiments.claims.gaming_figure import draw_gaming
from experiments.claims.results import Results
from experiments.claims.statistics import first, first_less_second, first_over_second, second
from population.capability import best_of_n_kl, best_of_n_weights
from population.generation import Generation
from population.roles import FLATTERER

ONE = "one evaluator"
ALONE, TOGETHER, ORACLE = "alone", "mean of three", "oracle"
PROXY, GOLD, GAMED = range(3)
"""Of the best of n: its grade, whether it is right, and whether it is a flatterer's."""

MARGIN, GOLD_MARGIN, TOLERANCE, THRESHOLD = 0.2, 0.05, 0.05, 0.6
JUDGES = 3
"""Trained graders: the first slots, who grade everybody."""

Proxies = Mapping[str, Floats]
"""Who evaluates → the grade of every answer, float64 [M, Q]."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Best of n by one proxy.

    Attributes
    ----------
    distances
        float64 [N], √KL of each n, the first 0.
    means
        float64 [S, Q, N, 3]: proxy, gold and flatterers among the best of n.
    """

    distances: Floats
    means: Floats

    def at_end(self, what: int) -> Floats:
        """At the strongest selection, [S, Q]."""
        return self.means[:, :, -1, what]


def analyse(results: Results) -> Finding:
    """Takeovers by number of evaluators; best of n by scripted and by trained ones."""
    conditions, shares, over = [], [], []
    curves: dict[str, tuple[float, ...]] = {}
    ends: dict[str, Floats] = {}
    for name, labels in _takeovers(results).items():
        own, twin = (results.stacked(_flatterers, side, **labels) for side in (SELECTED, RANDOM))
        curves |= {f"takeover, {name}": tuple(own.mean(axis=0).tolist())}
        curves |= {f"takeover, {name}, twin": tuple(twin.mean(axis=0).tolist())}
        ends[name] = np.stack([own[:, -1], twin[:, -1]], -1)[:, None]
        right = results.stacked(_right, **labels)[:, [0, -1]][:, None]
        shares.append(estimate(f"{name}: share of flatterers", ends[name], first))
        shares.append(estimate(f"{name}: the same, twin", ends[name], second))
        shares.append(estimate(f"{name}: change of gold", right, lambda m: m[:, 1] - m[:, 0]))
        if name.endswith("disjoint"):
            more = estimate(
                f"{name}: share of flatterers less twin's", ends[name], first_less_second
            )
            conditions.append(within(more, -1.0, TOLERANCE))
    for few, many in ((ONE, "9 disjoint"), (ONE, "3 disjoint"), ("9 shared", "9 disjoint")):
        both = np.stack([ends[few][..., 0], ends[many][..., 0]], -1)
        over.append(estimate(f"share of flatterers, {few} less {many}", both, first_less_second))
        conditions.append(above(over[-1], MARGIN))
    both = np.stack([ends[ONE][..., 0], ends["9 disjoint"][..., 0]], -1)
    p = share_at_or_below(resampled("gaming: p", both, first_less_second), MARGIN)

    scripted = _pools(results)
    best, gained = _told(scripted), []
    for many in ("9 disjoint", "3 disjoint", "9 shared"):
        both = np.stack([scripted[many].at_end(GOLD), scripted[ONE].at_end(GOLD)], -1)
        gained.append(estimate(f"gold of the best, {many} less {ONE}", both, first_less_second))
    conditions.append(above(gained[0], GOLD_MARGIN))

    trained, accepted = _trained(results)
    singles = [name for name in trained if name.endswith(ALONE)]
    columns = [trained[name].at_end(GOLD) for name in (TOGETHER, *singles)]
    both = np.stack(columns, -1)
    gained.append(
        estimate(
            f"gold of the best, {TOGETHER} less the mean of each {ALONE}",
            both,
            lambda m: m[:, 0] - m[:, 1:].mean(axis=1),
        )
    )
    conditions.append(above(gained[-1], 0.0))
    gained += [
        estimate(
            f"gold of the best, {TOGETHER} less {single}",
            both[..., [0, place]],
            first_less_second,
        )
        for place, single in enumerate(singles, start=1)
    ]
    curves |= _drawn("scripted", scripted) | _drawn("trained", trained)
    return Finding.by(
        conditions,
        p=p,
        numbers={
            "Takeover: the last generation": tuple(shares),
            "Takeover: one evaluator against several": tuple(over),
            "Best of n, scripted evaluators": tuple(best),
            "Best of n, trained evaluators": tuple(_told(trained)),
            "Best of n at the strongest selection, one against several": tuple(gained),
            "Trained evaluators: share of answers graded at least .6": tuple(accepted),
        },
        caveats=CAVEATS,
        curves=curves,
    )


CAVEATS = (
    "Scripted blind spots are disjoint by construction, and a flatterer knows one of them. What "
    "hides from several evaluators at once, a spot that they share in part, lies between the two.",
    "KL of the best of n is exact where no grades tie. Scripted grades tie often, and then it is "
    "an upper bound: the curves are drawn too far to the right, in the same way for all.",
    "One evaluator's grades are noisier than the mean of nine, so that under it agents replicate "
    "more by luck; takeovers of nine by a shared spot are smoother for that reason too.",
    "The trained evaluators are three sizes of one family on one corpus, and the gain of their "
    "mean is over the average one: whether it beats the best of them is told beside. More draws "
    "cost gold under their mean as well: several evaluators help, and do not end it.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Takeovers, and proxy and gold against √KL."""
    return draw_gaming(finding, path)


def best_of_pool(proxy: Floats, values: Floats, strengths: list[int]) -> Floats:
    """Proxy and values of the best of n by proxy, problem by problem, float64 [Q, N, 1 + V].

    Parameters
    ----------
    proxy
        float64 [P, Q].
    values
        float64 [P, Q, V], what else is said of the answers.
    """
    found = np.empty((proxy.shape[1], len(strengths), 1 + values.shape[2]))
    for problem in range(proxy.shape[1]):
        said = np.column_stack([proxy[:, problem], values[:, problem]])
        for place, n in enumerate(strengths):
            found[problem, place] = best_of_n_weights(proxy[:, problem], n) @ said
    return found


def overoptimised(distances: Floats, gold: Floats) -> tuple[Floats, Floats]:
    """α and β of d·(α − β·d), fitted to the change of gold by least squares, [D] each.

    Parameters
    ----------
    distances
        float64 [N], √KL, the first 0.
    gold
        float64 [D, N].

    Source
    ------
    Gao, Schulman & Hilton 2022; `population.capability.best_of_n_gold`.
    """
    columns = np.stack([distances, -(distances**2)], -1)
    slope, decay = np.linalg.pinv(columns) @ (gold - gold[:, :1]).T
    return slope, decay


def strengths_of(pool: int) -> list[int]:
    """Powers of two up to the size of a pool, and that itself."""
    powers = [2**i for i in range(pool.bit_length()) if 2**i < pool]
    return [*powers, pool]


def _takeovers(results: Results) -> dict[str, dict[str, str]]:
    """Name → labels of the cells of each number of evaluators."""
    found = {}
    for arm, spots in (("takeover-shared", "shared"), ("takeover-disjoint", "disjoint")):
        for number in results.values("graders", arm=arm):
            name = ONE if number == "1" else f"{number} {spots}"
            found[name] = {"arm": arm, "graders": number}
    return found


def _flatterers(generation: Generation) -> Floats:
    return np.asarray(_roles(generation).mean(), dtype=np.float64)


def _right(generation: Generation) -> Floats:
    return np.asarray(generation.outcomes.verdicts.mean(), dtype=np.float64)


def _roles(generation: Generation) -> NDArray[np.bool_]:
    """Which agents are flatterers, bool [M]."""
    return np.array([agent.genome.role == FLATTERER for agent in generation.agents])


def _pools(results: Results) -> dict[str, Curve]:
    """Best of n by the first 1, 3 and 9 scripted evaluators."""
    found: dict[str, Curve] = {}
    for arm, spots in (("pool-shared", "shared"), ("pool-disjoint", "disjoint")):

        def by_seats(generation: Generation, spots: str = spots) -> Proxies:
            grades = generation.outcomes.grade_values()
            seats = grades.reshape(len(generation.agents), -1, grades.shape[1])
            named = {ONE: 1, f"3 {spots}": 3, f"9 {spots}": 9}
            return {name: seats[:, :, :k].mean(axis=2) for name, k in named.items()}

        found |= _curves(results, arm, by_seats, apart=0)
    return found


def _trained(results: Results) -> tuple[dict[str, Curve], list[Number]]:
    """Best of n by each trained evaluator, by their mean and by the oracle; what each accepts."""
    curves = _curves(results, "trained", _by_model, apart=JUDGES)
    curves |= _curves(results, "trained", _by_verdict, apart=JUDGES)
    columns: dict[str, list[Floats]] = {}
    for cell in results.of(arm="trained"):
        generation = next(results.generations(cell))
        right = generation.outcomes.verdicts.reshape(len(generation.agents), -1)[JUDGES:]
        gamed = np.broadcast_to(_roles(generation)[JUDGES:, None], right.shape)
        sides = {"right ones": right, "wrong ones": ~right & ~gamed, "flatterers'": gamed}
        for name, grades in _by_model(generation).items():
            passed = grades[JUDGES:] >= THRESHOLD
            for side, of in sides.items():
                both = np.stack([(passed & of).mean(axis=0), of.mean(axis=0)], -1)
                columns.setdefault(f"{name}: {side}", []).append(both)
    accepted = [estimate(name, np.stack(of), first_over_second) for name, of in columns.items()]
    return curves, accepted


def _by_model(generation: Generation) -> Proxies:
    """Grades by the first three slots, whose authors have other judges of their own answers."""
    grades, slots = generation.outcomes.grade_values(), generation.outcomes.matches.graders
    found = {}
    for slot in range(JUDGES):
        mine = np.where(slots == slot, grades, np.nan)
        known = ~np.isnan(mine)
        said = np.full(len(mine), np.nan)
        said[known.any(axis=1)] = mine[known]
        model = generation.agents[slot].genome.model.partition("/")[0]
        found[f"{model} {ALONE}"] = said.reshape(len(generation.agents), -1)
    return found | {TOGETHER: np.mean(list(found.values()), axis=0)}


def _by_verdict(generation: Generation) -> Proxies:
    verdicts = generation.outcomes.verdicts.astype(np.float64)
    return {ORACLE: verdicts.reshape(len(generation.agents), -1)}


def _curves(
    results: Results, arm: str, proxies: Callable[[Generation], Proxies], apart: int
) -> dict[str, Curve]:
    """Best of n by each proxy, among the answers of all slots but the first few."""
    found: dict[str, list[Floats]] = {}
    strengths: list[int] = []
    for cell in results.of(arm=arm):
        generation = next(results.generations(cell))
        right = generation.outcomes.verdicts.reshape(len(generation.agents), -1)[apart:]
        gamed = np.broadcast_to(_roles(generation)[apart:, None], right.shape)
        strengths = strengths_of(len(right))
        values = np.stack([right, gamed], -1).astype(np.float64)
        for name, proxy in proxies(generation).items():
            found.setdefault(name, []).append(best_of_pool(proxy[apart:], values, strengths))
    distances = np.sqrt([best_of_n_kl(n) for n in strengths])
    return {name: Curve(distances, np.stack(of)) for name, of in found.items()}


def _told(curves: Mapping[str, Curve]) -> list[Number]:
    """What is said of each curve."""
    rows = []
    for name, curve in curves.items():

        def slope(means: Floats, curve: Curve = curve) -> Floats:
            return overoptimised(curve.distances, means[..., GOLD])[0]

        def decay(means: Floats, curve: Curve = curve) -> Floats:
            return overoptimised(curve.distances, means[..., GOLD])[1]

        for told, of in (
            ("gold of any", lambda m: m[:, 0, GOLD]),
            ("gold of the best", lambda m: m[:, -1, GOLD]),
            ("proxy less gold of the best", lambda m: m[:, -1, PROXY] - m[:, -1, GOLD]),
            ("gold lost since its peak", lambda m: m[..., GOLD].max(axis=1) - m[:, -1, GOLD]),
            ("flatterers among the best", lambda m: m[:, -1, GAMED]),
            ("α", slope),
            ("β", decay),
        ):
            rows.append(estimate(f"{name}: {told}", curve.means, of))
    return rows


def _drawn(kind: str, curves: Mapping[str, Curve]) -> dict[str, tuple[float, ...]]:
    """Curves as the figure has them."""
    found = {}
    for name, curve in curves.items():
        means = curve.means.mean(axis=(0, 1))
        found[f"{kind}, √KL"] = tuple(curve.distances.tolist())
        found[f"{kind}, {name}: proxy"] = tuple(means[:, PROXY].tolist())
        found[f"{kind}, {name}: gold"] = tuple(means[:, GOLD].tolist())
    return found
