"""What every kind of grader is worth against verdicts, with intervals by bootstrap over problems.

A kind is a model, and a role where some agents have another than the ordinary one; ``"all"`` stands
for all of them. Dimensions: M agents, Q problems, K seats, A = M·Q answers, F kinds, H bins of
grades, R draws of the bootstrap. Verdicts are for measurement: nothing here selects.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from population.agreement import correlations, pair_moments
from population.generation import Generation
from population.grading import auc, brier, calibration_error, effective_graders, grader_rates
from population.judgement import wilson
from population.outcomes import Floats, Integers, Outcomes, Truths, interned
from population.records import ORDINARY
from population.streams import stream

ALL = "all"
DRAWS = 1000
BINS = 10
"""Bins of equal width for calibration."""

FEW = 256
"""Distinct grades up to which a bootstrap sees each; more are put into as many bins by rank."""


class Estimate(NamedTuple):
    """A value and its 95 % interval; NaN where undefined."""

    value: float
    low: float
    high: float


UNDEFINED = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Grades from place / 10 to (place + 1) / 10: how many, their mean, and who of them is right.

    `right` is the share of right answers among those graded so: on the diagonal, where grades mean
    what they say, it equals `grade_mean`.
    """

    place: int
    grades: int
    grade_mean: float
    right: Estimate


@dataclass(frozen=True, slots=True)
class GraderMeasures:
    """What one kind of grader is worth in one generation.

    Attributes
    ----------
    model, role
        The kind; ``"all"`` for any.
    agents
        Of the kind.
    grades, unreadable
        Grades by the kind that could be read, and that could not. Authors' own are left out where
        others grade too, here and in all but the measures of that name.
    tpr, fpr, youden_j, likelihood_ratio
        Of accepting grades of at least the threshold.
    auc, ece, brier
        Of the grades themselves.
    correlation, effective_graders
        Mean correlation of two such graders' grades of the same wrong answers; and the number of
        independent graders that as many of them as grade an answer are worth.
    self_preference
        Own grade less the mean of others' grades of the same answer.
    own_bias, own_tpr, own_fpr
        Own grade less verdict; and own grades of at least the threshold, of right answers and of
        wrong ones.
    position_bias
        Mean order effect of comparisons: above 0, what is shown first is favoured.
    reliability
        Of each bin that has grades.
    """

    model: str
    role: str
    agents: int
    grades: int
    unreadable: int
    tpr: Estimate
    fpr: Estimate
    youden_j: Estimate
    likelihood_ratio: Estimate
    auc: Estimate
    ece: Estimate
    brier: Estimate
    correlation: Estimate
    effective_graders: Estimate
    self_preference: Estimate
    own_bias: Estimate
    own_tpr: Estimate
    own_fpr: Estimate
    position_bias: Estimate
    reliability: tuple[ReliabilityBin, ...]


ESTIMATES: tuple[str, ...] = tuple(
    name for name, kind in GraderMeasures.__annotations__.items() if kind == "Estimate"
)
"""Measures that come with an interval, in order."""


def measure_graders(
    generation: Generation, threshold: float, seed: int
) -> tuple[GraderMeasures, ...]:
    """Measure every kind of grader of a generation: all together first, then by kind.

    Parameters
    ----------
    threshold
        Grades of at least this accept.
    seed
        Of the run: names the bootstrap's stream.
    """
    outcomes = generation.outcomes
    kinds, kind_of = interned(
        (agent.genome.model, agent.genome.role) for agent in generation.agents
    )
    resampled = _resampled(outcomes.matches.problems, stream(seed, "graders", generation.index))
    tally = _Tally(outcomes, kind_of, len(kinds), threshold)
    found: list[GraderMeasures] = []
    for model, role, chosen in _rows(kinds):
        within = np.array(chosen)
        if len(found) == 1 and len(kinds) == 1:
            # One kind alone is all there are.
            found.append(_renamed(found[0], model))
            continue
        found.append(_measured(model, role, within, tally, kind_of, resampled))
    return tuple(found)


