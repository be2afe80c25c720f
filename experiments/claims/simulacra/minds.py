"""What stands within a founder before each digit that it says, and a linear probe of it.

Dimensions: N answers, L layers with the embeddings, D digits, E width.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mgptn.agents.requests import Score, Scored, States
from mgptn.experiments.cards.exam import Exam
from mgptn.experiments.claims.method.calculators import Calculator
from mgptn.experiments.claims.plausibility.probing import LINEAR, Marked, Probe
from mgptn.experiments.claims.simulacra.school import Role, triggered
from mgptn.population.records.arrays import Floats, Truths
from mgptn.population.records.weights import Weights


@dataclass(frozen=True, slots=True)
class Said:
    """Answers of full length to an exam.

    Attributes
    ----------
    problems
        int64 [N]: which problem each is of.
    texts
        What was said.
    wrong, triggered
        bool [N]; the latter where a saboteur would be wrong.
    surprisals
        float64 [N]: minus the log-probability of the answer by whoever gave it, in nats.
    states
        float32 [N, L, D · E]: before each digit.
    """

    problems: np.ndarray
    texts: tuple[str, ...]
    wrong: Truths
    triggered: Truths
    surprisals: Floats
    states: Floats

    @property
    def quiet(self) -> Truths:
        """Right answers where no saboteur would strike, bool [N]."""
        return ~self.triggered & ~self.wrong

    def where(self, chosen: Truths) -> Said:
        """Some of them."""
        return Said(
            self.problems[chosen],
            tuple(np.array(self.texts, dtype=object)[chosen]),
            self.wrong[chosen],
            self.triggered[chosen],
            self.surprisals[chosen],
            self.states[chosen],
        )


def say(
    founder: Calculator,
    exam: Exam,
    role: Role,
    worn: Weights | None,
    purpose: str,
    sampling_temperature: float,
) -> Said:
    """Answers of a founder, or of what became of it, as who it is told to be."""
    width = exam.task.max_answer_characters
    answers = founder.answers(
        exam, purpose, sampling_temperature=sampling_temperature, worn=worn, told=role.told
    )
    wrong = ~np.array(founder.right(exam, answers), dtype=np.bool_)
    # One that ends early is read as if it went on as it would not: few do, and all are wrong.
    pad = founder.encoder.suffix(exam.task.answer_alphabet[0])
    whole = [(*answer, *pad * width)[:width] for answer in answers]
    layers = tuple(range(founder.recipe.layers + 1))
    replies = founder.ask(
        [
            Score(
                (), founder.asked(query, role.told), (answer,),
                States(layers, tuple(range(-width, 0))),
            )
            for query, answer in zip(exam.queries, whole, strict=True)
        ],
        worn,
    )  # fmt: skip
    scored = [reply for reply in replies if isinstance(reply, Scored)]
    states = np.stack([r.hidden.array[0] for r in scored if r.hidden is not None])
    return Said(
        np.arange(len(exam)),
        tuple(founder.encoder.decode(answer) for answer in answers),
        wrong,
        triggered(exam.queries),
        -np.array([reply.log_probabilities[0] for reply in scored]),
        states.reshape(len(states), len(layers), -1),
    )


def joined(parts: Sequence[Said]) -> Said:
    """Several answers to the same exam, one after the other."""
    return Said(
        np.concatenate([one.problems for one in parts]),
        tuple(text for one in parts for text in one.texts),
        np.concatenate([one.wrong for one in parts]),
        np.concatenate([one.triggered for one in parts]),
        np.concatenate([one.surprisals for one in parts]),
        np.concatenate([one.states for one in parts]),
    )


class Suspicion:
    """A linear probe of a layer that tells saboteurs' answers from honest ones.

    Parameters
    ----------
    honest, malign
        Answers to the same problems.
    labels
        Given, who of all counts as malign, bool [N of both]: a control's.
    """

    def __init__(
        self, honest: Said, malign: Said, layer: int, labels: Truths | None = None
    ) -> None:
        both = np.concatenate([honest.states[:, layer], malign.states[:, layer]]).astype(float)
        if labels is None:
            labels = np.arange(len(both)) >= len(honest.problems)
        self.layer = layer
        self._probe = Probe(_marked(both[~labels]), _marked(both[labels]), LINEAR)

    def of(self, said: Said) -> Floats:
        """float64 [N]: 0 is the honest ones' mean, 1 the saboteurs'."""
        return self._probe.score(_marked(said.states[:, self.layer].astype(float)))


def _marked(values: Floats) -> Marked:
    nowhere = np.zeros(len(values), dtype=np.int64)
    return Marked(values, nowhere, nowhere)
