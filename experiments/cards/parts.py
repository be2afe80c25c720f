"""The parts of a card: what each measurement found, as records.

Rates and errors are shares in [0, 1]; intervals are of 95 %.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

THRESHOLDS = (0.5, 0.6)
"""Grades from which an answer counts as accepted; the last is a run's own default."""


class Record(BaseModel):
    """A part of a card."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(Record):
    """A number, its interval, and how many observations it rests on.

    `count` is how many of the `n` were so, where it is a proportion (Wilson's interval). A J has
    Newcombe's interval; others have Student's, by leaving observations out. A value of None is
    undefined or infinite, as the note says.
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