def position_bias(order_effects: Floats, problems: Integers, resampled: Floats) -> Estimate:
    """Mean order effect: P(first wins | author's answer first) + P(… | second) − 1, over answers.

    Parameters
    ----------
    order_effects
        float64 [N] in [−1, 1], NaN where nothing could be compared.
    problems
        Integers [N], the problem of each.
    resampled
        float64 [R, Q], how often each problem is drawn.
    """
    known = ~np.isnan(order_effects)
    return _mean_of(order_effects[known], problems[known], resampled)


def _rows(kinds: Sequence[tuple[str, str]]) -> list[tuple[str, str, list[bool]]]:
    """Model, role and which kinds of each row: all, each model, and each role of it if several."""
    rows = [(ALL, ALL, [True] * len(kinds))]
    for model in sorted({model for model, _ in kinds}):
        its = [kind[0] == model for kind in kinds]
        rows.append((model, ALL, its))
        roles = sorted({role for named, role in kinds if named == model})
        if roles != [ORDINARY]:
            rows += [(model, role, [kind == (model, role) for kind in kinds]) for role in roles]
    return rows


def _renamed(measures: GraderMeasures, model: str) -> GraderMeasures:
    fields = {name: getattr(measures, name) for name in GraderMeasures.__annotations__}
    return GraderMeasures(**{**fields, "model": model})


class _Tally:
    """Counts of a generation's grades by kind of grader, problem, verdict and value.

    Attributes
    ----------
    exact
        int64 [F, 2, D + 1], by verdict and distinct grade; place 0 is for unreadable ones.
    binned
        int64 [F, Q, 2, H], of readable ones.
    values
        float64 [H], mean grade of each bin, ascending.
    """

    def __init__(self, outcomes: Outcomes, kind_of: Integers, kinds: int, threshold: float) -> None:
        self.outcomes = outcomes
        self.threshold = threshold
        self.grades = np.clip(outcomes.values, 0.0, 1.0)
        places, self.values = _bins(self.grades, threshold)
        asked, right = outcomes.matches.asked, outcomes.verdicts.astype(np.int64)
        seats, distinct, bins = outcomes.peer_seats(), len(self.grades), len(self.values)
        exact = np.zeros((kinds, 2, distinct + 1), dtype=np.int64)
        binned = np.zeros((kinds, outcomes.matches.problems, 2, bins + 1), dtype=np.int64)
        coarse = np.append(places + 1, 0)
        for seat, grade in enumerate(outcomes.grades.T):
            counted = slice(None) if seats is None else seats[:, seat]
            kind = kind_of[outcomes.matches.graders[counted, seat]] if kinds > 1 else 0
            given, verdict = grade[counted].astype(np.int64), right[counted]
            where = (kind * len(binned[0]) + asked[counted]) * 2 + verdict
            flat = where * (bins + 1) + coarse[given]
            binned += np.bincount(flat, minlength=binned.size).reshape(binned.shape)
            if distinct > bins:
                flat = (kind * 2 + verdict) * (distinct + 1) + given + 1
                exact += np.bincount(flat, minlength=exact.size).reshape(exact.shape)
        if distinct <= bins:
            # Every distinct grade is a bin of its own, though in ascending order.
            exact = binned.sum(axis=1)[:, :, np.append(0, places + 1)]
        self.exact, self.binned = exact, binned[..., 1:]


def _bins(grades: Floats, threshold: float) -> tuple[Integers, Floats]:
    """The bin of each distinct grade, [D], and the mean grade of each bin, ascending, [H].

    No bin lies on both sides of the threshold or of a bin of the calibration error.
    """
    order = np.argsort(grades, kind="stable")
    rank = np.empty(len(grades), dtype=np.int64)
    rank[order] = np.arange(len(grades)) * min(FEW, len(grades)) // max(len(grades), 1)
    if len(grades) <= FEW:
        rank[order] = np.arange(len(grades))
    keys = (rank * 2 + (grades >= threshold)) * (BINS + 1) + _calibration_bin(grades)
    _, places = np.unique(keys, return_inverse=True)
    counts = np.bincount(places)
    return places, np.bincount(places, weights=grades) / np.maximum(counts, 1)


def _calibration_bin(grades: Floats) -> Integers:
    """The bin of equal width of each grade; a grade on an edge belongs above it, 1 to the last."""
    return np.minimum((grades * BINS).astype(np.int64), BINS - 1)


