"""What of a generation is to be judged, and a generation with the verdicts on it.

Dimensions: A answers, N turns, T distinct texts.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mgptn.agents.verdicts.judging import Pair
from mgptn.population.records.arrays import ALL_KNOWN, Integers, Truths
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.turns import CRITIQUE

Verdicts = Mapping[Pair, bool | None]


def to_be_judged(outcomes: Outcomes) -> list[Pair]:
    """The distinct (query, answer) pairs of answers, and of turns that are answers.

    One that was cut off is wrong whatever it says, and is not asked about.
    """
    asked, turns = outcomes.matches.asked, outcomes.turns
    pairs = _distinct(outcomes, outcomes.texts, asked, outcomes.answers, outcomes.finished)[0]
    if len(turns):
        said = turns.finished & (turns.kinds != CRITIQUE)
        pairs += _distinct(outcomes, turns.texts, asked[turns.answers], turns.said, said)[0]
    return list(dict.fromkeys(pairs))


def with_verdicts(outcomes: Outcomes, verdicts: Verdicts) -> Outcomes:
    """A generation with the verdicts on all of `to_be_judged`."""
    asked, turns = outcomes.matches.asked, outcomes.turns
    right, unknown = _columns(
        verdicts,
        *_distinct(outcomes, outcomes.texts, asked, outcomes.answers, outcomes.finished),
        outcomes.finished,
    )
    if len(turns):
        said = turns.finished & (turns.kinds != CRITIQUE)
        found = _distinct(outcomes, turns.texts, asked[turns.answers], turns.said, said)
        truths = _columns(verdicts, *found, said)
        turns = replace(turns, verdicts=truths[0], unknown=truths[1])
    judged: Outcomes = replace(outcomes, verdicts=right, unknown=unknown, turns=turns)
    return judged


def _distinct(
    outcomes: Outcomes, texts: tuple[str, ...], asked: Integers, said: Integers, chosen: Truths
) -> tuple[list[Pair], Integers]:
    """Distinct pairs of chosen places, and the pair of each of these."""
    keys = asked.astype(np.int64)[chosen] * max(1, len(texts)) + said.astype(np.int64)[chosen]
    distinct, places = np.unique(keys, return_inverse=True)
    queries, answers = np.divmod(distinct, max(1, len(texts)))
    pairs = zip(queries.tolist(), answers.tolist(), strict=True)
    return [(outcomes.queries[query], texts[answer]) for query, answer in pairs], places


def _columns(
    verdicts: Verdicts, pairs: list[Pair], places: Integers, chosen: Truths
) -> tuple[Truths, Truths]:
    """Which places are right, and which have no verdict; those that are not chosen are wrong."""
    found = [verdicts[pair] for pair in pairs]
    right, unknown = (np.zeros(len(chosen), dtype=np.bool_) for _ in range(2))
    right[chosen] = np.array([bool(one) for one in found], dtype=np.bool_)[places]
    unknown[chosen] = np.array([one is None for one in found], dtype=np.bool_)[places]
    return right, unknown if unknown.any() else ALL_KNOWN
