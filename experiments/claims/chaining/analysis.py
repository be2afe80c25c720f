"""Claim 1: does appending what is accepted change the error rate as the likelihood ratio says?

Dimensions: S seeds, G rounds, Q problems, M agents, D rows of means.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from mgptn.experiments.claims.chaining.figure import draw_chaining
from mgptn.experiments.claims.method.alone import alone_numbers
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import (
    Results,
    accepted_answers,
    by_problem,
    wrong_answers,
)
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.config.arms import RANDOM
from mgptn.experiments.running.grid import Cell
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation
from mgptn.population.theory.classification import error_trajectory

SCRIPTED = ("copy", "bayes")
LABELS = "ladder-labels"
WRONG, BAD_TAKEN, GOOD_TAKEN, BAD_PASSED, GOOD_PASSED, TWIN = range(6)
"""Shares of a problem's answers: wrong; wrong and right ones that entered a buffer, and that a
grader passed; wrong in the twin."""
LEAST = 0.0005
"""Shares count as at least so much where their logarithm is taken."""

GAIN = 0.05
"""What the real model's error must fall by, beyond its twin's."""

LAST = 2
"""Rounds whose mean is the error at the end."""


def analyse(results: Results) -> Finding:
    """Steps into the buffer and errors by round, of every kind of agent."""
    steps, slopes, ends = [], [], []
    decisive: list[Number] = []
    curves: dict[str, tuple[float, ...]] = {}
    p: list[float] = []
    for name, cells in series(results):
        data, arm, ratio = _data(results, cells), dict(cells[0].labels)["arm"], _ratio(cells[0])
        curves[name] = tuple(data[..., WRONG].mean(axis=(0, 1)).tolist())
        first = share(f"{name}: error, first round", data, _begin)
        last = share(f"{name}: error, last rounds", data, _end)
        slopes.append(estimate(f"{name}: slope of the error's log-odds", data, _slope))
        ends += [first, last]
        ends.append(share(f"{name}: error, last rounds, random-selector twin", data, _twin_end))
        if arm == LABELS:
            # All enter, whatever a selector says: the twin is the run itself.
            told = f"{name}: fall of the error since the first round"
            decisive.append(estimate(told, data, _fall, DIFFERENCE))
            told = f"{name}: labels of at least .6, TPR − FPR"
            ends.append(estimate(told, data, _youden, DIFFERENCE))
            continue
        if arm not in SCRIPTED:
            gain = f"{name}: fall of the error beyond its twin's"
            decisive.append(estimate(gain, data, _gain, DIFFERENCE))
            ends += alone_numbers(name, results, arm=arm, context_capacity=_buffer(cells[0]))
        steps.append(estimate(f"{name}: step into the buffer", _half(data, 1), _step))
        if arm in SCRIPTED:
            off = _less(steps[-1], -math.log(ratio), f"{name}: step + ln Λ")
            decisive.append(off)
            curves[f"{name}, recurrence"] = _recurrence(cells[0], len(curves[name]))
            decisive += _of_scripted(name, cells[0], ratio, data, slopes[-1])
            continue
        steps.append(estimate(f"{name}: −ln Λ of the graders", _half(data, 0), _minus_log_ratio))
        both = np.concatenate([_half(data, 0), _half(data, 1)], axis=-1)
        off = estimate(f"{name}: step + ln Λ", both, _off)
        p.append(decisive[-1].p_above(GAIN))
        decisive.append(off)
    return Finding.by(
        "chaining",
        decisive,
        # All must be shown, so that the largest counts.
        p=worst(p),
        numbers={
            "Step into the buffer (log-odds, one round)": tuple(steps),
            "Slope over the rounds (log-odds a round)": tuple(slopes),
            "Error": tuple(ends),
        },
        caveats=CAVEATS,
        curves=curves,
    )


CAVEATS = (
    "The step is what the filter does to a round's answers. That the error then goes on by the "
    "same step holds for copiers alone: the slopes over the rounds show learners and the real "
    "model stay above the recurrence, on a level that their skills or training set (locking).",
    "A copier with a small buffer is absorbed by chance at all right or all wrong, at any Λ; its "
    "mean error does not fall at Λ = 1, but single agents' errors do not stay where they were.",
    "One task, one trained seed, contexts of at most 16 answers for the real model.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Error by round, a panel for each kind of agent."""
    return draw_chaining(finding, path)


def series(results: Results) -> list[tuple[str, list[Cell]]]:
    """Cells that differ in their seeds alone, and what their curve is called."""
    found: dict[str, list[Cell]] = {}
    for cell in results.cells:
        label = dict(cell.labels)
        name = f"{label['arm']}, buffer {label['context_capacity']}"
        if label["arm"] in SCRIPTED:
            name += f", Λ {_ratio(cell):.3g}"
        found.setdefault(name, []).append(cell)
    return list(found.items())


