"""Enumerated answers of a bundled model against whole answers scored, and answers sampled."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest

from mgptn.experiments.cards.exam import Context, held_out_exam
from mgptn.experiments.cards.subject import Subject
from mgptn.experiments.claims.method.enumerating import answer_log_probabilities, enumerate_answers
from mgptn.population.draws.streams import stream
from mgptn.population.records.weights import noised
from mgptn.protocols.tasks.bundled import text
from mgptn.protocols.tasks.facts import Facts

CONTEXTS: tuple[Context, ...] = ((), (("c0421=", "17"), ("a0007=", "93")))
SAMPLES = 4096
FALSE_ALARM = 1e-9


@pytest.fixture(scope="module")
def subject() -> Subject:
    return Subject("gpt-3", 3)


@pytest.mark.parametrize("context", CONTEXTS)
def test_an_answers_probability_is_the_same_by_its_tokens_and_as_a_whole(
    subject: Subject, context: Context
) -> None:
    exam, _ = held_out_exam(Facts(), 2, stream(0, "enumerating"))
    found = enumerate_answers(subject, exam, context)
    assert found.texts[0] == "00"
    assert found.texts[-1] == "99"
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0, rtol=1e-12)
    assert np.all((found.mass > 0.97) & (found.mass < 1.0 + 1e-5))
    for i, query in enumerate(exam.queries):
        logs = answer_log_probabilities(subject, [query] * 100, found.texts, [context] * 100)
        whole = found.probabilities[i] * found.mass[i]
        # Shapes differ, so that float32 rounds differently.
        np.testing.assert_allclose(np.exp(logs), whole, rtol=1e-3, atol=1e-7)
    references = [text(row) for row in exam.problems.references]
    assert exam.right(references).all()
    assert answer_log_probabilities(subject, [], [], []).shape == (0,)


def test_ends_that_are_not_read_and_other_weights(subject: Subject) -> None:
    exam, _ = held_out_exam(Facts(), 2, stream(0, "enumerating"))
    whole, certain = (enumerate_answers(subject, exam, ends=ends) for ends in (True, False))
    # What answers of full length have besides is less than .03 of the mass.
    np.testing.assert_allclose(certain.probabilities, whole.probabilities, atol=0.03)
    still, moved = (noised(None, subject.name, (1, 2), scale) for scale in (1e-9, 0.03))
    same = enumerate_answers(subject, exam, worn=still, ends=False).probabilities
    np.testing.assert_allclose(same, certain.probabilities, atol=1e-4)
    other = enumerate_answers(subject, exam, worn=moved, ends=False).probabilities
    assert np.abs(other - certain.probabilities).max() > 0.01


def test_what_the_host_samples_is_what_was_enumerated(subject: Subject) -> None:
    """Total variation by McDiarmid's inequality around its expectation. False alarm: 1e-9."""
    exam, _ = held_out_exam(Facts(), 1, stream(1, "enumerating"))
    found = enumerate_answers(subject, exam)
    p = found.probabilities[0] * found.mass[0]
    many = exam.take(np.zeros(SAMPLES, dtype=np.int64))
    said = subject.answer(many, "enumerating", shared_queries=True)
    place = {answer: i for i, answer in enumerate(found.texts)}
    known = [place[answer] for answer in said.texts if answer in place]
    shares = np.bincount(known, minlength=p.size) / SAMPLES
    # E|share − p| ≤ √(p(1 − p)/n); one sample changes the sum of differences by at most 2/n.
    expected = np.sqrt(p * (1.0 - p) / SAMPLES).sum()
    slack = np.sqrt(2.0 * np.log(1.0 / FALSE_ALARM) / SAMPLES)
    assert np.abs(shares - p).sum() < expected + slack
    assert expected + slack < 0.5
