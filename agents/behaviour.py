"""The known behaviour of agents without a model, against which the simulator is held."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from typing import Literal, get_args

from mgptn.population.records.settled import check_name, check_probabilities

Adaptation = Literal["none", "copy", "bayes"]
Spots = Literal["shared", "disjoint"]

SCRIPTED_MODELS = ("scripted", "bayes")
"""Values of `agents.model` that need no model."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How scripted agents answer and grade.

    Attributes
    ----------
    task, size
        Name and size of the task, whose verifier says what is right.
    adaptation
        What a context does to an agent's error: nothing (``"none"``); the error becomes the share
        of wrong examples in it (``"copy"``, under which chaining follows the recurrence of
        `filtered_error` in `mgptn.population.theory.classification`); or the agent infers a skill
        from it (``"bayes"``, `posterior_error` there).
    error
        Of an agent with an empty context; under ``"bayes"`` the prior's mean counts instead. A
        wrong answer is one of 64 that the task draws for the problem.
    tpr, fpr
        Probability that a grader passes a right and a wrong answer. A grade is the top level or
        the bottom one.
    correlation
        ρ in [0, 1] of two graders' errors on the same wrong answers.
    blind_spot
        β: share of problems whose wrong answers a grader passes, whatever they are.
    spots
        Those problems are the same for every grader (``"shared"``); or each grader's seat has its
        own, and no problem is in two seats' (``"disjoint"``, K·β ≤ 1). A flatterer errs on those
        of the first seat.
    skills, prior
        Errors that an agent under ``"bayes"`` may have, and their prior probabilities.
    seed
        Of the run: what graders share is keyed by it.

    Raises
    ------
    ValueError
        If a name is unknown, or a number out of its range.
    """

    task: str
    size: int
    adaptation: Adaptation = "copy"
    error: float = 0.5
    tpr: float = 0.9
    fpr: float = 0.1
    correlation: float = 0.0
    blind_spot: float = 0.0
    skills: tuple[float, ...] = (0.05, 0.35, 0.65, 0.95)
    prior: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)
    seed: int = 0
    spots: Spots = "shared"

    def __post_init__(self) -> None:
        check_name("adaptation", self.adaptation, get_args(Adaptation))
        check_name("spots", self.spots, get_args(Spots))
        check_probabilities(self, "error", "tpr", "fpr", "correlation", "blind_spot")
        if len(self.prior) != len(self.skills):
            raise ValueError(
                f"prior: expected {len(self.skills)} probabilities, one a skill, got {self.prior}"
            )

    def digest(self) -> str:
        """Hexadecimal hash that stands where a model's weights hash would."""
        return hashlib.blake2b(repr(astuple(self)).encode(), digest_size=32).hexdigest()
