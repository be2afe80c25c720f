"""An answer as a sample of inspect_ai's: question, conversation, right answer, scores.

Plain data in the form of its log files, version 2; the library itself is not needed to write it.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mgptn.experiments.sharing.prompts import QUESTION
from mgptn.population.records.generation import Generation
from mgptn.population.records.outcomes import Outcome
from mgptn.population.records.turns import KINDS

Plain = dict[str, Any]

RIGHT, WRONG = "C", "I"
"""What inspect_ai's scorers say of an answer."""

OTHERS = ("rival", "critique")
"""Kinds of turns that others said."""
assert set(OTHERS) < set(KINDS)


def sample_of(
    generation: Generation, arm: str, index: int, right: Sequence[str], shown: Sequence[Plain]
) -> Plain:
    """One answer.

    Parameters
    ----------
    shown
        What its author is shown as turns, the last of which asks `QUESTION`.
    index
        Of the answer in its generation.
    right
        The right answers, as far as they are known.
    """
    outcome = generation.outcomes[index]
    match = outcome.match
    author = generation.agents[index // generation.outcomes.matches.problems]
    answer = {**_message("assistant", outcome.answer), "model": author.genome.model}
    sample = {
        "id": f"agent-{match.author}-problem-{match.problem}",
        "epoch": 1,
        "input": outcome.query,
        "target": _target(right),
        "messages": [*_before(shown, outcome), answer],
        "output": {
            "model": author.genome.model,
            "choices": [
                {"message": answer, "stop_reason": "stop" if outcome.finished else "max_tokens"}
            ],
            "completion": outcome.answer,
        },
        "scores": _scores(generation, outcome, index),
        "metadata": {
            "arm": arm,
            "generation": generation.index,
            "index": index,
            "author": match.author,
            "founder": author.founder,
            "born": author.born,
            "role": author.genome.role,
            "sampling_temperature": author.genome.sampling_temperature,
            "accepted": bool((generation.accepted == index).any()),
            "tokens": outcome.tokens,
            "log_probability": _number(outcome.log_probability),
            "unreadable_grades": sum(grade.value is None for grade in outcome.grades),
        },
    }
    return sample


def summary_of(sample: Plain) -> Plain:
    """What a viewer lists of a sample."""
    listed = ("id", "epoch", "input", "target", "scores", "metadata")
    return {
        **{name: sample[name] for name in listed},
        "completed": True,
        "message_count": len(sample["messages"]),
        "turn_count": 1,
    }


def _before(shown: Sequence[Plain], outcome: Outcome) -> list[Plain]:
    """The conversation up to the answer: what the author is shown, and what was said since."""
    *earlier, asks = shown
    question = asks["content"].replace(QUESTION, outcome.query, 1)
    messages: list[Plain] = [*earlier, {**asks, "content": question}]
    for turn in outcome.turns:
        role = "user" if turn.kind in OTHERS else "assistant"
        messages.append(_message(role, f"[{turn.kind}] {turn.text}"))
    return messages


def _message(role: str, text: str) -> Plain:
    return {"role": role, "content": text}


def _target(right: Sequence[str]) -> str | list[str]:
    texts = [text for text in right]
    return texts[0] if len(texts) == 1 else texts or ""


def _scores(generation: Generation, outcome: Outcome, index: int) -> dict[str, Plain]:
    """The verdict, each grade that could be read, their mean, and what selection made of them."""
    counted = outcome.answer if outcome.part is None else outcome.part
    scores: dict[str, Plain] = {}
    if outcome.verdict is not None:  # what says nothing would be counted as wrong
        scores["verdict"] = {
            "value": RIGHT if outcome.verdict else WRONG,
            "answer": counted,
            "explanation": "by the task's verifier, which peers never see",
        }
    for seat, grade in enumerate(outcome.grades, start=1):
        if grade.value is None or grade.levels is None:
            continue
        scores[f"grade_{seat}"] = {
            "value": grade.value,
            "answer": counted,
            "explanation": f"by agent {grade.grader}",
            "metadata": {
                "grader": grade.grader,
                "levels": list(grade.levels),
                "option_mass": grade.mass,
            },
        }
    known = [grade.value for grade in outcome.grades if grade.value is not None]
    if known:
        scores["grade"] = {"value": math.fsum(known) / len(known), "explanation": "mean grade"}
    score = _number(float(generation.scores[index]))
    if score is not None:
        scores["score"] = {"value": score, "explanation": "what the selector made of it"}
    if outcome.rating is not None:
        scores["human"] = {"value": outcome.rating, "explanation": "a human's word"}
    return scores


def _number(value: float) -> float | None:
    """A number that JSON has; None for others."""
    return value if math.isfinite(value) else None
