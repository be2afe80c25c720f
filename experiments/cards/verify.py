"""Checking models against what is said of them: weights, recipe, shape, and a spot check."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mgptn.agents.checkpoints import (
    BUNDLED,
    Checkpoint,
    CheckpointError,
    count_parameters,
    find_checkpoint,
)
from mgptn.agents.training.recipe import Recipe
from mgptn.agents.training.rungs import RUNGS, llama_config
from mgptn.experiments.cards.card import CARD, Card, CardError, read_card
from mgptn.experiments.cards.exam import held_out_exam
from mgptn.experiments.cards.grading import acceptance
from mgptn.experiments.cards.parts import THRESHOLDS, Estimate
from mgptn.experiments.cards.subject import Subject
from mgptn.population.draws.streams import stream
from mgptn.population.measures.judgement import same_proportion
from mgptn.protocols.table import TASKS

PROBLEMS = 200
FALSE_ALARM = 1e-4
"""Probability at most, for each comparison of a spot check, that a true card is called wrong."""

SHAPE = (
    *("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    *("vocab_size", "max_position_embeddings", "tie_word_embeddings"),
)
"""What of a model's configuration its rung decides."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what, whether it agrees, and what was found."""

    model: str
    subject: str
    agrees: bool
    found: str


def verify(name: str) -> Iterator[Check]:
    """Every check of one model; those that need what is missing are left out."""
    try:
        checkpoint = find_checkpoint(name)
    except CheckpointError as error:
        yield Check(name, "model", False, str(error))
        return
    yield from _check_training(name, checkpoint)
    path = checkpoint.folder / CARD
    if not path.exists():
        yield Check(name, "card", False, f"expected {path}, got none: mgptn models measure {name}")
        return
    try:
        card = read_card(path)
    except CardError as error:
        yield Check(name, "card", False, str(error))
        return
    yield from _check_card(name, checkpoint, card)


def _check_training(name: str, checkpoint: Checkpoint) -> Iterator[Check]:
    """What training.json says: recipe, rung, parameters and, if it does, the weights' hash."""
    path = checkpoint.folder / "training.json"
    try:
        made: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        fields = dict(made["recipe"])
        parameters = int(made["parameters"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield Check(name, "training.json", False, f"{path}: {type(error).__name__}: {error}")
        return
    if "weights" in made:
        yield _equal(name, "training.json: weights", made["weights"], checkpoint.weights)
    yield _equal(name, "training.json: parameters", parameters, count_parameters(checkpoint.folder))
    try:
        recipe = Recipe(**fields)
    except (TypeError, ValueError) as error:
        yield Check(name, "training.json: recipe", False, str(error))
        return
    yield Check(name, "training.json: recipe", True, f"{recipe.rung}, seed {recipe.seed}")
    if checkpoint.folder.is_relative_to(BUNDLED):
        place = checkpoint.folder.relative_to(BUNDLED).as_posix()
        yield _equal(name, "training.json: recipe's rung and seed", place, _place(recipe))
    expected = llama_config(RUNGS[recipe.rung])
    differing = [
        f"{key} {getattr(expected, key)}, got {checkpoint.config.get(key)}"
        for key in SHAPE
        if checkpoint.config.get(key) != getattr(expected, key)
    ]
    yield Check(
        name,
        "config.json: shape",
        not differing,
        f"expected {'; '.join(differing)}" if differing else f"as {recipe.rung}'s",
    )


def _check_card(name: str, checkpoint: Checkpoint, card: Card) -> Iterator[Check]:
    stated = card.provenance
    same = _equal(name, "card: weights", stated.weights, checkpoint.weights)
    yield same
    yield _equal(name, "card: parameters", stated.parameters, count_parameters(checkpoint.folder))
    if not card.tasks:
        yield Check(name, "card: tasks", False, "expected at least one, got none")
    elif same.agrees:
        yield from _spot_check(name, card)


def _spot_check(name: str, card: Card) -> Iterator[Check]:
    """One task's error, TPR and FPR again, on fewer problems with other draws."""
    called, stated = next(iter(card.tasks.items()))
    try:
        subject = Subject(name, card.settings.seed + 1)
    except (CheckpointError, CardError) as error:
        yield Check(name, "spot check", False, str(error))
        return
    rng = stream(subject.seed, "card spot check", stated.task, stated.size)
    exam, _ = held_out_exam(TASKS[stated.task](stated.size), PROBLEMS, rng)
    own = subject.answer(exam, "spot check")
    errors = Estimate(value=None, n=len(exam), count=int((~own.right).sum()))
    tpr, fpr = acceptance(subject.grade(exam, own.texts).values, own.right, THRESHOLDS[-1])
    at = stated.grading.own.rates[-1]
    for what, before, now in (
        ("error", stated.answering.sampled, errors),
        ("TPR", at.tpr, tpr),
        ("FPR", at.fpr, fpr),
    ):
        yield _compare(name, f"{called}, {what} of {PROBLEMS} problems", before, now)


def _compare(name: str, what: str, before: Estimate, now: Estimate) -> Check:
    """Two counts by Fisher's exact test."""
    if before.count is None or now.count is None:
        return Check(name, what, False, "expected a count in the card, got none")
    found = f"card {before.count}/{before.n}, now {now.count}/{now.n}"
    same = same_proportion(before.count, before.n, now.count, now.n)
    return Check(name, what, same >= FALSE_ALARM, f"{found}, p = {same:.2g}")


def _equal(name: str, what: str, stated: object, found: object) -> Check:
    if stated == found:
        return Check(name, what, True, _short(found))
    return Check(name, what, False, f"expected {_short(stated)}, got {_short(found)}")


def _short(value: object) -> str:
    text = str(value)
    return f"{text[:16]}…" if len(text) > 24 else text


def _place(recipe: Recipe) -> str:
    return f"{recipe.rung}/{recipe.seed}"


def models_of(names: Sequence[str], bundled: Sequence[str]) -> tuple[str, ...]:
    """The models to verify: those named, or all that are bundled."""
    return tuple(dict.fromkeys(names)) or tuple(bundled)
