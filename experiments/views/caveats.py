"""What spoils a generation's figures: answers cut off, or unjudged, options that nobody says."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from mgptn.population.measures.generation_measures import Measures

MASS = 0.1
"""Mean probability of the options below which grades are said to be hardly the graders' word."""

CUT_OFF = 0.05
"""Share of answers that are cut off above which it is said."""


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