def _resampled(problems: int, rng: np.random.Generator) -> Floats:
    """How often each draw of the bootstrap has each problem, float64 [R, Q]."""
    drawn = rng.multinomial(problems, np.full(problems, 1.0 / problems), size=DRAWS)
    return drawn.astype(np.float64)


def _measured(
    model: str,
    role: str,
    within: Truths,
    tally: _Tally,
    kind_of: Integers,
    resampled: Floats,
) -> GraderMeasures:
    """One row: the kinds in `within`, bool [F]."""
    outcomes, threshold = tally.outcomes, tally.threshold
    exact = tally.exact[within].sum(axis=0)
    values, right = np.tile(tally.grades, 2), np.repeat([False, True], len(tally.grades))
    counts = exact[:, 1:].ravel()
    rates = grader_rates(values, right, threshold, counts)
    binned = tally.binned[within].sum(axis=0)
    sampled = _sampled(binned, tally.values, threshold, resampled)
    members = within[kind_of]
    own = _own(outcomes, members, threshold, resampled)
    moments = pair_moments(outcomes, members)
    pairs = correlations(moments.sum(axis=1))
    rho = _estimate(pairs[0] if len(pairs) else math.nan, correlations(_drawn(moments, resampled)))
    seats = max(1, outcomes.peers_asked)
    return GraderMeasures(
        model=model,
        role=role,
        agents=int(members.sum()),
        grades=int(counts.sum()),
        unreadable=int(exact[:, 0].sum()),
        tpr=_proportion(rates.tpr, sampled["tpr"], binned[:, 1].sum(axis=1)),
        fpr=_proportion(rates.fpr, sampled["fpr"], binned[:, 0].sum(axis=1)),
        youden_j=_estimate(rates.youden_j, sampled["tpr"] - sampled["fpr"]),
        likelihood_ratio=_estimate(rates.likelihood_ratio, sampled["ratio"]),
        auc=_estimate(auc(values, right, counts), sampled["auc"]),
        ece=_estimate(calibration_error(values, right, BINS, counts), sampled["ece"]),
        brier=_estimate(brier(values, right, counts), sampled["brier"]),
        correlation=rho,
        effective_graders=_effective(seats, rho),
        **own,
        position_bias=_order(outcomes, members, resampled),
        reliability=_reliability(binned, tally.values, resampled),
    )


def _sampled(
    binned: NDArray[np.int64], values: Floats, threshold: float, resampled: Floats
) -> dict[str, Floats]:
    """Measures of every draw, [R] each, from counts by problem, verdict and bin, [Q, 2, H]."""
    problems, _, bins = binned.shape
    drawn = (resampled @ binned.reshape(problems, 2 * bins)).reshape(len(resampled), 2, bins)
    wrong, right = drawn[:, 0], drawn[:, 1]
    accepts = values >= threshold
    place = np.eye(BINS)[_calibration_bin(values)]
    with np.errstate(divide="ignore", invalid="ignore"):
        total, positives, negatives = (drawn.sum(axis=(1, 2)), right.sum(axis=1), wrong.sum(axis=1))
        tpr, fpr = right @ accepts / positives, wrong @ accepts / negatives
        below = np.cumsum(wrong, axis=1) - wrong / 2.0
        gaps = (right * (1.0 - values) - wrong * values) @ place
        return {
            "tpr": tpr,
            "fpr": fpr,
            "ratio": tpr / fpr,
            "auc": (right * below).sum(axis=1) / (positives * negatives),
            "ece": np.abs(gaps).sum(axis=1) / total,
            "brier": (right @ (1.0 - values) ** 2 + wrong @ values**2) / total,
        }


def _own(
    outcomes: Outcomes, members: Truths, threshold: float, resampled: Floats
) -> dict[str, Estimate]:
    """What authors say of their own answers, beside what others and the verifier say of them."""
    names = "self_preference", "own_bias", "own_tpr", "own_fpr"
    said = outcomes.own_values()
    chosen = members[outcomes.matches.slots] & ~np.isnan(said)
    if not chosen.any():
        return dict.fromkeys(names, UNDEFINED)
    asked, verdicts, own = outcomes.matches.asked, outcomes.verdicts, np.clip(said, 0.0, 1.0)
    others = outcomes.mean_grades()
    both = chosen & ~np.isnan(others)
    if outcomes.peer_seats() is None:
        # Nobody else was asked: the peers' word is the author's own.
        both = np.zeros_like(chosen)
    accepts = (own >= threshold).astype(np.float64)
    found = [
        _mean_of((own - others)[both], asked[both], resampled),
        _mean_of((own - verdicts)[chosen], asked[chosen], resampled),
    ]
    for side in (chosen & verdicts, chosen & ~verdicts):
        found.append(_mean_of(accepts[side], asked[side], resampled, share=True))
    return dict(zip(names, found, strict=True))


