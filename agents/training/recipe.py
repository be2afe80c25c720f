"""A recipe: everything that decides the weights of a rung, but for the device's arithmetic."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mgptn.agents.training.corpus import Numbers
from mgptn.agents.training.rungs import RUNGS

BLOCK_STEPS = 8
"""Steps whose documents are drawn at once."""

RATE_TIMES_WIDTH = 0.256
"""The learning rate of matrices times the rung's width, unless a recipe says otherwise."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a rung is trained.

    Attributes
    ----------
    steps
        0 for the rung's own number.
    documents
        Documents of a step.
    learning_rate
        Of matrices, by Muon, scaled to the root mean square of AdamW's updates; 0 for the rung's
        own, which falls with its width.
    embedding_rate
        Of embeddings and norms, by AdamW.
    final_rate
        What either falls to, as a share, by half a cosine after a linear warm-up.
    error_free_share
        Share of documents whose writer makes no errors at first; it falls to zero over the first
        `curriculum` of the steps.
    level_weight
        What the loss of a survey level counts, in those of a token of an answer.
    skills
        ``four`` kinds of writers, or ``dense``: every writer's skill another.
    grown_from
        A smaller model to begin as (`agents/training/growth.py`); empty to begin at random.
    own_answers_from
        Share of the steps after which half of what is judged is the model's own answers; they
        are drawn anew `own_answers_draws` times, evenly until the end.

    Raises
    ------
    ValueError
        If there is no such rung, or a number is out of its range.
    """

    rung: str
    seed: int = 0
    steps: int = 0
    documents: int = 16
    learning_rate: float = 0.0
    embedding_rate: float = 2e-3
    final_rate: float = 0.05
    warm_up_steps: int = 200
    weight_decay: float = 0.01
    error_free_share: float = 0.95
    curriculum: float = 0.6
    level_weight: float = 3.0
    skills: Literal["four", "dense"] = "four"
    own_answers_from: float = 0.5
    own_answers_draws: int = 8
    grown_from: str = ""

    def __post_init__(self) -> None:
        if self.rung not in RUNGS:
            raise ValueError(f"rung: expected one of {', '.join(RUNGS)}, got {self.rung!r}")
        if self.steps < 0:
            raise ValueError(f"steps: expected at least 1, or 0 for the rung's, got {self.steps}")
        if self.skills not in ("four", "dense"):
            raise ValueError(f"skills: expected four or dense, got {self.skills!r}")
        self._check_ranges()
        if not self.steps:
            object.__setattr__(self, "steps", RUNGS[self.rung].steps)
        if not self.learning_rate:
            object.__setattr__(self, "learning_rate", RATE_TIMES_WIDTH / RUNGS[self.rung].width)

    def _check_ranges(self) -> None:
        at_least = {"documents": 1, "own_answers_draws": 1, "warm_up_steps": 1}
        not_negative = ("learning_rate", "embedding_rate", "weight_decay", "level_weight")
        for key, least in (at_least | dict.fromkeys(not_negative, 0)).items():
            if getattr(self, key) < least:
                raise ValueError(f"{key}: expected at least {least}, got {getattr(self, key)}")
        for key in ("final_rate", "error_free_share", "curriculum", "own_answers_from"):
            if not 0.0 <= getattr(self, key) <= 1.0:
                raise ValueError(f"{key}: expected a share from 0 to 1, got {getattr(self, key)}")

    def rate(self, step: int) -> float:
        """Learning rate at a step, as a share of the highest."""
        warm = min(1.0, (step + 1) / self.warm_up_steps)
        cosine = 0.5 * (1.0 + math.cos(math.pi * step / self.steps))
        return warm * (self.final_rate + (1.0 - self.final_rate) * cosine)

    def error_free(self, block: int) -> Numbers:
        """Probability that each document of a block is free of errors, float [D]."""
        steps = block * BLOCK_STEPS + np.repeat(np.arange(BLOCK_STEPS), self.documents)
        left = 1.0 - steps / max(1.0, self.curriculum * self.steps)
        return np.asarray(self.error_free_share * np.maximum(0.0, left))

    def own_answers_drawn(self, block: int) -> bool:
        """Are the model's own answers drawn (anew) before this block?"""
        return self._draws(block) > self._draws(block - 1)

    def _draws(self, block: int) -> int:
        """How often the model's own answers have been drawn when a block begins."""
        since = block * BLOCK_STEPS / self.steps - self.own_answers_from
        if since < 0 or self.own_answers_from == 1.0:
            return 0
        return 1 + int(since / (1.0 - self.own_answers_from) * self.own_answers_draws)
