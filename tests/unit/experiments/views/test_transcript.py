"""Conversations as lines: what was thought is told apart from what was said."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

from mgptn.experiments.views.transcript import conversation_lines
from tests.synthetic import synthetic_run


def test_a_thought_stands_before_its_answer_and_counts_for_nothing() -> None:
    generation = synthetic_run()[0][0].generation
    outcome = replace(
        generation.outcomes[0], answer="<think>\nso it\nis 7</think>\n\nSeven: 7.", part="7"
    )
    lines = conversation_lines(outcome, generation, 0)
    thought, answer, part = lines[:3]
    assert thought == "  thought    so it ⏎ is 7  (counts for nothing)"
    assert answer.startswith("  answer     Seven: 7.  (")
    assert part == "  of which   7  (counts)"
    plain = conversation_lines(generation.outcomes[0], generation, 0)
    assert not any("thought" in line for line in plain)
