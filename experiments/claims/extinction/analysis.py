"""Claim 22: is what only a minority has right lost under majority-filtered self-training?

Dimensions: S seeds, Q problems of the last generations, M agents.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from mgptn.experiments.claims.extinction.figure import draw_losses
from mgptn.experiments.claims.extinction.lineages import measure_lineages
from mgptn.experiments.claims.method.finding import Finding, worst
from mgptn.experiments.claims.method.journals import Results, wrong_answers
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, plain, share
from mgptn.experiments.claims.method.reaching import paired
from mgptn.experiments.claims.method.statistics import first_over_second
from mgptn.experiments.config.arms import SELECTED, UNSELECTED
from mgptn.population.measures.answer_errors import majority_errors
from mgptn.population.records.arrays import Floats

MEASURES = {"lineages": measure_lineages}
MAJORITY, COIN, DEMES, RARE = "majority", "coin", "demes", "rare"
ARMS = (MAJORITY, COIN, DEMES, RARE)
LAST = 2
"""Generations, from the end, that are looked at."""

AGAINST = {
    DEMES: "founders: lost to the majority, less in demes",
    RARE: "founders: lost to the majority, less where two are enough",
    COIN: "founders: lost to the majority, less to a coin at its rate",
}


def analyse(results: Results) -> Finding:
    """Losses of lineages against their chain, and of founders' weights by arm."""
    table = results.measured("lineages")
    lost = {name: _by_seed(table, name, "lost") for name in table["condition"].unique()}
    names = table["condition"].unique(maintain_order=True).to_list()
    theory = [
        estimate(
            f"{name}: lost, beyond what theory says",
            (lost[name] - _by_seed(table, name, "expected"))[:, None],
            span=DIFFERENCE,
        )
        for name in names
    ]
    contrasts = [paired(told, lost[more], lost[less], DIFFERENCE) for told, more, less in CONTRASTS]
    few = _few(results)
    gone = {arm: _gone(results, arm) for arm in ARMS}
    rescued = [
        estimate(told, np.stack([gone[MAJORITY] * few, gone[arm] * few, few], -1), _apart)
        for arm, told in AGAINST.items()
    ]
    return Finding.by(
        "extinction",
        [*theory, *contrasts, *rescued],
        p=worst(one.p_above(0.0) for one in (*contrasts, *rescued)),
        numbers={
            "Lineages: lost": tuple(_lost(table, names, lost)),
            "Founders' weights": tuple(_weights(results, gone, few)),
        },
        caveats=CAVEATS,
        curves=_curves(table, names, lost, results, gone, few),
    )


CONTRASTS = (
    ("selection: lost at T .5, less at T ∞", "m 16, T .5", "m 16, T ∞"),
    ("drift: lost with 32 agents, less with 8", "m 32, T 2", "m 8, T 2"),
    ("demes: lost in one population, less in four", "m 16, T .5", "m 16, T .5, 4 demes"),
    ("protection: lost without, less with", "m 16, T .5", "m 16, T .5, protected"),
)
"""What is expected to be lost more often, and less."""

CAVEATS = (
    "Lineages answer as their founder did, and all that are wrong say the same: that is the worst "
    "case, and theory's. Independent founders that are wrong seldom say the same.",
    "Protection keeps births for whatever is rare, right or wrong; what is rescued from extinction "
    "is not thereby chosen.",
    "Founders answer at sampling temperature .01, so that their own answers are their likeliest. "
    "Problems are fresh in every generation: lost is what generalises no more, and founders who "
    "learn may come to know what none of them did.",
    "What arms lose is told against each other. Founders that learn nothing lose nothing, and the "
    "table of errors says whether any arm errs less than they do.",
    "Kimura's approximation neglects higher moments: at T .5 it puts fixation too high.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Losses by theory and in tournaments; losses of founders' weights by generation."""
    return draw_losses(finding, path)


def _by_seed(table: pl.DataFrame, condition: str, column: str) -> Floats:
    """Of a condition, float64 [S]."""
    rows = table.filter(condition=condition).sort("seed")
    return np.asarray(rows[column].to_numpy(), dtype=np.float64)


def _lost(table: pl.DataFrame, names: list[str], lost: dict[str, Floats]) -> list[Number]:
    """Of each condition the share of trials, and what theory says of it."""
    found = []
    for name in names:
        found.append(share(name, lost[name][:, None], first_of))
        for told, column in (
            ("by the exact chain", "expected"),
            ("fixation in the end, exactly", "fixation"),
            ("the same by Kimura's diffusion", "diffusion"),
        ):
            value = float(_by_seed(table, name, column)[0])
            if not np.isnan(value):
                found.append(plain(f"{name}: {told}", value))
    return found


def first_of(means: Floats) -> Floats:
    """The means themselves."""
    return means


def _right(results: Results, arm: str, side: str) -> Floats:
    """Right answers, float64 [S, G, Q, M]."""
    return 1.0 - results.stacked(wrong_answers, side, arm=arm)


def _flat(values: Floats) -> Floats:
    """[S, G, Q] of the last generations as [S, Q]."""
    last = values[:, -LAST:]
    return last.reshape(len(last), -1)


def _few(results: Results) -> Floats:
    """1 where founders who are right are fewer than half, float64 [S, Q]."""
    right = _right(results, MAJORITY, UNSELECTED)
    knowing = right.sum(axis=-1)
    return _flat(((knowing > 0) & (2 * knowing < right.shape[-1])).astype(np.float64))


def _gone(results: Results, arm: str) -> Floats:
    """1 where nobody is right any more, float64 [S, Q]."""
    return _flat(1.0 - _right(results, arm, SELECTED).max(axis=-1))


def _apart(means: Floats) -> Floats:
    """(first − second) / third."""
    kept = np.where(means[:, 2] > 0.0, means[:, 2], np.nan)
    return np.asarray((means[:, 0] - means[:, 1]) / kept)


def _weights(results: Results, gone: dict[str, Floats], few: Floats) -> list[Number]:
    """Losses and errors of every arm, beside the founders'."""
    found = [share("founders: problems with a right minority", few)]
    for arm in ARMS:
        both = np.stack([gone[arm] * few, few], -1)
        found.append(share(f"{arm}: of these, nobody is right any more", both, first_over_second))
    for told, arm, side in (
        ("founders alone", MAJORITY, UNSELECTED),
        *((arm, arm, SELECTED) for arm in ARMS),
    ):
        wrong = _flat(1.0 - _right(results, arm, side).mean(axis=-1))
        found.append(share(f"{told}: error", wrong))
    vote = _flat(results.stacked(majority_errors, UNSELECTED, arm=MAJORITY))
    return [*found, share("founders alone: error of their vote", vote)]


def _curves(
    table: pl.DataFrame,
    names: list[str],
    lost: dict[str, Floats],
    results: Results,
    gone: dict[str, Floats],
    few: Floats,
) -> dict[str, tuple[float, ...]]:
    """For the figure: what theory says and what was found; losses by seed."""
    curves: dict[str, tuple[float, ...]] = {
        f"lineages: {name}": (
            float(_by_seed(table, name, "expected")[0]),
            float(lost[name].mean()),
        )
        for name in names
    }
    for arm in ARMS:
        each = (gone[arm] * few).sum(axis=1) / np.maximum(few.sum(axis=1), 1.0)
        curves[f"founders: {arm}"] = tuple(each[few.sum(axis=1) > 0].tolist())
    return curves
