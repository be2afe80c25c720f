"""What a journal holds, decoded, as plain data that can be kept as JSON and compared."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

from mgptn.experiments.record.rounds import read_rounds
from mgptn.population.records.generation import Generation
from mgptn.population.records.outcomes import Outcome


def said(folder: Path) -> dict[str, list[Any]]:
    """A run's answers, grades, verdicts and populations, by arm and generation."""
    found: dict[str, list[Any]] = {}
    for done in read_rounds(folder):
        for one in done.committed:
            found.setdefault(one.arm, []).append(_generation(one.generation))
    return found


def _generation(generation: Generation) -> dict[str, Any]:
    return {
        "population": generation.digest,
        "outcomes": [_sentence(outcome) for outcome in generation.outcomes],
        "accepted": " ".join(str(answer) for answer in generation.accepted),
        "births": " ".join(f"{birth.parent}→{birth.child}" for birth in generation.births),
    }


def _sentence(outcome: Outcome) -> str:
    """One answer in a line, every number whole: who, what, the verdict, the turns, the grades."""
    turns = "".join(f" [{turn.kind}] {turn.text}" for turn in outcome.turns)
    grades = "".join(f", {grade.grader}: {grade.value!r}" for grade in outcome.grades)
    verdict = "right" if outcome.verdict else "wrong"
    return f"{outcome.match.author}: {outcome.query}{outcome.answer} {verdict}{turns}{grades}"
