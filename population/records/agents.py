"""The records that flow through a population: examples, genomes, agents, births.

What agents said to each other is `outcomes`', and a whole round `generation`'s.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field, replace
from typing import NewType

from mgptn.population.records.weights import Weights

AgentId = NewType("AgentId", int)
"""Names one agent for ever; never reused, never an index."""

ORDINARY = "ordinary"
"""The role of an agent that says what it thinks; see `roles` for the others."""

DIGEST_BYTES = 16
"""Of a genome's content hash."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question with an answer that entered a context.

    `level` is the survey level that it is shown with, from 0; None where it is shown without.
    """

    query: str
    answer: str
    level: int | None = None
    _framed: bytes = field(default=b"", init=False, repr=False, compare=False)

    def framed(self) -> bytes:
        """Query, answer and level, each after its length, as a digest takes them in; made once."""
        if not self._framed:
            level = b"" if self.level is None else _framed(f"level {self.level}")
            framed = _framed(self.query) + _framed(self.answer) + level
            object.__setattr__(self, "_framed", framed)
        return self._framed


@dataclass(frozen=True, slots=True)
class Genome:
    """All that an agent inherits.

    Attributes
    ----------
    model
        Name of the model that the agent is a copy of.
    sampling_temperature
        Temperature of the decoder, > 0.
    context
        Examples that entered it, oldest first.
    persona
        Who the agent is told to be; None for nobody in particular.
    role
        What it makes of its word: a name in `roles.ROLES`. No mutation changes it.
    weights
        What became of the model's weights; None where they are its own.
    """

    model: str
    sampling_temperature: float
    context: tuple[Example, ...] = ()
    persona: str | None = None
    role: str = ORDINARY
    weights: Weights | None = None
    _digest: str = field(default="", init=False, repr=False, compare=False)

    def digest(self) -> str:
        """Hexadecimal content hash: equal genomes, and only those, have equal digests."""
        if not self._digest:
            shown = b"".join([example._framed or example.framed() for example in self.context])
            hashed = genome_digest(
                self.model, shown, self.sampling_temperature, self.persona, self.role, self.weights
            )
            object.__setattr__(self, "_digest", hashed.hex())
        return self._digest

    def remember(self, examples: tuple[Example, ...], capacity: int) -> Genome:
        """This genome with examples appended to its context, the oldest forgotten over capacity."""
        if not examples:
            return self
        return self.showing((self.context + examples)[-capacity:] if capacity else ())

    def showing(self, context: tuple[Example, ...]) -> Genome:
        """This genome with another context."""
        if type(self) is not Genome:
            return replace(self, context=context)
        # The same, in a third of the time.
        return Genome(
            self.model, self.sampling_temperature, context, self.persona, self.role, self.weights
        )


@dataclass(frozen=True, slots=True)
class Agent:
    """One member of the population.

    `founder` is the agent of generation 0 that it descends from: a neutral label. `born` is the
    generation whose selection made it; founders have no parent and are born at −1.
    """

    id: AgentId
    genome: Genome
    parent: AgentId | None
    founder: AgentId
    born: int

    def taught(self, examples: tuple[Example, ...], capacity: int) -> Agent:
        """This agent with examples appended to its context; see `Genome.remember`."""
        genome = self.genome.remember(examples, capacity)
        if genome is self.genome:
            return self
        return replace(self, genome=genome)


@dataclass(frozen=True, slots=True)
class Birth:
    """A child, its parent, and the names of the mutations it was born with.

    `other_parent` gave part of the context where there was recombination. Descent is reckoned
    from the parent alone.
    """

    child: AgentId
    parent: AgentId
    mutations: tuple[str, ...]
    other_parent: AgentId | None = None


def genome_digest(
    model: str,
    shown: bytes,
    temperature: float,
    persona: str | None,
    role: str,
    weights: Weights | None,
) -> bytes:
    """What `Genome.digest` is of, 16 bytes, from a genome's parts.

    Parameters
    ----------
    shown
        Its examples as of `Example.framed`, one after the other.
    """
    parts = [_framed(model), shown, struct.pack("<d", temperature)]
    if persona is not None:
        parts.append(_framed(f"persona {persona}"))
    if role != ORDINARY:
        parts.append(_framed(f"role {role}"))
    if weights is not None:
        parts.append(_framed(f"weights {weights.digest()}"))
    content = b"".join(parts)
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES, person=b"mgptn.genome").digest()


def _framed(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(8, "little") + encoded
