"""What the phase diagram reports beside its verdict: graders, factors, temperatures, curves.

Dimensions: S seeds, P problems of the last generations, D rows of means.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np

from mgptn.experiments.claims.method.alone import alone_numbers
from mgptn.experiments.claims.method.costs import arm_flops
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import (
    ANY,
    DIFFERENCE,
    Number,
    Span,
    estimate,
    share,
)
from mgptn.experiments.claims.method.statistics import (
    first,
    first_less_second,
    first_over_second,
    second,
)
from mgptn.experiments.claims.phase_diagram.planes import PLANE, Ladder, Place, Planes, margin
from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.views.measured import measured
from mgptn.population.records.arrays import Floats

FACTORS_GROUP = "What makes graders differ: amplified, share of runs"

FACTORS = (PLANE, "own-contexts", "personas", "seeds")
AT_ONE_SIZE = ("selection-temperature", "sampling-temperature", "oracle", "shuffled")
AXES = {
    "selection-temperature": "temperature",
    "sampling-temperature": "sampling_temperature",
}
"""Arms along a temperature, and the label of its value."""


def graders(results: Results, planes: Planes) -> dict[tuple[str, str, str, str], Number]:
    """J, ln Λ, correlation of errors and effective number of graders, at the largest size."""
    found = {}
    for arm in FACTORS:
        all_places = planes.places(arm)
        for task, rung in dict.fromkeys((place.task, place.rung) for place in all_places):
            place = [p for p in all_places if (p.task, p.rung) == (task, rung)][-1]
            rows = np.array(
                [
                    [
                        [
                            _log_ratio(m.grader_tpr, m.grader_fpr, m.grades),
                            m.grader_j,
                            m.grader_correlation,
                            m.effective_graders,
                        ]
                        for m in (
                            done.measures[SELECTED]
                            for done in measured(results.rounds(cell), cell.config)
                        )
                    ]
                    for cell in planes.cells(place)
                ]
            )
            spans = (ANY, DIFFERENCE, DIFFERENCE, ANY)
            for column, what in enumerate(("ln Λ", "J", "ρ", "worth")):
                name = f"{arm}, {task}, {rung}, m = {place.size}: {what}"
                found[arm, task, rung, what] = _known(name, rows[..., column], spans[column])
    return found


def _known(name: str, values: Floats, span: Span) -> Number:
    """Mean of what is defined, [S, G], NaN where nothing is."""
    known = ~np.isnan(values)
    both = np.stack([np.where(known, values, 0.0), known], axis=-1)
    return estimate(name, both, first_over_second, span)


def _log_ratio(tpr: float, fpr: float, grades: int) -> float:
    """ln(TPR/FPR), rates kept half a grade away from 0; 0 where nothing tells the two apart."""
    least = 0.5 / max(1, grades)
    if math.isnan(tpr) or math.isnan(fpr):
        return math.nan
    return math.log(max(tpr, least) / max(fpr, least))


def factors(planes: Planes) -> tuple[Number, ...]:
    """Success of every factor at the sizes that all of them have."""
    places = {arm: planes.places(arm) for arm in FACTORS}
    common = set.intersection(*({(p.task, p.rung, p.size) for p in of} for of in places.values()))
    numbers = []
    for arm, of in places.items():
        for task in planes.tasks:
            chosen = [p for p in of if p.task == task and (p.task, p.rung, p.size) in common]
            if not chosen:
                continue
            shares = np.mean([planes.amplified(p) for p in chosen], axis=0)
            errors = np.mean([planes.collective(p).mean(axis=1) for p in chosen], axis=0)
            both = np.stack([shares, errors], axis=-1)[:, None]
            numbers.append(share(f"{arm}, {task}: amplified", both, first))
            numbers.append(share(f"{arm}, {task}: error", both, second))
    return tuple(numbers)


def founders_alone(results: Results, planes: Planes) -> tuple[Number, ...]:
    """Errors of each rung's likeliest answers, and at its best temperature."""
    return tuple(
        number
        for task in planes.tasks
        for rung in planes.rungs
        for number in alone_numbers(
            f"{task}, {rung}", results, arm="unselected", task=task, rung=rung
        )
    )


def others(results: Results, planes: Planes) -> tuple[Number, ...]:
    """Margins under other temperatures and selectors."""
    numbers = []
    for arm in AT_ONE_SIZE:
        label = AXES.get(arm)
        for place in planes.places(arm):
            values = results.values(label, arm=arm) if label else [""]
            for value in values:
                further = {label: value} if label else {}
                name = f"{called(place)}{f', {label} {value}' if label else ''}"
                numbers.append(estimate(name, planes.margins(place, **further), margin, DIFFERENCE))
    return tuple(numbers)


def beyond_best(planes: Planes, ladders: list[Ladder]) -> tuple[Number, ...]:
    """Error of the best graded of the founders less that of the evolved collective."""
    numbers = []
    for ladder in ladders:
        for rung in ladder.rungs:
            both = [
                np.stack(
                    [planes.of_best(place), planes.collective(place)],
                    axis=-1,
                )
                for place in ladder.along(rung)
                if place.size > 1
            ]
            name = f"{ladder.task}, {rung}, all m > 1"
            numbers.append(estimate(name, np.mean(both, axis=0), first_less_second, DIFFERENCE))
    return tuple(numbers)


def compute(results: Results, planes: Planes, ladders: list[Ladder]) -> tuple[Number, ...]:
    """FLOPs of a whole run over those of its costliest bar: one round by the most, the largest."""
    numbers = []
    for ladder in ladders:
        largest = results.of(arm="unselected", task=ladder.task, rung=ladder.rungs[-1])
        bars = [float(np.mean(arm_flops(results.folder, cell))) for cell in largest]
        for place in ladder.amplified:
            runs = [sum(arm_flops(results.folder, cell)) for cell in planes.cells(place)]
            both = np.stack([runs, bars], axis=-1)[:, None]
            numbers.append(estimate(called(place), both, first_over_second))
    return tuple(numbers)


def curves(planes: Planes, ladders: list[Ladder]) -> dict[str, tuple[float, ...]]:
    """Shares of amplified runs, errors and bars, along m, by task and rung."""
    curves = {}
    for ladder in ladders:
        for rung in ladder.rungs:
            of = ladder.along(rung)
            key = f"{ladder.task}, {rung}"
            curves[f"{key}: sizes"] = tuple(float(p.size) for p in of)
            curves[f"{key}: amplified"] = tuple(float(ladder.amplified[p].mean()) for p in of)
            curves[f"{key}: error"] = tuple(float(planes.collective(p).mean()) for p in of)
            curves[f"{key}: bar"] = tuple(float(planes.bars(p).mean(axis=(0, 1)).min()) for p in of)
            curves[f"{key}: best of founders"] = tuple(float(planes.of_best(p).mean()) for p in of)
    return curves


def called(place: Place) -> str:
    return f"{place.arm}, {place.task}, {place.rung}, m = {place.size}"
