"""Every answer that a model could give, with its exact probability.

Dimensions: N problems, K characters of a task's alphabet, W characters of an answer.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mgptn.agents.requests import Score, Scored, Tokens
from mgptn.experiments.cards.exam import Context, Exam
from mgptn.experiments.cards.subject import Subject
from mgptn.population.records.arrays import Floats
from mgptn.population.records.weights import Weights
from mgptn.protocols.interfaces.interface import Asked


@dataclass(frozen=True, slots=True)
class Enumerated:
    """A model's distribution over the answers to each problem of an exam.

    Attributes
    ----------
    texts
        All K^W answers of full length, in the order of the alphabet.
    probabilities
        float64 [N, K^W]: of each, followed by a stop, rows normalised.
    mass
        float64 [N]: what they were before: the rest are answers of other lengths or characters.
    """

    texts: tuple[str, ...]
    probabilities: Floats
    mass: Floats


def enumerate_answers(
    subject: Subject,
    exam: Exam,
    context: Context = (),
    worn: Weights | None = None,
    *,
    ends: bool = True,
) -> Enumerated:
    """Read every next token's probability after every beginning of an answer.

    That is 1 + K + … + K^W rows a problem.

    Parameters
    ----------
    worn
        What became of the subject's weights.
    ends
        Is it read, in the last K^W of these rows, how probably an answer of full length ends? It is
        taken to be certain otherwise, as it all but is of models that know the task.
    """
    task, encoder = exam.task, subject.encoder
    letters = [encoder.suffix(character) for character in task.answer_alphabet]
    options: tuple[Tokens, ...] = (*letters, *((stop,) for stop in subject.stops))
    size, width = len(letters), task.max_answer_characters
    starts = [s for d in range(width + ends) for s in itertools.product(letters, repeat=d)]
    suffixes = [tuple(token for letter in start for token in letter) for start in starts]
    requests = []
    for query in exam.queries:
        prompt = subject.interface.answer_prompt(Asked(query, examples=context))
        asked = encoder.suffix(prompt.suffix)
        prefix = encoder.prefix(prompt.prefix) + asked[:-1]
        requests += [Score(prefix, asked[-1:] + suffix, options) for suffix in suffixes]
    replies = subject.ask(requests, worn)
    logs = np.array([r.log_probabilities for r in replies if isinstance(r, Scored)])
    logs = logs.reshape(len(exam), len(starts), len(options))
    total, first = np.zeros((len(exam), 1)), 0
    for place in range(width):
        rows = logs[:, first : first + size**place, :size]
        total = (total[:, :, None] + rows).reshape(len(exam), -1)
        first += size**place
    if ends:
        total = total + np.logaddexp.reduce(logs[:, first:, size:], axis=2)
    whole = np.exp(total)
    mass = whole.sum(axis=1)
    texts = tuple(map("".join, itertools.product(task.answer_alphabet, repeat=width)))
    return Enumerated(texts, whole / mass[:, None], mass)


def answer_log_probabilities(
    subject: Subject, queries: Sequence[str], answers: Sequence[str], contexts: Sequence[Context]
) -> Floats:
    """Log-probability that a sampled answer to each query is just this one, float64 [N].

    Parameters
    ----------
    contexts
        Of each query; equal ones are best one object.
    """
    encoder, requests = subject.encoder, []
    for query, answer, context in zip(queries, answers, contexts, strict=True):
        prompt = subject.interface.answer_prompt(Asked(query, examples=context))
        said = encoder.suffix(answer)
        options = tuple((*said, stop) for stop in subject.stops)
        requests.append(
            Score(encoder.prefix(prompt.prefix), encoder.suffix(prompt.suffix), options)
        )
    replies = subject.ask(requests)
    logs = np.array([r.log_probabilities for r in replies if isinstance(r, Scored)])
    # Of no answers there is no number of ends either.
    logs = logs.reshape(len(requests), len(subject.stops))
    return np.asarray(np.logaddexp.reduce(logs, axis=1), dtype=np.float64)
