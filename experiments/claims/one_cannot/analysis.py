"""Claim 6: does a population under mutual selection adapt where single agents do not?

Dimensions: S seeds, G generations, Q problems.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from mgptn.experiments.claims.method.alone import alone, likeliest
from mgptn.experiments.claims.method.as_many import as_many, as_many_numbers, curves_of
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.claims.method.reaching import over_sets, paired, reaches, sizes_of
from mgptn.experiments.claims.method.statistics import first, first_less_second
from mgptn.experiments.claims.one_cannot.figure import draw_arms
from mgptn.experiments.config.arms import RANDOM, SELECTED, UNSELECTED
from mgptn.experiments.views.measured import measured
from mgptn.population.measures.answer_errors import (
    best_of_n_errors,
    majority_errors,
    problem_errors,
)
from mgptn.population.records.arrays import Floats
from mgptn.population.records.generation import Generation

POPULATION, SINGLES = "diverse", ("single", "single-careful", "single-seeds")
REPLICATING = ("clones", "diverse", "clones-oracle", "clones-shuffled")
AS_MANY, WEIGHTS = "as-many", ("weights", "weights-single")
LAST = 2
"""Generations whose mean is the error at the end."""


def analyse(results: Results) -> Finding:
    """Errors at the end of every arm beside its twin, and Price's terms where agents replicate."""
    arms = [arm for arm in results.values("arm") if arm not in (AS_MANY, *WEIGHTS)]
    ends = {
        arm: np.stack([_end(results, arm, of) for of in (SELECTED, RANDOM)], -1) for arm in arms
    }
    errors, gains, terms = [], [], []
    curves: dict[str, tuple[float, ...]] = {}
    for arm in arms:
        errors.append(share(f"{arm}: error", ends[arm], first))
        gains.append(estimate(f"{arm}: less than its twin's", ends[arm], _gain, DIFFERENCE))
        for of in (SELECTED, RANDOM):
            course = results.stacked(problem_errors, of, arm=arm)
            curves[f"{arm}, {of}"] = tuple(course.mean(axis=(0, 2)).tolist())
        if arm in REPLICATING:
            found = _price(results, arm)
            terms += [
                estimate(f"{arm}: {of}{term}", found[..., side, place])
                for side, of in enumerate(("", "twin's "))
                for place, term in enumerate(("selection", "transmission"))
            ]
    errors += [
        share(f"founders: {name}", _founders(results, of))
        for name, of in (
            ("error", problem_errors),
            ("best of n by grade", best_of_n_errors),
            ("majority vote", majority_errors),
        )
    ]
    against = [
        _against(f"{POPULATION} less than {one}", ends[one], ends[POPULATION]) for one in SINGLES
    ]
    against.append(_less_than_alone(results, ends[POPULATION][..., 0]))
    others = [
        _against(f"{less} less than {more}", ends[more], ends[less])
        for more, less in (
            ("single", "clones"),
            ("clones-apart", "clones"),
            ("diverse-apart", "diverse"),
        )
    ]
    beyond, reach = _on_weights(results)
    selection = next(t for t in terms if t.name == f"{POPULATION}: selection")
    gain = next(g for g in gains if g.name.startswith(f"{POPULATION}:"))
    return Finding.by(
        "one-cannot",
        [selection, *against, gain, *beyond],
        # All must be shown, so that the largest counts.
        p=worst(one.p_above(0.0) for one in [*against, *beyond]),
        numbers={
            "Error over the last two generations": tuple(errors),
            "Gain beyond the random-selector twin": tuple(gains),
            "Between arms": tuple(others),
            "Equal answers": tuple(
                as_many_numbers(results, LAST, {"arm": POPULATION}, {"arm": AS_MANY})
            ),
            "Weights: reach, in digits": tuple(reach),
            "Price's terms of the fall in error, summed over generations": tuple(terms),
        },
        caveats=CAVEATS,
        curves=curves | curves_of(as_many(results, LAST, arm=AS_MANY)),
    )


CAVEATS = (
    "Copies that read one set of weights with empty contexts are one grader: peers' grades of a "
    "clone's answers are its own grades, so that clones can differ from a single agent by "
    "replication alone. Different agents are independently trained seeds of one recipe.",
    "Price's selection term counts the luck of agents' last problems too, which transmission takes "
    "back: part of it is regression to the mean, and what replication is worth in the end is the "
    "difference from the same agents apart. Under a coin toss its expectation is 0; the twin's is "
    "given beside it.",
    "One task and one rung where contexts are inherited; founders whose weights learn are of "
    "another kind and for another task.",
    "A member's own answer is held against a member's: the collective's best graded one, and what "
    "as many of the founders' answers are worth, are told beside.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Courses of the errors, and what each arm gains."""
    return draw_arms(finding, path)


def _on_weights(results: Results) -> tuple[list[Number], list[Number]]:
    """How much further founders get that learn from each other; what each arm reaches."""
    own, single = ({"arm": arm} for arm in WEIGHTS)
    span = sizes_of(results.of(**own)[0].config)
    least, apart = span[0], (span[0] - span[1], span[1] - span[0])
    reached = {
        "three founders": reaches(results, majority_errors, least, **own),
        "a single one that learns alone": reaches(results, problem_errors, least, **single),
        "the founders' vote": reaches(results, majority_errors, least, UNSELECTED, **own),
        "a single founder": reaches(results, problem_errors, least, UNSELECTED, **own),
    }
    ours = reached["three founders"]
    beyond = [
        paired(f"weights: beyond {name}", ours, reached[name], apart)
        for name in ("a single one that learns alone", "the founders' vote")
    ]
    return beyond, [over_sets(name, of, span) for name, of in reached.items()]


def _end(results: Results, arm: str, of: str) -> Floats:
    """Errors of the problems of the last generations, float64 [S, LAST · Q]."""
    errors = results.stacked(problem_errors, of, arm=arm)[:, -LAST:]
    return errors.reshape(len(errors), -1)


def _less_than_alone(results: Results, ours: Floats) -> Number:
    """How much less the population errs than the founder's likeliest answers, same problems."""
    both = np.stack([likeliest(alone(results, LAST, arm=POPULATION)), ours], -1)
    name = f"{POPULATION} less than the founder's likeliest answers"
    return estimate(name, both, first_less_second, DIFFERENCE)


def _founders(results: Results, of: Callable[[Generation], Floats]) -> Floats:
    """Something of the unselected founders' answers, float64 [S, G · Q]."""
    errors = results.stacked(of, UNSELECTED, arm="clones")
    return errors.reshape(len(errors), -1)


def _price(results: Results, arm: str) -> Floats:
    """Falls of error by selection and transmission, of a whole run, float64 [S, G − 1, 2, 2].

    A generation's are G − 1 times what they were, so that means over generations are sums.
    """
    rows = [
        [
            [
                [-done.measures[of].price_selection, -done.measures[of].price_transmission]
                for of in (SELECTED, RANDOM)
            ]
            for done in measured(results.rounds(cell), cell.config)
            if done.index
        ]
        for cell in results.of(arm=arm)
    ]
    terms = np.array(rows)
    return np.asarray(terms * terms.shape[1], dtype=np.float64)


def _gain(means: Floats) -> Floats:
    return means[:, 1] - means[:, 0]


def _against(name: str, more: Floats, less: Floats) -> Number:
    """How much less one arm errs than another, on the same problems."""
    return estimate(name, np.stack([more[..., 0], less[..., 0]], -1), first_less_second, DIFFERENCE)
