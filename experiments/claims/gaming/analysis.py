"""Claim 10: does having several evaluators stop what games one of them?

Dimensions: S seeds, G generations, Q problems, M agents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from mgptn.experiments.claims.gaming.best_of_pool import (
    GOLD,
    Curve,
    Proxies,
    best_of_n_curves,
    curve_numbers,
    drawn_curves,
    flatterers,
)
from mgptn.experiments.claims.gaming.ensembles import best_alone, ensemble_numbers, ensembles
from mgptn.experiments.claims.gaming.figure import draw_gaming
from mgptn.experiments.claims.method.alone import alone_numbers
from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.method.journals import Results, wrong_answers
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.claims.method.statistics import (
    first,
    first_less_second,
    first_over_second,
    second,
)
from mgptn.experiments.config.arms import RANDOM, SELECTED
from mgptn.population.measures.answer_errors import powers_to, vote_of_k
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

ONE = "one evaluator"
ALONE, TOGETHER, ORACLE = "alone", "mean of three", "oracle"
MARGIN = 0.2
"""Of flatterers, by which one evaluator must have more than several."""

JUDGES = 3
"""Trained graders: the first slots, who grade everybody."""

EIGHT, JUDGES_OF_EIGHT = "trained-eight", 8
"""And an arm that has more of them."""


class Part(NamedTuple):
    """What one part of the experiment says: what decides, groups of numbers, curves.

    Attributes
    ----------
    best
        Gold of the best of the trained arm's answers by the mean of its graders, float64 [S, Q].
    """

    decisive: list[Number]
    groups: list[list[Number]]
    curves: dict[str, tuple[float, ...]]
    best: Floats | None = None


def analyse(results: Results) -> Finding:
    """Takeovers by number of evaluators; best of n by scripted and by trained ones."""
    takeover, p = _of_takeovers(results)
    scripted, trained = _of_scripted(results), _of_trained(results)
    (shares,) = takeover.groups
    of_scripted, gained = scripted.groups
    of_trained, gained_more, accepted = trained.groups
    eight, more = _of_eight(results)
    return Finding.by(
        "gaming",
        [*takeover.decisive, *scripted.decisive, *trained.decisive, eight],
        p=p,
        numbers={
            "Takeover: the last generation": tuple(shares),
            "Best of n, scripted evaluators": tuple(of_scripted),
            "Best of n, trained evaluators": tuple(of_trained),
            "Best of n at the strongest selection, one against several": (*gained, *gained_more),
            "Ensembles: mean, minimum, mean less variance": tuple(more),
            "Trained evaluators: share of answers graded at least .6": tuple(accepted),
            "Answers without any selection": (
                *alone_numbers("trained", results, arm="trained"),
                *_voted(results, trained.best),
            ),
        },
        caveats=CAVEATS,
        curves=takeover.curves | scripted.curves | trained.curves,
    )


def _of_takeovers(results: Results) -> tuple[Part, float]:
    """Shares of flatterers at the end, one evaluator less several; and the primary test's p."""
    less, shares, over = [], [], []
    curves: dict[str, tuple[float, ...]] = {}
    ends: dict[str, Floats] = {}
    for name, labels in _takeovers(results).items():
        own, twin = (results.stacked(_flatterers, side, **labels) for side in (SELECTED, RANDOM))
        curves |= {f"takeover, {name}": tuple(own.mean(axis=0).tolist())}
        curves |= {f"takeover, {name}, twin": tuple(twin.mean(axis=0).tolist())}
        ends[name] = np.stack([own[:, -1], twin[:, -1]], -1)[:, None]
        right = results.stacked(_right, **labels)[:, [0, -1]][:, None]
        shares.append(share(f"{name}: share of flatterers", ends[name], first))
        shares.append(share(f"{name}: the same, twin", ends[name], second))
        gold = f"{name}: change of gold"
        shares.append(estimate(gold, right, lambda m: m[:, 1] - m[:, 0], DIFFERENCE))
        if name.endswith("disjoint"):
            told = f"{name}: share of flatterers less twin's"
            less.append(estimate(told, ends[name], first_less_second, DIFFERENCE))
    for few, many in ((ONE, "9 disjoint"), (ONE, "3 disjoint"), ("9 shared", "9 disjoint")):
        both = np.stack([ends[few][..., 0], ends[many][..., 0]], -1)
        told = f"share of flatterers, {few} less {many}"
        over.append(estimate(told, both, first_less_second, DIFFERENCE))
    return Part([*over, *less], [shares], curves), over[0].p_above(MARGIN)


