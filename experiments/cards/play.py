"""How models play a closed game: against exact play, and beside the corpus of careless players.

Dimensions: N positions, K moves.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from mgptn.agents.requests import Score, Scored
from mgptn.experiments.cards.subject import Subject
from mgptn.population.draws.streams import stream
from mgptn.population.intervals.spread import Interval, spread, t_interval
from mgptn.population.records.arrays import Floats
from mgptn.protocols.games.measures import greedy, log_loss, predictor_gap, regret
from mgptn.protocols.games.nim import Nim
from mgptn.protocols.games.positions import (
    HEAP_NAMES,
    MOST_STONES,
    legal,
    play_of_the_careless,
    winning,
)
from mgptn.protocols.interfaces.interface import Asked
from mgptn.protocols.tasks.bundled import Integers, text


@dataclass(frozen=True, slots=True)
class Played:
    """How somebody plays, with 95 % intervals over positions, Student's.

    Attributes
    ----------
    regret, greedy_regret
        How often a won position is given away: by moves as they are drawn at sampling temperature
        1, and by the likeliest one.
    loss
        Mean log-loss of the corpus's moves, in nats.
    gap
        Of it, what is above the exact Bayes predictor's.
    illegal
        Probability of what is no legal move.
    """

    who: str
    regret: float
    regret_interval: Interval
    greedy_regret: float
    loss: float
    gap: float
    gap_interval: Interval
    illegal: float


def positions(size: int, count: int, seed: int) -> Integers:
    """Held-out positions, each once, lost ones among them, int64 [N, H]; `count` at most."""
    task = Nim(size)
    rng = stream(seed, "positions", size)
    drawn = rng.integers(0, MOST_STONES + 1, size=(50 * count + 1000, size))
    held_out = drawn[drawn.any(axis=1) & task.held_out(drawn)]
    _, first = np.unique(held_out, axis=0, return_index=True)
    return held_out[np.sort(first)[:count]]


def chances_of(subject: Subject, heaps: Integers) -> Floats:
    """How probably a model makes each legal move, float64 [N, K]; what is missing is no move."""
    task = Nim(heaps.shape[1])
    may = legal(heaps)
    queries = [text(row) for row in task.render(np.pad(heaps, ((0, 0), (0, 1))))]
    rows, moves = np.nonzero(may)
    requests = []
    for row, move in zip(rows.tolist(), moves.tolist(), strict=True):
        prompt = subject.interface.answer_prompt(Asked(queries[row]))
        said = f"{HEAP_NAMES[move // MOST_STONES]}{move % MOST_STONES}"
        options = tuple((*subject.encoder.suffix(said), stop) for stop in subject.stops)
        encoder = subject.encoder
        requests.append(
            Score(encoder.prefix(prompt.prefix), encoder.suffix(prompt.suffix), options)
        )
    logs = [r.log_probabilities for r in subject.ask(requests) if isinstance(r, Scored)]
    chances = np.zeros(may.shape)
    chances[rows, moves] = np.exp(np.logaddexp.reduce(np.array(logs), axis=1))
    return chances


def measure_play(who: str, chances: Floats, heaps: Integers, noise: float) -> Played:
    """What moves with such chances come to, beside a corpus of so careless players."""
    wins, corpus = winning(heaps), play_of_the_careless(heaps, noise)
    given = regret(chances, wins)
    known = ~np.isnan(given)
    gaps = predictor_gap(chances, corpus)
    return Played(
        who,
        float(given[known].mean()),
        t_interval(spread(given[known])),
        float(regret(greedy(chances), wins)[known].mean()),
        float(log_loss(chances, corpus).mean()),
        float(gaps.mean()),
        t_interval(spread(gaps)) if np.isfinite(gaps).all() else Interval(math.inf, math.inf),
        float(1.0 - chances.sum(axis=1).mean()),
    )


def compare_play(
    models: Sequence[str], size: int, noise: float, count: int, seed: int
) -> list[Played]:
    """Exact play, the careless players, and models, on the same held-out positions.

    Raises
    ------
    CheckpointError, CardError
        As of `Subject`.
    """
    heaps = positions(size, count, seed)
    corpus, exact = play_of_the_careless(heaps, noise), play_of_the_careless(heaps, 0.0)
    rows = [
        measure_play("exact play", exact, heaps, noise),
        measure_play(f"careless players, {noise:g}", corpus, heaps, noise),
    ]
    for name in models:
        chances = chances_of(Subject(name, seed), heaps)
        rows.append(measure_play(name, chances, heaps, noise))
    return rows


def play_table(rows: Sequence[Played]) -> Table:
    """A row for each who plays."""
    table = Table("who", "regret", "greedy regret", "log-loss, nats", "gap, nats", "illegal")
    for row in rows:
        table.add_row(
            row.who,
            _told(row.regret, row.regret_interval),
            f"{row.greedy_regret:.3f}",
            f"{row.loss:.3f}",
            _told(row.gap, row.gap_interval),
            f"{row.illegal:.3f}",
        )
    return table


def _told(value: float, interval: Interval) -> str:
    """A mean with its interval; alone where all positions are alike, or it is infinite."""
    if not (math.isfinite(value) and math.isfinite(interval.low)):
        return f"{value:.3f}"
    return f"{value:.3f} ({interval.low:.3f} to {interval.high:.3f})"
