"""`mgptn robustness`: what adversaries cost each way to aggregate the same grades.

A population of which a share is adversaries grades its founders' answers, generation after
generation; nothing is accepted and nobody is replicated, so that nothing but the grading is in
question. The same grades are aggregated in every way; those that learn begin with the first
generation and know nothing of verdicts.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from mgptn.agents.files import write_whole
from mgptn.agents.hosts.fleet import Fleet
from mgptn.experiments.config.arms import UNSELECTED
from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.studies.robustness_figure import write_robustness_figure
from mgptn.experiments.views.doing import doing
from mgptn.population.intervals.shares import difference_interval
from mgptn.population.intervals.spread import spread
from mgptn.population.judging.aggregation import AGGREGATIONS, Rule, aggregate
from mgptn.population.records.arrays import Floats
from mgptn.population.records.outcomes import Outcomes

TOLERATED = 0.1
"""Loss of J against the honest population's mean grade that still counts as keeping it."""

Counts = NDArray[np.float64]


def run_robustness(
    base: RunConfig,
    role: str,
    shares: Sequence[float],
    seeds: int,
    folder: Path,
    console: Console,
) -> list[Path]:
    """Every share with every seed, on one host in this process; table and figure written.

    Parameters
    ----------
    role
        Key under `population.adversaries`.
    shares
        Of the founders; 0, the honest population, is added where it is missing.

    Raises
    ------
    ConfigError
        If a share cannot be had.
    """
    wanted = sorted({0.0, *shares})
    configs = {
        (share, seed): adversarial(base, role, share, seed)
        for share in wanted
        for seed in range(base.seed, base.seed + seeds)
    }
    counts: dict[tuple[float, str], list[list[Counts]]] = {}
    fleet: Fleet | None = None
    for (share, seed), config in configs.items():
        with doing(f"{role} {share:.0%}, seed {seed}: reading and loading {config.agents.model}"):
            stage = Stage(config)
            fleet = fleet or stage.local_fleet()
        for name, found in tallies(config, stage, fleet).items():
            counts.setdefault((share, name), []).append(found)
        console.print(f"{role} {share:.0%}, seed {seed}: done", highlight=False)
    if fleet is not None:
        fleet.close()
    table = robustness_table(counts, role)
    folder.mkdir(parents=True, exist_ok=True)
    console.print(_shown(table, role))
    parquet, text = folder / "robustness.parquet", folder / "robustness.csv"
    write_whole(parquet, table.write_parquet)
    write_whole(text, table.write_csv)
    return [parquet, text, *write_robustness_figure(table, role, folder)]


def adversarial(base: RunConfig, role: str, share: float, seed: int) -> RunConfig:
    """A configuration with a share of adversaries in place of any that it had."""
    plain = base.model_dump(mode="json")
    kind = plain["population"]["adversaries"]["flattery"]
    plain["population"]["adversaries"] = {"flattery": kind, **({role: share} if share else {})}
    return check_config(
        {**plain, "seed": seed}, source=f"population.adversaries.{role}={share:g}, seed={seed}"
    )


def tallies(config: RunConfig, stage: Stage, fleet: Fleet) -> dict[str, list[Counts]]:
    """Aggregation → for each generation, counts by problem as of `tally`, of the same grades."""
    aggregation = config.protocol.aggregation
    rules = {
        name: Rule(name, config.protocol.threshold, aggregation.trim, aggregation.least)
        for name in AGGREGATIONS
    }
    known = {
        name: np.zeros((config.population.size, rule.learns)) for name, rule in AGGREGATIONS.items()
    }
    found: dict[str, list[Counts]] = {name: [] for name in rules}
    for outcomes in _graded(config, stage, fleet):
        for name, rule in rules.items():
            scores, known[name] = aggregate(outcomes, rule, known[name])
            found[name].append(tally(scores, outcomes, rule.threshold))
    return found


def tally(scores: Floats, outcomes: Outcomes, threshold: float) -> Counts:
    """By problem, [Q, 5]: right answers accepted, right, wrong accepted, wrong, without a score.

    An answer without a score is not accepted, as in a run.
    """
    problems = outcomes.matches.problems
    accepted, right, wrong = scores >= threshold, outcomes.verdicts, outcomes.wrong
    columns = (accepted & right, right, accepted & wrong, wrong, np.isnan(scores))
    sums = [column.reshape(-1, problems).sum(axis=0) for column in columns]
    return np.stack(sums, axis=1).astype(np.float64)


def youden(counts: Counts) -> float:
    """J of counts as of `tally`; NaN where there are no right answers, or no wrong ones."""
    return float(_youden(counts.sum(axis=0)[None])[0])


def _youden(means: Floats) -> Floats:
    """J of every row of means of counts, [D, 5]."""
    passed, right, erred, wrong, _ = means.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(passed / right - erred / wrong)


def robustness_table(
    counts: dict[tuple[float, str], list[list[Counts]]], role: str
) -> pl.DataFrame:
    """A row for each share and aggregation: J, its interval and its range over seeds.

    Parameters
    ----------
    counts
        By share and aggregation: for each seed, for each generation, as of `tally`.
    """
    pooled = {key: np.concatenate([c for seed in found for c in seed]) for key, found in
              counts.items()}  # fmt: skip
    honest = youden(pooled[0.0, "mean"])
    rows = []
    for (share, name), every in pooled.items():
        agents = int(every[0, [1, 3]].sum())
        interval = difference_interval(spread(every, _youden), agents)
        by_seed = [youden(np.concatenate(seed)) for seed in counts[share, name]]
        total = every.sum(axis=0)
        rows.append(
            {
                "role": role,
                "share": share,
                "aggregation": name,
                "youden_j": youden(every),
                "youden_j_low": interval.low,
                "youden_j_high": interval.high,
                "least_of_seeds": min(by_seed),
                "greatest_of_seeds": max(by_seed),
                "tpr": float(total[0] / total[1]) if total[1] else None,
                "fpr": float(total[2] / total[3]) if total[3] else None,
                "without_score": float(total[4] / (total[1] + total[3])),
                "answers": int(total[1] + total[3]),
                "lost": honest - youden(every),
                "kept": honest - youden(every) <= TOLERATED,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def _graded(config: RunConfig, stage: Stage, fleet: Fleet) -> Iterator[Outcomes]:
    simulation = Simulation(config, arm=UNSELECTED, stage=stage, fleet=fleet)
    for generation in simulation:
        yield generation.outcomes


def _shown(table: pl.DataFrame, role: str) -> Table:
    """J by share and aggregation, for a reader."""
    shown = Table(
        role, "aggregation", "J [95 %]", "TPR", "FPR", f"within {TOLERATED}",
        title="Of what is accepted, against verdicts; last: of the honest population's mean grade",
        title_justify="left",
    )  # fmt: skip
    for _, rows in table.group_by("share", maintain_order=True):
        for row in rows.iter_rows(named=True):
            shown.add_row(
                f"{row['share']:.0%}",
                row["aggregation"],
                f"{row['youden_j']:.3f} [{row['youden_j_low']:.3f}, {row['youden_j_high']:.3f}]",
                f"{row['tpr']:.2f}",
                f"{row['fpr']:.2f}",
                "yes" if row["kept"] else "no",
            )
        shown.add_section()
    return shown
