"""Did the population amplify? A run's finding in plain sentences, each number with its interval."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mgptn.experiments.config.arms import (
    GREEDY,
    NEUTRAL,
    RANDOM,
    SELECTED,
    SHUFFLED,
    TEMPERATURES,
    UNSELECTED,
)
from mgptn.experiments.record.rounds import generations_of
from mgptn.experiments.views.measured import MeasuredRound
from mgptn.population.intervals.shares import difference_interval
from mgptn.population.intervals.spread import Spread, apart, known_spread
from mgptn.population.measures.answer_errors import (
    best_of_n_errors,
    errors_by_temperature,
    least_column,
    majority_errors,
    problem_errors,
)
from mgptn.population.measures.capability import pass_at_k
from mgptn.population.measures.generation_measures import Measures
from mgptn.population.records.arrays import Floats, known_mean
from mgptn.population.records.generation import Generation


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two error rates, and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def falls(self) -> bool:
        """Is it below zero, beyond its interval?"""
        return self.high < 0.0

    def __str__(self) -> str:
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


MASS = 0.1
"""Mean probability of the options below which grades are said to be hardly the graders' word."""

CUT_OFF = 0.05
"""Share of answers that are cut off above which it is said."""

Against = dict[str, tuple[float, Difference]]
"""Control → its error, and the run's error less that one."""