def _of_scripted(results: Results) -> Part:
    """What several scripted evaluators gain over one."""
    curves = _pools(results)
    gained = []
    for many in ("9 disjoint", "3 disjoint", "9 shared"):
        both = np.stack([curves[many].at_end(GOLD), curves[ONE].at_end(GOLD)], -1)
        told = f"gold of the best, {many} less {ONE}"
        gained.append(estimate(told, both, first_less_second, DIFFERENCE))
    return Part(
        gained[:1],
        [curve_numbers(curves), gained[1:]],
        drawn_curves("scripted", curves),
    )


def _of_trained(results: Results) -> Part:
    """What the mean of the trained evaluators gains over each: the best of them is among these."""
    curves, accepted = _trained(results)
    singles = [name for name in curves if name.endswith(ALONE)]
    golds = np.stack([curves[name].at_end(GOLD) for name in (TOGETHER, *singles)], -1)
    over_mean = estimate(
        f"gold of the best, {TOGETHER} less the mean of each {ALONE}",
        golds,
        lambda m: m[:, 0] - m[:, 1:].mean(axis=1),
        DIFFERENCE,
    )
    over_each = [
        estimate(
            f"gold of the best, {TOGETHER} less {single}",
            golds[..., [0, place]],
            first_less_second,
            DIFFERENCE,
        )
        for place, single in enumerate(singles, start=1)
    ]
    return Part(
        over_each,
        [curve_numbers(curves), [over_mean], accepted],
        drawn_curves("trained", curves),
        curves[TOGETHER].at_end(GOLD),
    )


def _voted(results: Results, best: Floats | None) -> list[Number]:
    """Gold of the commonest of k answers, k to the pool, and what picking by grade has over it."""
    assert best is not None
    gold, draws = [], tuple[int, ...]()
    for cell in results.of(arm="trained"):
        generation = next(results.generations(cell))
        said = generation.by_problem(generation.outcomes.counted)[:, JUDGES:]
        draws = powers_to(said.shape[1])
        gold.append(1.0 - vote_of_k(said, wrong_answers(generation)[:, JUDGES:], draws))
    by_vote = np.stack(gold)
    less = estimate(
        f"gold of the best, {TOGETHER} less the vote of as many",
        np.stack([best, by_vote[..., -1]], -1),
        first_less_second,
        DIFFERENCE,
    )
    numbers = [share(f"gold of the vote of {k}", by_vote[..., i]) for i, k in enumerate(draws)]
    return [*numbers, less]


def _of_eight(results: Results) -> tuple[Number, list[Number]]:
    """Ensembles of scripted and of eight trained evaluators; the latter against the best alone."""
    more: list[Number] = []
    for arm in ("pool-shared", "pool-disjoint", "pool-correlated"):
        found = ensembles(results, arm, _seats, (1, 3, 5, 9), apart=0, turned=False)
        more += ensemble_numbers(arm.replace("pool-", "scripted, "), found)
    found = ensembles(results, EIGHT, _judges, (1, 3, 5, 8), apart=JUDGES_OF_EIGHT, turned=True)
    golds = np.stack([found.curves["mean of 8"].at_end(GOLD), best_alone(found.alone)], -1)
    told = "gold of the best, mean of eight less the best alone"
    eight = estimate(told, golds, first_less_second, DIFFERENCE)
    return eight, more + ensemble_numbers("trained, eight", found)


def _seats(generation: Generation) -> Floats:
    """Grades by seat of scripted evaluators, [J, M, Q]."""
    grades = generation.outcomes.grade_values()
    return np.moveaxis(grades.reshape(len(generation.agents), -1, grades.shape[1]), -1, 0)


def _judges(generation: Generation) -> Floats:
    """Grades by the first eight slots, likewise."""
    return np.stack([_by_slot(generation, slot) for slot in range(JUDGES_OF_EIGHT)])


