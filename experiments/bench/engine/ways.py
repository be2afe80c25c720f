"""Ways to do the same work: the host's, transformers' two, and a decode's matrix products alone."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mgptn.agents.hosts.fleet import run_tile
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.requests import HostRequest, Tokens, Work
from mgptn.agents.tiles import plan
from mgptn.experiments.bench.engine.models import WEIGHTS, Subject
from mgptn.experiments.bench.engine.scale import PROMPT

TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Layers with the same input: what could be one product each."""


def ours(host: TransformersHost, requests: Sequence[HostRequest], slots: int) -> Callable[..., Any]:
    """Requests planned and run, from an empty cache of prefixes unless it is kept."""

    def run(keep: bool = False) -> Work:
        if not keep:
            host.forget_prefixes()
        whole = Work()
        for tile in plan(requests, WEIGHTS, slots).tiles:
            whole.prefix_evictions += run_tile(host, tile).work.prefix_evictions
        return whole

    return run


def prefill(host: TransformersHost, requests: Sequence[HostRequest], slots: int) -> float:
    """Tokens computed for prefixes, over the nodes of the tree that they make."""
    host.forget_prefixes()
    planned = plan(requests, WEIGHTS, slots)
    saved = sum(run_tile(host, tile).work.tokens_saved for tile in planned.tiles)
    computed = sum(len(r.prefix) for r in requests) - saved
    nodes = {r.prefix[:end] for r in requests for end in range(1, len(r.prefix) + 1)}
    return computed / len(nodes)


def generate(subject: Subject, prompts: list[Tokens], count: int) -> Callable[[], None]:
    """transformers' `generate()`, all prompts in one batch."""
    import torch

    tokens = torch.tensor(prompts, device=subject.host.device)

    def run() -> None:
        subject.plain.generate(
            tokens,
            attention_mask=torch.ones_like(tokens),
            do_sample=True,
            top_k=0,
            max_new_tokens=count,
            min_new_tokens=count,
        ).tolist()

    return run


def continuous(subject: Subject, prompts: list[Tokens], count: int) -> Callable[[], None]:
    """transformers' continuous batching; its cache is made once, and no larger than it needs."""
    import inspect
    import logging

    from transformers import ContinuousBatchingConfig, GenerationConfig

    logging.getLogger("ContinuousBatchingLogger").setLevel(logging.ERROR)
    sampling = GenerationConfig(
        max_new_tokens=count, do_sample=True, top_k=0, eos_token_id=-1, pad_token_id=0
    )
    # The tokens of a block were called otherwise in earlier versions.
    known = inspect.signature(ContinuousBatchingConfig).parameters
    page = "page_size" if "page_size" in known else "block_size"
    settings: Any = {page: 64}
    batching = ContinuousBatchingConfig(
        num_blocks=2 * len(prompts), max_batch_tokens=len(prompts) * PROMPT, **settings
    )
    rows = [list(prompt) for prompt in prompts]

    def run() -> None:
        subject.plain.generate_batch(
            rows,
            generation_config=sampling,
            continuous_batching_config=batching,
            persistent_manager=True,
            warmup=False,
        )

    return run


def products(subject: Subject, rows: int, count: int, fused: bool = False) -> Callable[[], None]:
    """A decode's products with weights and nothing else: no way can take less here.

    Parameters
    ----------
    fused
        Whether layers with the same input are one product.
    """
    import torch

    from mgptn.agents.layers.products import as_multiplied

    model = subject.host.forward.model
    layers = {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    head = model.get_output_embeddings()
    weights: list[torch.Tensor] = []
    for name, layer in layers.items():
        parent, _, own = name.rpartition(".")
        group = next((g for g in TOGETHER if fused and own in g), (own,))
        if layer is not head and own == group[0]:
            parts = [layers[f"{parent}.{n}" if parent else n].weight for n in group]
            joined = as_multiplied(torch.cat(parts)) if len(parts) > 1 else parts[0]
            weights.append(joined)

    def inputs(positions: int) -> dict[int, torch.Tensor]:
        widths = {w.shape[1] for w in (*weights, head.weight)}
        one = head.weight.new_ones(1)
        return {width: one.expand(positions, width).contiguous() for width in widths}

    prompt, step = inputs(rows * PROMPT), inputs(rows)

    @torch.inference_mode()
    def run() -> None:
        for given, positions in ((prompt, 1), (step, count - 1)):
            for _ in range(positions):
                for weight in weights:
                    torch.nn.functional.linear(given[weight.shape[1]], weight)
                torch.nn.functional.linear(step[head.weight.shape[1]], head.weight)

    return run
