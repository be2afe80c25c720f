"""Claim 3: is one round's gain what graders' rates on other problems say, task by task?

Dimensions: S seeds, H pairs of problems (one measures the graders, the other the gain), M agents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from mgptn.experiments.claims.method.finding import (
    Finding,
    Number,
    above,
    estimate,
    resampled,
    share_at_or_below,
    within,
)
from mgptn.experiments.claims.method.journals import (
    Results,
    accepted_answers,
    by_problem,
    wrong_answers,
)
from mgptn.experiments.config.arms import RANDOM
from mgptn.experiments.figures.style import (
    ARM_STYLES,
    MUTED,
    REFERENCE,
    canvas,
    styled,
    write_figure,
)
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

(WRONG, TAKEN, BAD_TAKEN, BAD_PASSED, GOOD_PASSED, NEXT, NEXT_TWIN) = range(7)
"""Shares of a problem's answers: wrong; accepted; wrong and accepted; wrong, and right, and passed
by a grader; wrong in the second round, and in the twin's."""

NO_GAP = 0.02
TOLERANCE = 0.05
GAINS = "Gain of one round (on the other half)"


def analyse(results: Results) -> Finding:
    """Measured and predicted gain of every task."""
    graders, gains, taken_up, conditions, gapped = [], [], [], [], []
    p = math.nan
    for task in results.values("task"):
        data = _data(results, task)
        gap = estimate(f"{task}: TPR − FPR", data, lambda m: _tpr(m) - _fpr(m))
        graders += [
            estimate(f"{task}: TPR", data, _tpr),
            estimate(f"{task}: FPR", data, _fpr),
            gap,
            estimate(f"{task}: judged right less answered right", data, _easier),
        ]
        gain = estimate(f"{task}: gain", data, _gain)
        predicted = estimate(f"{task}: predicted gain", data, _predicted)
        off = estimate(f"{task}: gain less predicted", data, lambda m: _gain(m) - _predicted(m))
        gains += [estimate(f"{task}: error", data, _error), gain, predicted, off]
        taken_up.append(estimate(f"{task}: error in the second round, less than twin", data, _next))
        if gap.value <= NO_GAP or math.isnan(gap.value):
            conditions.append(within(gain, -1.0, NO_GAP))
        else:
            conditions.append(within(off, -TOLERANCE, TOLERANCE))
            gapped.append((gain, data))
    if gapped:
        best, of = max(gapped, key=lambda one: one[0].value)
        conditions.append(above(best, NO_GAP))
        p = share_at_or_below(resampled(f"{best.name}: p", of, _gain), 0.0)
    else:
        nothing = Number("gain on a task with a gap", math.nan, math.nan, math.nan)
        conditions.append(above(nothing, NO_GAP))
    return Finding.by(
        conditions,
        p=p,
        numbers={
            "Graders (on the measuring half)": tuple(graders),
            GAINS: tuple(gains),
            "What the model takes up": tuple(taken_up),
        },
        caveats=CAVEATS,
    )


CAVEATS = (
    "The gain is of the accepted answers over all: it says what a filter is worth, not that the "
    "model can follow it. What a second round takes up is given beside it.",
    "Answers are sampled, without examples, from a model that imitates writers of mixed skill, so "
    "that much of its error is not for want of knowing: greedily it errs far less on most tasks. "
    "Judging is compared with answering as it is, not with the best that the model could do.",
    "Graders are copies of the author with empty contexts: one trained seed, judging its own kind "
    "of errors.",
    "“Judged right” is balanced accuracy at threshold .6, so a grader that accepts nothing has .5.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Measured against predicted gain, a dot a task."""
    with styled():
        figure, axes = canvas(5.2, 4.6)
        axes.plot([-0.05, 1], [-0.05, 1], **REFERENCE)
        colour = ARM_STYLES["selected"]["color"]
        rows = finding.numbers[GAINS]
        for row in rows:
            task, _, what = row.name.partition(": ")
            if what != "gain":
                continue
            predicted = finding.number(
                "Gain of one round (on the other half)", f"{task}: predicted gain"
            )
            x, y = predicted.value, row.value
            axes.errorbar(
                x, y, xerr=_bars(predicted), yerr=_bars(row), fmt="o", color=colour, capsize=2
            )
            axes.annotate(task, (x, y), xytext=(8, -11), textcoords="offset points", color=MUTED)
        axes.axhline(0, color=MUTED, linewidth=0.8)
        highest = max(row.high for row in rows if not math.isnan(row.high))
        axes.set_xlim(-0.06, highest + 0.12)
        axes.set_ylim(-0.06, highest + 0.12)
        axes.set_xlabel("gain predicted from TPR and FPR on other problems")
        axes.set_ylabel("gain measured")
        write_figure(figure, path)
    return path


def _bars(number: Number) -> list[list[float]]:
    return [[max(0.0, number.value - number.low)], [max(0.0, number.high - number.value)]]


def _data(results: Results, task: str) -> Floats:
    """float64 [S, H, 2, 7]: problems in pairs, the first of each to measure graders."""
    threshold = results.cells[0].config.protocol.threshold

    def of(generation: Generation) -> Floats:
        wrong, taken = wrong_answers(generation), accepted_answers(generation)
        passed = by_problem(generation.outcomes.mean_grades() >= threshold, generation)
        sides = [wrong, taken, wrong * taken, wrong * passed, (1.0 - wrong) * passed]
        return np.asarray(np.stack(sides, -1).mean(axis=1))

    own = results.stacked(of, task=task)
    twin = results.stacked(wrong_answers, RANDOM, task=task).mean(axis=3)
    columns = (own[:, 0], own[:, 1, :, :1], twin[:, 1, :, None])
    data = np.concatenate(columns, axis=-1)
    pairs = data.shape[1] // 2
    return data[:, : 2 * pairs].reshape(len(data), pairs, 2, -1)


def _tpr(means: Floats) -> Floats:
    return _over(means[:, 0, GOOD_PASSED], 1.0 - means[:, 0, WRONG])


def _fpr(means: Floats) -> Floats:
    return _over(means[:, 0, BAD_PASSED], means[:, 0, WRONG])


def _easier(means: Floats) -> Floats:
    judged = (_tpr(means) + 1.0 - _fpr(means)) / 2.0
    return judged - (1.0 - _error(means))


def _error(means: Floats) -> Floats:
    return means[:, 1, WRONG]


def _gain(means: Floats) -> Floats:
    """0 where nothing is accepted."""
    taken = means[:, 1, TAKEN]
    wrong = _over(means[:, 1, BAD_TAKEN], taken)
    return np.where(taken > 0.0, _error(means) - wrong, 0.0)


def _predicted(means: Floats) -> Floats:
    error = _error(means)
    bad = error * _fpr(means)
    taken = bad + (1.0 - error) * _tpr(means)
    return np.where(taken > 0.0, error - _over(bad, taken), 0.0)


def _next(means: Floats) -> Floats:
    return np.asarray((means[..., NEXT_TWIN] - means[..., NEXT]).mean(axis=1))


def _over(part: Floats, whole: Floats) -> Floats:
    """A share; NaN of nothing."""
    return np.asarray(part / np.where(whole > 0.0, whole, np.nan))
