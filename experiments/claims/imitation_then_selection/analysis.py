"""Claim 24: do imitation and selection end elsewhere than selection alone?

Dimensions: S seeds, P problems of the last generations.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from mgptn.experiments.claims.imitation_then_selection.figure import draw_writing
from mgptn.experiments.claims.imitation_then_selection.measures import (
    LAST,
    measure_codes,
    measure_readings,
)
from mgptn.experiments.claims.method.as_many import as_many
from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import (
    ANY,
    DIFFERENCE,
    Number,
    Span,
    estimate,
    plain,
    share,
)
from mgptn.experiments.claims.method.statistics import first, first_less_second, first_over_second
from mgptn.experiments.running.grid import Cell
from mgptn.population.records.arrays import Floats

MEASURES = {"readings": measure_readings, "codes": measure_codes}

IMITATION, ALONE = "imitation", "alone"
KINDS = (IMITATION, ALONE)
PEERS, COIN, LIKELIEST, FOUNDERS = "peers", "coin", "likeliest", "founders"
LEARNING = tuple(f"{kind}{how}" for kind in KINDS for how in ("", f"-{PEERS}", f"-{COIN}"))
STILL = tuple(f"{kind}-{how}" for kind in KINDS for how in (LIKELIEST, FOUNDERS))
ARMS = (*LEARNING, *STILL)
ERROR, TOLD, VALID, LIKELIHOOD = "error", "told", "valid", "likelihood"
OF_TWO: Span = (-2.0, 2.0)
"""What a difference of what two arms' writing tells, beyond another problem's, can be."""


def analyse(results: Results) -> Finding:
    """Errors, and what the writing of every arm tells a reader, in the last generations."""
    readings = with_differences(results.measured("readings"))
    last = _last_of(readings)
    decisive = decisive_of(readings)
    return Finding.by(
        "imitation-then-selection",
        decisive,
        p=decisive[0].p_above(0.2),
        numbers={
            "Error": tuple(_share(last, arm, ERROR) for arm in ARMS),
            "What the writing tells a reader, beyond another problem's": tuple(
                _mean(last, arm, TOLD, DIFFERENCE) for arm in ARMS
            ),
            "Valid steps": tuple(_share(last, arm, VALID) for arm in ARMS),
            "Likelihood under another writer, nats a character": tuple(
                _mean(last, arm, LIKELIHOOD) for arm in ARMS
            ),
            "Characters": tuple(_mean(last, arm, "length") for arm in ARMS),
            "Right, of answers after a step that is not valid": tuple(
                _right_all_the_same(last, arm) for arm in ARMS
            ),
            "What it tells a reader of its own population's": tuple(_codes(results)),
            "As many answers": tuple(_as_many(results)),
            "FLOPs, over imitation's": tuple(_flops(results)),
        },
        caveats=CAVEATS,
        curves=_curves(readings),
    )


CAVEATS = (
    "Founders differ before any selection, as imitation makes them: what is asked is whether "
    "selection on the answer brings them together in so many generations, not whether it drives "
    "them apart. The founders' own numbers stand beside.",
    "Selection here is learning from one's population's accepted answers and replication by their "
    "share: no answer is punished, and nothing rewards being short or hidden from a reader.",
    "Walks of six steps, founders of some 30 thousand parameters, ten generations: a larger "
    "model that explores longer may find a derivation of its own, or a code. Where nothing that "
    "is written helps, nothing that helps can be selected.",
    "Founders' likeliest answers are asked at sampling temperature .01, what is selected at .7, "
    "which is where it learns; its own likeliest answers are not asked. So that selection does "
    "not reach them says that it is the dearer way to an answer, not that it taught nothing, which "
    "the coin tells. That a vote of the founders' answers is as good says the same.",
    "Writing that is no longer left to chance follows from the question, and so tells something of "
    "the answer without being a derivation: as much in scribblers' likeliest answers, before any "
    "selection, as selection alone comes to.",
    "The coin accepts as many answers as peers would, not as many as the verifier. Best and vote "
    "of the founders' answers are of nine at most; a run spends three on a problem, and thirty on "
    "as many problems as the last generation has.",
    "Recipes were tried on one other founder set before this was registered. At sampling "
    "temperature 1 verdicts did not lower imitation's error in ten generations, with any of the "
    "rates and lessons tried; at .7 they did, with lessons of the newest generation, as taken "
    "here, and more so where earlier ones were remembered.",
    "The reader is taught by right derivations and sees of the question the last step alone. A "
    "code that it cannot read may tell the answer all the same: readers taught by the same "
    "population's own writing are given beside, and they learn from few texts.",
)


def draw(results: Results, finding: Finding, path: Path) -> Path:
    """Errors, what the writing tells, and valid steps, by generation."""
    return draw_writing(finding, path)


def decisive_of(readings: pl.DataFrame) -> list[Number]:
    """The numbers of the registered conditions; readings are as of `with_differences`."""
    last = _last_of(readings)
    found = _mean(last, ALONE, TOLD, DIFFERENCE)
    return [
        *_different(last),
        *_selected(last),
        *_drifted(last),
        replace(found, name="not found: what the writing tells, alone"),
    ]


def with_differences(readings: pl.DataFrame) -> pl.DataFrame:
    """Rows with whether the answer is wrong, and what the writing tells beyond another's."""
    return readings.with_columns(
        (1.0 - pl.col("right")).alias(ERROR),
        (pl.col("told") - pl.col("told by another")).alias(TOLD),
        pl.col(LIKELIHOOD).fill_nan(None),
    )


