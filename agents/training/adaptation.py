"""The adaptation curve: how probable a right answer is after examples by a good or a bad writer."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import torch
from transformers import LlamaForCausalLM

from mgptn.agents.training.corpus import MIXTURE, SKILLS, Tokens, item_tokens, token_ids
from mgptn.population.draws.streams import stream
from mgptn.protocols.interfaces.markers import END, START, VOCABULARY
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import BundledTask, Codes

EXAMPLES = (0, 4, 16)
WRITERS = {"good": SKILLS[-1], "bad": SKILLS[0]}
PROBLEMS = 16

Curve = dict[str, dict[str, list[float]]]
"""Task and size → writer → mean probability of the reference answer after each of EXAMPLES."""


@torch.no_grad()
def adaptation_curve(model: LlamaForCausalLM, length: int, device: str) -> Curve:
    """Measured on the same held-out problems every time, examples as many as fit into `length`.

    A task with several right answers has a mean below its accuracy.
    """
    return {
        f"{name} {size}": {
            writer: [
                _mean_probability(model, TASKS[name](size), skill, count, length, device)
                for count in EXAMPLES
            ]
            for writer, skill in WRITERS.items()
        }
        for name, size in MIXTURE
    }


def _mean_probability(
    model: LlamaForCausalLM,
    task: BundledTask,
    skill: float,
    examples: int,
    length: int,
    device: str,
) -> float:
    examples = min(examples, length // item_tokens(task) - 1)
    rng = stream(0, "adaptation", task.name, task.size, examples)
    shown = task.draw_batch(rng, PROBLEMS * examples, "train") if examples else None
    asked = task.draw_batch(rng, PROBLEMS, "held-out")
    start = np.full((PROBLEMS, 1), VOCABULARY.index(START))
    parts = [start]
    if shown is not None:
        kinds = rng.integers(0, 3, size=PROBLEMS * examples)
        wrong = task.corrupt_batch(rng, shown, kinds)
        right = rng.random((len(wrong), 1)) < skill
        items = _items(task.render(shown.fields), np.where(right, shown.references, wrong))
        parts.append(items.reshape(PROBLEMS, -1))
    parts.append(_items(task.render(asked.fields), asked.references))
    tokens = torch.from_numpy(np.hstack(parts)).to(device)
    answer = task.max_answer_characters
    logits = model(input_ids=tokens[:, :-1], use_cache=False, logits_to_keep=answer + 1).logits
    logs = logits[:, :-1].float().log_softmax(-1)
    chosen = tokens[:, -answer - 1 : -1, None]
    return float(logs.gather(-1, chosen).sum((1, 2)).exp().mean())


def _items(queries: Codes, answers: Codes) -> Tokens:
    end = np.full((len(queries), 1), VOCABULARY.index(END))
    return np.hstack([token_ids(queries), token_ids(answers), end])
