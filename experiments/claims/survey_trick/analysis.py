"""Claim 2: do the logits' probabilities of the evaluations tell more than a sampled evaluation?

Dimensions: S seeds, Q problems, M agents, K graders, L distinct grades, D rows of means.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mgptn.experiments.claims.method.alone import alone_numbers
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results, by_problem
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.claims.survey_trick.figure import draw_ways
from mgptn.population.draws.streams import stream
from mgptn.population.intervals.spread import Statistic
from mgptn.population.measures.answer_errors import problem_errors
from mgptn.population.records.arrays import Floats

WORDS, SAMPLED, DIGITS, SAMPLED_DIGITS, YES_NO = ARMS = (
    "words",
    "sampled-words",
    "digits",
    "sampled-digits",
    "yes-no",
)
FOUR, DEALT = "four", "dealt"
TOLD = {
    WORDS: "words by logits",
    SAMPLED: "one sampled word",
    FOUR: "mean of four sampled words",
    DIGITS: "digits by logits",
    YES_NO: "P(True) by logits",
    DEALT: "words, dealt out anew",
}
"""Way → how the page calls it."""

AREAS = "Area under the curve"
JUDGES, THRESHOLD, BINS = 0.6, 0.6, 10
GAIN, MATTERS = "AUC, logits less one sampled word, at equal compute", 0.02
"""What one pass tells by its logits over what it tells by a word; less than so much is nothing."""


@dataclass(frozen=True, slots=True)
class Way:
    """How often each grade is given, by one way of asking.

    Attributes
    ----------
    levels
        float64 [L], distinct grades in [0, 1], ascending.
    counts
        float64 [S, Q, 2 L]: of wrong answers, then of right ones.
    """

    levels: Floats
    counts: Floats

    def half(self, which: int) -> Way:
        """Every second problem."""
        even = self.counts.shape[1] // 2 * 2
        return Way(self.levels, self.counts[:, which:even:2])

    def area(self, means: Floats) -> Floats:
        """AUC of every sample of `counts`, [D]; ties count half."""
        wrong, right = self._sides(means)
        below = np.cumsum(wrong, axis=1) - wrong / 2.0
        return _over((right * below).sum(axis=1), wrong.sum(axis=1) * right.sum(axis=1))

    def youden(self, means: Floats) -> Floats:
        """TPR − FPR at the threshold."""
        wrong, right = self._sides(means)
        passed = self.levels >= THRESHOLD
        rates = [_over(side @ passed, side.sum(axis=1)) for side in (right, wrong)]
        return np.asarray(rates[0] - rates[1])

    def calibration_error(self, means: Floats) -> Floats:
        """Expected calibration error, as of `mgptn.population.measures.rates.calibration_error`."""
        wrong, right = self._sides(means)
        place = np.eye(BINS)[np.minimum((self.levels * BINS).astype(np.int64), BINS - 1)]
        gaps = (right * (1.0 - self.levels) - wrong * self.levels) @ place
        return _over(np.abs(gaps).sum(axis=1), means.sum(axis=1))

    def mean(self, means: Floats) -> Floats:
        """Mean grade."""
        return _over(means @ np.tile(self.levels, 2), means.sum(axis=1))

    def _sides(self, means: Floats) -> tuple[Floats, Floats]:
        return means[:, : len(self.levels)], means[:, len(self.levels) :]


def analyse(results: Results) -> Finding:
    """Every way of asking on the same answers, by rung and task."""
    areas, gains, gaps, errors, unread, answered = [], [], [], [], [], []
    ranks: list[Number] = []
    over_one: list[Number] = []
    alike: list[Number] = []
    for model in results.values("model"):
        for task in results.values("task"):
            name = f"{model}, {task}"
            ways, lost = judged_ways(results, model, task)
            for key, told in TOLD.items():
                way = ways[key]
                areas.append(share(f"{name}: {told}", way.counts, way.area))
                if key in (WORDS, SAMPLED, DIGITS, YES_NO):
                    gaps.append(estimate(f"{name}: {told}", way.counts, way.youden, DIFFERENCE))
                    errors.append(share(f"{name}: {told}", way.counts, way.calibration_error))
            answered += _answered(results, name, model, task)
            unread.append(share(f"{name}: sampled digits", lost))
            measured = ways[WORDS].half(0)
            known = share(f"{name}: AUC on the measuring half", measured.counts, measured.area)
            gain, *rest = (
                estimate(f"{name}: {told}", *_less(ways, other, 1, "area"), DIFFERENCE)
                for told, other in (
                    (GAIN, SAMPLED),
                    ("AUC, logits less the mean of four sampled words, at four times", FOUR),
                    ("AUC, words less digits", DIGITS),
                    ("AUC, words less P(True)", YES_NO),
                )
            )
            gains += [known, *rest]
            if known.value >= JUDGES:
                other = ways[WORDS].half(1)
                ranks.append(share(f"{name}: AUC on the other half", other.counts, other.area))
                over_one.append(gain)
            else:
                gains.append(gain)
            told = f"{name}: mean grade, logits less sampled"
            alike.append(estimate(told, *_less(ways, FOUR, None, "mean"), DIFFERENCE))
    return Finding.by(
        "survey-trick",
        [*ranks, *over_one, *alike],
        # All must be shown, so that the largest counts.
        p=worst([*(o.p_above(0.5) for o in ranks), *(o.p_above(MATTERS) for o in over_one)]),
        numbers={
            AREAS: tuple(areas),
            "AUC on halves: what the logits add": tuple(gains),
            "Answers": tuple(answered),
            "J at threshold .6": tuple(gaps),
            "Expected calibration error": tuple(errors),
            "Share of grades that cannot be read": tuple(unread),
        },
        caveats=CAVEATS,
    )


CAVEATS = (
    "A sampled word, or the mean of four, is a noisy copy of the probabilities, so that it cannot "
    "rank better in expectation: what is asked is whether the loss matters. A pass says one word, "
    "or shows its logits, so that equal compute is one word; where passes share their beginnings, "
    "more words are nearly free, and the mean of four is given beside it. That the two means agree "
    "says that the engine reads what the model would say, not that the model is right.",
    "Which rung can judge which task is decided by the measuring half, and shown by the other.",
    "A mean level may rank answers well and still pass none at a threshold: AUC and J part.",
    "The ladder's graders were trained to judge, in these words and in no others: that digits "
    "carry less says what such a model was not taught, not that digits are a worse scale. P(True) "
    "and digits by models that learned these have not been asked.",
    "An AUC below .5 is a judgement all the same, read backwards: where digits have one, the model "
    "puts them in the opposite order.",
    "One trained seed a rung; graders without context.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """AUC by rung, a panel a task."""
    return draw_ways(finding, results.values("model"), results.values("task"), path)


def judged_ways(results: Results, model: str, task: str) -> tuple[dict[str, Way], Floats]:
    """Each way's grades of the same answers, and the share of sampled digits not read, [S, Q].

    Raises
    ------
    ArithmeticError
        If the ways did not grade the same answers.
    """
    grades: dict[str, list[Floats]] = {}
    verdicts: list[NDArray[np.bool_]] = []
    for arm in ARMS:
        cells = results.of(arm=arm, model=model, task=task)
        for seed, cell in enumerate(cells):
            generation = next(results.generations(cell))
            outcomes = generation.outcomes
            right = by_problem(outcomes.verdicts, generation) > 0.5
            if arm == WORDS:
                verdicts.append(right)
            elif not np.array_equal(right, verdicts[seed]):
                raise ArithmeticError(f"{cell.name}: expected the answers graded in other ways")
            values = np.clip(outcomes.grade_values(), 0.0, 1.0)
            seats = [by_problem(seat, generation) for seat in values.T]
            grades.setdefault(arm, []).append(np.stack(seats, -1))
    right = np.stack(verdicts)
    said = {arm: np.stack(of) for arm, of in grades.items()}
    rng = stream(0, "claims", "dealt out anew", model, task)
    first = {arm: of[..., 0] for arm, of in said.items()}
    means = np.full(right.shape, np.nan)
    known = ~np.isnan(said[SAMPLED])
    np.divide(
        np.where(known, said[SAMPLED], 0.0).sum(axis=-1),
        known.sum(axis=-1),
        out=means,
        where=known.any(axis=-1),
    )
    flat = first[WORDS].reshape(len(right), -1)
    dealt = rng.permuted(flat, axis=1).reshape(right.shape)
    ways = {name: way_of(first[name], right) for name in (WORDS, SAMPLED, DIGITS, YES_NO)}
    ways |= {FOUR: way_of(means, right), DEALT: way_of(dealt, right)}
    return ways, np.isnan(said[SAMPLED_DIGITS]).mean(axis=(2, 3))


def _answered(results: Results, name: str, model: str, task: str) -> list[Number]:
    """What the answers that are graded are worth, beside the founders' likeliest ones."""
    labels = {"arm": WORDS, "model": model, "task": task}
    errors = results.stacked(problem_errors, **labels)[:, 0]
    return [share(f"{name}: error, as sampled", errors), *alone_numbers(name, results, **labels)]


