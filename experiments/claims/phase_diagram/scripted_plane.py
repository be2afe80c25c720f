"""The phase diagram's scripted plane: juries of known rates, held against the theory's boundary."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math

import numpy as np

from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.method.numbers import Number, estimate, share
from mgptn.experiments.claims.phase_diagram.boundary import Boundary, Integers, Successes
from mgptn.experiments.claims.phase_diagram.planes import counted
from mgptn.population.measures.answer_errors import problem_errors
from mgptn.population.records.arrays import Floats
from mgptn.population.theory.classification import unanimity_boundary

TARGET = 0.05
"""ε*: the error that is to be reached."""

ARMS = ("scripted", "scripted-correlated", "scripted-scaled")


class ScriptedPlane:
    """Errors of the last generation by jury, and what theory says of them."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._errors: dict[tuple[str, int, float], Floats] = {}
        for arm in ARMS:
            for cell in results.of(arm=arm):
                label = dict(cell.labels)
                place = {"m": label["m"], "fpr": label["fpr"]}
                key = (arm, int(label["m"]), float(label["fpr"]))
                if key not in self._errors:
                    courses = results.stacked(problem_errors, arm=arm, **place)
                    self._errors[key] = courses[:, -1]
        config = results.of(arm=ARMS[0])[0].config
        self._error, self._tpr = config.agents.scripted.error, config.agents.scripted.tpr
        # Filters between the first answers and the last, under the fixed number of generations.
        self._rounds = config.population.generations - 1

    def successes(self, arm: str) -> Successes:
        """Juries whose mean error is at most the target, over ln Λ of one grader."""
        of = [(size, fpr) for name, size, fpr in self._errors if name == arm]
        sizes, rates = sorted({s for s, _ in of}), sorted({fpr for _, fpr in of})
        return counted(
            [self._log_ratio(fpr) for fpr in rates],
            sizes,
            [[self._reached(arm, size, fpr) for size in sizes] for fpr in rates],
        )

    def boundary(self, fpr: float) -> float:
        """The theory's boundary: one agent more than the graders that it takes."""
        return 1.0 + unanimity_boundary(self._error, TARGET, self._rounds, self._tpr, fpr)

    def deviation(self, fitted: Boundary) -> Number:
        """Mean of ln(fitted / theory) where both are among the sizes tried."""
        found = self.successes(ARMS[0])
        off = []
        for position, size in zip(found.positions, fitted.sizes, strict=True):
            theory = self.boundary(self._tpr * math.exp(-position))
            if found.sizes[0] <= theory <= found.sizes[-1] and math.isfinite(size):
                off.append(math.log(size / theory))
        # Positions are the units: each has a boundary of its own.
        values = np.array(off)[None] if off else np.full((1, 1), math.nan)
        return estimate("fitted boundary over theory's, ln", values)

    def numbers(self) -> tuple[Number, ...]:
        """Errors in the last generation, by arm, jury and rate."""
        return tuple(
            share(f"{arm}, FPR {fpr:g}, m = {size}: error", errors)
            for (arm, size, fpr), errors in sorted(self._errors.items())
        )

    def curves(self) -> dict[str, tuple[float, ...]]:
        """The plane as the figure shows it, and the theory's boundary along it."""
        found = self.successes(ARMS[0])
        curves = {
            "scripted: positions": tuple(found.positions.tolist()),
            "scripted: sizes": tuple(found.sizes.tolist()),
            "scripted: theory": tuple(
                self.boundary(self._tpr * math.exp(-position)) for position in found.positions
            ),
        }
        for place, position in enumerate(found.positions):
            shares = found.successes[place] / found.trials[place]
            curves[f"scripted: amplified at {position:.3f}"] = tuple(shares.tolist())
        return curves

    def _reached(self, arm: str, size: int, fpr: float) -> Integers:
        means = self._errors[arm, size, fpr].mean(axis=1)
        return np.asarray(means <= TARGET, dtype=np.int64)

    def _log_ratio(self, fpr: float) -> float:
        return math.log(self._tpr / fpr)
