"""Agents that answer the same problems, as a jury: what their agreement is worth, their descent.

What they agree on, without verdicts, is `judging.agreeing`'s. The functions down to
`expected_identity` see no verdict either; those below it do. What theory expects stands in
`theory.descent`.

Dimensions: M agents, Q problems, A = M·Q answers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from mgptn.population.judging.agreeing import by_problem, enough, sayers
from mgptn.population.records.agents import Agent
from mgptn.population.records.arrays import Truths
from mgptn.population.records.generation import Generation
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.population import Population
from mgptn.population.theory.classification import Rates
from mgptn.population.theory.descent import agreement_rates, coalescence_probability


def shared_founders(agents: Sequence[Agent]) -> float:
    """Share of pairs of agents that descend from the same founder; NaN where there is no pair."""
    counts = Counter(Population.of(agents).founders.tolist()).values()
    pairs = len(agents) * (len(agents) - 1)
    return sum(n * (n - 1) for n in counts) / pairs if pairs else math.nan


def coalescence(generation: Generation) -> float:
    """Probability that two agents of the next generation have their parent in common.

    Of its replication rates, by the multinomial Wright–Fisher process; 0 where nobody was born.
    """
    return coalescence_probability(generation.rates) if generation.births else 0.0


def expected_identity(coalescences: Iterable[float]) -> float:
    """What `shared_founders` is expected to be: 1 − Π (1 − c_t).

    Of multinomial Wright–Fisher with rates that have nothing to do with descent. A run's distance
    from it tells what else there is: demes keep a lineage each, systematic resampling drifts less,
    Moran events more, and where fitness is inherited whole lines rise and fall together.

    Parameters
    ----------
    coalescences
        c_t of every generation since the founders, as of `coalescence`; none for the founders.
    """
    return 1.0 - math.prod(1.0 - c for c in coalescences)


def accuracy(outcomes: Outcomes) -> float:
    """Share of answers that are right: of single agents, before they agree on anything.

    NaN where no answer has a verdict.
    """
    known = outcomes.verdicts[outcomes.known]
    return float(np.mean(known)) if known.size else math.nan


def collision(outcomes: Outcomes) -> float:
    """Of pairs of agents that are both wrong on a problem, the share that gave the same answer.

    An unfinished wrong answer is of as many pairs as any. NaN where there is no such pair.
    """
    wrong = outcomes.wrong
    each = by_problem(outcomes, wrong).sum(axis=1)
    pairs = int(each @ (each - 1))
    alike = wrong & outcomes.finished
    same = int(np.sum(sayers(outcomes, alike)[alike] - 1))
    return same / pairs if pairs else math.nan


def agreed_error(outcomes: Outcomes, least: int | None = None) -> float:
    """Of the problems of `agreed_share`, the share to which the commonest answer is wrong.

    Answers that are equally common count by their share. NaN where nothing is agreed on that has a
    verdict.

    Parameters and errors as of `agreed_share`.
    """
    alike = by_problem(outcomes, sayers(outcomes, outcomes.finished))
    most = alike.max(axis=1, keepdims=True)
    agreed = most[:, 0] >= enough(least, outcomes)
    if not agreed.any():
        return math.nan
    commonest = alike == most
    judged = commonest & by_problem(outcomes, outcomes.known)
    agreed &= judged.any(axis=1)
    if not agreed.any():
        return math.nan
    wrong = commonest & by_problem(outcomes, outcomes.wrong)
    return float(np.mean(wrong[agreed].sum(axis=1) / judged[agreed].sum(axis=1)))


def peer_rates(outcomes: Outcomes) -> Rates:
    """How often a peer gives the same answer as an agent that is right (tpr), or wrong (fpr).

    Over all ordered pairs of agents; NaN where there are none.
    """
    peers, right = len(outcomes.matches.authors) - 1, outcomes.verdicts
    agreeing = np.maximum(sayers(outcomes, outcomes.finished) - 1, 0)

    def share(of: Truths) -> float:
        pairs = peers * int(of.sum())
        return int(agreeing[of].sum()) / pairs if pairs else math.nan

    return Rates(share(right), share(outcomes.wrong))


def expected_peer_rates(outcomes: Outcomes) -> Rates:
    """What `peer_rates` would be by `agreement_rates` of the jury's own accuracy and collision.

    Problems that are not all alike set them apart: who is right has peers who are right too, more
    often than accuracy says. NaN in the false positive rate where collision has none.
    """
    right, same = accuracy(outcomes), collision(outcomes)
    if math.isnan(same):
        return Rates(right, math.nan)
    return agreement_rates(right, same)
