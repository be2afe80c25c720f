"""The layout of founders that work steps out in writing: an answer's places are the question's.

`+aahiae@3=` is shown as it is. The n-th step of the question has the place of what is read before
the n-th character of the answer is written, counted from the separator before: from `@`, `=` is the
second token as the first step is from the start.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re

from mgptn.protocols.interfaces.columns import DIGITS
from mgptn.protocols.interfaces.ladder import LadderInterface
from mgptn.protocols.interfaces.markers import END, GRADE, JUDGE, MARKERS, START, WANT
from mgptn.protocols.interfaces.shown import ShownInterface
from mgptn.protocols.tasks.budgeted.cups import Cups
from mgptn.protocols.tasks.budgeted.steps import BUDGET, STEPS
from mgptn.protocols.tasks.budgeted.walks import Walks

SIGNS = (Walks.sign, Cups.sign)
_STEPS = re.compile(rf"[{''.join(SIGNS)}][{STEPS}]+{BUDGET}\d=")


def in_steps(query: str) -> str:
    """A question with a budget, as it is.

    Raises
    ------
    ValueError
        If it is of no such form.
    """
    if not query or _STEPS.fullmatch(query):
        return query
    raise ValueError(
        f"agents.interface: expected a question with a budget, such as +aahiae{BUDGET}3=, got "
        f"{query!r}"
    )


class StepsInterface(ShownInterface):
    """The ladder's items, of questions with a budget; errors are those of every such layout."""

    name = "steps"
    edition = 2
    apart = True
    required_tokens = (*LadderInterface.required_tokens, BUDGET, "=")
    special = MARKERS
    vocabulary = (*MARKERS, *DIGITS, *SIGNS, *STEPS, BUDGET, "=", END)
    separators = (START, JUDGE, WANT, GRADE, BUDGET, END)
    shown = staticmethod(in_steps)
