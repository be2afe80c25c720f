"""What analyses take of means: functions of rows of them.

Dimensions: D rows.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from mgptn.population.records.arrays import Floats


def first(means: Floats) -> Floats:
    """The first mean of each row, from [D, ...] to [D]."""
    return means[:, 0]


def second(means: Floats) -> Floats:
    """The second, likewise."""
    return means[:, 1]


def first_less_second(means: Floats) -> Floats:
    """The difference of the two."""
    return means[:, 0] - means[:, 1]


def first_over_second(means: Floats) -> Floats:
    """The quotient of the two; NaN where the second is not above 0."""
    return np.asarray(means[:, 0] / np.where(means[:, 1] > 0.0, means[:, 1], np.nan))
