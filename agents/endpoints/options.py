"""Probabilities of options from the likeliest next tokens that a server tells.

Servers tell tokens as texts. Case and space around them aside, a token says an option, or begins
one. Nothing is guessed: what two options begin with alike has to be asked on from.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Top = Sequence[tuple[str, float]]
"""Likeliest next tokens, with their log-probabilities in nats."""

_SPACES = str.maketrans("Ġ▁", "  ")
"""How some servers write a space in a token."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A token that several options begin with alike.

    Attributes
    ----------
    options
        Indices of those.
    rests
        What is left of each.
    """

    token: str
    log_probability: float
    options: tuple[int, ...]
    rests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What the tokens say: a log-probability for each option, and where one has to ask on."""

    log_probabilities: tuple[float, ...]
    shared: tuple[Shared, ...]


def told_of(top: Top, options: Sequence[str]) -> Told:
    """Log-probability of each option by the likeliest next tokens; −∞ for one not among them.

    Of an option that no token says as a whole, the likeliest token that it alone begins with
    counts: its first one that tells it from the others.
    """
    fold = _fold(options)
    names = [fold(option.strip()) for option in options]
    tokens = [(fold(token.translate(_SPACES)), token, log) for token, log in top if token]
    logs = [_sum([log for said, _, log in tokens if _says(said, name)]) for name in names]
    unseen = [i for i, log in enumerate(logs) if log == -math.inf]
    shared: dict[str, Shared] = {}
    for i in unseen:
        begun = [(log, said, token) for said, token, log in tokens if _begins(said, names[i])]
        if not begun:
            continue
        log, said, token = max(begun)
        alike = tuple(j for j in unseen if _begins(said, names[j]))
        if alike == (i,):
            logs[i] = log
        else:
            rests = tuple(names[j][len(said.strip()) :] for j in alike)
            shared[token] = Shared(token.translate(_SPACES), log, alike, rests)
    return Told(tuple(logs), tuple(shared.values()))


def ambiguous(options: Sequence[str]) -> tuple[str, str] | None:
    """Two options of which one begins the other, so that no next word tells them apart."""
    fold = _fold(options)
    names = [fold(option.strip()) for option in options]
    for i, name in enumerate(names):
        for j, other in enumerate(names):
            if i != j and other.startswith(name):
                return options[i], options[j]
    return None


def _fold(options: Sequence[str]) -> Callable[[str], str]:
    """How options are compared: without case, unless that is what tells them apart."""
    plain = {option.strip() for option in options}
    return str.lower if len({name.lower() for name in plain}) == len(plain) else str


def _says(said: str, name: str) -> bool:
    """Is this the whole option, with at most a mark behind it?"""
    word = said.strip()
    return word == name or (name[-1:].isalnum() and re.sub(r"\W+$", "", word) == name)


def _begins(said: str, name: str) -> bool:
    """Is this a part of an option, from its start? Any may stand behind a space."""
    word = said.strip()
    return name.startswith(word) and word != name if word else said == " " * len(said)


def _sum(logs: Sequence[float]) -> float:
    """Log of the sum of exponentials."""
    highest = max(logs, default=-math.inf)
    if not math.isfinite(highest):
        return -math.inf
    return highest + math.log(math.fsum(math.exp(log - highest) for log in logs))
