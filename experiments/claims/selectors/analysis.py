"""Claim 8: is what a selector makes the error fall by given by what it accepts, whoever it is?

Dimensions: S seeds, Q problems, C cells of one kind of agents, F columns of a fit, D rows of means.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mgptn.experiments.claims.method.alone import alone_numbers
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results, accepted_answers, wrong_answers
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.claims.selectors.figure import draw_selectors
from mgptn.experiments.config.arms import RANDOM
from mgptn.experiments.running.grid import Cell
from mgptn.population.intervals.spread import Statistic
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

WRONG, GOOD_TAKEN, BAD_TAKEN, BOTH_TAKEN, PAIRS, ONE_TAKEN, FIRST, END, TWIN_END = range(9)
"""Of a problem's answers, shares: wrong, right and accepted, wrong and accepted. Of ordered pairs
of wrong ones, numbers: both accepted, all, the first accepted. Wrong in the first generation, in
the last, and in the last of the twin."""

SCRIPTED = "copiers"
SHARE = 0.8
PREDICTED = "Share of the variance between cells that is predicted"
PREDICTABLE = (-math.inf, 1.0)


def analyse(results: Results) -> Finding:
    """Fits of the fall in error, for each kind of agents."""
    shares, left, gains, rates, alone = [], [], [], [], []
    predicted: list[Number] = []
    added: list[Number] = []
    curves: dict[str, tuple[float, ...]] = {}
    for kind in dict.fromkeys(kind_of(cell)[0] for cell in results.cells):
        groups = _cells(results, kind)
        data = np.stack([_data(results, cell) for cell in groups.values()], axis=2)
        who = [kind_of(cell)[1] for cell in groups.values()]
        by_rates, by_identity, by_both = (
            estimate(f"{kind}: by {name}", data, _share(who, *parts), PREDICTABLE)
            for name, parts in (
                ("TPR, FPR and ρ", (True, False)),
                ("identity", (False, True)),
                ("TPR, FPR, ρ and identity", (True, True)),
            )
        )
        predicted.append(by_rates)
        shares += [by_identity, by_both]
        told = f"{kind}: by both less by TPR, FPR and ρ"
        added.append(estimate(told, data, _more(who)))
        means = data.mean(axis=(0, 1))[None]
        fall, expected = fall_of(means)[0], (fall_of(means) - left_out(design(means), means))[0]
        for one in dict.fromkeys(who):
            mine = np.array([name == one for name in who])
            left.append(estimate(f"{kind}: {one}", data, _residual(mine)))
            curves[f"{kind}, {one}: measured"] = tuple(fall[mine].tolist())
            curves[f"{kind}, {one}: predicted"] = tuple(expected[mine].tolist())
        if kind != SCRIPTED:
            alone += alone_numbers(kind, results, arm=f"{kind}-oracle", selector="random")
        for place, name in enumerate(groups):
            gains.append(estimate(f"{name}: fall", data[:, :, place], fall_of, DIFFERENCE))
            rates += [
                share(f"{name}: {told}", data[:, :, place], of)
                for told, of in (("TPR", _tpr), ("FPR", _fpr))
            ]
            rates.append(estimate(f"{name}: ρ", data[:, :, place], correlation, DIFFERENCE))
    return Finding.by(
        "selectors",
        [*predicted, *added],
        # All must be shown, so that the largest counts.
        p=worst(one.p_above(SHARE) for one in predicted),
        numbers={
            PREDICTED: tuple(shares),
            "Mean fall of the error beyond what TPR, FPR and ρ say, by selector": tuple(left),
            "Fall of the error beyond the random-selector twin's": tuple(gains),
            "What was accepted": tuple(rates),
            "Founders alone": tuple(alone),
        },
        caveats=CAVEATS,
        curves=curves,
    )


CAVEATS = (
    "The fit learns from other cells what a rate is worth: the claim is that one such rule does "
    "for every selector, not that theory knows it beforehand.",
    "What is not predicted is also noise of seeds and problems, the same for every way to predict; "
    "what identity adds is to be read beside it. Predicting left-out cells costs a fit for each "
    "constant that it does not need, so that identity can add less than nothing.",
    "The coin's own cell lies apart: left out, it has to be extrapolated to, and it is what the "
    "fits for gpt-2 miss most, in the figure at the lower left.",
    "Selectors differ in their scores too, and so in how strongly agents replicate; here the rates "
    "stand for that as well.",
    "Two rungs of trained models, four seeds each, on one task. The simulated human errs at "
    "random; a human whose errors favour a kind of wrong answer is not among them.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Measured against predicted fall, a panel a kind, a mark a selector."""
    return draw_selectors(finding, path)


def kind_of(cell: Cell) -> tuple[str, str]:
    """A cell's kind of agents, and who selects: ``("gpt-3", "human")``."""
    kind, _, who = dict(cell.labels)["arm"].rpartition("-")
    return kind, who


