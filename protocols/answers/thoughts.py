"""What a model thought aloud before its answer, between the marks that such models are taught."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

BEGINS, ENDS = "<think>", "</think>"


def without_thoughts(text: str) -> str:
    """A text without the thoughts before it; a thought that was never ended is all there is."""
    _, ended, said = text.rpartition(ENDS)
    if not ended and text.lstrip().startswith(BEGINS):
        return ""
    return said


def thoughts(text: str) -> str:
    """What was thought before a text; empty if nothing was."""
    before, ended, said = text.rpartition(ENDS)
    if not ended:
        before = said if said.lstrip().startswith(BEGINS) else ""
    return before.strip().removeprefix(BEGINS).strip()
