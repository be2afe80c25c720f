"""Three kinds of work: answers without a prefix, answers after a context, many grades an answer."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from mgptn.experiments.bench.engine.comparison import Comparison, Ways, interleaved
from mgptn.experiments.bench.engine.models import (
    OPTIONS,
    Subject,
    answer_requests,
    grade_requests,
    texts,
)
from mgptn.experiments.bench.engine.scale import GRADED, NEW, PROMPT, SHORT, Scale
from mgptn.experiments.bench.engine.ways import continuous, generate, ours, prefill, products


def decoding(subject: Subject, scale: Scale, repeats: int) -> Comparison:
    """Answers without a prefix: ours, `generate()`, continuous batching, products alone."""
    suffixes = texts(np.random.default_rng(1), scale.slots, PROMPT)
    ways: Ways = {
        "ours": ours(subject.host, answer_requests((), suffixes, NEW), scale.slots),
        "generate()": generate(subject, suffixes, NEW),
        "continuous batching": continuous(subject, suffixes, NEW),
        "products alone": products(subject, scale.slots, NEW),
        "products alone, fused": products(subject, scale.slots, NEW, fused=True),
    }
    state = _state_bytes(subject, PROMPT + NEW / 2) * scale.slots
    return Comparison(
        f"{subject.shape.name}: decode, no prefix",
        scale.slots * NEW,
        "tokens",
        interleaved(ways, repeats, subject.host.device.type),
        operations=2.0 * subject.parameters * scale.slots * (PROMPT + NEW),
        weight_bytes=NEW * (_weight_bytes(subject) + state),
    )


def with_context(subject: Subject, scale: Scale, repeats: int) -> Comparison:
    """Short answers after one agent's context."""
    rng = np.random.default_rng(2)
    (context,) = texts(rng, 1, scale.context)
    suffixes = texts(rng, scale.slots, PROMPT)
    requests = answer_requests(context, suffixes, SHORT)
    ways: Ways = {
        "ours": ours(subject.host, requests, scale.slots),
        "generate()": generate(subject, [context + s for s in suffixes], SHORT),
    }
    positions = scale.context + scale.slots * (PROMPT + SHORT)
    return Comparison(
        f"{subject.shape.name}: answers, {scale.context}-token context",
        scale.slots,
        "answers",
        interleaved(ways, repeats, subject.host.device.type),
        operations=2.0 * subject.parameters * positions,
        weight_bytes=SHORT * _weight_bytes(subject),
        prefill=prefill(subject.host, requests, scale.slots),
    )


def grading(subject: Subject, scale: Scale, repeats: int) -> Comparison:
    """Grades of the same answers by graders with contexts of their own, half of each shared."""
    import torch

    rng = np.random.default_rng(3)
    (inherited,) = texts(rng, 1, scale.context // 2)
    contexts = [inherited + own for own in texts(rng, scale.graders, scale.context // 2)]
    suffixes = texts(rng, scale.slots // 2, GRADED)
    requests = grade_requests(contexts, suffixes)
    batch = torch.tensor([[*contexts[0], *s] for s in suffixes], device=subject.host.device)
    options = torch.tensor([token for (token,) in OPTIONS], device=subject.host.device)

    def naive() -> None:
        with torch.inference_mode():
            logits = subject.plain(batch, use_cache=False, logits_to_keep=1).logits[:, -1]
            logits.float().log_softmax(-1)[:, options].tolist()

    ways: Ways = {"ours": ours(subject.host, requests, scale.slots), "naive": naive}
    seconds = interleaved(ways, repeats, subject.host.device.type)
    # One of the naive way's equal batches is timed, for all of them.
    seconds["naive"] = [scale.graders * s for s in seconds["naive"]]
    positions = scale.context * (scale.graders + 1) / 2 + len(requests) * GRADED
    return Comparison(
        f"{subject.shape.name}: {scale.graders} grades an answer",
        len(requests),
        "grades",
        seconds,
        operations=2.0 * subject.parameters * positions,
        prefill=prefill(subject.host, requests, scale.slots),
    )


def _weight_bytes(subject: Subject) -> float:
    return float(sum(p.nbytes for p in subject.plain.parameters()))


def _state_bytes(subject: Subject, columns: float) -> float:
    """Keys and values of so many positions."""
    forward = subject.host.forward
    return 2.0 * columns * forward.layers * forward.heads * forward.width * forward.item
