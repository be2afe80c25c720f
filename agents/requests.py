"""What a host is asked, in tokens: two kinds of request, the tiles they travel in, the replies.

Dimensions: R rows of a tile, W tokens of its widest row, P tokens of the shared prefix.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Generate:
    """Sample a continuation of prefix + suffix.

    Ends at one of `stops` (not part of the answer), after one of `endings` (part of it), or after
    `max_tokens` tokens. The i-th token is drawn with the i-th uniform number of the Philox stream
    named by `key`.
    """

    prefix: Tokens
    suffix: Tokens
    stops: Tokens
    max_tokens: int
    sampling_temperature: float
    key: tuple[int, int]
    endings: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Score:
    """The log-probability of each option as a continuation of prefix + suffix."""

    prefix: Tokens
    suffix: Tokens
    options: tuple[Tokens, ...]


HostRequest = Generate | Score


@dataclass(frozen=True, slots=True)
class Generated:
    """Sampled tokens without the stop; `log_probability` of all drawn ones, the stop included."""

    tokens: Tokens
    finished: bool
    log_probability: float


@dataclass(frozen=True, slots=True)
class Scored:
    """Log-probability of each option, in nats; NaN where the model's logits were not finite."""

    log_probabilities: tuple[float, ...]


HostReply = Generated | Scored


@dataclass(frozen=True, slots=True)
class Tile:
    """The unit of work: requests of one kind that share weights and prefix, in a fixed shape.

    The replies are a pure function of the tile, so a tile may be run again, or elsewhere.

    Attributes
    ----------
    weights
        Hash of the model's files.
    prefix
        int [P], shared by all requests.
    requests
        At most R of them.
    rows, width
        The shape [R, W] that suffixes are padded to.
    """

    weights: str
    prefix: Tokens
    requests: tuple[Generate, ...] | tuple[Score, ...]
    rows: int
    width: int


@dataclass(frozen=True, slots=True)
class Work:
    """What a tile cost: token positions computed, saved by prefix reuse, wasted; wall seconds."""

    tokens_computed: int
    tokens_saved: int
    tokens_padded: int
    seconds: float


@dataclass(frozen=True, slots=True)
class TileReply:
    """Replies to a tile's requests, in order, and what they cost."""

    replies: tuple[HostReply, ...]
    work: Work
