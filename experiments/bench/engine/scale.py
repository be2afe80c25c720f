"""How much is measured: lengths of texts, slots, contexts, numbers of agents."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

PROMPT, NEW = 8, 32
"""Tokens of a question, and of an answer, where no prefix is shared."""

SHORT = 8
"""Tokens of an answer after a context."""

GRADED = PROMPT + SHORT
"""Tokens of a question, its answer, and what asks for the grade, less one."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured.

    Attributes
    ----------
    slots
        Answers written at once.
    context
        Tokens of an agent's context.
    graders
        Of an answer, each with a context of its own.
    sizes
        Numbers of agents for the cost against them.
    problems
        Of a whole generation.
    models
        How many of a device's models.
    driven
        Numbers of agents for the driver's part of a generation; 5 at least, for four graders.
    """

    slots: int
    context: int
    graders: int
    sizes: tuple[int, ...]
    problems: int
    models: int
    driven: tuple[int, ...]


SIZES = (8, 16, 32, 64, 128, 256, 512)

FULL = {
    "cpu": Scale(64, 192, 24, SIZES, 64, 3, (8, 64)),
    "cuda": Scale(256, 512, 24, SIZES, 64, 2, (8, 64)),
}
QUICK = Scale(4, 24, 2, (2, 4), 4, 1, (8,))
