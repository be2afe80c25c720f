"""How long a host may be silent before it is given up: by what the same took before, in this run.

No time is right for all machines: a model of a million parameters comes up in seconds, one of
billions in minutes, and either takes ten times as long beside other work. So what a host may take
is a generous multiple of the longest that its kind of work has taken, and never less than a number
that can be set. Of work that nobody has done yet nothing is known, and it may take much longer.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from collections.abc import Callable

LEAST = 60.0
"""Seconds that anything may take, where nobody says otherwise."""

GENEROSITY = 30.0
"""Times the longest of its kind so far that something may take."""

UNKNOWN = 20.0
"""Times the least patience that something may take which nobody in this run has done yet."""

ODD = 3.0
"""Times the longest of its kind so far after which a silence is told of."""

ATTENTION = 5.0
"""Seconds between two looks that count at most: while nobody looks, nobody is kept waiting. A
driver that was stopped, alone or with its hosts, goes on as if it had not been."""


class Patience:
    """What was taken so far in a run, by kinds of work, and what may be taken.

    Parameters
    ----------
    least
        Seconds that anything may take.
    clock
        Seconds. Where they go back, as some machines' do, nothing is taken to have passed.
    """

    def __init__(self, least: float = LEAST, clock: Callable[[], float] = time.monotonic) -> None:
        self.least = least
        self._clock = clock
        self._seen = clock()
        self._now = 0.0
        self._longest: dict[str, float] = {}

    def now(self) -> float:
        """Seconds for which somebody has looked on."""
        seen = self._clock()
        self._now += min(max(0.0, seen - self._seen), ATTENTION)
        self._seen = seen
        return self._now

    def took(self, kind: str, seconds: float) -> None:
        """Take in how long something took."""
        self._longest[kind] = max(seconds, self._longest.get(kind, 0.0))

    def limit(self, kind: str) -> float:
        """Seconds that something may take before it is given up."""
        if kind in self._longest:
            return max(self.least, GENEROSITY * self._longest[kind])
        return max(UNKNOWN * self.least, GENEROSITY * max(self._longest.values(), default=0.0))

    def odd(self, kind: str) -> float:
        """Seconds after which it is told that something takes long."""
        return max(min(self.least, LEAST) / 2.0, ODD * self._longest.get(kind, 0.0))

    def known(self, kind: str) -> str:
        """What its limit rests on: ``the longest so far took 1.2 s``."""
        if kind not in self._longest:
            return "this run's first of its kind"
        return f"the longest so far took {self._longest[kind]:.1f} s"


class Waiting:
    """A host that is waited for: for what, and since when.

    Parameters
    ----------
    kind
        Of what it does.
    """

    def __init__(self, patience: Patience, kind: str) -> None:
        self.kind = kind
        self._patience = patience
        self._since = patience.now()
        self._due = patience.odd(kind)

    @property
    def seconds(self) -> float:
        """How long it has been waited for."""
        return self._patience.now() - self._since

    @property
    def over(self) -> bool:
        """Has it been waited for longer than may be?"""
        return self.seconds > self._patience.limit(self.kind)

    def worth_telling(self) -> bool:
        """Is it to be told of now? Once it takes oddly long, and then again and again."""
        seconds = self.seconds
        if seconds < self._due:
            return False
        self._due = seconds + min(self._patience.least, LEAST)
        return True

    def told(self) -> str:
        """``34 s (patience 60 s; the longest so far took 1.2 s)``."""
        limit = self._patience.limit(self.kind)
        return f"{self.seconds:.0f} s (patience {limit:.0f} s; {self._patience.known(self.kind)})"

    def done(self) -> None:
        """Take in how long it took."""
        self._patience.took(self.kind, self.seconds)
