"""Claim: can what a model would never say be told from within, and does pass@k come to live on it?

Dimensions: S seeds (founders), Q problems, B numbers of attempts.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import rankdata, spearmanr

from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import DIFFERENCE, Number, estimate, share
from mgptn.experiments.claims.method.statistics import first_over_second
from mgptn.experiments.claims.plausibility.figure import draw_passes
from mgptn.experiments.claims.plausibility.measures import FORCED, RIGHT, SAMPLED, measure_passes
from mgptn.experiments.claims.plausibility.probing import LINEAR, QUADRATIC
from mgptn.population.records.arrays import Floats

MEASURES = {"passes": measure_passes}
ATTEMPTS = 10.0 ** np.arange(0.0, 9.0, 0.5)
SHOWN = (0.0, 2.0, 4.0, 6.0, 8.0)
"""Decades of attempts whose numbers are told."""

FEW, MANY = 0.0, 6.0
"""Decades of attempts between which broken passes would have to take over."""

LAYER = 1
"""After which the deciding probe looks."""


def analyse(results: Results) -> Finding:
    """How well probes tell, whether the score levels off, and what successes rest on."""
    table = results.measured("passes")
    areas = [
        _area(table, probe, layer, column, told)
        for probe in (LINEAR, QUADRATIC)
        for layer in sorted(table["layer"].unique())
        for column, told in (("score", "probe"), ("distance", "distance"))
    ]
    by_name = {number.name: number for number in areas}
    chosen = table.filter(layer=LAYER, probe=QUADRATIC)
    successes, alarms = _successes(chosen), _alarms(chosen)
    more = estimate(
        f"broken among successes at 10^{MANY:.0f}, less at 1",
        successes(MANY, FEW),
        lambda m: first_over_second(m[:, :2]) - first_over_second(m[:, 2:]),
        DIFFERENCE,
    )
    decisive = [
        by_name[f"area of a quadratic probe, after layer {LAYER}"],
        by_name["area of a quadratic probe, embeddings"],
        _levels(chosen),
        more,
    ]
    return Finding.by(
        "plausibility",
        decisive,
        p=more.p_above(0.0),
        numbers={
            "Forced digits told from sampled ones": tuple(areas),
            "Passes": (*_told(successes), *alarms),
        },
        caveats=CAVEATS,
        curves=_curves(table, chosen, successes),
    )


CAVEATS = (
    "Founders of 0.12 million parameters that were taught to add and nothing else: a larger model "
    "may well notice what it is made to say.",
    "A duck is a digit that was improbable where it was forced; that a probe tells it does not say "
    "that the model's own further passes read what the probe does.",
    "Whether a pass is broken is told by its worst digit, above what 95 % of sampled passes stay "
    "below on the problems that the probe was trained on; false alarms on the others are above.",
    "Right answers' probabilities are exact, so that no k is sampled.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Areas by layer, scores by improbability, and what successes rest on by attempts."""
    return draw_passes(finding, path)


def area(own: Floats, other: Floats) -> float:
    """How often one of the other values is above one of the own, ties counting half."""
    ranks = rankdata(np.concatenate([own, other]))[len(own) :]
    return float((ranks.sum() / len(other) - (len(other) + 1) / 2.0) / len(own))


def _by_seed(table: pl.DataFrame, *of: str) -> list[list[Floats]]:
    """Some columns of each seed's rows."""
    return [
        [rows[name].to_numpy() for name in of]
        for _, rows in sorted(table.group_by("seed"), key=lambda pair: pair[0])
    ]


def _area(table: pl.DataFrame, probe: str, layer: int, column: str, told: str) -> Number:
    rows = table.filter(probe=probe, layer=layer, what="digits")
    ducks = rows.filter((pl.col("kind") == FORCED) & (pl.col("surprisal") >= pl.col("bound")))
    own, other = _by_seed(rows.filter(kind=SAMPLED), column), _by_seed(ducks, column)
    values = np.array([[area(a, b)] for (a,), (b,) in zip(own, other, strict=True)])
    where = f"after layer {layer}" if layer else "embeddings"
    return share(f"area of a {probe} {told}, {where}", values)