def way_of(grades: Floats, right: NDArray[np.bool_]) -> Way:
    """Grades and verdicts, [S, Q, M] each, as counts; NaN grades are left out."""
    known = ~np.isnan(grades)
    levels, place = np.unique(np.where(known, grades, 0.0), return_inverse=True)
    kinds = place.reshape(grades.shape) + len(levels) * right
    counts = np.zeros((*grades.shape[:2], 2 * len(levels)))
    seeds, problems, _ = np.nonzero(known)
    np.add.at(counts, (seeds, problems, kinds[known]), 1.0)
    return Way(levels, counts)


def _less(ways: dict[str, Way], other: str, half: int | None, of: str) -> tuple[Floats, Statistic]:
    """Counts of two ways side by side, and how much more the words by logits have of something."""
    one, two = ways[WORDS], ways[other]
    if half is not None:
        one, two = one.half(half), two.half(half)
    width = one.counts.shape[-1]

    def statistic(means: Floats) -> Floats:
        mine, others = getattr(one, of)(means[:, :width]), getattr(two, of)(means[:, width:])
        return np.asarray(mine - others)

    return np.concatenate([one.counts, two.counts], axis=-1), statistic


def _over(part: Floats, whole: Floats) -> Floats:
    """A share; NaN of nothing."""
    return np.asarray(part / np.where(whole > 0.0, whole, np.nan))
