"""The section `protocol` of a configuration: who says what to whom, and what is accepted."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from mgptn.experiments.config.sections.grading import AggregationConfig, TopologyConfig
from mgptn.experiments.config.sections.plugins import protocols
from mgptn.experiments.config.sections.section import LARGEST, Probability, Section, any_of, nearest
from mgptn.population.judging.acceptance import Acceptance
from mgptn.protocols.interfaces.wordings import WORDINGS, Wording
from mgptn.protocols.protocol import Picker, ProtocolOptions
from mgptn.protocols.scale import LEVELS


class QuestionConfig(Section):
    """A grading question in your own words."""

    question: Annotated[str, Field(min_length=1)]
    """What is asked of an answer."""
    lead: Annotated[str, Field(min_length=1)]
    """What stands before the grade."""
    options: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=2)]
    """What may be said."""
    levels: tuple[Annotated[int, Field(ge=1, le=len(LEVELS))], ...]
    """A level from 1 to 5 for each option."""

    @model_validator(mode="after")
    def _a_level_an_option(self) -> QuestionConfig:
        if len(self.levels) != len(self.options):
            raise ValueError(
                f"levels: expected {len(self.options)} numbers from 1 to {len(LEVELS)}, one an "
                f"option, got {self.levels}"
            )
        if len(set(self.options)) != len(self.options):
            raise ValueError(f"options: expected each once, got {self.options}")
        return self


class AcceptConfig(Section):
    """Accept so large a share of a generation's answers, the best by score."""

    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
    """Of a generation's answers, the best by score."""


class ProtocolConfig(Section):
    """Who says what to whom, and what it takes to be accepted."""

    name: str = "survey"
    """Who says what to whom (docs/reference/protocols.md)."""
    graders: Annotated[int, Field(ge=1, le=LARGEST)] = 4
    """*k*, at most as many others as the topology allows; exactly so many grade each answer."""
    topology: TopologyConfig = TopologyConfig()
    """Among whom the graders of an answer are drawn."""
    self_grading: Literal["none", "also"] = "none"
    """`also`: the author grades its own answer too, in one more seat; measured, and left out of the
    peers' word."""
    aggregation: AggregationConfig = AggregationConfig()
    """How *k* grades become a score."""
    fitness: Literal["mean", "bradley-terry"] = "mean"
    """`mean` of an agent's scores; or `bradley-terry`, its expected score against another agent by
    strengths in comparisons, under `pairwise` and `debate`."""
    threshold: Probability = 0.6
    """Score from which an answer enters its author's context; and grade from which a vote
    accepts."""
    accept: Literal["threshold", "calibrated"] | AcceptConfig = "threshold"
    """Otherwise than by `threshold`: `{share: .5}`, the best half of a generation's answers;
    `calibrated`, from the score that parts them best into two groups (Otsu). Neither takes a
    verdict."""
    grader_context: Literal["empty", "own", "shared"] = "empty"
    """What graders see before the question: nothing (`empty`), their `own` examples, or those
    `shared`, the newest of the whole population."""
    question: Literal["auto", "words", "digits", "yes-no", "correct"] | QuestionConfig = "auto"
    """The grading question: the five levels as `words`, `digits` 1 to 5, `yes-no` (P(True)), or
    `correct` (incorrect or correct; in chats the reply is begun with “This answer is”); `auto` is
    `correct` in chats, else `words`; or your own: `{question: …, lead: …, options: […], levels:
    […]}`, a level from 1 to 5 for each option."""
    reading: Literal["logits", "sampled", "likelihood", "confidence"] = "logits"
    """A grade is the distribution over the options, from `logits`; or the one option that is
    `sampled` as text; or the `likelihood` of the answer under the grader's own answering, against
    its likelihood after no question, by the token: 1/(1 + exp(−gain)); or its `confidence`, the
    geometric mean of its tokens' probabilities there."""
    least_mass: Probability = 0.05
    """A run is refused whose graders say one of the options with less probability than this, on a
    few answers that they are asked of first; `mgptn ask CONFIG` shows what they are asked, and what
    other questions would do."""
    shots: Annotated[int, Field(ge=0, le=64)] = 0
    """So many answers to other problems, half of them right, are shown with the level that each
    deserves before an answer is graded."""
    draws: Annotated[int, Field(ge=2, le=1024)] = 4
    """Answers of one author under `best-of-n` and `cherry-pick`."""
    turns: Annotated[int, Field(ge=1, le=64)] = 1
    """Exchanges of a `debate`, revisions under `critique-revise`, of a program that fails tests
    under `code-and-tests`."""
    wanted: Annotated[int, Field(ge=1, le=len(LEVELS))] = len(LEVELS)
    """Level asked for under `score-conditioned`, 1 to 5."""
    picker: Picker = "peers"
    """Whose grades pick under `best-of-n`: `peers`, or `self`; or a `human`, beside the peers."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What a protocol of your own wants to be told; of `code-and-tests`, `checking` (0): graders of
    each answer that look at the cases shown; of `profiled`, `inputs` (10): pairs of inputs that a
    program is run on."""

    @field_validator("name")
    @classmethod
    def _a_known_protocol(cls, name: str) -> str:
        known = protocols()
        if name not in known:
            raise ValueError(f"expected {any_of(known)}, got {name!r}{nearest(name, known)}")
        known[name]  # one that cannot be had says so
        return name

    @property
    def wording(self) -> Wording | None:
        """The grading question's; None for the layout's own."""
        if self.question == "auto":
            return None
        if isinstance(self.question, str):
            return WORDINGS[self.question]
        own = self.question
        levels = tuple(level - 1 for level in own.levels)
        return Wording("own", own.question, own.lead, own.options, levels)

    @property
    def acceptance(self) -> Acceptance:
        """From which score on an answer is accepted."""
        if isinstance(self.accept, str):
            return Acceptance(self.threshold, self.accept)
        return Acceptance(self.threshold, "share", self.accept.share)

    def as_options(self) -> ProtocolOptions:
        """What the protocol is told; an author that grades too has the last grader's seat."""
        return ProtocolOptions(
            graders=self.graders + (self.self_grading == "also"),
            draws=self.draws,
            turns=self.turns,
            wanted=self.wanted - 1,
            picker=self.picker,
            further=self.options,
        )

    def __hash__(self) -> int:  # pydantic's own would want to hash the options
        return hash(self.model_dump_json())
