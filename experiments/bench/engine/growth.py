"""What an answer and its grades cost, against the number of agents."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import numpy as np

from mgptn.agents.requests import HostRequest, Score
from mgptn.experiments.bench.engine.models import OPTIONS, Subject, answer_requests, texts
from mgptn.experiments.bench.engine.scale import PROMPT, SHORT, Scale
from mgptn.experiments.bench.engine.ways import ours

GRADERS = 4
"""Of an answer, whatever the number of agents."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Seconds an answer and its grades take, against the number of agents.

    Attributes
    ----------
    seconds
        At each size, of each repeat.
    evicted
        Blocks of prefixes that the host had no room for, at each size.
    slope
        Of the logarithm of the median seconds against that of agents.
    """

    agents: tuple[int, ...]
    seconds: list[list[float]]
    evicted: list[int]
    slope: float

    @property
    def sentence(self) -> str:
        """The finding in words."""
        each = ", ".join(
            f"{m}: {1e3 * statistics.median(s):.2f} ({1e3 * min(s):.2f} to {1e3 * max(s):.2f})"
            for m, s in zip(self.agents, self.seconds, strict=True)
        )
        return (
            f"Milliseconds an answer with its grades, by number of agents: {each}; slope of the "
            f"log–log fit {self.slope:+.3f}; blocks of prefixes evicted {self.evicted}."
        )


def cost_against_size(subject: Subject, scale: Scale, repeats: int) -> Growth:
    """Every agent with its own context answers, and is graded by others with theirs.

    As many slots as an agent has answers, so that none is idle at any size. Sizes are interleaved:
    each repeat goes through all of them.
    """
    problems, graders = scale.slots // 4, min(GRADERS, min(scale.sizes) - 1)
    rounds = {}
    for agents in scale.sizes:
        rng = np.random.default_rng(agents)
        contexts = texts(rng, agents, scale.context)
        questions = texts(rng, problems, PROMPT)
        answered = [r for c in contexts for r in answer_requests(c, questions, SHORT)]
        graded: list[HostRequest] = [
            Score(contexts[(author + 1 + place) % agents], (*question, author % 32 + 8), OPTIONS)
            for author in range(agents)
            for question in questions
            for place in range(graders)
        ]
        rounds[agents] = [ours(subject.host, asked, problems) for asked in (answered, graded)]
    for ask in rounds[min(scale.sizes)]:
        ask()
    seconds: dict[int, list[float]] = {agents: [] for agents in scale.sizes}
    evicted = {}
    for _ in range(repeats):
        for agents in scale.sizes:
            subject.host.forget_prefixes()
            began = time.perf_counter()
            work = [ask(keep=True) for ask in rounds[agents]]
            seconds[agents].append((time.perf_counter() - began) / (agents * problems))
            evicted[agents] = sum(w.prefix_evictions for w in work)
    medians = [statistics.median(seconds[agents]) for agents in scale.sizes]
    slope = float(np.polyfit(np.log(scale.sizes), np.log(medians), 1)[0])
    return Growth(scale.sizes, list(seconds.values()), list(evicted.values()), slope)