CAVEATS = (
    "Scripted blind spots are disjoint by construction, and a flatterer knows one of them. What "
    "hides from several evaluators at once, a spot that they share in part, lies between the two.",
    "KL of the best of n is exact where no grades tie. Scripted grades tie often, and then it is "
    "an upper bound: the curves are drawn too far to the right, in the same way for all.",
    "One evaluator's grades are noisier than the mean of nine, so that under it agents replicate "
    "more by luck; takeovers of nine by a shared spot are smoother for that reason too.",
    "The trained evaluators are three sizes of one family on one corpus; eight are these, a second "
    "seed of one, and each as careful and as careless. More draws cost gold under their mean as "
    "well: several evaluators help, and do not end it.",
    "Scripted grades are all or nothing, so that the mean less the variance orders as the mean "
    "does.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Takeovers, and proxy and gold against √KL."""
    return draw_gaming(finding, path)


def _takeovers(results: Results) -> dict[str, dict[str, str]]:
    """Name → labels of the cells of each number of evaluators."""
    found = {}
    for arm, spots in (("takeover-shared", "shared"), ("takeover-disjoint", "disjoint")):
        for number in results.values("graders", arm=arm):
            name = ONE if number == "1" else f"{number} {spots}"
            found[name] = {"arm": arm, "graders": number}
    return found


def _flatterers(generation: Generation) -> Floats:
    return np.asarray(flatterers(generation).mean(), dtype=np.float64)


def _right(generation: Generation) -> Floats:
    return np.asarray(generation.outcomes.verdicts.mean(), dtype=np.float64)


def _pools(results: Results) -> dict[str, Curve]:
    """Best of n by the first 1, 3 and 9 scripted evaluators."""
    found: dict[str, Curve] = {}
    for arm, spots in (("pool-shared", "shared"), ("pool-disjoint", "disjoint")):

        def by_seats(generation: Generation, spots: str = spots) -> Proxies:
            grades = generation.outcomes.grade_values()
            seats = grades.reshape(len(generation.agents), -1, grades.shape[1])
            named = {ONE: 1, f"3 {spots}": 3, f"9 {spots}": 9}
            return {name: seats[:, :, :k].mean(axis=2) for name, k in named.items()}

        found |= best_of_n_curves(results, arm, by_seats, apart=0)
    return found


def _trained(results: Results) -> tuple[dict[str, Curve], list[Number]]:
    """Best of n by each trained evaluator, by their mean and by the oracle; what each accepts."""
    curves = best_of_n_curves(results, "trained", _by_model, apart=JUDGES)
    curves |= best_of_n_curves(results, "trained", _by_verdict, apart=JUDGES)
    columns: dict[str, list[Floats]] = {}
    for cell in results.of(arm="trained"):
        generation = next(results.generations(cell))
        right = generation.outcomes.verdicts.reshape(len(generation.agents), -1)[JUDGES:]
        gamed = np.broadcast_to(flatterers(generation)[JUDGES:, None], right.shape)
        sides = {"right ones": right, "wrong ones": ~right & ~gamed, "flatterers'": gamed}
        for name, grades in _by_model(generation).items():
            passed = grades[JUDGES:] >= cell.config.protocol.threshold
            for side, of in sides.items():
                both = np.stack([(passed & of).mean(axis=0), of.mean(axis=0)], -1)
                columns.setdefault(f"{name}: {side}", []).append(both)
    accepted = [share(name, np.stack(of), first_over_second) for name, of in columns.items()]
    return curves, accepted


def _by_model(generation: Generation) -> Proxies:
    """Grades by the first three slots, whose authors have other judges of their own answers."""
    found = {}
    for slot in range(JUDGES):
        model = generation.agents[slot].genome.model.partition("/")[0]
        found[f"{model} {ALONE}"] = _by_slot(generation, slot)
    return found | {TOGETHER: np.mean(list(found.values()), axis=0)}


def _by_slot(generation: Generation, slot: int) -> Floats:
    """Grades by one slot, float64 [M, Q]; NaN of what it was not asked."""
    grades, slots = generation.outcomes.grade_values(), generation.outcomes.matches.graders
    mine = np.where(slots == slot, grades, np.nan)
    known = ~np.isnan(mine)
    said = np.full(len(mine), np.nan)
    said[known.any(axis=1)] = mine[known]
    return said.reshape(len(generation.agents), -1)


def _by_verdict(generation: Generation) -> Proxies:
    verdicts = generation.outcomes.verdicts.astype(np.float64)
    return {ORACLE: verdicts.reshape(len(generation.agents), -1)}
