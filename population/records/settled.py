"""What settings are held to as they are made: names that are looked up later, and ranges.

A name that nobody knows would otherwise be found out where it is looked up, after all the work.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable


def check_name(field: str, got: str, known: Iterable[str]) -> None:
    """Refuse a name that is none of those known.

    Raises
    ------
    ValueError
        Naming the field, the known names, and what was got.
    """
    names = list(known)
    if got not in names:
        raise ValueError(f"{field}: expected one of {', '.join(names)}, got {got!r}")


def check_probabilities(settings: object, *fields: str) -> None:
    """Refuse a field that is no probability.

    Raises
    ------
    ValueError
        Naming the field, and what was got.
    """
    for field in fields:
        got = getattr(settings, field)
        if not 0.0 <= got <= 1.0:
            raise ValueError(f"{field}: expected a probability in [0, 1], got {got}")


def check_least(settings: object, least: int, *fields: str) -> None:
    """Refuse a field that is below a number, or no number.

    Raises
    ------
    ValueError
        Naming the field, the least, and what was got.
    """
    for field in fields:
        got = getattr(settings, field)
        if not got >= least:
            raise ValueError(f"{field}: expected at least {least}, got {got}")
