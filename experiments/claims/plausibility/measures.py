"""What is measured: digits that a founder would say, and digits that it is made to have said.

Dimensions: Q problems, N answers, W digits of an answer, L layers with the embeddings, E width.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from mgptn.agents.requests import Score, Scored, States, Tokens
from mgptn.experiments.cards.exam import Exam, held_out_exam
from mgptn.experiments.claims.method.calculators import Calculator
from mgptn.experiments.claims.method.measuring import Bench
from mgptn.experiments.claims.plausibility.probing import LINEAR, QUADRATIC, Marked, Probe
from mgptn.population.draws.streams import stream
from mgptn.population.records.arrays import Floats
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import text

SAMPLED, FORCED, RIGHT = "sampled", "forced", "right"
FALSE_ALARMS = 0.05
"""Share of sampled passes that a threshold lets count as broken, on the problems it is set by."""


@dataclass(frozen=True, slots=True)
class Passes:
    """Answers of full length: which problem each is of, its digits, and its log-probability."""

    problems: np.ndarray
    digits: list[Tokens]
    logs: Floats
    states: Floats
    """float32 [N, W, L, E], after each digit."""


@dataclass(frozen=True, slots=True)
class Digits:
    """Single digits after a sampled beginning."""

    problems: np.ndarray
    places: np.ndarray
    surprisals: Floats
    states: Floats
    """float32 [N, L, E]."""


def measure_passes(bench: Bench) -> pl.DataFrame:
    """Digits and whole passes, as a probe of each layer and each half of the problems sees them.

    Rows of `what` digits are single ones; of passes whole answers, by their worst digit.
    """
    options = bench.options
    founder = Calculator(bench, options["founder"], bench.seed)
    task = TASKS["addition"](options["size"])
    exam, _ = held_out_exam(task, options["problems"], stream(bench.seed, "plausibility"))
    sampled = _sampled(founder, exam, options["samples"])
    forced = _forced(founder, exam, sampled, options["ducks"], bench.seed)
    right = _read(founder, exam, np.arange(len(exam)), _right(founder, exam))
    layers = range(sampled.states.shape[2])
    return pl.concat(
        _told(sampled, forced, right, (kind, layer, half), options["bound"])
        for kind in (LINEAR, QUADRATIC)
        for layer in layers
        for half in (0, 1)
    )


def _sampled(founder: Calculator, exam: Exam, samples: int) -> Passes:
    """Answers of full length, `samples` tries a problem."""
    problems = np.repeat(np.arange(len(exam)), samples)
    answers = founder.answers(exam.take(problems), "plausibility")
    whole = [len(answer) == exam.task.max_answer_characters for answer in answers]
    return _read(
        founder, exam, problems[whole], [a for a, w in zip(answers, whole, strict=True) if w]
    )


def _right(founder: Calculator, exam: Exam) -> list[Tokens]:
    return [founder.encoder.suffix(text(answer)) for answer in exam.problems.references]


def _read(founder: Calculator, exam: Exam, problems: np.ndarray, digits: list[Tokens]) -> Passes:
    """Answers with their log-probabilities, and what stands within after each digit."""
    end = founder.encoder.stops(founder.interface.stops)[:1]
    states = States(_layers(founder), tuple(range(-exam.task.max_answer_characters, 0)))
    replies = founder.ask(
        [
            Score((), founder.asked(exam.queries[problem]), ((*answer, *end),), states)
            for problem, answer in zip(problems, digits, strict=True)
        ]
    )
    logs = np.array([reply.log_probabilities[0] for reply in replies if isinstance(reply, Scored)])
    return Passes(problems, digits, logs, _hidden(replies).transpose(0, 2, 1, 3))


def _forced(founder: Calculator, exam: Exam, sampled: Passes, ducks: int, seed: int) -> Digits:
    """Of each sampled answer one digit replaced by others, all equally likely to be drawn.

    Not the leading one, which can be but 0 or 1.
    """
    rng = stream(seed, "plausibility forced")
    letters = [founder.encoder.suffix(letter) for letter in exam.task.answer_alphabet]
    places = rng.integers(0, exam.task.max_answer_characters - 1, size=len(sampled.digits))
    begun = [
        founder.asked(exam.queries[problem]) + digits[:place]
        for problem, digits, place in zip(sampled.problems, sampled.digits, places, strict=True)
    ]
    likely = founder.ask([Score((), beginning, tuple(letters)) for beginning in begun])
    requests, rows, surprisals = [], [], []
    states = States(_layers(founder), (-1,))
    for row, (beginning, reply) in enumerate(zip(begun, likely, strict=True)):
        assert isinstance(reply, Scored)
        said = sampled.digits[row][places[row]]
        others = [i for i, letter in enumerate(letters) if letter != (said,)]
        for chosen in rng.choice(others, size=ducks, replace=False):
            requests.append(Score((), beginning + letters[chosen], (letters[0],), states))
            rows.append(row)
            surprisals.append(-reply.log_probabilities[chosen] / np.log(10.0))
    found = _hidden(founder.ask(requests))[:, :, 0]
    at = np.array(rows)
    return Digits(sampled.problems[at], places[at], np.array(surprisals), found)


def _layers(founder: Calculator) -> tuple[int, ...]:
    return tuple(range(founder.recipe.layers + 1))


def _hidden(replies: Sequence[object]) -> Floats:
    """float64 [N, L, places, E] of replies of one row each."""
    found = [r.hidden.array[0] for r in replies if isinstance(r, Scored) and r.hidden is not None]
    return np.stack(found).astype(np.float64)


def _told(
    sampled: Passes, forced: Digits, right: Passes, of: tuple[str, int, int], bound: float
) -> pl.DataFrame:
    """One half of the problems, as told by a probe of some kind of the other half's digits."""
    probed, layer, half = of
    own, ducks, true = (
        _flat(sampled, layer),
        Marked(forced.states[:, layer], forced.places, forced.problems),
        _flat(right, layer),
    )
    taught = own.problems % 2 != half
    improbable = (ducks.problems % 2 != half) & (forced.surprisals >= bound)
    probe = Probe(own.where(taught), ducks.where(improbable), probed)
    worst = _worst(probe, own)
    known = sampled.problems % 2 != half
    limit = float(np.quantile(worst[known], 1.0 - FALSE_ALARMS))
    here, there = own.where(~taught), ducks.problems % 2 == half
    tested = ducks.where(there)
    unknown = np.full(len(here.problems), np.nan)
    frames = [
        _digits(SAMPLED, here, unknown, probe),
        _digits(FORCED, tested, forced.surprisals[there], probe),
    ]
    for kind, passes, scores in ((SAMPLED, sampled, worst), (RIGHT, right, _worst(probe, true))):
        chosen = passes.problems % 2 == half
        frames.append(
            _frame("passes", kind, passes.problems[chosen], scores[chosen]).with_columns(
                surprisal=pl.Series(-passes.logs[chosen] / np.log(10.0)),
                broken=pl.Series(scores[chosen] > limit),
            )
        )
    return pl.concat(frames, how="diagonal").with_columns(
        layer=pl.lit(layer), probe=pl.lit(probed), bound=pl.lit(bound)
    )


def _flat(passes: Passes, layer: int) -> Marked:
    """States after each digit but the leading one, as many as there are digits."""
    states = passes.states[:, :-1, layer]
    count, width = states.shape[:2]
    return Marked(
        states.reshape(count * width, -1),
        np.tile(np.arange(width), count),
        np.repeat(passes.problems, width),
    )


def _worst(probe: Probe, states: Marked) -> Floats:
    """The greatest score of each pass."""
    width = int(states.places.max()) + 1
    return np.asarray(probe.score(states).reshape(-1, width).max(axis=1))


def _digits(kind: str, states: Marked, surprisals: Floats, probe: Probe) -> pl.DataFrame:
    return _frame("digits", kind, states.problems, probe.score(states)).with_columns(
        surprisal=pl.Series(surprisals),
        distance=pl.Series(probe.distance(states)),
        place=pl.Series(states.places),
    )


def _frame(what: str, kind: str, problems: np.ndarray, scores: Floats) -> pl.DataFrame:
    return pl.DataFrame({"what": what, "kind": kind, "problem": problems, "score": scores})