def _of_scripted(name: str, cell: Cell, ratio: float, data: Floats, slope: Number) -> list[Number]:
    """What is asked of agents without a model besides the step."""
    if ratio == 1.0:
        return [estimate(f"{name}: fall of the error", data, _fall, DIFFERENCE)]
    largest = cell.config.agents.context_capacity >= 64
    if dict(cell.labels)["arm"] == "copy" and largest and ratio < 2.0:
        return [_less(slope, -math.log(ratio), f"{name}: slope over the rounds + ln Λ")]
    return []


def _data(results: Results, cells: list[Cell]) -> Floats:
    """float64 [S, Q, G, 6]: what is said of answers, as shares of a problem's M."""
    threshold = cells[0].config.protocol.threshold

    def of(generation: Generation) -> Floats:
        wrong, taken = wrong_answers(generation), accepted_answers(generation)
        passed = by_problem(generation.outcomes.mean_grades() >= threshold, generation)
        sides = [side * what for what in (taken, passed) for side in (wrong, 1.0 - wrong)]
        return np.asarray(np.stack([wrong, *sides], -1).mean(axis=1))

    labels = dict(cells[0].labels)
    own = results.stacked(of, **labels)
    twin = results.stacked(wrong_answers, RANDOM, **labels).mean(axis=3)[..., None]
    return np.moveaxis(np.concatenate([own, twin], axis=-1), 1, 2)


def _ratio(cell: Cell) -> float:
    scripted = cell.config.agents.scripted
    return scripted.tpr / scripted.fpr


def _buffer(cell: Cell) -> str:
    return dict(cell.labels)["context_capacity"]


def _recurrence(cell: Cell, rounds: int) -> tuple[float, ...]:
    scripted = cell.config.agents.scripted
    return tuple(error_trajectory(0.5, scripted.tpr, scripted.fpr, rounds - 1).tolist())


def _half(data: Floats, half: int) -> Floats:
    """Every second problem."""
    even = data.shape[1] // 2 * 2
    return data[:, half:even:2]


def _begin(means: Floats) -> Floats:
    return means[:, 0, WRONG]


def _end(means: Floats) -> Floats:
    return np.asarray(means[:, -LAST:, WRONG].mean(axis=1))


def _twin_end(means: Floats) -> Floats:
    return np.asarray(means[:, -LAST:, TWIN].mean(axis=1))


def _fall(means: Floats) -> Floats:
    return _begin(means) - _end(means)


def _gain(means: Floats) -> Floats:
    return _twin_end(means) - _end(means)


def _slope(means: Floats) -> Floats:
    """Mean change of the error's log-odds a round."""
    errors = np.clip(means[:, [0, -1], WRONG], LEAST, 1.0 - LEAST)
    logits = np.log(errors / (1.0 - errors))
    return np.asarray((logits[:, 1] - logits[:, 0]) / (means.shape[1] - 1))


def _step(means: Floats) -> Floats:
    return _log_risk_ratio(means[..., WRONG], means[..., BAD_TAKEN], means[..., GOOD_TAKEN])


def _minus_log_ratio(means: Floats) -> Floats:
    return _log_risk_ratio(means[..., WRONG], means[..., BAD_PASSED], means[..., GOOD_PASSED])


def _off(means: Floats) -> Floats:
    """Of halves side by side: what the second did, less what the first's graders say."""
    return _step(means[..., TWIN + 1 :]) - _minus_log_ratio(means)


def _youden(means: Floats) -> Floats:
    wrong, bad, good = (means[..., i].mean(axis=1) for i in (WRONG, BAD_PASSED, GOOD_PASSED))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(good / (1.0 - wrong) - bad / wrong)


def _log_risk_ratio(wrong: Floats, bad: Floats, good: Floats) -> Floats:
    """ln of how much likelier wrong answers are taken than right ones, rounds as strata.

    Parameters
    ----------
    wrong, bad, good
        float64 [D, G], shares of all answers: wrong ones, and those taken that are wrong, right.

    Source
    ------
    Mantel & Haenszel 1959. None taken counts as a share of `LEAST`.
    """
    above_line = np.maximum((bad * (1.0 - wrong)).sum(axis=1), LEAST)
    below_line = (good * wrong).sum(axis=1)
    return np.asarray(np.log(above_line / np.where(below_line > 0.0, below_line, np.nan)))


def _less(number: Number, expected: float, name: str) -> Number:
    value, low, high = (end - expected for end in (number.value, number.low, number.high))
    return replace(number, name=name, value=value, low=low, high=high)
