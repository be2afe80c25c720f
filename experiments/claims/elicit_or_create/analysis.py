"""Claim 9: does selection make right answers likelier, or possible?

Dimensions: S seeds, Q problems, B numbers of attempts k = 1, 2, 4, …
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl

from mgptn.experiments.claims.elicit_or_create.figure import draw_attempts
from mgptn.experiments.claims.elicit_or_create.measures import (
    BASE,
    SIDES,
    measure_attempts,
    measure_founders,
    measure_probabilities,
    measure_winners,
)
from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import (
    DIFFERENCE,
    Number,
    estimate,
    plain,
    share,
)
from mgptn.experiments.claims.method.statistics import first_over_second
from mgptn.experiments.config.arms import GREEDY, RANDOM, SELECTED
from mgptn.population.intervals.spread import Statistic
from mgptn.population.measures.capability import pass_at_k
from mgptn.population.records.arrays import Floats

MEASURES = {
    "attempts": measure_attempts,
    "probabilities": measure_probabilities,
    "winners": measure_winners,
    "founders": measure_founders,
}
TOLD = {BASE: "base", SELECTED: "selected", RANDOM: "random-selector twin"}
RAISED = "composition"
"""The exam whose gain is asked for."""

OFTEN, HARDLY = 0.5, 1.0 / 1024.0
"""The population answers right at least so often, where the base does so less often than this."""

TRIED = 10_000
"""Attempts of the base, from exact probabilities."""

FAILED = 0.99
"""A base that passes less often than this fails a problem: where it passes, nothing is created."""

SAME = 0.01
"""A difference in pass@k that counts as none."""

READ = 2.0 ** np.arange(31)
"""Numbers of attempts at which probabilities are compared."""


def analyse(results: Results) -> Finding:
    """pass@k of base, population and twin; what only the population does; winners."""
    attempts, read = results.measured("attempts"), results.measured("probabilities")
    passed, gains, reach = [], [], []
    decisive: list[Number] = []
    curves: dict[str, tuple[float, ...]] = {}
    p = math.nan
    for exam in attempts["exam"].unique(maintain_order=True):
        data, draws = _passes(attempts.filter(exam=exam))
        most = int(draws[-1])
        for i, side in enumerate(SIDES):
            curves[f"{exam}, {side}"] = tuple(data[:, :, i].mean(axis=(0, 1)))
            passed += [
                share(f"{exam}: pass@{k}, {TOLD[side]}", data[:, :, i, at])
                for at, k in ((0, 1), (len(draws) - 1, most))
            ]
        curves[f"{exam}, draws"] = tuple(draws)
        over_base, over_twin, coverage = (
            estimate(f"{exam}: pass@{k} above {whose}", data[..., at], _over(side), DIFFERENCE)
            for k, at, side, whose in (
                (1, 0, 0, "the base's"), (1, 0, 2, "the twin's"), (most, -1, 0, "the base's")
            )
        )  # fmt: skip
        gains.append(coverage)
        probabilities = _probabilities(read.filter(exam=exam))
        tried = _passed(probabilities, TRIED)
        if (failed := _where_failed(tried)).any():
            told = f"{exam}: pass@{TRIED:,} above the base's, where that fails"
            decisive.append(estimate(told, failed, first_over_second, DIFFERENCE))
        passed += [
            share(f"{exam}: pass@{TRIED:,}, {TOLD[side]}", tried[..., i])
            for i, side in enumerate(SIDES)
        ]
        only = (probabilities[..., 1] >= OFTEN) & (probabilities[..., 0] < HARDLY)
        alone = share(f"{exam}: problems that only the population answers", only.astype(np.float64))
        reach += [alone, *_reach(exam, probabilities)]
        curves[f"{exam}, base by problem"] = tuple(probabilities[..., 0].ravel())
        curves[f"{exam}, selected by problem"] = tuple(probabilities[..., 1].ravel())
        if exam == RAISED:
            decisive += [over_base, over_twin]
            both = np.stack([_likeliest(attempts.filter(exam=exam)), data[:, :, 1, 0]], -1)
            told = f"{exam}: pass@1 above the base's likeliest answer"
            decisive.append(estimate(told, both, lambda m: m[:, 1] - m[:, 0], DIFFERENCE))
            p = over_twin.p_above(0.0)
        else:
            gains += [over_base, over_twin]
    created, learned = _on_weights(results)
    return Finding.by(
        "elicit-or-create",
        [*decisive, *created],
        p=p,
        numbers={
            "pass@k": tuple(passed),
            "The selected population against others": tuple(gains),
            "Read from the logits": tuple(reach),
            "Right answers accepted last, under the base": tuple(_winners(results)),
            "Weights: fresh sums of the last size": tuple(learned),
        },
        caveats=CAVEATS,
        curves=curves,
    )


CAVEATS = (
    "Where a context is all that is inherited, it could still hold what the base cannot do without "
    "it; whether it does, in these tasks, is what was asked. Where weights learn, they do so from "
    "what three founders agree on, without any verdict, and are of another kind.",
    "Where the base passes nearly always within 10,000 attempts, nothing more could be created: "
    "only problems that it fails decide. On unseen compositions it may be the "
    "other way about: the share of problems that the population answers right less often than the "
    "base says how much a context narrows what is said.",
    "Answers are short: among a hundred or 4,096 possible ones, guessing alone passes in the end. "
    "pass@k at large k counts luck as capability.",
    "One rung, one trained seed; contexts of right and wrong answers by copies of one model.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """pass@k of each exam, and probabilities by problem."""
    return draw_attempts(finding, path)


def _on_weights(results: Results) -> tuple[list[Number], list[Number]]:
    """What agents whose weights learned answer at once, above what founders do in many attempts."""
    table = results.measured("founders").sort("seed", "problem")
    seeds = table["seed"].n_unique()
    columns = ("answered", "founders", "size")
    answered, right, size = (
        table[c].cast(pl.Float64).to_numpy().reshape(seeds, -1) for c in columns
    )
    tried = _passed(right, TRIED)
    found = []
    if (failed := _where_failed(np.stack([tried, answered], axis=-1))).any():
        told = f"weights: right answers above the founders' pass@{TRIED:,}, where that fails"
        found.append(estimate(told, failed, first_over_second, DIFFERENCE))
    return found, [
        estimate("digits", size, span=(0.0, math.inf)),
        share("right answers, after learning", answered),
        share("founders: pass@1", right),
        share(f"founders: pass@{TRIED:,}", tried),
        share(f"problems that founders fail in {TRIED:,} attempts", failed[..., 1]),
    ]


def _passed(right: Floats, attempts: int) -> Floats:
    """pass@k of answers that are right with these probabilities."""
    return np.asarray(-np.expm1(attempts * np.log1p(-np.minimum(right, 1.0 - 1e-15))))


def _likeliest(rows: pl.DataFrame) -> Floats:
    """Whether the base's likeliest answer is right, float64 [S, Q]."""
    ordered = rows.filter(side=GREEDY).sort("seed", "problem")
    right = ordered["correct"].cast(pl.Float64).to_numpy()
    return np.asarray(right.reshape(ordered["seed"].n_unique(), -1), dtype=np.float64)


