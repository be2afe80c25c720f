"""What every kind of grader is worth against verdicts, with intervals by leaving out problems.

A kind is a model, and a role where some agents have another than the ordinary one; ``"all"`` stands
for all of them. Dimensions: M agents, Q problems, K seats, A = M·Q answers, F kinds, H bins of
grades, R groups of problems, left out in turn. Verdicts are for measurement: nothing here selects.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgptn.population.measures.agreement import correlations, pair_moments
from mgptn.population.measures.grade_tally import BINS, Tally, calibration_bin
from mgptn.population.measures.leaving_out import (
    DIFFERENCE,
    RATIO,
    UNDEFINED,
    Estimate,
    estimate,
    mean_of,
    proportion,
    share_estimate,
    without_each,
)
from mgptn.population.measures.rates import (
    auc,
    brier,
    calibration_error,
    effective_graders,
    grader_rates,
)
from mgptn.population.records.agents import ORDINARY
from mgptn.population.records.arrays import Floats, Integers, Truths, interned
from mgptn.population.records.generation import Generation
from mgptn.population.records.outcomes import Outcomes

ALL = "all"


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
        others grade too, here and in all but the measures of that name; so are grades of answers
        without a verdict.
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


def measure_graders(generation: Generation, threshold: float) -> tuple[GraderMeasures, ...]:
    """Measure every kind of grader of a generation: all together first, then by kind.

    Parameters
    ----------
    threshold
        Grades of at least this accept.
    """
    outcomes = generation.outcomes
    agents = generation.agents
    kinds, kind_of = interned(zip(agents.models(), agents.roles(), strict=True))
    kept = without_each(outcomes.matches.problems)
    tally = Tally(outcomes, kind_of, len(kinds), threshold)
    found: list[GraderMeasures] = []
    for model, role, chosen in _rows(kinds):
        within = np.array(chosen)
        if len(found) == 1 and len(kinds) == 1:
            # One kind alone is all there are.
            found.append(_renamed(found[0], model))
            continue
        found.append(_measured(model, role, within, tally, kind_of, kept))
    return tuple(found)


def position_bias(order_effects: Floats, problems: Integers, kept: Floats) -> Estimate:
    """Mean order effect: P(first wins | author's answer first) + P(… | second) − 1, over answers.

    Parameters
    ----------
    order_effects
        float64 [N] in [−1, 1], NaN where nothing could be compared.
    problems
        Integers [N], the problem of each.
    kept
        float64 [R, Q], which problems are left.
    """
    known = ~np.isnan(order_effects)
    return mean_of(order_effects[known], problems[known], kept)


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


def _measured(
    model: str,
    role: str,
    within: Truths,
    tally: Tally,
    kind_of: Integers,
    kept: Floats,
) -> GraderMeasures:
    """One row: the kinds in `within`, bool [F]."""
    outcomes, threshold = tally.outcomes, tally.threshold
    exact = tally.exact[within].sum(axis=0)
    values, right = np.tile(tally.grades, 2), np.repeat([False, True], len(tally.grades))
    counts = exact[:, 1:].ravel()
    rates = grader_rates(values, right, threshold, counts)
    binned = tally.binned[within].sum(axis=0)
    left = _left(binned, tally.values, threshold, kept)
    members = within[kind_of]
    own = _own(outcomes, members, threshold, kept)
    moments = pair_moments(outcomes, members)
    pairs = correlations(moments.sum(axis=1))
    without = correlations(_without(moments, kept))
    rho = estimate(float(pairs[0]) if len(pairs) else math.nan, without, DIFFERENCE)
    seats = max(1, outcomes.peers_asked)
    return GraderMeasures(
        model=model,
        role=role,
        agents=int(members.sum()),
        grades=int(counts.sum()),
        unreadable=int(exact[:, 0].sum()),
        tpr=proportion(rates.tpr, left["tpr"], binned[:, 1].sum(axis=1)),
        fpr=proportion(rates.fpr, left["fpr"], binned[:, 0].sum(axis=1)),
        youden_j=estimate(rates.youden_j, left["tpr"] - left["fpr"], DIFFERENCE),
        likelihood_ratio=estimate(rates.likelihood_ratio, left["ratio"], RATIO),
        auc=share_estimate(auc(values, right, counts), left["auc"]),
        ece=share_estimate(calibration_error(values, right, BINS, counts), left["ece"]),
        brier=share_estimate(brier(values, right, counts), left["brier"]),
        correlation=rho,
        effective_graders=_effective(seats, rho),
        **own,
        position_bias=_order(outcomes, members, kept),
        reliability=_reliability(binned, tally.values, kept),
    )


def _left(
    binned: NDArray[np.int64], values: Floats, threshold: float, kept: Floats
) -> dict[str, Floats]:
    """Measures without each group, [R], from counts by problem, verdict and bin, [Q, 2, H]."""
    problems, _, bins = binned.shape
    those = (kept @ binned.reshape(problems, 2 * bins)).reshape(len(kept), 2, bins)
    wrong, right = those[:, 0], those[:, 1]
    accepts = values >= threshold
    place = np.eye(BINS)[calibration_bin(values)]
    with np.errstate(divide="ignore", invalid="ignore"):
        total, positives, negatives = (those.sum(axis=(1, 2)), right.sum(axis=1), wrong.sum(axis=1))
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
    outcomes: Outcomes, members: Truths, threshold: float, kept: Floats
) -> dict[str, Estimate]:
    """What authors say of their own answers, beside what others and the verifier say of them."""
    names = "self_preference", "own_bias", "own_tpr", "own_fpr"
    said = outcomes.own_values()
    chosen = members[outcomes.matches.slots] & ~np.isnan(said)
    if not chosen.any():
        return dict.fromkeys(names, UNDEFINED)
    asked, verdicts, own = outcomes.matches.asked, outcomes.verdicts, np.clip(said, 0.0, 1.0)
    judged = chosen & outcomes.known
    others = outcomes.mean_grades()
    both = chosen & ~np.isnan(others)
    if outcomes.peer_seats() is None:
        # Nobody else was asked: the peers' word is the author's own.
        both = np.zeros_like(chosen)
    accepts = (own >= threshold).astype(np.float64)
    found = [
        mean_of((own - others)[both], asked[both], kept),
        mean_of((own - verdicts)[judged], asked[judged], kept),
    ]
    for side in (chosen & verdicts, chosen & outcomes.wrong):
        found.append(mean_of(accepts[side], asked[side], kept, share=True))
    return dict(zip(names, found, strict=True))


def _order(outcomes: Outcomes, members: Truths, kept: Floats) -> Estimate:
    """Position bias of some slots' comparisons."""
    effects = outcomes.order_effects
    if not effects.size:
        return UNDEFINED
    by_them = members[outcomes.matches.graders[:, : effects.shape[1]]]
    asked = np.broadcast_to(outcomes.matches.asked[:, None], effects.shape)
    return position_bias(effects[by_them], asked[by_them], kept)


def _reliability(
    binned: NDArray[np.int64], values: Floats, kept: Floats
) -> tuple[ReliabilityBin, ...]:
    """Share of right answers by bin of grades, with intervals."""
    place = np.eye(BINS)[calibration_bin(values)]
    by_bin = binned @ place
    counts, right = by_bin.sum(axis=(0, 1)), by_bin[:, 1].sum(axis=0)
    sums = (binned.sum(axis=(0, 1)) * values) @ place
    problems = len(binned)
    left = (kept @ by_bin.reshape(problems, -1)).reshape(-1, 2, BINS)
    found = []
    for i in np.flatnonzero(counts).tolist():
        with np.errstate(invalid="ignore"):
            shares = left[:, 1, i] / left[:, :, i].sum(axis=1)
        share = proportion(right[i] / counts[i], shares, by_bin[:, :, i].sum(axis=1))
        found.append(ReliabilityBin(i, int(counts[i]), float(sums[i] / counts[i]), share))
    return tuple(found)


def _without(moments: Floats, kept: Floats) -> Floats:
    """Moments by problem, [6, Q, P], summed over the problems that are left, [6, R, P]."""
    found: Floats = kept @ moments
    return found


def _effective(seats: int, rho: Estimate) -> Estimate:
    """As many correlated graders as independent ones; fewer the higher the correlation.

    Without an interval where all of it is infinite: of a correlation that so many cannot have.
    """
    value, high, low = (math.nan if math.isnan(r) else effective_graders(seats, r) for r in rho)
    return Estimate(value, math.nan, math.nan) if low == math.inf else Estimate(value, low, high)
