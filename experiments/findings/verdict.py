"""Did the population amplify? A run's finding in plain sentences, each number with its interval."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mgptn.experiments.config.arms import (
    AS_MANY,
    GREEDY,
    NEUTRAL,
    RANDOM,
    SELECTED,
    SHUFFLED,
    TEMPERATURES,
    UNSELECTED,
)
from mgptn.experiments.findings.as_many import BEST, VOTE, AsMany
from mgptn.experiments.findings.differences import Against, Difference, difference_of, said_of
from mgptn.experiments.findings.heading import (
    NEUTRAL_NAME,
    RANDOM_NAME,
    drift_said,
    heading_of,
    random_said,
)
from mgptn.experiments.record.rounds import generations_of
from mgptn.experiments.views.caveats import hardly_said
from mgptn.experiments.views.measured import MeasuredRound
from mgptn.population.display.html import heading, listed
from mgptn.population.intervals.spread import apart, known_spread
from mgptn.population.measures.answer_errors import (
    best_of_n_errors,
    errors_by_temperature,
    least_column,
    majority_errors,
    powers_to,
    problem_errors,
)
from mgptn.population.measures.capability import pass_at_k
from mgptn.population.records.arrays import Floats, known_mean
from mgptn.population.records.generation import Generation


@dataclass(frozen=True, slots=True)
class Verdict:
    """The finding: a heading of a few words, and the sentences under it."""

    heading: str
    sentences: tuple[str, ...]

    def _repr_html_(self) -> str:
        """For notebooks."""
        return heading(self.heading) + listed(self.sentences)


def judge(rounds: Sequence[MeasuredRound], faults: Sequence[str] = ()) -> Verdict:
    """Judge a run by its first and last generations and its controls; rounds between are not read.

    A run may be at its beginning, or have only some of the arms: what there is, is said.

    Amplified means: gold error fell from the first generation to the last, and by the last stood
    below that of the random-selector control and of all the cheaper ones, which take one batch of
    the founders' answers, each beyond the 95 % interval. Where weights learn, the random selector
    is the arm in which a coin accepts as many answers as the peers would. Intervals are
    Student's, by the spread between problems; arms are compared problem by problem.
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
    arms = {
        arm: generations_of(rounds, arm) for arm in (NEUTRAL, RANDOM, UNSELECTED, GREEDY, AS_MANY)
    }
    arms[RANDOM] = arms[RANDOM] or generations_of(rounds, SHUFFLED)
    against = _against(selected[-1], arms)
    for name, (error, difference) in against.items():
        sentences.append(f"Against {name} ({error:.3f}): {difference}{said_of(difference)}.")
    if not arms[AS_MANY]:
        given = len(selected[-1].agents) * (selected[-1].index + 1)
        sentences += _by_number(arms[UNSELECTED], given)
    if NEUTRAL_NAME in against:
        drift = drift_said(against[NEUTRAL_NAME][1])
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
    sentences += [random_said(random_change), drift, _worth(rounds), *unsaid]
    return Verdict(heading_of(change, random_change, against), tuple(sentences))


def _by_number(unselected: Sequence[Generation], spent: int) -> list[str]:
    """What k of the founders' answers are worth, by vote and picked by the verifier, k to all."""
    if not unselected:
        return []
    last = unselected[-1]
    size, known = len(last.agents), last.by_problem(last.outcomes.known).sum(axis=1)
    right = last.by_problem(last.outcomes.verdicts & last.outcomes.known).sum(axis=1)
    told = []
    for k in powers_to(size):
        counts = zip(known.tolist(), right.tolist(), strict=True)
        of = [pass_at_k(n, c, min(k, n)) for n, c in counts if n]
        picked = 1.0 - known_mean(np.array(of))
        told.append(f"{k}: {known_mean(majority_errors(last, k)):.3f} and {picked:.3f}")
    return [
        "Of k founders' answers the commonest, and the best by the verifier, err on "
        f"{'; '.join(told)}. The run gave {spent} answers for each of a generation's problems: "
        "as_many=1 asks the founders as often."
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
    known |= _as_many(arms[AS_MANY], size * (last.index + 1))
    # Problems to which either arm has no answer with a verdict tell nothing.
    return {
        name: (known_mean(errors), difference_of(known_spread(ours - errors), size))
        for name, errors in known.items()
    }


def _as_many(generations: Sequence[Generation], given: int) -> dict[str, Floats]:
    """Errors of the vote and of the best of as many founders' answers as the run gave."""
    # Before its end a run's founders have been asked one problem, which is no control.
    if not generations or len(generations[-1].outcomes.queries) < 2:
        return {}
    curve = AsMany.of(generations[-1], given)
    return {
        f"the vote of {given} founders' answers": curve.at(VOTE, given),
        f"the best of {given} founders' answers by grade": curve.at(BEST, given),
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
    return difference_of(apart(known_spread(last), known_spread(first)), len(generations[0].agents))


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