def _different(last: pl.DataFrame) -> list[Number]:
    """What imitation before selection leaves of the writing, beyond selection alone."""
    found = []
    for how, told in (("", "by verdicts"), (f"-{PEERS}", "by peers")):
        for what, column, span in (
            ("what the writing tells", TOLD, OF_TWO),
            ("valid steps", VALID, DIFFERENCE),
            ("likelihood, nats a character", LIKELIHOOD, ANY),
        ):
            pair = f"{IMITATION}{how}", f"{ALONE}{how}"
            found.append(_less(f"different: {what}, {told}", last, column, *pair, span))
    return found


def _selected(last: pl.DataFrame) -> list[Number]:
    """What selection takes of the error, against a coin and the founders' likeliest answers."""
    found = []
    for kind in KINDS:
        for told, how in (
            ("selection: error by a coin", COIN),
            ("gain: founders' likeliest answers' error", LIKELIEST),
        ):
            name = f"{told}, beyond {kind}'s"
            found.append(_less(name, last, ERROR, f"{kind}-{how}", kind))
    return found


def _drifted(last: pl.DataFrame) -> list[Number]:
    """What selection, and what a coin, does to a derivation."""
    found = []
    for told, whose, how in (("kept", "the founders'", FOUNDERS), ("drift", "a coin's", COIN)):
        name = f"{told}: what the writing tells, beyond {whose}"
        found.append(_less(name, last, TOLD, IMITATION, f"{IMITATION}-{how}", OF_TWO))
    return found


def _last_of(readings: pl.DataFrame) -> pl.DataFrame:
    return readings.filter(pl.col("generation") > pl.col("generation").max() - LAST)


def _of(last: pl.DataFrame, arm: str, column: str) -> Floats:
    """The mean of each problem's answers, float64 [S, P]; its seed's where it has none."""
    keys = ["seed", "generation", "problem"]
    found = last.filter(arm=arm).group_by(keys).agg(pl.col(column).mean()).sort(keys)
    filled = found.with_columns(pl.col(column).fill_null(pl.col(column).mean().over("seed")))
    values = filled[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.asarray(values.reshape(found["seed"].n_unique(), -1))


def _share(last: pl.DataFrame, arm: str, column: str) -> Number:
    return share(arm, _of(last, arm, column)[..., None], first)


def _mean(last: pl.DataFrame, arm: str, column: str, span: Span = ANY) -> Number:
    return estimate(arm, _of(last, arm, column)[..., None], first, span)


def _less(
    name: str, last: pl.DataFrame, column: str, more: str, less: str, span: Span = DIFFERENCE
) -> Number:
    """What one arm has more of a column than another."""
    both = np.stack([_of(last, more, column), _of(last, less, column)], -1)
    return estimate(name, both, first_less_second, span)


def _right_all_the_same(last: pl.DataFrame, arm: str) -> Number:
    """Share of right ones among the answers whose writing has a step that is not valid."""
    broken = pl.col(VALID) < 1.0
    rows = last.with_columns(broken.cast(pl.Float64).alias("broken")).with_columns(
        (pl.col("broken") * pl.col("right")).alias("all the same")
    )
    both = np.stack([_of(rows, arm, "all the same"), _of(rows, arm, "broken")], -1)
    return share(arm, both, first_over_second)


def _codes(results: Results) -> list[Number]:
    """What the writing tells a reader of its own population's, in the last generations."""
    codes = results.measured("codes").with_columns(pl.col("told") - pl.col("told by another"))
    arms = codes["arm"].unique(maintain_order=True)
    return [_mean(codes, arm, TOLD, DIFFERENCE) for arm in arms]


def _as_many(results: Results) -> list[Number]:
    """The best and the vote of each kind's members by their peers' grades, which a verifier's word
    is none of, beside those of k of its founders' answers.
    """
    found = []
    for kind in KINDS:
        own, founders = (as_many(results, LAST, arm=arm) for arm in (kind, f"{kind}-{FOUNDERS}"))
        for told, ours, theirs in (
            ("best", own.best, founders.best),
            ("vote", own.vote, founders.vote),
        ):
            found.append(share(f"{kind}: error, {told} of {own.draws[-1]}", ours[..., -1]))
            found += [
                share(f"{kind}, founders: error, {told} of {k}", theirs[..., place])
                for place, k in enumerate(founders.draws)
            ]
            name = f"{kind}: errs less than the founders' {told} of {founders.draws[-1]}"
            both = np.stack([theirs[..., -1], ours[..., -1]], -1)
            found.append(estimate(name, both, first_less_second, DIFFERENCE))
    return found


def _flops(results: Results) -> list[Number]:
    """FLOPs of each learning arm, over those of imitation and selection; of the generations after
    the first, whose answers the arms of a kind have in common.
    """
    of = {arm: sum(map(partial(_worked, results), results.of(arm=arm))) for arm in LEARNING}
    return [plain(arm, of[arm] / of[IMITATION]) for arm in LEARNING]


def _worked(results: Results, cell: Cell) -> float:
    """FLOPs over twice the parameters."""
    _, *later = results.rounds(cell)
    work = [one.counters for done in later for one in done.committed]
    return float(sum(w["tokens_computed"] + 3 * w.get("tokens_learned", 0) for w in work))


def _curves(readings: pl.DataFrame) -> dict[str, tuple[float, ...]]:
    """For the figure: means of seeds by generation."""
    curves: dict[str, tuple[float, ...]] = {}
    for arm in ARMS:
        means = (pl.col(column).mean() for column in (ERROR, TOLD, VALID))
        rows = readings.filter(arm=arm).group_by("generation").agg(means).sort("generation")
        curves[f"generations: {arm}"] = tuple(map(float, rows["generation"]))
        for column in (ERROR, TOLD, VALID):
            curves[f"{column}: {arm}"] = tuple(rows[column].to_list())
    return curves
