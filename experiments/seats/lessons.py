"""What agents remember of accepted answers, as documents that their weights learn from."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mgptn.agents.checkpoints import Checkpoint
from mgptn.agents.learning.documents import (
    Document,
    document,
    judged_documents,
    lay_out,
    true_documents,
    with_last,
)
from mgptn.agents.requests import Learn
from mgptn.experiments.config.sections.learning import LearningConfig
from mgptn.experiments.seats.asking import Script
from mgptn.population.breeding.memory import Memory
from mgptn.population.draws.streams import stream
from mgptn.population.records.agents import Agent, Example


@dataclass(frozen=True, slots=True)
class Known:
    """What a checkpoint was trained on, by its own account: a bundled task and its sizes.

    `offsets` is the largest number that its places were counted from, `judging` the share of the
    documents that taught it to judge, `noise` how careless those were whose answers it learned,
    `scale` what it learned to grade in.
    """

    task: str
    sizes: tuple[int, ...]
    offsets: int
    judging: float = 0.0
    noise: float = 0.0
    scale: str = "words"

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Known | None:
        """None where a checkpoint does not say."""
        said = checkpoint.config.get("mgptn", {})
        if "task" not in said:
            return None
        least, most = said["sizes"]
        sizes, judging = tuple(range(least, most + 1)), float(said.get("judging", 0.0))
        noise = float(said.get("noise", 0.0))
        scale = str(said.get("scale", "words"))
        return cls(said["task"], sizes, int(said.get("offsets", 0)), judging, noise, scale)


def learn_request(
    agent: Agent,
    memory: Memory,
    learning: LearningConfig,
    script: Script,
    known: Known | None,
    generation: int,
) -> Learn:
    """What an agent is to learn: its newest lesson, and beside it what it is not to forget.

    Of each step's documents, the share `learning.rehearsal` is spread evenly over all sizes that
    the model was trained on, with fresh problems for training and their right answers, and all
    that lessons are remembered of; the rest is of the newest lesson. Where nothing is rehearsed,
    all is of whatever lessons are remembered, each answer as likely as another. A model that was
    taught to judge has as large a share of what is rehearsed replaced by answers to judge, of the
    sizes that it was trained on. Drawn by the agent's own streams, whatever the arm.

    Parameters
    ----------
    memory
        The newest lesson last.
    """
    rng = stream(script.seed, "learning", generation, agent.id)
    steps, each = learning.steps, learning.documents
    old = round(learning.rehearsal * each)
    lessons = memory[-1:] if old else memory
    newest = [example for lesson in lessons for example in lesson.examples]
    fresh = rng.integers(0, len(newest), size=(steps, each - old))
    after = learning.entry == "after"
    rows = [[_as_document(script, newest[i], after) for i in row] for row in fresh.tolist()]
    rehearsed = _rehearsed(memory, known, script, rng, steps * old, after)
    for step, row in enumerate(rows):
        row += rehearsed[step * old : (step + 1) * old]
    if known is not None and (judging := round(known.judging * old)):
        own = stream(script.seed, "learning to judge", generation, agent.id)
        drawn = [known.sizes[i] for i in own.integers(0, len(known.sizes), size=steps * judging)]
        judged = judged_documents(
            script.interface, script.encoder, known.task, drawn, own, known.scale
        )
        rows = with_last(rows, judged)
    offsets = rng.integers(0, (known.offsets if known else 0) + 1, size=(steps, each))
    pages = lay_out(rows, offsets)
    key, factors = (0, 0), None
    if learning.method == "lora":
        first, second = rng.integers(0, 2**64, size=2, dtype=np.uint64).tolist()
        key, factors = (first, second), learning.lora.asked
    return Learn(
        worn=agent.genome.weights,
        method=learning.method,
        trainable=learning.trainable,
        rate=learning.rate,
        shape=pages.tokens.shape,
        tokens=pages.tokens.tobytes(),
        taught=pages.taught.tobytes(),
        offsets=pages.offsets.tobytes(),
        lora=factors,
        key=key,
    )


def _rehearsed(
    memory: Memory,
    known: Known | None,
    script: Script,
    rng: np.random.Generator,
    count: int,
    after: bool,
) -> list[Document]:
    """Documents of every size that an agent knows, all equally common."""
    trained = known.sizes if known else ()
    remembered: dict[int, list[Example]] = {}
    for lesson in memory:
        if lesson.size not in trained:
            remembered.setdefault(lesson.size, []).extend(lesson.examples)
    sizes = [*trained, *sorted(remembered)]
    drawn = [sizes[i] for i in rng.integers(0, len(sizes), size=count).tolist()]
    true: list[Document] = []
    if known is not None:
        easy = [size for size in drawn if size in trained]
        true = true_documents(script.interface, script.encoder, known.task, easy, rng, known.noise)
    places = rng.random(count)
    fresh = iter(true)
    return [
        next(fresh)
        if size in trained
        else _as_document(script, remembered[size][int(place * len(remembered[size]))], after)
        for size, place in zip(drawn, places.tolist(), strict=True)
    ]


def _as_document(script: Script, example: Example, after: bool) -> Document:
    return _documents(script, example.query, example.answer, example.level, after)


@lru_cache(maxsize=1 << 16)
def _documents(script: Script, query: str, answer: str, level: int | None, after: bool) -> Document:
    return document(script.interface, script.encoder, query, answer, level, after=after)


def contents_of(agents: Sequence[Agent]) -> set[str]:
    """Hashes of the files of numbers that some agents' weights are made of."""
    return {
        content
        for agent in agents
        if agent.genome.weights is not None
        for content in agent.genome.weights.contents()
    }
