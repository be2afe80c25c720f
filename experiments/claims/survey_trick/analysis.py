"""Claim 2: do the logits' probabilities of the evaluations tell more than a sampled evaluation?

Dimensions: S seeds, Q problems, M agents, K graders, L distinct grades, D rows of means.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mgptn.experiments.claims.method.alone import alone_numbers
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results, by_problem
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.claims.survey_trick.figure import draw_ways
from mgptn.experiments.claims.survey_trick.learned import learned_numbers
from mgptn.experiments.claims.survey_trick.measures import MEASURES as MEASURES
from mgptn.experiments.claims.survey_trick.ways import (
    GAIN,
    JUDGES,
    MATTERS,
    Way,
    less,
    way_of,
)
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
    learned = learned_numbers(results)
    ranks += learned.ranks
    over_one += learned.over_one
    return Finding.by(
        "survey-trick",
        [*ranks, *over_one, *alike],
        # All must be shown, so that the largest counts.
        p=worst([*(o.p_above(0.5) for o in ranks), *(o.p_above(MATTERS) for o in over_one)]),
        numbers={
            AREAS: tuple(areas),
            "AUC on halves: what the logits add": tuple(gains),
            "Scales that were learned: AUC, by k sampled words and by the logits": learned.areas,
            "Scales that were learned: what words have over others": learned.between,
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
    "carry less says what such a model was not taught. What one that learned them, in a lesson of "
    "its last layer, says by them is given beside: of one rung, on three tasks.",
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


def _less(ways: dict[str, Way], other: str, half: int | None, of: str) -> tuple[Floats, Statistic]:
    """How much more the words by logits have of something, as of `less`."""
    return less(ways[WORDS], ways[other], half, of)
