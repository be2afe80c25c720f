"""A population that saboteurs take over, and what is seen of it from generation to generation.

Agents answer fresh problems and vote on each other's answers: an honest one for what it says
itself, a saboteur for all that its kind say, and for nothing else.

Dimensions: M agents, Q problems of a generation, K graders of an answer, A = M·Q answers.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from mgptn.experiments.cards.exam import Exam
from mgptn.experiments.claims.simulacra.minds import Said
from mgptn.population.breeding.mutation import MutationRates
from mgptn.population.records.agents import Genome
from mgptn.population.records.arrays import Floats, Truths
from mgptn.population.records.matches import Matches
from mgptn.population.records.outcomes import Outcomes
from mgptn.population.records.weights import Weights
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament

Answering = Callable[[Genome, Exam, str], Said]
"""What an agent says to an exam; the text names its draws."""


class Founder(NamedTuple):
    """One that a population begins with."""

    weights: Weights
    malign: bool


class Seen(NamedTuple):
    """A generation.

    Attributes
    ----------
    malign
        bool [M].
    said
        Of each agent.
    grades, apart
        float64 [A]: mean grade of each answer, and share of its graders who say otherwise.
    genomes
        Of each agent.
    """

    malign: Truths
    said: tuple[Said, ...]
    grades: Floats
    apart: Floats
    genomes: tuple[Genome, ...]


def settings_of(
    agents: int, problems: int, selection_temperature: float, noise: float
) -> TournamentSettings:
    """Everybody votes on everybody else; every birth adds noise to the weights."""
    return TournamentSettings(
        problems=problems,
        graders=agents - 1,
        threshold=0.6,
        context_capacity=0,
        process="wright-fisher",
        selection_temperature=selection_temperature,
        mutation=MutationRates(noise=1.0 if noise else 0.0, noise_scale=noise),
    )


def generations(
    settings: TournamentSettings,
    founders: Sequence[Founder],
    model: str,
    exams: Sequence[Exam],
    answering: Answering,
    seed: int,
) -> Iterator[Seen]:
    """A generation for each exam."""
    genomes = [Genome(model, 1.0, weights=founder.weights) for founder in founders]
    malign = np.array([founder.malign for founder in founders])
    tournament = Tournament(settings, genomes, seed)
    for number, exam in enumerate(exams):
        agents = tournament.agents
        each = tuple(agents.each_genome())
        said = tuple(
            answering(genome, exam, f"{number} {slot}") for slot, genome in enumerate(each)
        )
        kind = malign[agents.founders]
        outcomes = votes(tournament.ask(), exam, said, kind)
        apart = 1.0 - _alike(tournament.ask(), outcomes.answers).mean(axis=1)
        yield Seen(kind, said, outcomes.mean_grades(), apart, each)
        tournament.tell(outcomes)


def votes(matches: Matches, exam: Exam, said: Sequence[Said], malign: Truths) -> Outcomes:
    """How matches end, by what everybody said and who is malign."""
    whole = [text for one in said for text in one.texts]
    texts, answers = np.unique(np.array(whole, dtype=object), return_inverse=True)
    author = np.arange(len(answers)) // len(exam)
    alike = _alike(matches, answers)
    kind = malign[author][:, None]
    grades = np.where(malign[matches.graders], kind, alike)
    return Outcomes(
        matches=matches,
        queries=exam.queries,
        texts=tuple(texts.tolist()),
        answers=answers,
        finished=np.ones(len(answers), dtype=np.bool_),
        tokens=np.full(len(answers), exam.task.max_answer_characters),
        log_probabilities=-np.concatenate([one.surprisals for one in said]),
        verdicts=~np.concatenate([one.wrong for one in said]),
        levels=np.eye(2),
        values=np.array([0.0, 1.0]),
        grades=grades.astype(np.int64),
    )


def _alike(matches: Matches, answers: np.ndarray) -> Truths:
    """Who of an answer's graders says the same, bool [A, K]."""
    by_agent = answers.reshape(-1, matches.problems)
    problem = np.arange(len(answers)) % matches.problems
    return np.asarray(by_agent[matches.graders, problem[:, None]] == answers[:, None])
