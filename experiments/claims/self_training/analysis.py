"""Claim 23: can a population's answers be the next generation's training data?

Dimensions: S seeds, G generations, Q problems of a generation, P of the last ones.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np

from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import (
    ANY,
    DIFFERENCE,
    Number,
    Span,
    estimate,
    share,
)
from mgptn.experiments.claims.method.statistics import (
    first,
    first_less_second,
    first_over_second,
)
from mgptn.experiments.claims.self_training.answering import (
    BEST,
    DISTINCT,
    ENTROPY,
    ERROR,
    RARE,
    VOTE,
    looked_at,
)
from mgptn.experiments.claims.self_training.figure import draw_training
from mgptn.population.records.arrays import Floats

NONE, ACCUMULATED, MAJORITY, COIN = "none", "none-accumulated", "majority", "coin"
LEARNING = (NONE, ACCUMULATED, MAJORITY, "peers", "oracle", COIN)
SAMPLED, LIKELIEST, NINE = "sampled", "likeliest", "nine"
ALONE = (SAMPLED, LIKELIEST, NINE)
LAST = 4
"""Generations, from the end, that are looked at."""


def analyse(results: Results) -> Finding:
    """Errors, diversity and tails of every arm in the last generations."""
    found = {arm: results.stacked(looked_at, arm=arm) for arm in (*LEARNING, *ALONE)}
    last = {arm: of[:, -LAST:].reshape(len(of), -1, of.shape[-1]) for arm, of in found.items()}
    errors = [
        _less("collapse: error unfiltered and replaced, beyond the founders'", last, NONE, SAMPLED),
        _less("accumulation: error replaced, beyond accumulated", last, NONE, ACCUMULATED),
        _less("filter: error unfiltered, beyond what the majority says", last, NONE, MAJORITY),
        _less("filter: error by a coin, beyond what the majority says", last, COIN, MAJORITY),
        _less("gain: founders' likeliest answers' error, beyond", last, LIKELIEST, MAJORITY),
    ]
    decisive = [
        *errors,
        _less(
            "diversity: distinct answers of the founders, beyond",
            last,
            SAMPLED,
            MAJORITY,
            DISTINCT,
            ANY,
        ),
        _tails("tails: error on rare problems over common ones, beyond the founders'", last),
    ]
    return Finding.by(
        "self-training",
        decisive,
        p=worst(one.p_above(0.0) for one in decisive),
        numbers={
            "Error, members' mean": _each(last, ERROR),
            "Error of the members' vote": _each(last, VOTE),
            "Nobody is right": _each(last, BEST),
            "Distinct answers of the members": _each(last, DISTINCT, ANY),
            "Entropy of the members' answers, bits": _each(last, ENTROPY, ANY),
            "Error on rare problems": tuple(_on(last, arm, 1.0) for arm in (*LEARNING, *ALONE)),
            "Error on common problems": tuple(_on(last, arm, 0.0) for arm in (*LEARNING, *ALONE)),
        },
        caveats=CAVEATS,
        curves=_curves(found),
    )


CAVEATS = (
    "One task and the smallest founders, which learn little in a generation; a larger model that "
    "learns longer may collapse sooner or never.",
    "What accumulates is half of each step's documents: in equal parts what founders were "
    "trained on, with right answers, and all earlier lessons. That right answers are among them "
    "is what accumulation means here, and part of its worth.",
    "Rare are sums with a carry that makes another at digits of sum nine, one in eleven: few of "
    "each seed's problems, so that tails have wide intervals.",
    "Three members: distinct answers are three at most. Diversity of one member's own answers to "
    "a problem is not measured.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Errors and distinct answers by generation."""
    return draw_training(finding, path)


def _less(
    name: str,
    last: dict[str, Floats],
    more: str,
    less: str,
    column: int = ERROR,
    span: Span = DIFFERENCE,
) -> Number:
    """What one arm has more of a column than another, problem by problem."""
    both = np.stack([last[more][..., column], last[less][..., column]], -1)
    return estimate(name, both, first_less_second, span)


def _tails(name: str, last: dict[str, Floats]) -> Number:
    """How much further rare problems' errors are above common ones' than with the founders."""
    rare = last[SAMPLED][..., RARE]
    more = last[MAJORITY][..., ERROR] - last[SAMPLED][..., ERROR]
    return estimate(name, np.stack([more * rare, rare, more * (1.0 - rare), 1.0 - rare], -1), _gap)


def _gap(means: Floats) -> Floats:
    """first/second − third/fourth."""
    return np.asarray(first_over_second(means[:, :2]) - first_over_second(means[:, 2:]))


def _each(last: dict[str, Floats], column: int, span: Span | None = None) -> tuple[Number, ...]:
    """Of every arm the mean of a column: a share if no span is given."""
    return tuple(
        share(arm, of[..., column, None], first)
        if span is None
        else estimate(arm, of[..., column, None], first, span)
        for arm, of in last.items()
    )


def _on(last: dict[str, Floats], arm: str, rare: float) -> Number:
    """Error on problems that are rare, or are not."""
    of = (last[arm][..., RARE] == rare).astype(np.float64)
    return share(arm, np.stack([last[arm][..., ERROR] * of, of], -1), first_over_second)


def _curves(found: dict[str, Floats]) -> dict[str, tuple[float, ...]]:
    """For the figure: means of seeds by generation."""
    return {
        f"{name}: {arm}": tuple(of[..., column].mean(axis=(0, 2)).tolist())
        for arm, of in found.items()
        for name, column in (("error", ERROR), ("distinct", DISTINCT))
    }
