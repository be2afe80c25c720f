"""The records that flow through a population: genomes, agents, matches, outcomes, generations.

Dimensions used in the package: M agents, Q problems of a generation, K graders of an answer,
A = M·Q answers of a generation (author-major: answer a = author slot · Q + problem).
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, replace
from typing import NewType

AgentId = NewType("AgentId", int)
"""Names one agent for ever; never reused, never an index."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question with an answer that its author's selector accepted."""

    query: str
    answer: str


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
        Accepted examples, oldest first.
    """

    model: str
    sampling_temperature: float
    context: tuple[Example, ...] = ()

    def digest(self) -> str:
        """Hexadecimal content hash: equal genomes, and only those, have equal digests."""
        content = hashlib.blake2b(digest_size=16, person=b"mgptn.genome")
        for text in (self.model, *(part for e in self.context for part in (e.query, e.answer))):
            encoded = text.encode()
            content.update(len(encoded).to_bytes(8, "little") + encoded)
        content.update(struct.pack("<d", self.sampling_temperature))
        return content.hexdigest()

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


@dataclass(frozen=True, slots=True)
class Match:
    """One problem put to one author, and who grades the answer."""

    author: AgentId
    problem: int
    graders: tuple[AgentId, ...]


@dataclass(frozen=True, slots=True)
class Grade:
    """What a grader says of an answer.

    `levels` is a distribution over the scale, worst level first, and `value` its mean in [0, 1];
    both are None where the grade could not be read.
    """

    grader: AgentId
    levels: tuple[float, ...] | None
    value: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a match ended.

    `finished` is False for an answer cut off at its maximum length. `verdict` is the task's
    verifier's word: measurement only, unless the selector is the oracle. `tokens` counts the
    answer's tokens, and `log_probability` is the sum of theirs, in nats.
    """

    match: Match
    query: str
    answer: str
    finished: bool
    tokens: int
    log_probability: float
    grades: tuple[Grade, ...]
    verdict: bool


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


@dataclass(frozen=True, slots=True)
class Generation:
    """One round of the tournament, complete: what was seen and what was decided.

    Attributes
    ----------
    index
        0 for the first.
    agents
        The M agents that answered, in slot order.
    outcomes
        A outcomes, author-major.
    scores
        [A] what the selector made of each outcome, in [0, 1]; None where it could say nothing.
    accepted
        Indices into `outcomes` of the answers that entered their author's context.
    fitness
        [M] mean score of each agent's answers; None where none of them has a score.
    rates
        [M] replication rates, mean 1.
    births, deaths
        What selection decided at the end of the generation.
    survivors
        The M agents that start the next generation, in slot order.
    digest
        Hexadecimal hash of `survivors` and the generation's index.
    """

    index: int
    agents: tuple[Agent, ...]
    outcomes: tuple[Outcome, ...]
    scores: tuple[float | None, ...]
    accepted: tuple[int, ...]
    fitness: tuple[float | None, ...]
    rates: tuple[float, ...]
    births: tuple[Birth, ...]
    deaths: tuple[AgentId, ...]
    survivors: tuple[Agent, ...]
    digest: str


def population_digest(agents: tuple[Agent, ...], generation: int) -> str:
    """Hexadecimal hash of who is alive after a generation: ids, descent and genomes, in order."""
    content = hashlib.blake2b(digest_size=32, person=b"mgptn.popul")
    content.update(struct.pack("<q", generation))
    for agent in agents:
        parent = -1 if agent.parent is None else agent.parent
        content.update(struct.pack("<qqqq", agent.id, parent, agent.founder, agent.born))
        content.update(bytes.fromhex(agent.genome.digest()))
    return content.hexdigest()