RANDOM_NAME = "the random selector"
NEUTRAL_NAME = "neutral drift"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The finding: a heading of a few words, and the sentences under it."""

    heading: str
    sentences: tuple[str, ...]


def judge(rounds: Sequence[MeasuredRound], faults: Sequence[str] = ()) -> Verdict:
    """Judge a run by its first and last generations and its controls; rounds between are not read.

    A run may be at its beginning, or have only some of the arms: what there is, is said.

    Amplified means: gold error fell from the first generation to the last, and by the last stood
    below that of the random-selector control and of the strongest of the cheaper ones, which take
    one batch of the founders' answers, each beyond the 95 % interval. Where weights learn, the
    random selector is the arm in which a coin accepts as many answers as the peers would.
    Intervals are Student's, by the spread between problems; arms are compared problem by problem.
    """
    selected = generations_of(rounds, SELECTED)
    if not selected:
        return Verdict(
            "Undecided: no generation", ("No generation has been committed yet.", *faults)
        )
    unsaid = [*hardly_said(rounds[-1].measures[SELECTED]), *faults]
    if len(selected) < 2:
        return Verdict(
            "Undecided: one generation",
            (
                "One generation cannot show a change; run at least two.",
                *unsaid,
            ),
        )
    change = _between(selected)
    first, last = (known_mean(problem_errors(selected[i])) for i in (0, -1))
    sentences = [
        f"Gold error went from {first:.3f} in generation 0 to {last:.3f} in generation "
        f"{selected[-1].index}: a change of {change}."
    ]
    arms = {arm: generations_of(rounds, arm) for arm in (NEUTRAL, RANDOM, UNSELECTED, GREEDY)}
    arms[RANDOM] = arms[RANDOM] or generations_of(rounds, SHUFFLED)
    against = _against(selected[-1], arms)
    for name, (error, difference) in against.items():
        sentences.append(f"Against {name} ({error:.3f}): {difference}{_said(difference)}.")
    sentences += _by_number(arms[UNSELECTED], len(selected[-1].agents) * (selected[-1].index + 1))
    if NEUTRAL_NAME in against:
        drift = _drift_said(against[NEUTRAL_NAME][1])
    else:
        drift = "Without an arm of neutral drift, what replication added cannot be told."
    if not arms[RANDOM]:
        missing = "controls" if not against else "a random selector"
        sentences += [
            f"Run without {missing}: no claim of amplification can be made.",
            *([drift] if against else []),
            *(_worth(rounds), *unsaid),
        ]
        fell = f"Error fell, without {missing}"
        undecided = f"Undecided: no {missing.removeprefix('a ')}"
        return Verdict(fell if change.falls else undecided, tuple(sentences))
    random_change = _between(arms[RANDOM])
    improved = (
        "IT IMPROVED, so what the run gained is not all due to its selector."
        if random_change.falls
        else "it did not improve, as it must not."
    )
    sentences += [
        f"The random-selector control changed by {random_change}: {improved}",
        *(drift, _worth(rounds), *unsaid),
    ]
    return Verdict(_heading(change, random_change, against), tuple(sentences))


def _heading(change: Difference, random_change: Difference, against: Against) -> str:
    """The finding of a run with a random selector beside it, in a few words."""
    if not change.falls:
        return "Not amplified: gold error did not fall"
    if not against[RANDOM_NAME][1].falls:
        return "Not amplified: gold error fell no further than under a random selector"
    if random_change.falls:
        return "Undecided: gold error fell, but that of the random-selector control did too"
    fell = "gold error fell, and further than under a random selector"
    cheaper = {name: of for name, of in against.items() if name not in (RANDOM_NAME, NEUTRAL_NAME)}
    if not cheaper:
        return f"Undecided: {fell}, but nothing cheaper stands beside it"
    strongest = min(cheaper, key=lambda name: cheaper[name][0])
    others = [n for n, (_, of) in cheaper.items() if of.low > 0.0 and n != strongest]
    if cheaper[strongest][1].low > 0.0:
        told = f"Not amplified: outdone by {strongest}, though {fell}"
        return f"{told}; also by {', '.join(others)}" if others else told
    if not cheaper[strongest][1].falls:
        return f"Undecided: not shown to be better than {strongest}, though {fell}"
    return f"Amplified beyond {strongest}: {fell}"


def _drift_said(difference: Difference) -> str:
    """What replication added beyond the arm that replicates at random."""
    if difference.falls:
        return "Replication by fitness lowered the error beyond what acceptance into contexts did."
    return (
        "Replication by fitness added nothing that could be shown: what was gained came from "
        "acceptance into contexts, which neutral drift shares."
    )


def _by_number(unselected: Sequence[Generation], spent: int) -> list[str]:
    """What k of the founders' answers are worth, by vote and picked by the verifier, k to all."""
    if not unselected:
        return []
    last = unselected[-1]
    size, known = len(last.agents), last.by_problem(last.outcomes.known).sum(axis=1)
    right = last.by_problem(last.outcomes.verdicts & last.outcomes.known).sum(axis=1)
    told = []
    for k in [*(2**i for i in range(size.bit_length()) if 2**i < size), size]:
        counts = zip(known.tolist(), right.tolist(), strict=True)
        of = [pass_at_k(n, c, min(k, n)) for n, c in counts if n]
        picked = 1.0 - known_mean(np.array(of))
        told.append(f"{k}: {known_mean(majority_errors(last, k)):.3f} and {picked:.3f}")
    return [
        "Of k founders' answers the commonest, and the best by the verifier, err on "
        f"{'; '.join(told)}. The run gave {spent} answers for each of a generation's problems."
    ]


def _against(last: Generation, arms: dict[str, list[Generation]]) -> Against:
    """Last generation's error against each control's on the same problems: theirs, difference."""
    ours, size = problem_errors(last), len(last.agents)
    controls: tuple[tuple[str, str, Callable[[Generation], Floats]], ...] = (
        (RANDOM_NAME, RANDOM, problem_errors),
        (NEUTRAL_NAME, NEUTRAL, problem_errors),
        ("no feedback", UNSELECTED, problem_errors),
        (f"best of {size} unselected", UNSELECTED, best_of_n_errors),
        (f"majority vote of {size} unselected", UNSELECTED, majority_errors),
    )
    known = {name: of(arms[arm][-1]) for name, arm, of in controls[:2] if arms[arm]}
    # Cheapest first: of several that are equally strong, it is named.
    known |= _alone(arms[GREEDY])
    known |= {name: of(arms[arm][-1]) for name, arm, of in controls[2:] if arms[arm]}
    # Problems to which either arm has no answer with a verdict tell nothing.
    return {
        name: (known_mean(errors), _told(known_spread(ours - errors), size))
        for name, errors in known.items()
    }


