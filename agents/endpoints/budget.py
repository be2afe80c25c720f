"""What a run may spend since it was started or resumed, and what it has spent."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from dataclasses import dataclass

from mgptn.agents.endpoints.endpoint import LimitReached
from mgptn.agents.texts import Usage


@dataclass(frozen=True, slots=True)
class Limits:
    """At most so much; None is no limit.

    Attributes
    ----------
    tokens
        Of prompts and answers, of endpoints and hosts together.
    requests
        To models.
    seconds
        Of wall time.
    cost
        By the endpoints' prices.
    """

    tokens: int | None = None
    requests: int | None = None
    seconds: float | None = None
    cost: float | None = None

    def __bool__(self) -> bool:
        return any(v is not None for v in (self.tokens, self.requests, self.seconds, self.cost))


class Budget:
    """Counts against limits; the clock runs from when it is made."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.requests = 0
        self.tokens = 0
        self.cost = 0.0
        self._began = time.monotonic()

    def check(self) -> None:
        """Refuse to go on once something is spent.

        Raises
        ------
        LimitReached
            Naming the limit.
        """
        spent = {
            "tokens": self.tokens,
            "requests": self.requests,
            "seconds": time.monotonic() - self._began,
            "cost": self.cost,
        }
        for name, value in spent.items():
            most = getattr(self.limits, name)
            if most is not None and value >= most:
                raise LimitReached(
                    f"limits.{name}: expected at most {most:g} in one go, got {value:.6g}"
                )

    def begin(self) -> None:
        """Check, and count a request as made."""
        self.check()
        self.requests += 1

    def spend(self, usage: Usage) -> None:
        """Count what a request that was counted has taken."""
        self.requests += max(0, usage.requests - 1)
        self.tokens += usage.tokens
        self.cost += usage.cost

    def work(self, requests: int, tokens: int) -> None:
        """Count what hosts have done."""
        self.requests += requests
        self.tokens += tokens