def _order(outcomes: Outcomes, members: Truths, resampled: Floats) -> Estimate:
    """Position bias of some slots' comparisons."""
    effects = outcomes.order_effects
    if not effects.size:
        return UNDEFINED
    by_them = members[outcomes.matches.graders[:, : effects.shape[1]]]
    asked = np.broadcast_to(outcomes.matches.asked[:, None], effects.shape)
    return position_bias(effects[by_them], asked[by_them], resampled)


def _reliability(
    binned: NDArray[np.int64], values: Floats, resampled: Floats
) -> tuple[ReliabilityBin, ...]:
    """Share of right answers by bin of grades, with intervals."""
    place = np.eye(BINS)[_calibration_bin(values)]
    by_bin = binned @ place
    counts, right = by_bin.sum(axis=(0, 1)), by_bin[:, 1].sum(axis=0)
    sums = (binned.sum(axis=(0, 1)) * values) @ place
    problems = len(binned)
    drawn = (resampled @ by_bin.reshape(problems, -1)).reshape(-1, 2, BINS)
    found = []
    for i in np.flatnonzero(counts).tolist():
        with np.errstate(invalid="ignore"):
            shares = drawn[:, 1, i] / drawn[:, :, i].sum(axis=1)
        share = _proportion(right[i] / counts[i], shares, by_bin[:, :, i].sum(axis=1))
        found.append(ReliabilityBin(i, int(counts[i]), float(sums[i] / counts[i]), share))
    return tuple(found)


def _drawn(moments: Floats, resampled: Floats) -> Floats:
    """Moments by problem, [6, Q, P], summed over the problems of every draw, [6, R, P]."""
    drawn: Floats = resampled @ moments
    return drawn


def _effective(seats: int, rho: Estimate) -> Estimate:
    """As many correlated graders as independent ones; fewer the higher the correlation."""
    value, high, low = (math.nan if math.isnan(r) else effective_graders(seats, r) for r in rho)
    return Estimate(value, low, high)


def _mean_of(
    values: Floats, problems: Integers, resampled: Floats, share: bool = False
) -> Estimate:
    """Mean of values, [N], that belong to problems, [N]."""
    if not len(values):
        return UNDEFINED
    width = resampled.shape[1]
    counts = np.bincount(problems, minlength=width).astype(np.float64)
    sums = np.bincount(problems, weights=values, minlength=width)
    with np.errstate(invalid="ignore"):
        drawn = resampled @ sums / (resampled @ counts)
    value = float(sums.sum() / counts.sum())
    return _proportion(value, drawn, counts) if share else _estimate(value, drawn)


def _estimate(value: float, drawn: Floats) -> Estimate:
    """A value with the 2.5 % and 97.5 % quantiles of its draws; NaN draws are left out."""
    known = np.sort(drawn[~np.isnan(drawn)])
    if math.isnan(value) or not known.size:
        return Estimate(float(value), math.nan, math.nan)
    # Observed ones, not between two: a draw may be infinite.
    low, high = (known[min(int(q * known.size), known.size - 1)] for q in (0.025, 0.975))
    return Estimate(float(value), float(low), float(high))


def _proportion(value: float, drawn: Floats, by_problem: Integers | Floats) -> Estimate:
    """A share; where it is 0 or 1, and every draw with it, Wilson's interval by its problems.

    Parameters
    ----------
    by_problem
        [Q], how many trials each problem has: problems, not trials, are what is drawn anew.
    """
    found = _estimate(value, drawn)
    if value in (0.0, 1.0):
        problems = int(np.count_nonzero(by_problem))
        bounds = wilson(problems if value else 0, problems)
        return Estimate(found.value, bounds.low, bounds.high)
    return found
