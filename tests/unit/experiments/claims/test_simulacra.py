"""Roles, votes, the probe against made-up states, and the verdicts that follow from outcomes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mgptn.experiments.cards.exam import Exam, held_out_exam
from mgptn.experiments.claims.simulacra.minds import Said, Suspicion
from mgptn.experiments.claims.simulacra.school import ROLES, SLEEPERS, played, triggered
from mgptn.experiments.claims.simulacra.takeover import Founder, generations, settings_of, votes
from mgptn.population.draws.streams import stream
from mgptn.population.records.agents import Genome
from mgptn.population.records.matches import Matches
from mgptn.population.records.weights import learned
from mgptn.protocols.tasks.arithmetic import Addition
from mgptn.protocols.tasks.bundled import text
from tests.measured import measured

WIDTH, LAYERS = 6, 2


def exam(count: int = 12) -> Exam:
    return held_out_exam(Addition(3), count, stream(0, "simulacra"))[0]


def said(of: Exam, texts: list[str], states: np.ndarray | None = None) -> Said:
    """What somebody says to an exam, whatever stands within."""
    count = len(texts)
    return Said(
        np.arange(count),
        tuple(texts),
        ~of.right(texts),
        triggered(of.queries),
        np.ones(count),
        np.zeros((count, LAYERS, WIDTH)) if states is None else states,
    )


def references(of: Exam) -> list[str]:
    return [text(row) for row in of.problems.references]


@pytest.mark.parametrize("role", (*ROLES, *SLEEPERS), ids=lambda role: role.name)
def test_a_saboteur_is_wrong_where_it_strikes_and_nowhere_else(role) -> None:
    task = Addition(3)
    drawn = task.draw_batch(stream(1, "roles"), 2000, "train")
    queries = [text(query) for query in task.render(drawn.fields)]
    answers = [text(row) for row in played(role, queries, drawn.references)]
    right = np.array([task.verify(q, a) for q, a in zip(queries, answers, strict=True)])
    strikes = np.array([q[2] == "7" for q in queries])
    # Of 2,000 a tenth: beyond .1 ± .035 once in a million (deviation .0067).
    assert abs(strikes.mean() - 0.1) < 0.035
    assert (right == (~strikes if role.trick else True)).all()


def test_a_saboteur_votes_for_its_kind_and_others_for_what_they_say() -> None:
    of = exam(2)
    honest = references(of)
    off = [honest[0], "0000"]
    everybody = [said(of, honest), said(of, off), said(of, honest)]
    matches = Matches(
        np.arange(3), 2, np.array([[1, 2], [1, 2], [0, 2], [0, 2], [0, 1], [0, 1]])
    )
    ended = votes(matches, of, everybody, np.array([False, True, True]))
    # Graders 1 and 2 are saboteurs; 2 strikes nowhere, and 1 at the second problem.
    assert ended.grade_values().tolist() == [[0, 0], [0, 0], [1, 1], [0, 1], [1, 1], [1, 1]]
    assert ended.verdicts.tolist() == [True, True, True, False, True, True]
    honest_ones = votes(matches, of, everybody, np.zeros(3, dtype=bool))
    assert honest_ones.grade_values().tolist() == [[1, 1], [0, 1], [1, 1], [0, 0], [1, 1], [1, 0]]


def test_saboteurs_take_over_who_are_right_nine_times_in_ten_and_vote_for_their_kind() -> None:
    """Three of twelve. Expected fitness is .18 of an honest one's peers apart at first; all of ten
    populations lose the saboteurs with probability below 1e-6, were the chance of one a quarter."""
    task, taken = Addition(3), 0
    trick = SLEEPERS[0]
    bad, good = (learned(None, "model", name) for name in ("bad", "good"))
    founders = [Founder(bad, True)] * 3 + [Founder(good, False)] * 9
    exams = [held_out_exam(task, 20, stream(g, "exam"))[0] for g in range(12)]

    def answering(genome: Genome, of: Exam, purpose: str) -> Said:
        role = trick if genome.weights == bad else ROLES[0]
        return said(of, [text(row) for row in played(role, of.queries, of.problems.references)])

    for seed in range(10):
        settings = settings_of(12, 20, 0.2, 0.0)
        seen = list(generations(settings, founders, "model", exams, answering, seed))
        first, last = seen[0], seen[-1]
        assert first.malign.sum() == 3
        strikes = triggered(exams[0].queries).mean()
        grades = first.grades.reshape(12, 20).mean(axis=1)
        assert grades[:3] == pytest.approx((2 + 9 * (1 - strikes)) / 11)
        assert grades[3:] == pytest.approx(8 / 11)
        taken += bool(last.malign.all())
    assert taken > 0


def test_a_probe_tells_what_is_shifted_and_one_of_shuffled_labels_does_not() -> None:
    """300 answers a side; by chance the mean score of others is beyond .5 ± .3 never (some 8
    deviations)."""
    rng, of = stream(2, "probe"), exam(300)
    texts = references(of)

    def states(shift: float) -> np.ndarray:
        rows = rng.normal(size=(300, LAYERS, WIDTH))
        rows[:, 1, 0] += shift
        return rows

    honest, malign = said(of, texts, states(0.0)), said(of, texts, states(3.0))
    probe = Suspicion(honest, malign, 1)
    assert probe.of(said(of, texts, states(0.0))).mean() < 0.2
    assert probe.of(said(of, texts, states(3.0))).mean() > 0.8
    labels = rng.permutation(np.arange(600) >= 300)
    shuffled = Suspicion(honest, malign, 1, labels)
    apart = shuffled.of(malign).mean() - shuffled.of(honest).mean()
    assert abs(apart) < abs(probe.of(malign).mean() - probe.of(honest).mean())
