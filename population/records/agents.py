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
            shown = [example._framed or example.framed() for example in self.context]
            temperature = struct.pack("<d", self.sampling_temperature)
            persona = b"" if self.persona is None else _framed(f"persona {self.persona}")
            role = b"" if self.role == ORDINARY else _framed(f"role {self.role}")
            weights = b"" if self.weights is None else _framed(f"weights {self.weights.digest()}")
            parts = [_framed(self.model), *shown, temperature, persona, role, weights]
            content = b"".join(parts)
            hashed = hashlib.blake2b(content, digest_size=16, person=b"mgptn.genome").hexdigest()
            object.__setattr__(self, "_digest", hashed)
        return self._digest

    def remember(self, examples: tuple[Example, ...], capacity: int) -> Genome:
        """This genome with examples appended to its context, the oldest forgotten over capacity."""
        if not examples:
            return self
        context = (self.context + examples)[-capacity:] if capacity else ()
        return replace(self, context=context)


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


def population_digest(agents: tuple[Agent, ...], generation: int) -> str:
    """Hexadecimal hash of who is alive after a generation: ids, descent and genomes, in order."""
    parts = [struct.pack("<q", generation)]
    for agent in agents:
        parent = -1 if agent.parent is None else agent.parent
        parts.append(struct.pack("<qqqq", agent.id, parent, agent.founder, agent.born))
        parts.append(bytes.fromhex(agent.genome.digest()))
    return hashlib.blake2b(b"".join(parts), digest_size=32, person=b"mgptn.popul").hexdigest()


def _framed(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(8, "little") + encoded