def _alone(generations: Sequence[Generation]) -> dict[str, Floats]:
    """Of founders alone, errors of the likeliest answers, and at the temperature that erred least
    on the problems of generations before."""
    if not generations:
        return {}
    by_temperature = [errors_by_temperature(one, TEMPERATURES) for one in generations]
    best = least_column(by_temperature[:-1])
    found = {"the founders' likeliest answers": by_temperature[-1][:, 0]}
    if best:
        name = f"the founders at sampling temperature {TEMPERATURES[best]:g}"
        found[name] = by_temperature[-1][:, best]
    return found


def _between(generations: Sequence[Generation]) -> Difference:
    """Change of error from the first generation to the last, whose problems differ."""
    first, last = problem_errors(generations[0]), problem_errors(generations[-1])
    return _told(apart(known_spread(last), known_spread(first)), len(generations[0].agents))


def _told(of: Spread, agents: int) -> Difference:
    """A difference with its interval, of problems that so many agents answer."""
    return Difference(of.value, *difference_interval(of, agents))


def _said(difference: Difference) -> str:
    if difference.falls:
        return ", lower"
    return ", higher" if difference.low > 0.0 else ", no difference shown"


def _worth(rounds: Sequence[MeasuredRound]) -> str:
    """What the graders were worth in the first generation, before anything was selected."""
    first = rounds[0].measures[SELECTED]
    (selected, *_) = generations_of(rounds[:1], SELECTED)
    graders = selected.outcomes.peers_asked
    effective = (
        f"; {graders} graders were worth {first.effective_graders:.1f} independent ones"
        if np.isfinite(first.effective_graders)
        else ""
    )
    if np.isnan(first.youden_j):
        return (
            "In generation 0 answers were all right, or all wrong, or nobody was selected: what "
            f"the selector is worth is not defined{effective}."
        )
    return (
        f"In generation 0 the selector passed right answers with TPR {first.tpr:.3f} and wrong "
        f"ones with FPR {first.fpr:.3f} (J = {first.youden_j:.3f}){effective}."
    )


def hardly_said(measures: Measures) -> list[str]:
    """What spoils a generation's figures: answers cut off, or unjudged, options nobody says."""
    return [*_cut_off(measures), *_unjudged(measures), *_unsaid(measures)]


def _unjudged(measures: Measures) -> list[str]:
    """That some answers have no verdict."""
    if not measures.unknown_verdicts:
        return []
    return [
        f"Of the {measures.answers} answers of generation {measures.generation}, "
        f"{measures.unknown_verdicts} have no verdict: it is not known whether they are right, and "
        "they are left out of all that is told of errors."
    ]


def _cut_off(measures: Measures) -> list[str]:
    """That many answers reached their maximum length, where many did."""
    share = measures.truncated_answers / max(1, measures.answers)
    if not share > CUT_OFF:
        return []
    return [
        f"Of the answers of generation {measures.generation}, {share:.0%} were cut off at their "
        "maximum length, and count as wrong. Raise `agents.max_answer_tokens`, or ask for less "
        "(`task.instruction`)."
    ]


def _unsaid(measures: Measures) -> list[str]:
    """That graders would have said something else than their options, where they would."""
    if not measures.option_mass < MASS:
        return []
    return [
        "Graders would hardly have said what they are read for: in generation "
        f"{measures.generation} the options of the grading question have a probability of "
        f"{measures.option_mass:.3g} together. Try another `protocol.question`, or layout "
        "(`agents.interface`)."
    ]
