"""Price's equation: every change of a mean, split into selection and transmission.

An identity of arithmetic. That a change is *due* to selection takes the randomised controls.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class PriceTerms(NamedTuple):
    """The two parts of a change of mean, in units of the trait.

    Attributes
    ----------
    selection
        Cov(w, z)/w̄: parents with more offspring had other values.
    transmission
        E[w·Δz]/w̄: offspring differ from their parents.
    """

    selection: float
    transmission: float

    @property
    def total(self) -> float:
        """Change of the mean from parents to offspring: selection + transmission."""
        return self.selection + self.transmission


def price(offspring: ArrayLike, values: ArrayLike, offspring_values: ArrayLike) -> PriceTerms:
    """Split the change of a population's mean: Δz̄ = Cov(w, z)/w̄ + E[w·Δz]/w̄.

    Parameters
    ----------
    offspring
        float64 [M], w_i ≥ 0, number of offspring of every parent (a parent that survives counts
        as its own offspring). Not all zero; the scale does not matter.
    values
        float64 [M], z_i, the trait of every parent.
    offspring_values
        float64 [M], z'_i, mean trait of the parent's offspring; ignored, so may be NaN, where
        it has none.

    Returns
    -------
    PriceTerms (selection, transmission); their sum is mean(offspring) − mean(parents) to rounding.

    Raises
    ------
    ValueError
        If shapes differ, an offspring number is negative or not finite, all are zero, or a trait
        that counts is not finite.

    Source
    ------
    Price 1970, "Selection and covariance".
    """
    births = np.asarray(offspring, dtype=np.float64)
    parents = np.asarray(values, dtype=np.float64)
    children = np.asarray(offspring_values, dtype=np.float64)
    if births.ndim != 1 or births.size == 0:
        raise ValueError(f"offspring: expected one number per parent, got shape {births.shape}")
    for name, trait in (("values", parents), ("offspring_values", children)):
        if trait.shape != births.shape:
            raise ValueError(f"{name}: expected shape {births.shape}, got {trait.shape}")
    if not np.all((births >= 0.0) & np.isfinite(births)) or not births.any():
        raise ValueError(f"offspring: expected finite numbers ≥ 0, not all zero, got {births}")
    if not np.isfinite(parents).all():
        raise ValueError(f"values: expected finite numbers, got {parents}")
    fertile = births > 0.0
    if not np.isfinite(children[fertile]).all():
        raise ValueError(f"offspring_values: expected finite numbers, got {children[fertile]}")
    weights = births / births.sum()
    selection = float(np.sum((weights - 1.0 / births.size) * (parents - parents.mean())))
    change = children[fertile] - parents[fertile]
    return PriceTerms(selection, float(np.sum(weights[fertile] * change)))
