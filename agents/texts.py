"""What a model is asked in text, above any tokens: two kinds of request, and their replies."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

Turn = tuple[str, str]
"""Who speaks (``system``, ``user`` or ``assistant``), and what is said."""


@dataclass(frozen=True, slots=True)
class Said:
    """What stands before a reply: a text, or the turns of a chat.

    Attributes
    ----------
    text
        All of it, laid out; empty where turns are given.
    turns
        Of a chat whose layout is the server's.
    begun
        How the assistant's reply begins, beside turns: what is asked for goes on from there.
    """

    text: str = ""
    turns: tuple[Turn, ...] = ()
    begun: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """Sample what follows.

    Attributes
    ----------
    stops
        Texts that end it, and are no part of it.
    limit
        Tokens at most.
    sampling_temperature
        > 0.
    key
        Two words of 64 bits that name this draw.
    """

    prompt: Said
    stops: tuple[str, ...]
    limit: int
    sampling_temperature: float
    key: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Weigh:
    """The log-probability of each option as what follows."""

    prompt: Said
    options: tuple[str, ...]


TextRequest = Write | Weigh


@dataclass(frozen=True, slots=True)
class Written:
    """A text, whether its writer ended it, and its length in tokens."""

    text: str
    finished: bool
    tokens: int


@dataclass(frozen=True, slots=True)
class Weighed:
    """Log-probability of each option, in nats; −∞ for one that was not seen.

    All are NaN where nothing was told of the next word.
    """

    log_probabilities: tuple[float, ...]


TextReply = Written | Weighed


@dataclass(frozen=True, slots=True)
class Usage:
    """What was asked of endpoints, and what it cost.

    Attributes
    ----------
    requests, retries
        That were answered; and that had to be repeated.
    prompt_tokens, completion_tokens
        As the servers count them.
    cost
        In the prices' currency.
    """

    requests: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            self.retries + other.retries,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost + other.cost,
        )

    @property
    def tokens(self) -> int:
        """Of prompts and completions."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def counts(self) -> dict[str, int]:
        """By the names of a journal's counters; cost in millionths."""
        return {
            "endpoint_requests": self.requests,
            "endpoint_retries": self.retries,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost_millionths": round(self.cost * 1e6),
        }


USAGE_COUNTS = tuple(Usage().counts)
"""Names of the counters that only runs with endpoints have."""
