"""Learning one after another, as it is done here, beside all at once and beside plain loops."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import numpy as np

from mgptn.agents.requests import Learn
from mgptn.experiments.bench.engine.comparison import Comparison, Ways, interleaved
from mgptn.experiments.bench.learning.stacked import learn_stacked
from mgptn.experiments.bench.learning.subject import RATE, Subject


def ways_to_learn(subject: Subject, documents: int, repeats: int) -> Comparison:
    """As many steps of every agent, in three ways."""
    import torch

    from mgptn.agents.learning.learner import Learner

    asked = [subject.learn(agent, documents) for agent in range(subject.scale.agents)]
    learner = Learner(subject.checkpoint.folder, torch.device(subject.device))
    founder = subject.model("eager").requires_grad_(False)
    ways: Ways = {
        "ours": lambda: [learner.learn(one, subject.numbers) for one in asked],
        "stacked": lambda: learn_stacked(founder, asked, subject.numbers),
        "plain transformers": _plain(subject, asked),
    }
    tokens = sum(math.prod(one.shape) for one in asked)
    return Comparison(
        f"{subject.scale.agents} agents learn, {documents} documents a step",
        tokens,
        "tokens",
        interleaved(ways, repeats, subject.device),
        operations=6.0 * subject.products * tokens,
    )


def _plain(subject: Subject, asked: Sequence[Learn]) -> Callable[[], None]:
    """The model's own forward with labels, and AdamW: no places, no bound on a gradient, no files.

    Each agent trains a copy of its own, on from where it was.
    """
    import torch

    from mgptn.agents.learning.learner import pages_of

    model = subject.model().requires_grad_(True)
    agents = [
        (
            copy.deepcopy(model),
            torch.tensor(pages_of(one).tokens.astype(np.int64), device=subject.device),
        )
        for one in asked
    ]

    def run() -> None:
        for own, steps in agents:
            optimizer = torch.optim.AdamW(own.parameters(), lr=RATE)
            for tokens in steps:
                own(input_ids=tokens, labels=tokens).loss.backward()
                optimizer.step()
                optimizer.zero_grad()

    return run
