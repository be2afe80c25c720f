"""The card: all that was measured of a model, written and read as JSON."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mgptn.agents.files import write_whole
from mgptn.experiments.cards.parts import (
    Adapted,
    Answering,
    Correlation,
    Exchange,
    GraderContext,
    Grading,
    Mass,
    Record,
)

SCHEMA_VERSION = 1
CARD = "card.json"


class CardError(ValueError):
    """A card that cannot be read or measured: names the file and the field, or the argument."""


class TaskCard(Record):
    """What was measured on one task and size.

    Attributes
    ----------
    problems
        Held-out problems, each once; `all_held_out` if there are no more.
    chance
        Accuracy of answers drawn evenly from the task's alphabet.
    reference
        What to make of the Bayes columns here.
    absent
        Parts that were not measured → why.
    """

    task: str
    size: int
    problems: int
    all_held_out: bool
    chance: float
    reference: str
    absent: dict[str, str]
    answering: Answering
    adaptation: tuple[Adapted, ...]
    grading: Grading
    contexts: tuple[GraderContext, ...]
    levels: tuple[Mass, ...]
    correlations: tuple[Correlation, ...]
    exchanges: tuple[Exchange, ...]


class Settings(Record):
    """What, with the weights, decides a card's numbers; `graders` is name → weights hash."""

    problems: int
    seed: int
    graders: dict[str, str]


class Provenance(Record):
    """Whose card this is, and how it came about."""

    model: str
    weights: str
    rung: str | None
    parameters: int
    context_tokens: int
    command: str
    versions: dict[str, str]


class Card(Record):
    """All that was measured of a model.

    `tasks` are named ``addition:2``; `absent` are those that were asked for, and why they lack.
    """

    schema_version: int
    provenance: Provenance
    settings: Settings
    tasks: dict[str, TaskCard]
    absent: dict[str, str]


def write_card(card: Card, path: Path) -> None:
    """Write a card whole or not at all; equal cards give equal bytes."""
    text = _lines(card.model_dump(mode="json", exclude_defaults=True)) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def read_card(path: Path) -> Card:
    """Read a card.

    Raises
    ------
    CardError
        If it cannot be read; names the file and the field.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CardError(f"{path}: expected a card in JSON, got: {error}") from None
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise CardError(f"{path}: schema_version: expected {SCHEMA_VERSION}, got {version!r}")
    try:
        return Card.model_validate_json(json.dumps(data))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CardError(
            f"{path}: {field}: {first['msg'].lower()}, got {str(first['input'])[:60]!r}"
        ) from None


def _lines(value: Any) -> str:
    """JSON with one line for each record or list that holds no other, and no spaces: short."""
    inner: list[Any] = []
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    if not any(isinstance(one, dict | list) for one in inner):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}:{_lines(one)}" for key, one in value.items()]
        return "{\n" + ",\n".join(parts) + "\n}"
    return "[\n" + ",\n".join(map(_lines, inner)) + "\n]"
