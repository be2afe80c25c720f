"""The card: what was measured of a model, as a tree of records that is written and read as JSON.

Rates and errors are shares in [0, 1]; intervals are of 95 %.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from experiments.tables import write_whole

SCHEMA_VERSION = 1
CARD = "card.json"
THRESHOLDS = (0.5, 0.6)
"""Grades from which an answer counts as accepted; the last is a run's own default."""


class CardError(ValueError):
    """A card that cannot be read or measured: names the file and the field, or the argument."""


class Record(BaseModel):
    """A part of a card."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(Record):
    """A number, its interval, and how many observations it rests on.

    `count` is how many of the `n` were so, where it is a proportion (Wilson's interval); other
    intervals are bootstrapped. A value of None is undefined or infinite, as the note says.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    count: int | None = None
    note: str = ""


class AtLevel(Record):
    """Error where a survey level was asked for first; beside it, exact Bayes."""

    level: str
    error: Estimate
    bayes: float


class AtPersona(Record):
    """Error where the document begins with a persona's token, or with none; beside it, Bayes."""

    persona: str | None
    error: Estimate
    bayes: float


class AtDraws(Record):
    """Probability that one of `draws` samples is right."""

    draws: int
    passed: Estimate


class Answering(Record):
    """A model's answers without a context.

    Attributes
    ----------
    sampled, greedy
        Error at sampling temperature 1, and of the likeliest token throughout.
    unfinished
        Share of the sampled answers that did not end in time; they count as wrong.
    kinds
        Share of the sampled wrong answers that match each kind of error.
    pass_at_k
        Over fewer problems, of 256 samples each.
    personas, requested
        None where the model lacks their tokens.
    falls
        Does the error fall from each requested level to the next?
    """

    sampled: Estimate
    greedy: Estimate
    unfinished: Estimate
    kinds: dict[str, Estimate]
    pass_at_k: tuple[AtDraws, ...]
    personas: tuple[AtPersona, ...] | None = None
    requested: tuple[AtLevel, ...] | None = None
    falls: bool | None = None


class Adapted(Record):
    """Error after examples of which some are wrong, and |error − Bayes|, None where not comparable.

    The interval resamples contexts.
    """

    examples: int
    wrong: int
    error: Estimate
    bayes: float
    gap: Estimate | None


class Rates(Record):
    """A grader that accepts from a threshold on."""

    threshold: float
    tpr: Estimate
    fpr: Estimate
    likelihood_ratio: Estimate
    youden_j: Estimate
    balanced_accuracy: Estimate


class KindJudged(Record):
    """Wrong answers of one kind: FPR at each of THRESHOLDS, AUC against the right ones, Brier."""

    fpr: tuple[Estimate, ...]
    auc: Estimate
    brier: Estimate


class Judged(Record):
    """How a model grades a set of answers; a grade is the survey's expected level.

    `unread` grades could not be read and are left out.
    """

    answers: int
    right: int
    unread: int
    rates: tuple[Rates, ...]
    auc: Estimate
    calibration_error: Estimate
    brier: Estimate
    kinds: dict[str, KindJudged]


class Grading(Record):
    """A model as a grader without a context.

    Attributes
    ----------
    own
        Of its own sampled answers.
    corpus
        Of answers like the corpus's, half of them right.
    generation
        Accuracy of its own answers.
    gap
        Balanced accuracy of its grades of them, at the last of THRESHOLDS, less `generation`.
    """

    own: Judged
    corpus: Judged
    generation: Estimate
    gap: Estimate


class GraderContext(Record):
    """Rates, at the last of THRESHOLDS, of a grader that sees examples; shifts from seeing none."""

    context: str
    examples: int
    tpr: Estimate
    fpr: Estimate
    tpr_shift: Estimate
    fpr_shift: Estimate


class Mass(Record):
    """The levels' total probability after the grade marker, in one kind of context."""

    examples: int
    writer: str | None
    persona: str | None
    minimum: float
    mean: float


class Correlation(Record):
    """Mean phi coefficient of graders' false acceptances, over pairs for which it is defined."""

    between: str
    graders: tuple[str, ...]
    phi: Estimate
    pairs: int
    undefined: int


class Exchange(Record):
    """One model's grades of another's answers, at the last of THRESHOLDS."""

    grader: str
    author: str
    tpr: Estimate
    fpr: Estimate
    youden_j: Estimate


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
        data = json.loads(path.read_text())
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


def _lines(value: Any, indent: str = "") -> str:
    """JSON with one line for each record or list that holds no other."""
    inner: list[Any] = []
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    if not any(isinstance(one, dict | list) for one in inner):
        return json.dumps(value, ensure_ascii=False)
    deeper = indent + " "
    if isinstance(value, dict):
        parts = [f"{deeper}{json.dumps(k)}: {_lines(v, deeper)}" for k, v in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + _lines(v, deeper) for v in inner) + f"\n{indent}]"
