"""What a host is asked, in tokens: two kinds of request, the tiles they travel in, the replies.

What a server is asked in text (`mgptn.agents.texts`) travels in the same tiles, one request each.

Dimensions: R rows of a tile, W tokens of its widest row, P tokens of the shared prefix.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Literal, NamedTuple

import numpy as np

from mgptn.agents.texts import TextReply, TextRequest, Usage
from mgptn.population.records.weights import Weights

Tokens = tuple[int, ...]

Supply = Callable[[str], bytes]
"""From the hash of a file of numbers to its bytes; `KeyError` where there is none."""

EndReason = Literal["stop", "ending", "length", "unreadable"]
"""Why an answer ended: before a stop, after an ending, cut off, or no number where logits stand."""


@dataclass(frozen=True, slots=True)
class Generate:
    """Sample a continuation of prefix + suffix.

    Ends at one of `stops` (not part of the answer), after one of `endings` (part of it), or after
    `max_tokens` tokens. The i-th token is drawn with the i-th number of the Philox4x32-10 stream
    named by `key`.

    Attributes
    ----------
    prefix, suffix
        int [P], int [≥ 1].
    sampling_temperature
        > 0.
    key
        Two words of 64 bits.
    top_k
        Only so many likeliest tokens are drawn, the first of equals; 0 turns it off, and 1 is
        greedy.
    top_p
        Only the likeliest tokens that together have this probability are drawn; 1 turns it off.
    """

    prefix: Tokens
    suffix: Tokens
    stops: Tokens
    max_tokens: int
    sampling_temperature: float
    key: tuple[int, int]
    endings: frozenset[int] = frozenset()
    top_k: int = 0
    top_p: float = 1.0


class States(NamedTuple):
    """Which hidden states of the rows that a scoring reads come back with it.

    Attributes
    ----------
    layers
        As transformers numbers its ``hidden_states``: 0 are the embeddings, i what the i-th layer
        leaves, and the last what the head is given, which in most models is normalised.
    places
        Of a row's tokens, which are the suffix and an option without its last token: from 0, the
        suffix's first; below 0 from the row's end, -1 being its last. Tokens of the prefix have
        none: what they leave is shared, and not kept.
    """

    layers: tuple[int, ...]
    places: tuple[int, ...]

    def check(self, shortest: int) -> None:
        """Refuse what cannot be told of rows of so many tokens, or of more.

        Raises
        ------
        ValueError
            Naming the field.
        """
        for name, numbers, least, most in (
            ("layers", self.layers, 0, None),
            ("places", self.places, -shortest, shortest - 1),
        ):
            told = f"from {least} on" if most is None else f"from {least} to {most}"
            if not numbers:
                raise ValueError(f"states.{name}: expected at least one, got none")
            for number in numbers:
                if number < least or (most is not None and number > most):
                    raise ValueError(f"states.{name}: expected numbers {told}, got {number}")


@dataclass(frozen=True, slots=True)
class Score:
    """The log-probability of each option as a continuation of prefix + suffix.

    An option may be a whole text: one row is read for it, whatever its length.

    Attributes
    ----------
    states
        Hidden states to tell beside; None for none.
    """

    prefix: Tokens
    suffix: Tokens
    options: tuple[Tokens, ...]
    states: States | None = None


@dataclass(frozen=True, slots=True)
class Lora:
    """Factors of low rank that are trained instead of weights: alpha/rank · B·A is added to each.

    Attributes
    ----------
    modules
        Names of linear layers, as peft's ``target_modules``; none for all but the head.
    """

    rank: int
    alpha: int
    modules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Learn:
    """Train weights on documents; what comes back is a function of this alone.

    Attributes
    ----------
    worn
        What the weights are before; None for the model's own.
    method
        ``"full"``, or ``"lora"``: factors of low rank are trained, and weights stay.
    trainable
        Of the former: names of parts, as of `mgptn.agents.learning.parts`.
    rate
        Of AdamW, > 0.
    shape
        Steps, documents of a step, tokens of a document.
    tokens
        int32 [steps, documents, tokens], row by row.
    taught
        uint8 of the same shape: 1 where a token is part of what is learned.
    offsets
        int32 [steps, documents]: added to the places of a document's tokens.
    lora
        Of the latter.
    key
        Of the latter, two words of 64 bits: names the stream that factors are drawn from where
        what is worn has none.
    """

    worn: Weights | None
    method: str
    trainable: tuple[str, ...]
    rate: float
    shape: tuple[int, int, int]
    tokens: bytes
    taught: bytes
    offsets: bytes
    lora: Lora | None = None
    key: tuple[int, int] = (0, 0)


HostRequest = Generate | Score
AnyRequest = HostRequest | TextRequest


@dataclass(frozen=True, slots=True)
class Generated:
    """Sampled tokens without the stop.

    Attributes
    ----------
    reason
        Why there are no more.
    log_probabilities
        Of each drawn token, the stop included, under the distribution that it was drawn from, in
        nats. NaN stands last where the logits were not finite.
    """

    tokens: Tokens
    reason: EndReason
    log_probabilities: tuple[float, ...]

    @property
    def finished(self) -> bool:
        """Did the model itself end the answer?"""
        return self.reason in ("stop", "ending")

    @property
    def log_probability(self) -> float:
        """Of all drawn tokens together."""
        return math.fsum(self.log_probabilities)


@dataclass(frozen=True, slots=True)
class Hidden:
    """Hidden states as they are sent: a shape, and bytes of float32, so that equal ones are equal.

    Attributes
    ----------
    shape
        Rows, layers, places, width. A row is a distinct beginning of the options, without their
        last tokens, in the order that those have: options of one token have one between them.
    """

    shape: tuple[int, int, int, int]
    content: bytes = field(repr=False)

    @property
    def array(self) -> np.ndarray:
        """float32 [rows, layers, places, width], not to be written to."""
        return np.frombuffer(self.content, dtype=np.float32).reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Scored:
    """Log-probability of each option, in nats; NaN where the model's logits were not finite.

    `hidden` has what `Score.states` asks for.
    """

    log_probabilities: tuple[float, ...]
    hidden: Hidden | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """What became of weights: a file of numbers, safetensors; None where a loss was no number.

    `losses` has the first and the last step's, in nats a token.
    """

    numbers: bytes | None
    losses: tuple[float, float]


HostReply = Generated | Scored
AnyReply = HostReply | TextReply


@dataclass(frozen=True, slots=True)
class Tile:
    """The unit of work: requests of one kind that share weights and prefix, in one shape.

    The replies are a pure function of the tile, so a tile may be run again, or elsewhere. What a
    request goes through has the width that it would have by itself (see `mgptn.agents.tiles`).

    Attributes
    ----------
    weights
        Hash of the model's files, or what stands for it at an endpoint.
    prefix
        int [P], shared by all requests.
    requests
        Of one kind; of generations any number, which R slots take in turn.
    rows
        R: slots of a generation, or rows that are read at once of a scoring.
    width
        W: what rows are padded to; of generations, the widest.
    room
        Columns beside W: for the tokens of the longest generation.
    reads
        Places of each row whose logits are read: 1 for a generation.
    adapter
        Digest of what became of the weights; empty where they are the model's own.
    worn
        That itself. Weights that are learned on are each request's own.
    supply
        Where hosts find its numbers.
    """

    weights: str
    prefix: Tokens
    requests: tuple[Generate, ...] | tuple[Score, ...] | tuple[Learn, ...] | tuple[TextRequest]
    rows: int
    width: int
    room: int = 0
    reads: int = 1
    adapter: str = ""
    worn: Weights | None = field(default=None, compare=False, repr=False)
    supply: Supply | None = field(default=None, compare=False, repr=False)

    def contents(self) -> tuple[str, ...]:
        """Hashes of the files of numbers that it needs."""
        worn = [self.worn, *(r.worn for r in self.requests if isinstance(r, Learn))]
        return tuple(
            dict.fromkeys(content for one in worn if one is not None for content in one.contents())
        )


@dataclass(slots=True)
class Work:
    """What a tile cost.

    Attributes
    ----------
    tokens_computed
        Positions of prompts and answers that went through the model.
    tokens_saved
        Positions of prefixes that did not have to.
    tokens_padded
        Positions that went through the model for a shape's sake alone.
    tokens_learned
        Positions of documents that were trained on, their padding among them.
    slots_idle
        Of `tokens_padded`, those of slots that had no answer left to write.
    prefix_evictions
        Blocks of prefixes that the cache let go.
    host_restarts
        Hosts that were lost with this tile before one replied: the fleet's, not the host's to say.
    flops
        2 × parameters × `tokens_computed`, and 6 × of `tokens_learned`; attention is left out.
    energy_millijoules
        Of the card by its own counter, whoever else works on it; 0 where it has none.
    seconds
        Wall time of the host, and of it `forward` passes with the moving of their keys and values,
        `sampling`, and `transfer`: tokens made tensors, and what comes back made replies.
    usage
        Of an endpoint; None where a host worked.
    """

    tokens_computed: int = 0
    tokens_saved: int = 0
    tokens_padded: int = 0
    tokens_learned: int = 0
    slots_idle: int = 0
    prefix_evictions: int = 0
    host_restarts: int = 0
    flops: int = 0
    energy_millijoules: int = 0
    seconds: float = 0.0
    forward: float = 0.0
    sampling: float = 0.0
    transfer: float = 0.0
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class TileReply:
    """Replies to a tile's requests, in order, and what they cost."""

    replies: tuple[HostReply, ...] | tuple[Learned, ...] | tuple[TextReply]
    work: Work = field(default_factory=Work)


WORK_COUNTS = tuple(f.name for f in fields(Work) if isinstance(f.default, int))
"""Fields of `Work` that count."""

WORK_SECONDS = ("forward", "sampling", "transfer")
"""Fields of `Work` that say where its seconds go."""


def common(a: Tokens, b: Tokens) -> int:
    """Tokens that both begin with."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count
