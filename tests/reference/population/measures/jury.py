"""A jury's agreement, pair by pair and text by text: what the fast version is held against."""

# SPDX-License-Identifier: Apache-2.0

import math
from collections import Counter
from itertools import permutations


def by_problem(outcomes):
    """The outcomes of each problem, authors in slot order."""
    problems = {}
    for one in outcomes:
        problems.setdefault(one.match.problem, []).append(one)
    return list(problems.values())


def same(one, other):
    return one.finished and other.finished and one.answer == other.answer


def ratio(part, whole):
    return part / whole if whole else math.nan


def collision(outcomes):
    pairs = [
        same(one, other)
        for answers in by_problem(outcomes)
        for one, other in permutations(answers, 2)
        if not one.verdict and not other.verdict
    ]
    return ratio(sum(pairs), len(pairs))


def peer_rates(outcomes):
    found = []
    for verdict in (True, False):
        pairs = [
            same(one, other)
            for answers in by_problem(outcomes)
            for one, other in permutations(answers, 2)
            if one.verdict == verdict
        ]
        found.append(ratio(sum(pairs), len(pairs)))
    return tuple(found)


def commonest(answers):
    """How often the commonest finished answer was given, and the texts given so often."""
    counts = Counter(one.answer for one in answers if one.finished)
    most = max(counts.values(), default=0)
    return most, {text for text, n in counts.items() if n == most}


def agreed_share(outcomes, least):
    problems = by_problem(outcomes)
    return sum(commonest(answers)[0] >= least for answers in problems) / len(problems)


def agreed_error(outcomes, least):
    errors = []
    for answers in by_problem(outcomes):
        most, texts = commonest(answers)
        if most >= least:
            wrong = [not o.verdict for o in answers if o.finished and o.answer in texts]
            errors.append(sum(wrong) / len(wrong))
    return ratio(sum(errors), len(errors))


def shared_founders(agents):
    pairs = [one.founder == other.founder for one, other in permutations(agents, 2)]
    return ratio(sum(pairs), len(pairs))
