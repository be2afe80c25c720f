"""Weights that were changed after a founder's checkpoint, as pure data: what was done, not numbers.

The numbers lie elsewhere, under the hash of their content, or are made again from a key.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

STEPS = ("learned", "noise", "merged")
"""What may be done to weights."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights by the step that made them, of what they were before.

    Attributes
    ----------
    step
        ``"learned"``: trained, which ended in the numbers of `content`. ``"noise"``: a normal
        number of standard deviation `scale`, drawn by `key`, was added to each. ``"merged"``: a
        share `scale` of a second parent's was mixed in.
    founder
        Name of the model whose checkpoint they began as.
    parent
        Digest of the weights before; empty for the founder's own.
    content
        Of what was learned: hexadecimal hash of the file of numbers, which needs nothing else.
    key
        Of noise: two words of 64 bits.
    scale
        See `step`.
    sources
        What numbers are made of where no file has them: of noise one, of a merger two; None is a
        founder's own checkpoint. Of what was learned none: a chain ends there.
    other_founder
        Of a merger: name of the second parent's model.

    Raises
    ------
    ValueError
        If there is no such step, or what it needs is not there.
    """

    step: str
    founder: str
    parent: str = ""
    content: str = ""
    key: tuple[int, int] = (0, 0)
    scale: float = 0.0
    sources: tuple[Weights | None, ...] = ()
    other_founder: str = ""
    _digest: str = field(default="", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.step not in STEPS:
            raise ValueError(f"step: expected one of {', '.join(STEPS)}, got {self.step!r}")
        needed = {"learned": 0, "noise": 1, "merged": 2}[self.step]
        if len(self.sources) != needed:
            raise ValueError(
                f"sources: expected {needed} of weights that are {self.step}, got "
                f"{len(self.sources)}"
            )
        if (self.step == "learned") != bool(self.content):
            raise ValueError(
                f"content: expected a hash of what was learned and of nothing else, got "
                f"{self.content!r} of weights that are {self.step}"
            )

    def digest(self) -> str:
        """Hexadecimal hash of the whole descent: equal ones, and only those, are equal."""
        if not self._digest:
            parts = (
                self.step.encode(),
                self.founder.encode(),
                self.parent.encode(),
                self.content.encode(),
                struct.pack("<QQd", *self.key, self.scale),
                *(b"" if s is None else s.digest().encode() for s in self.sources),
                self.other_founder.encode(),
            )
            framed = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
            hashed = hashlib.blake2b(framed, digest_size=16, person=b"mgptn.weights").hexdigest()
            object.__setattr__(self, "_digest", hashed)
        return self._digest

    def told(self) -> str:
        """In two words, such as ``learned 5f3a1b2c``: the last step, and how the digest begins."""
        return f"{self.step} {self.digest()[:8]}"

    def contents(self) -> Iterator[str]:
        """Hashes of the files that the numbers are made of, in order, each but once."""
        seen: set[str] = set()
        waiting: list[Weights] = [self]
        while waiting:
            one = waiting.pop()
            if one.digest() in seen:  # parents may have parents in common, through and through
                continue
            seen.add(one.digest())
            if one.content:
                yield one.content
            waiting += [source for source in reversed(one.sources) if source is not None]


def learned(before: Weights | None, founder: str, content: str) -> Weights:
    """Weights after learning that ended in the numbers of a file."""
    return Weights("learned", founder, _digest_of(before), content=content)


def noised(before: Weights | None, founder: str, key: tuple[int, int], scale: float) -> Weights:
    """Weights with normal noise of a standard deviation added, drawn by a key."""
    return Weights("noise", founder, _digest_of(before), key=key, scale=scale, sources=(before,))


def merged(
    first: Weights | None, founder: str, second: Weights | None, other_founder: str, share: float
) -> Weights:
    """Two parents' weights, (1 − share) of the first and a share of the second.

    Raises
    ------
    ValueError
        If the share is not one.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share: expected a number from 0 to 1, got {share}")
    return Weights(
        "merged", founder, _digest_of(first), scale=share, sources=(first, second),
        other_founder=other_founder,
    )  # fmt: skip


def _digest_of(weights: Weights | None) -> str:
    return "" if weights is None else weights.digest()