def correlation(means: Floats) -> Floats:
    """Of acceptance of two wrong answers to one problem; 0 where all, or none, are accepted.

    Parameters
    ----------
    means
        float64 [..., 9].

    Source
    ------
    Intraclass correlation by pairs (Fisher 1925, section 38).
    """
    pairs = np.where(means[..., PAIRS] > 0.0, means[..., PAIRS], np.nan)
    one, both = means[..., ONE_TAKEN] / pairs, means[..., BOTH_TAKEN] / pairs
    spread = one * (1.0 - one)
    varies = spread > 1e-9
    return np.where(varies, (both - one**2) / np.where(varies, spread, 1.0), 0.0)


def design(means: Floats, who: Sequence[str] = (), rates: bool = True) -> Floats:
    """The columns of a fit, [D, C, F]: a constant, what TPR, FPR and ρ say, and who selects.

    Parameters
    ----------
    means
        float64 [D, C, 9].
    who
        Identity of each cell's selector; none to leave it out.
    """
    columns = [np.ones(means.shape[:2])]
    if rates:
        error = means[..., FIRST].mean(axis=1, keepdims=True)
        bad, good = error * _fpr(means), (1.0 - error) * _tpr(means)
        taken = bad + good
        step = np.where(taken > 0.0, error - bad / np.where(taken > 0.0, taken, 1.0), 0.0)
        columns += [step, step**2, taken, correlation(means)]
    for one in list(dict.fromkeys(who))[1:]:
        columns.append(np.broadcast_to([name == one for name in who], means.shape[:2]))
    return np.stack(columns, -1).astype(np.float64)


def fall_of(means: Floats) -> Floats:
    """Fall of the error beyond the twin's, [D, C]."""
    return np.asarray(means[..., TWIN_END] - means[..., END])


def left_out(columns: Floats, means: Floats) -> Floats:
    """What a fit to the other cells misses each cell's fall by, [D, C]; least squares.

    Source
    ------
    Allen 1974, "The relationship between variable selection and data augmentation".
    """
    hat = columns @ np.linalg.pinv(columns)
    fall = fall_of(means)
    missed = fall - (hat @ fall[..., None])[..., 0]
    free = 1.0 - np.diagonal(hat, axis1=1, axis2=2)
    return np.asarray(missed / np.where(free > 1e-9, free, np.nan))


def predicted_share(columns: Floats, means: Floats) -> Floats:
    """Share of the variance of falls that is predicted of left-out cells, [D]; at most 1.

    NaN where there is none.
    """
    nothing = left_out(np.ones((*means.shape[:2], 1)), means)
    spread = np.sum(nothing**2, axis=1)
    missed = np.sum(left_out(columns, means) ** 2, axis=1)
    return np.asarray(1.0 - missed / np.where(spread > 0.0, spread, np.nan))


def _share(who: Sequence[str], rates: bool, identity: bool) -> Statistic:
    return lambda means: predicted_share(design(means, who if identity else (), rates), means)


def _more(who: Sequence[str]) -> Statistic:
    both, alone = _share(who, True, True), _share(who, True, False)
    return lambda means: both(means) - alone(means)


def _residual(mine: NDArray[np.bool_]) -> Statistic:
    """Mean of what a fit by rates alone to all cells misses some of them by."""

    def of(means: Floats) -> Floats:
        columns, fall = design(means), fall_of(means)
        fitted = (columns @ (np.linalg.pinv(columns) @ fall[..., None]))[..., 0]
        return np.asarray((fall - fitted)[:, mine].mean(axis=1))

    return of


def _tpr(means: Floats) -> Floats:
    return _over(means[..., GOOD_TAKEN], 1.0 - means[..., WRONG])


def _fpr(means: Floats) -> Floats:
    return _over(means[..., BAD_TAKEN], means[..., WRONG])


def _over(part: Floats, whole: Floats) -> Floats:
    """A share; 0 of nothing, since what is never asked of a selector changes nothing."""
    return np.asarray(part / np.where(whole > 0.0, whole, np.inf))


def _cells(results: Results, kind: str) -> dict[str, Cell]:
    """One cell, of the first seed, of all that differ in their seeds alone, by a name."""
    found: dict[str, Cell] = {}
    for cell in results.cells:
        if kind_of(cell)[0] == kind:
            arm, *along = cell.labels
            found.setdefault(", ".join([arm[1], *(f"{k} {v}" for k, v in along)]), cell)
    return found


def _data(results: Results, cell: Cell) -> Floats:
    """float64 [S, Q, 9] of the cells that differ from one in their seeds alone."""
    labels = dict(cell.labels)
    own = results.stacked(_accepted, **labels)
    twin = results.stacked(wrong_answers, RANDOM, **labels).mean(axis=3)
    shown = own[:, :-1].mean(axis=1)
    ends = [own[:, 0, :, WRONG], own[:, -1, :, WRONG], twin[:, -1]]
    return np.concatenate([shown, np.stack(ends, -1)], axis=-1)


def _accepted(generation: Generation) -> Floats:
    """float64 [Q, 6]: the first columns of the nine."""
    wrong, taken = wrong_answers(generation), accepted_answers(generation)
    bad, all_bad = (wrong * taken).sum(axis=1), wrong.sum(axis=1)
    shares = [side.mean(axis=1) for side in (wrong, taken * (1.0 - wrong), taken * wrong)]
    pairs = [bad * (bad - 1.0), all_bad * (all_bad - 1.0), bad * (all_bad - 1.0)]
    return np.stack([*shares, *pairs], -1)
