"""How far did a population whose task grows get? The finding of such a run, in plain sentences.

A size counts as reached where the majority of an arm's members errs on at most `REACHED` of the
problems of the last generation of that size: fresh ones, before anybody has learned from them.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from mgptn.experiments.config.arms import (
    CLONES,
    GREEDY,
    ORACLE,
    SELECTED,
    SHUFFLED,
    UNSELECTED,
)
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.config.sections.task import REACHED
from mgptn.experiments.findings.verdict import Verdict
from mgptn.population.intervals.shares import clopper_pearson

NAMES = {
    UNSELECTED: "the founders' vote",
    SHUFFLED: "a coin at the peers' rate",
    CLONES: "copies of one founder",
}
"""Controls that the run must go beyond, as a heading names them."""


def judge_growth(
    generations: pl.DataFrame, config: RunConfig, faults: Sequence[str] = ()
) -> Verdict:
    """Judge a run by the sizes that its arms reached.

    Amplified means: the run reached a size that neither the founders' vote, nor a coin at the
    peers' rate, nor copies of one founder did.

    Parameters
    ----------
    generations
        The run's table of that name, all arms.
    """
    rows = {arm: _arm(generations, arm) for arm in (SELECTED, *NAMES, ORACLE, GREEDY)}
    if not rows[SELECTED]:
        return Verdict(
            "Undecided: no generation", ("No generation has been committed yet.", *faults)
        )
    reached = {arm: _reached(found) for arm, found in rows.items() if found}
    first = config.task.growth.start if config.task.growth else 0
    last = rows[SELECTED][-1]
    sentences = [
        f"The task grew from size {first} to {last['task_size']} in {len(rows[SELECTED])} "
        f"generations. The members' majority erred on at most {REACHED:g} up to size "
        f"{_said(reached[SELECTED], first)}{_error(rows[SELECTED], reached[SELECTED])}."
    ]
    for arm, name in NAMES.items():
        if arm in reached:
            sentences.append(
                f"{name[0].upper()}{name[1:]}: up to {_said(reached[arm], first)}"
                f"{_beyond(rows[arm], reached[SELECTED])}."
            )
    if rows[UNSELECTED]:
        alone = _reached(rows[UNSELECTED], "gold_error")
        sentences.append(f"A single founder, on average: up to {_said(alone, first)}.")
    if rows[GREEDY]:
        alone = _reached(rows[GREEDY], "gold_error")
        sentences.append(f"Its likeliest answers, on average: up to {_said(alone, first)}.")
    if ORACLE in reached:
        sentences.append(
            f"With verdicts instead of peers: up to {_said(reached[ORACLE], first)}; "
            "what is missing to that is the peers', what both miss is the learning's."
        )
    wrong = [row["accepted_error"] for row in rows[SELECTED] if row["acceptance_rate"] > 0.0]
    if wrong:
        sentences.append(f"Of what was accepted, at most {max(wrong):.3f} was wrong in a round.")
    return Verdict(_heading(reached, first), (*sentences, *faults))


def _heading(reached: dict[str, int | None], first: int) -> str:
    missing = [name for arm, name in NAMES.items() if arm not in reached]
    own = reached[SELECTED]
    if missing:
        return f"Undecided: no {missing[0].removeprefix('the ').removeprefix('a ')} beside it"
    told = ", ".join(f"{name} {_said(reached[arm], first)}" for arm, name in NAMES.items())
    ahead = own is not None and all(own > (reached[arm] or 0) for arm in NAMES)
    verb = "Amplified" if ahead else "Not amplified"
    return f"{verb}: the members' vote reached size {_said(own, first)}; {told}"


def _arm(generations: pl.DataFrame, arm: str) -> list[dict[str, Any]]:
    return generations.filter(pl.col("arm") == arm).sort("generation").to_dicts()


def _reached(rows: Sequence[dict[str, Any]], column: str = "majority_error") -> int | None:
    """The largest size of those reached; None where there is none."""
    last = {row["task_size"]: row[column] for row in rows}
    return max((size for size, error in last.items() if error <= REACHED), default=None)


def _said(size: int | None, first: int) -> str:
    return f"less than {first}" if size is None else str(size)


def _error(rows: Sequence[dict[str, Any]], size: int | None) -> str:
    """`` (.010 [.003, .029] there)``, or nothing where no size was reached."""
    found = [row for row in rows if row["task_size"] == size]
    if not found:
        return ""
    problems = found[-1]["answers"] // found[-1]["agents"]
    error = found[-1]["majority_error"]
    low, high = clopper_pearson(error * problems, problems)
    return f" ({error:.3f} [{low:.3f}, {high:.3f}] there)"


def _beyond(rows: Sequence[dict[str, Any]], size: int | None) -> str:
    """How often an arm errs where the run has got to, if it was asked that."""
    there = [row for row in rows if row["task_size"] == size]
    return f"; at size {size} it erred on {there[-1]['majority_error']:.3f}" if there else ""