def _levels(chosen: pl.DataFrame) -> Number:
    """Rank correlation of the score with how improbable a duck is: none where there is a break."""
    ducks = chosen.filter((pl.col("kind") == FORCED) & (pl.col("surprisal") >= pl.col("bound")))
    values = [[float(spearmanr(a, b)[0])] for a, b in _by_seed(ducks, "surprisal", "score")]
    name = "rank correlation of a duck's score with its improbability"
    return estimate(name, np.array(values), span=DIFFERENCE)


class _Successes:
    """Of right answers, how often attempts find them, and whether they come of broken passes."""

    def __init__(self, right: pl.DataFrame) -> None:
        ordered = right.sort("seed", "problem")
        shape = ordered["seed"].n_unique(), -1
        self.p = 10.0 ** -ordered["surprisal"].to_numpy().reshape(shape)
        self.broken = ordered["broken"].cast(pl.Float64).to_numpy().reshape(shape)

    def passed(self, decades: float) -> Floats:
        """pass@k of each problem, float64 [S, Q]."""
        return np.asarray(-np.expm1(10.0**decades * np.log1p(-np.minimum(self.p, 1.0 - 1e-15))))

    def __call__(self, *decades: float) -> Floats:
        """At each k what of the successes is broken, and all, float64 [S, Q, 2 · k]."""
        columns = [(self.passed(k) * self.broken, self.passed(k)) for k in decades]
        return np.stack([one for pair in columns for one in pair], axis=-1)


def _successes(chosen: pl.DataFrame) -> _Successes:
    return _Successes(chosen.filter(what="passes", kind=RIGHT))


def _told(successes: _Successes) -> list[Number]:
    found = []
    for k in SHOWN:
        found.append(share(f"pass@10^{k:.0f}", successes.passed(k)))
        name = f"broken among successes at 10^{k:.0f}"
        found.append(share(name, successes(k), first_over_second))
    return found


def _alarms(chosen: pl.DataFrame) -> list[Number]:
    passes, found = chosen.filter(what="passes"), []
    for kind, told in (
        (SAMPLED, "sampled passes called broken"),
        (RIGHT, "right answers, whatever their probability, called broken"),
    ):
        ordered = passes.filter(kind=kind).with_columns(pl.col("broken").cast(pl.Float64))
        values = np.array([[broken.mean()] for (broken,) in _by_seed(ordered, "broken")])
        found.append(share(told, values))
    return found


def _curves(
    table: pl.DataFrame, chosen: pl.DataFrame, successes: _Successes
) -> dict[str, tuple[float, ...]]:
    decades = np.log10(ATTEMPTS)
    shares = [successes(k).mean(axis=(0, 1)) for k in decades]
    curves = {
        "attempts": tuple(ATTEMPTS),
        "pass@k": tuple(successes.passed(k).mean() for k in decades),
        "broken": tuple(float(broken / whole) for broken, whole in shares),
    }
    alarms = chosen.filter(what="passes", kind=SAMPLED)["broken"].cast(pl.Float64).mean()
    curves["false alarms"] = (float(np.asarray(alarms)),)
    ducks = chosen.filter(kind=FORCED)
    edges = np.arange(0.0, float(np.floor(np.asarray(ducks["surprisal"].max()))) + 1.0)
    bins = [
        ducks.filter((pl.col("surprisal") >= low) & (pl.col("surprisal") < low + 1.0))
        for low in edges
    ]
    kept = [
        (low + 0.5, rows["score"]) for low, rows in zip(edges, bins, strict=True) if len(rows) >= 30
    ]
    curves["improbability"] = tuple(float(middle) for middle, _ in kept)
    for name, part in (("lower", 0.25), ("median", 0.5), ("upper", 0.75)):
        curves[f"score, {name}"] = tuple(float(np.quantile(s, part)) for _, s in kept)
    return curves
