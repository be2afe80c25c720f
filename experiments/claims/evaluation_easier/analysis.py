"""Claim 3: is one round's gain what graders' rates on other problems say, task by task?

Dimensions: S seeds, H pairs of problems (one measures the graders, the other the gain), M agents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np

from mgptn.experiments.claims.method.as_many import as_many, curve_numbers
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import (
    Results,
    accepted_answers,
    by_problem,
    wrong_answers,
)
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.config.arms import AS_MANY, RANDOM, TEMPERATURES
from mgptn.experiments.config.arms import GREEDY as ALONE
from mgptn.experiments.figures.style import (
    ARM_STYLES,
    MUTED,
    REFERENCE,
    canvas,
    styled,
    write_figure,
)
from mgptn.population.intervals.spread import Statistic
from mgptn.population.measures.answer_errors import errors_by_temperature
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

(WRONG, TAKEN, BAD_TAKEN, BAD_PASSED, GOOD_PASSED, NEXT, NEXT_TWIN, GREEDY) = range(8)
"""Shares of a problem's answers: wrong; accepted; wrong and accepted; wrong, and right, and passed
by a grader; wrong in the second round, and in the twin's; and first
of all temperatures' wrong ones, in the order of `TEMPERATURES`."""

GAINS = "Gain of one round (on the other half)"


def analyse(results: Results) -> Finding:
    """Measured and predicted gain of every task."""
    graders, gains, taken_up, equal = [], [], [], []
    easier: list[Number] = []
    steps: list[Number] = []
    for task in results.values("task"):
        data = _data(results, task)
        gap = estimate(f"{task}: TPR − FPR", data, lambda m: _tpr(m) - _fpr(m), DIFFERENCE)
        graders += [
            share(f"{task}: TPR", data, _tpr),
            share(f"{task}: FPR", data, _fpr),
            gap,
            share(f"{task}: judged right", data, _judged),
            share(f"{task}: answered right, likeliest", data, _likeliest),
            share(f"{task}: answered right, best temperature", data, _at_best),
        ]
        gain = estimate(f"{task}: gain", data, _gain, DIFFERENCE)
        predicted = estimate(f"{task}: predicted gain", data, _predicted, DIFFERENCE)
        told = f"{task}: gain less predicted"
        off = estimate(told, data, lambda m: _gain(m) - _predicted(m), DIFFERENCE)
        gains += [share(f"{task}: error", data, _error), gain, predicted]
        told = f"{task}: error in the second round, less than twin"
        taken_up.append(estimate(told, data, _next, DIFFERENCE))
        for told, of in (
            ("answered right", _answered),
            ("answered right, likeliest", _likeliest),
            ("answered right, best temperature", _at_best),
        ):
            name = f"{task}: judged right less {told}"
            easier.append(estimate(name, data, _less(of), DIFFERENCE))
        steps.append(off)
        equal += _at_equal_answers(results, task)
    return Finding.by(
        "evaluation-easier",
        [*easier, *steps],
        # All must be shown, so that the largest counts.
        p=worst(one.p_above(0.0) for one in easier),
        numbers={
            "Graders (on the measuring half)": tuple(graders),
            GAINS: tuple(gains),
            "What the model takes up": tuple(taken_up),
            "Equal answers, on the problems of the second round": tuple(equal),
        },
        caveats=CAVEATS,
    )


CAVEATS = (
    "The gain is of the accepted answers over all: it says what a filter is worth, not that the "
    "model can follow it. What a second round takes up is given beside it.",
    "Answers are sampled, without examples, from a model that imitates writers of mixed skill, so "
    "that much of its error is not for want of knowing: what the likeliest answer, and the best "
    "temperature, do is held against judging too.",
    "Graders are copies of the author with empty contexts: one trained seed, judging its own kind "
    "of errors.",
    "What is accepted is not of every problem: graders that pass nothing leave one out, and are "
    "held to nothing there, where as many answers of the founders, voted on or picked from, are.",
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
    """float64 [S, H, 2, 7 + T]: problems in pairs, the first of each to measure graders."""
    threshold = results.cells[0].config.protocol.threshold

    def of(generation: Generation) -> Floats:
        wrong, taken = wrong_answers(generation), accepted_answers(generation)
        passed = by_problem(generation.outcomes.mean_grades() >= threshold, generation)
        sides = [wrong, taken, wrong * taken, wrong * passed, (1.0 - wrong) * passed]
        return np.asarray(np.stack(sides, -1).mean(axis=1))

    own = results.stacked(of, task=task)
    twin = results.stacked(wrong_answers, RANDOM, task=task).mean(axis=3)
    alone = results.stacked(_alone, ALONE, task=task)[:, 0]
    columns = (own[:, 0], own[:, 1, :, :1], twin[:, 1, :, None], alone)
    data = np.concatenate(columns, axis=-1)
    pairs = data.shape[1] // 2
    return data[:, : 2 * pairs].reshape(len(data), pairs, 2, -1)


def _at_equal_answers(results: Results, task: str) -> list[Number]:
    """Errors of what graders pass in the second round, and of as many answers of the founders."""

    def passed(generation: Generation) -> Floats:
        wrong, taken = wrong_answers(generation), accepted_answers(generation)
        return np.asarray(np.stack([wrong * taken, taken], -1).mean(axis=1))

    many = as_many(results, 1, AS_MANY, task=task)
    own = results.stacked(passed, task=task)[:, -1]
    both = np.concatenate([own, many.vote[..., -1:], many.best[..., -1:]], axis=-1)
    last = many.draws[-1]
    return [
        share(f"{task}: error of what is accepted", own, _bad_of_taken),
        *(
            estimate(
                f"{task}: accepted err less than the founders' {told} of {last}",
                both,
                partial(_beyond_accepted, place),
                DIFFERENCE,
            )
            for place, told in ((2, "vote"), (3, "best"))
        ),
        *curve_numbers(f"{task}, founders", many),
    ]


def _bad_of_taken(means: Floats) -> Floats:
    return _over(means[:, 0], means[:, 1])


def _beyond_accepted(place: int, means: Floats) -> Floats:
    """How much less than a column what is accepted errs."""
    return np.asarray(means[:, place] - _bad_of_taken(means))


def _alone(generation: Generation) -> Floats:
    return errors_by_temperature(generation, TEMPERATURES)


def _tpr(means: Floats) -> Floats:
    return _over(means[:, 0, GOOD_PASSED], 1.0 - means[:, 0, WRONG])


def _fpr(means: Floats) -> Floats:
    return _over(means[:, 0, BAD_PASSED], means[:, 0, WRONG])


def _judged(means: Floats) -> Floats:
    """Balanced accuracy."""
    return (_tpr(means) + 1.0 - _fpr(means)) / 2.0


def _answered(means: Floats) -> Floats:
    return 1.0 - _error(means)


def _likeliest(means: Floats) -> Floats:
    return 1.0 - means[:, 1, GREEDY]


def _at_best(means: Floats) -> Floats:
    """At the sampling temperature that erred least on the measuring half."""
    best = np.argmin(means[:, 0, GREEDY:], axis=1)
    found: Floats = 1.0 - means[np.arange(len(means)), 1, GREEDY + best]
    return found


def _less(of: Statistic) -> Statistic:
    def less(means: Floats) -> Floats:
        found: Floats = _judged(means) - of(means)
        return found

    return less


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