def _passes(rows: pl.DataFrame) -> tuple[Floats, Floats]:
    """pass@k, float64 [S, Q, 3, B] by side in the order of `SIDES`, and k, float64 [B]."""
    most = int(rows.filter(side=BASE)["samples"][0])
    draws = [2**power for power in range(most.bit_length())]
    sides = []
    for side in SIDES:
        ordered = rows.filter(side=side).sort("seed", "problem")
        passed = [[pass_at_k(most, c, k) for k in draws] for c in ordered["correct"]]
        sides.append(np.array(passed).reshape(ordered["seed"].n_unique(), -1, len(draws)))
    return np.stack(sides, axis=2), np.array(draws, dtype=np.float64)


def _probabilities(rows: pl.DataFrame) -> Floats:
    """Of the right answer, float64 [S, Q, 3] by side."""
    sides = []
    for side in SIDES:
        ordered = rows.filter(side=side).sort("seed", "problem")
        sides.append(ordered["right"].to_numpy().reshape(ordered["seed"].n_unique(), -1))
    return np.stack(sides, axis=-1)


def _reach(exam: str, probabilities: Floats) -> list[Number]:
    """What probabilities say for any k: where the base catches up, and how hard problems are."""
    missed = np.exp(READ * np.log1p(-np.minimum(probabilities[..., None], 1.0 - 1e-15)))
    hardest = float(np.log10(max(probabilities[..., 0].min(), 1e-300)))
    return [
        estimate(
            f"{exam}: attempts from which the base passes as often within .01, log2",
            missed,
            crossing,
            (0.0, float(len(READ) - 1)),
        ),
        share(f"{exam}: right answer under the base", probabilities[..., 0]),
        share(f"{exam}: right answer under the selected", probabilities[..., 1]),
        plain(f"{exam}: least right answer under the base, log10", hardest),
        share(
            f"{exam}: problems that the selected answers right less often than the base",
            (probabilities[..., 1] < probabilities[..., 0]).astype(np.float64),
        ),
    ]


def crossing(missed: Floats) -> Floats:
    """log2 of the least k from which the base passes as often as the selected population.

    Parameters
    ----------
    missed
        float64 [draws, 3, B]: how often all of k attempts fail, by side; k = 1, 2, 4, …

    Returns
    -------
    float64 [draws], interpolated in log k; 0 where the base is never behind, NaN where it stays
    behind up to the last k. Differences below `SAME` count as none.
    """
    behind = missed[:, 0] - missed[:, 1]
    found = np.full(len(missed), math.nan)
    for i, row in enumerate(behind):
        ahead = np.flatnonzero(row <= SAME)
        if not ahead.size:
            continue
        at = int(ahead[0])
        if at == 0:
            found[i] = 0.0
        else:
            found[i] = at - 1 + (row[at - 1] - SAME) / (row[at - 1] - row[at])
    return found


def _winners(results: Results) -> list[Number]:
    """Probability under the base of right answers that were accepted, by arm and side."""
    table, found = results.measured("winners").filter(pl.col("right")), []
    for arm in table["arm"].unique(maintain_order=True):
        for side in (SELECTED, RANDOM):
            logs = table.filter(arm=arm, side=side)["log_probability"].to_numpy()
            if not logs.size:
                continue
            told = f"{arm}, {TOLD[side]}"
            found.append(estimate(f"{told}: mean log-probability (nats)", logs[None]))
            least = float(logs.min())
            found.append(plain(f"{told}: the least", least))
    return found


def _over(side: int) -> Statistic:
    """How much more the selected population passes than another side."""
    return lambda means: means[:, 1] - means[:, side]


def _where_failed(passed: Floats) -> Floats:
    """Of problems that the base fails, what the population passes more, and 1: [S, Q, 2]."""
    failed = passed[..., 0] < FAILED
    return np.stack([(passed[..., 1] - passed[..., 0]) * failed, failed], -1)
