"""`mgptn compare-protocols`: the same answers, graded in different ways, side by side.

Every way is one generation of the same founders with the same random numbers, so authors give the
same answers; only how they are graded differs.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mgptn.agents.behaviour import SCRIPTED_MODELS
from mgptn.agents.files import write_whole
from mgptn.experiments.config.run_config import ConfigError, RunConfig
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.views.doing import doing
from mgptn.population.intervals.shares import difference_interval, share_interval, wilson
from mgptn.population.intervals.spread import Interval, spread_of_any
from mgptn.population.measures.generation_measures import option_mass
from mgptn.population.measures.rates import (
    auc,
    brier,
    calibration_error,
    error_correlation,
    grader_rates,
)
from mgptn.population.records.arrays import Floats
from mgptn.population.records.outcomes import Outcomes
from mgptn.protocols.interfaces.wordings import WORDINGS

WAYS: dict[str, Mapping[str, Any]] = {
    "words": {"name": "survey", "question": "words"},
    "digits": {"name": "survey", "question": "digits"},
    "P(True)": {"name": "survey", "question": "yes-no"},
    "correct": {"name": "survey", "question": "correct"},
    "sampled words": {"name": "survey", "question": "words", "reading": "sampled"},
    "sampled digits": {"name": "survey", "question": "digits", "reading": "sampled"},
    "likelihood": {"name": "survey", "reading": "likelihood"},
    "confidence": {"name": "survey", "reading": "confidence"},
    "pairwise": {"name": "pairwise", "question": "words"},
    "self": {"name": "self-survey", "question": "words"},
}
"""Way of grading → what the section `protocol` says of it."""

STATISTICS: tuple[str, ...] = ("tpr", "fpr", "j", "auc", "ece", "brier")
PRINTED = {"tpr": "TPR", "fpr": "FPR", "j": "J", "auc": "AUC", "ece": "ECE"}
BINS = 10


@dataclass(frozen=True, slots=True)
class Graded:
    """The answers as one way grades them.

    Attributes
    ----------
    values
        float64 [A, K], grades in [0, 1], NaN where unread, or of an answer without a verdict.
    verdicts
        bool [A].
    problems
        int64 [A], which problem each answer is to: what is left out together.
    position_bias
        Mean order effect of comparisons; NaN where nothing is compared.
    option_mass
        Mean probability of the options, before it is made one; NaN where no logits are read.
    """

    way: str
    values: Floats
    verdicts: NDArray[np.bool_]
    problems: NDArray[np.int64]
    position_bias: float
    option_mass: float


def compare(config: RunConfig, stage: Stage | None = None) -> list[Graded]:
    """Grade one generation's answers in every way, on one host in this process.

    Raises
    ------
    ConfigError
        If a way is not possible with the configured model.
    """
    once = config.population.model_copy(update={"generations": 1})
    config = config.model_copy(update={"population": once})
    with doing(f"reading and loading {config.agents.model}"):
        stage = stage or Stage(config)
        fleet = stage.local_fleet()
    found: list[Graded] = []
    texts: list[str] | None = None
    for way, settings in _ways(stage):
        changed = config.model_copy(
            update={"protocol": config.protocol.model_copy(update=settings)}
        )
        with doing(f"answering, and grading by {way}"):
            outcomes = next(iter(Simulation(changed, stage=Stage(changed), fleet=fleet))).outcomes
        said = [outcomes.texts[i] for i in outcomes.answers.tolist()]
        if texts not in (None, said):
            raise ArithmeticError(f"{way}: expected the answers that were graded in other ways")
        texts = said
        found.append(_graded(way, outcomes))
    return found


def _ways(stage: Stage) -> Iterator[tuple[str, dict[str, Any]]]:
    """Ways that every model of a stage has words for; options are read unless a way says else."""
    for way, settings in WAYS.items():
        wording = WORDINGS.get(str(settings.get("question")))
        if wording is None or all(stage.layout(model, wording) for model in stage.scripts):
            yield way, {"reading": "logits", "question": "auto", "least_mass": 0.0, **settings}


def comparison_table(graded: list[Graded], threshold: float) -> pl.DataFrame:
    """A row for each way: each of `STATISTICS` with its 95 % interval, and what else is counted.

    Intervals are Student's and Wilson's, by leaving out problems.
    """
    rows = []
    for one in graded:
        row: dict[str, Any] = {"way": one.way, "grades": int(np.isfinite(one.values).sum())}
        for name in STATISTICS:
            statistic = _statistic(name, threshold)
            interval = _interval(one, name, statistic)
            whole = statistic(one.values, one.verdicts)
            row |= {name: whole, f"{name}_low": interval.low, f"{name}_high": interval.high}
        row["grader_correlation"] = error_correlation(one.values.T, one.verdicts)
        row["position_bias"] = one.position_bias
        row["option_mass"] = one.option_mass
        row["unreadable"] = float(np.isnan(one.values).mean())
        rows.append(row)
    return pl.DataFrame(rows)


def reliability(graded: list[Graded]) -> pl.DataFrame:
    """Share of right answers by grade, in ten bins: way, mean grade, share, its interval, count.

    Wilson's 95 % interval takes grades as independent; graders of one answer are not, so that it
    is too narrow where they agree.
    """
    rows = []
    for one in graded:
        values = one.values.ravel()
        right = np.repeat(one.verdicts, one.values.shape[1])[np.isfinite(values)]
        values = values[np.isfinite(values)]
        place = np.minimum((values * BINS).astype(np.int64), BINS - 1)
        for i in np.unique(place).tolist():
            inside = place == i
            count, good = int(inside.sum()), int(right[inside].sum())
            low, high = wilson(good, count)
            rows.append(
                {
                    "way": one.way,
                    "grade": float(values[inside].mean()),
                    "right": good / count,
                    "low": low,
                    "high": high,
                    "grades": count,
                }
            )
    return pl.DataFrame(rows)


def run_comparison(config: RunConfig, folder: Path, console: Console) -> list[Path]:
    """Compare, print one table, and write `comparison.parquet`, `reliability.*` into a folder.

    Raises
    ------
    ConfigError
        If the configuration has no model, or a way is not possible with it.
    """
    from mgptn.experiments.studies.comparing_figure import draw_reliability

    if config.agents.model in SCRIPTED_MODELS:
        raise ConfigError(
            f"agents.model: expected a model whose grades can be read in different ways, got "
            f"{config.agents.model!r}"
        )
    if config.agents.endpoint:
        raise ConfigError(
            f"agents.model: expected models that are here, so that all ways grade the same "
            f"answers, got {config.agents.model!r}, which no server says twice alike; 'mgptn ask' "
            "holds grading questions side by side"
        )
    graded = compare(config)
    table = comparison_table(graded, config.protocol.threshold)
    curve = reliability(graded)
    console.print(_printed(table, config, len(graded[0].verdicts)))
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "comparison.parquet", folder / "reliability.parquet"]
    for path, frame in zip(paths, (table, curve), strict=True):
        write_whole(path, frame.write_parquet)
    return [*paths, draw_reliability(curve, table, folder / "reliability.png")]


def _graded(way: str, outcomes: Outcomes) -> Graded:
    effects, values = outcomes.order_effects, np.clip(outcomes.grade_values(), 0.0, 1.0)
    return Graded(
        way=way,
        values=np.where(outcomes.known[:, None], values, np.nan),
        verdicts=outcomes.verdicts,
        problems=outcomes.matches.asked,
        position_bias=float(np.nanmean(effects)) if effects.size else float("nan"),
        option_mass=option_mass(outcomes)[0],
    )


Statistic = Callable[[Floats, NDArray[np.bool_]], float]


def _statistic(name: str, threshold: float) -> Statistic:
    def measured(values: Floats, verdicts: NDArray[np.bool_]) -> float:
        right = np.broadcast_to(verdicts, values.T.shape)
        if name == "auc":
            return auc(values.T, right)
        if name == "ece":
            return calibration_error(values.T, right)
        if name == "brier":
            return brier(values.T, right)
        rates = grader_rates(values.T, right, threshold)
        return {"tpr": rates.tpr, "fpr": rates.fpr, "j": rates.youden_j}[name]

    return measured


def _interval(one: Graded, name: str, statistic: Statistic) -> Interval:
    order = np.argsort(one.problems, kind="stable")
    each = len(order) // len(np.unique(one.problems))
    right = np.broadcast_to(one.verdicts[:, None], one.values.shape)
    pairs = np.stack([one.values, right], axis=-1)[order]
    clusters = pairs.reshape(-1, each * one.values.shape[1], 2)

    def of(drawn: Floats) -> float:
        flat = drawn.reshape(-1, 2)
        return statistic(flat[:, :1], flat[:, 1] > 0.5)

    found, trials = spread_of_any(clusters, of), clusters.shape[1]
    return difference_interval(found, trials) if name == "j" else share_interval(found, trials)


def _printed(table: pl.DataFrame, config: RunConfig, answers: int) -> Table:
    printed = Table(
        title=f"{answers:,} answers of {config.agents.model} to {config.task.name}; threshold "
        f"{config.protocol.threshold:g}, 95 % intervals",
        caption="said: probability that a grader says one of its options",
        caption_justify="left",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    printed.add_column("way", no_wrap=True)
    for name in PRINTED:
        printed.add_column(PRINTED[name], no_wrap=True)
    printed.add_column("said", justify="right")
    for row in table.iter_rows(named=True):
        cells = [_cell(row[name], row[f"{name}_low"], row[f"{name}_high"]) for name in PRINTED]
        printed.add_row(row["way"], *cells, f"{_said(row):.2g}".replace("0.", "."))
    return printed


def _said(row: Mapping[str, float]) -> float:
    """Probability that a grader says one of its options: by its logits, or of those sampled."""
    sampled = 1.0 - row["unreadable"]
    return sampled if math.isnan(row["option_mass"]) else row["option_mass"] * sampled


def _cell(value: float, low: float, high: float) -> str:
    """A value above its interval; nothing where it is undefined."""
    if math.isnan(value):
        return "–"
    return "\n".join(text.replace("0.", ".") for text in (f"{value:.2f}", f"{low:.2f}–{high:.2f}"))
