"""A model's own answers to training problems, for its judge to meet what it will have to judge."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import torch
from transformers import LlamaForCausalLM

from mgptn.agents.training.corpus import MIXTURE, OwnAnswers, Pool, Tokens, token_ids
from mgptn.population.draws.streams import stream
from mgptn.protocols.interfaces.markers import LEVEL_MARKERS, START, VOCABULARY, WANT
from mgptn.protocols.table import TASKS
from mgptn.protocols.tasks.bundled import BundledTask, Problems

PROBLEMS = 1024
"""Problems of each task and size; half are answered as they come, half at the best."""

BATCH = 256

BEGINNINGS = ((START,), (START, WANT, LEVEL_MARKERS[-1]))

_CODE_OF_ID = np.array([ord(t) if len(t) == 1 else 0 for t in VOCABULARY], dtype=np.uint8)


def draw_own_answers(model: LlamaForCausalLM, seed: int, block: int, device: str) -> Pool:
    """Answers sampled at temperature 1 without a context, right ones first."""
    return {
        (name, size): _answers(model, TASKS[name](size), seed, block, device)
        for name, size in MIXTURE
    }


def _answers(
    model: LlamaForCausalLM, task: BundledTask, seed: int, block: int, device: str
) -> OwnAnswers:
    rng = stream(seed, "own-answers", block, task.name, task.size)
    problems = task.draw_batch(rng, PROBLEMS, "train")
    queries = token_ids(task.render(problems.fields))
    half = PROBLEMS // len(BEGINNINGS)
    sampled = np.concatenate(
        [
            _sample(model, _begin(beginning, rows), task.max_answer_characters, rng, device)
            for beginning, start in zip(BEGINNINGS, range(0, PROBLEMS, half), strict=True)
            for rows in np.split(queries[start : start + half], half // BATCH)
        ]
    )
    answers = _CODE_OF_ID[sampled]
    right = task.right(problems.fields, answers)
    alphabet = np.frombuffer(task.answer_alphabet.encode(), dtype=np.uint8)
    wrong = ~right & np.isin(answers, alphabet).all(axis=1)
    order = np.concatenate([np.flatnonzero(right), np.flatnonzero(wrong)])
    chosen = Problems(problems.fields[order], problems.references[order])
    return OwnAnswers(chosen, answers[order], int(right.sum()))


def _begin(beginning: tuple[str, ...], queries: Tokens) -> Tokens:
    ids = np.array([VOCABULARY.index(token) for token in beginning])
    return np.hstack([np.broadcast_to(ids, (len(queries), len(ids))), queries])


@torch.no_grad()
def _sample(
    model: LlamaForCausalLM, prompts: Tokens, count: int, rng: np.random.Generator, device: str
) -> Tokens:
    """`count` tokens after each prompt, int64 [N, count]; the draws are made on the host."""
    tokens = torch.from_numpy(prompts).to(device)
    for _ in range(count):
        logits = model(input_ids=tokens, use_cache=False, logits_to_keep=1).logits[:, -1]
        cumulative = logits.double().softmax(-1).cpu().cumsum(-1)
        drawn = torch.from_numpy(rng.random((len(tokens), 1)))
        chosen = torch.searchsorted(cumulative, drawn).clamp(max=len(VOCABULARY) - 1)
        tokens = torch.cat([tokens, chosen.to(device)], dim=1)
    return np.asarray(tokens[:, prompts.shape[1] :].cpu())
