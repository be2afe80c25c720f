"""Reading a model's words: probabilities from their logarithms, an option from a text."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Sequence


def normalised(logs: Sequence[float]) -> tuple[float, ...] | None:
    """The distribution over options with these log-probabilities, of which they are all.

    None unless every one is a number (−∞ included) and one is finite.
    """
    highest = _highest(logs)
    if highest is None:
        return None
    weights = [math.exp(log - highest) for log in logs]
    total = sum(weights)
    return tuple([weight / total for weight in weights])


def option_mass(logs: Sequence[float]) -> float | None:
    """Probability that a reader's next words are one of these options, which exclude each other.

    What `normalised` divides by: where it is small, a distribution over the options says little of
    what the reader would have said. None where that has no distribution.
    """
    if _highest(logs) is None:
        return None
    # Where one option begins another, they do not quite exclude each other.
    return min(1.0, math.fsum(map(math.exp, logs)))


def _highest(logs: Sequence[float]) -> float | None:
    """The greatest; None unless every one is a number (−∞ included) and one is finite."""
    highest = max(logs)
    return highest if math.isfinite(highest) and not math.isnan(sum(logs)) else None


def first_wins(logs: Sequence[float]) -> float | None:
    """Probability of the first of two options."""
    pair = normalised(logs)
    return None if pair is None else pair[0]


def named_option(text: str, options: Sequence[str]) -> int | None:
    """Which option a text begins with, the longest that fits, whatever the case; None for none.

    The option must end where a word ends: ``12`` does not name ``1``.
    """
    said = " ".join(text.split()).lower()
    found: int | None = None
    for index, option in enumerate(options):
        whole = option.strip().lower()
        ends = said[len(whole) : len(whole) + 1]
        fits = said.startswith(whole) and not ends.isalnum()
        if fits and (found is None or len(whole) > len(options[found].strip())):
            found = index
    return found
