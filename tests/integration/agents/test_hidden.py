"""Hidden states told beside scores: transformers' own, in any company, and only where asked."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from mgptn.agents.alone.answering import OneByOne
from mgptn.agents.checkpoints import find_checkpoint
from mgptn.agents.hosts.fleet import LocalFleet, run_tile
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.hosts.ray_fleet import RayFleet
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.requests import Generate, Score, Scored, States
from mgptn.agents.tiles import plan
from mgptn.experiments.setting.stage import Stage
from tests.random_models import TINY, random_weights

RNG = np.random.default_rng(0)
LONG = tuple(RNG.integers(3, 30, size=150).tolist())
PREFIXES = ((), LONG[:1], LONG[:64], LONG[:90], LONG)
"""Empty, within a block, a block, and across borders of blocks."""

CONFIGS: dict[str, Any] = {
    "llama": lambda: transformers.LlamaConfig(**TINY),
    "gpt2": lambda: transformers.GPT2Config(
        vocab_size=64, n_embd=32, n_layer=3, n_head=4, n_positions=512, bos_token_id=0,
        eos_token_id=0,
    ),
}  # fmt: skip


@pytest.fixture(
    scope="module",
    params=[
        "gpt-1",
        "llama",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("gpt-3", "gpt2")),
    ],
)
def name(request: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param.startswith("gpt-"):
        return str(request.param)
    folder = tmp_path_factory.mktemp("models") / request.param
    return str(random_weights(folder, CONFIGS[request.param]()))


@pytest.fixture(scope="module")
def host(name: str) -> TransformersHost:
    return TransformersHost(HostSettings(name, find_checkpoint(name).weights))


def suffixes(count: int, longest: int = 14) -> list[tuple[int, ...]]:
    rng = np.random.default_rng(count)
    lengths = rng.integers(3, longest + 1, size=count)
    return [tuple(rng.integers(3, 30, size=length).tolist()) for length in lengths]


def scores(count: int, prefix: tuple[int, ...], states: States | None) -> list[Score]:
    """Options that share a beginning, and some that are longer: three rows a request."""
    options = ((3,), (4,), (5, 6), (5, 7), (8, 9, 10))
    return [Score(prefix, suffix, options, states) for suffix in suffixes(count)]


def asked(host: TransformersHost, requests: list[Any], slots: int = 8) -> list[Any]:
    planned = plan(requests, host.weights, slots)
    return planned.collect([run_tile(host, tile) for tile in planned.tiles])


def test_they_are_those_of_a_plain_pass_of_transformers(name: str, host: TransformersHost) -> None:
    """Within 1e-4 of the layer's greatest: float32, other shapes, blocks in place of one text."""
    plain: Any = transformers.AutoModelForCausalLM.from_pretrained(
        find_checkpoint(name).folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    layers = tuple(range(host.forward.layers + 1))
    states = States(layers, (0, 2, -1))
    compared = 0
    for prefix in PREFIXES:
        if len(prefix) + 20 > getattr(plain.config, "max_position_embeddings", 512):
            continue
        requests = scores(7, prefix, states)
        for request, reply in zip(requests, asked(host, requests), strict=True):
            assert reply.hidden.array.shape[:3] == (3, len(layers), 3)
            for row, start in enumerate(((), (5,), (8, 9))):
                text = (*prefix, *request.suffix, *start)
                with torch.inference_mode():
                    made = plain(torch.tensor([text]), output_hidden_states=True).hidden_states
                places = [len(prefix), len(prefix) + 2, len(text) - 1]
                for at, layer in enumerate(layers):
                    expected = made[layer][0, places].numpy()
                    np.testing.assert_allclose(
                        reply.hidden.array[row, at], expected,
                        rtol=0, atol=1e-4 * max(1.0, np.abs(expected).max()),
                    )  # fmt: skip
                    compared += 1
    assert compared >= 100


def test_they_have_the_same_bits_in_any_company_and_leave_scores_as_they_are(
    host: TransformersHost,
) -> None:
    one, other = States((0, 1, 2), (-1,)), States((2,), (0, 1))
    requests: list[Any] = []
    for prefix in PREFIXES[:3]:
        requests += scores(9, prefix, one) + scores(5, prefix, None) + scores(6, prefix, other)
        requests += [Generate(prefix, s, (7,), 3, 1.0, (1, 2)) for s in suffixes(4)]
    together = asked(host, requests)
    order = np.random.default_rng(1).permutation(len(requests))
    shuffled = asked(host, [requests[i] for i in order])
    assert shuffled == [together[i] for i in order]
    host.forget_prefixes()
    for i in order[:12]:
        assert asked(host, [requests[i]]) == [together[i]]
    for request, reply in zip(requests, together, strict=True):
        if isinstance(request, Score):
            (off,) = asked(host, [replace(request, states=None)])
            assert off == Scored(reply.log_probabilities)
            assert (reply.hidden is None) == (request.states is None)


def test_no_hook_stays_and_what_is_not_asked_for_is_planned_as_before() -> None:
    host = TransformersHost(HostSettings("gpt-1", find_checkpoint("gpt-1").weights))
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in host.way.model.modules()]
    asked(host, scores(5, (), States((0, 1), (0,))))
    after = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in host.way.model.modules()]
    assert after == hooks
    without = scores(5, LONG[:9], None)
    tiles = plan(without, "w", 8).tiles
    among = plan([*without, *scores(5, LONG[:9], States((1,), (0,)))], "w", 8).tiles
    assert [t for t in among if t.requests[0].states is None] == list(tiles)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (States((), (0,)), "states.layers: expected at least one"),
        (States((0,), ()), "states.places: expected at least one"),
        (States((-1,), (0,)), "states.layers: expected numbers from 0 on, got -1"),
        (States((0,), (3,)), "states.places: expected numbers from -3 to 2, got 3"),
        (States((0,), (-4,)), "states.places: expected numbers from -3 to 2, got -4"),
    ],
)
def test_what_cannot_be_told_is_refused_before_any_work(states: States, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan([Score((), (3, 4, 5), ((6,), (7, 8)), states)], "w", 8)


def test_a_layer_that_is_not_there_is_refused_by_the_host() -> None:
    host = TransformersHost(HostSettings("gpt-1", find_checkpoint("gpt-1").weights))
    last = host.forward.layers
    with pytest.raises(ValueError, match=rf"states\.layers: expected numbers from 0 to {last}"):
        asked(host, [Score((), (3,), ((6,),), States((last + 1,), (0,)))])


def test_a_model_that_is_run_a_text_at_a_time_refuses() -> None:
    class Nobody:
        model, device, way = torch.nn.Linear(1, 1), torch.device("cpu"), "anew"

    (tile,) = plan([Score((), (3,), ((6,),), States((0,), (0,)))], "w", 8).tiles
    way = OneByOne(Nobody(), 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="which is run a text at a time"):
        way.score(tile, None, None, None)  # type: ignore[arg-type]


@pytest.mark.usefixtures("ray_address")
def test_hosts_of_ray_tell_what_one_in_this_process_does(small: Any) -> None:
    stage = Stage(small({"hosts.count": 1}))
    requests = scores(9, LONG[:5], States((0, 1), (-1, 0)))
    settings = stage.host_settings("cpu")
    planned = plan(requests, settings.weights, 8)
    here = planned.collect(LocalFleet(settings).run(planned.tiles))
    fleet = RayFleet(settings, 1)
    try:
        assert planned.collect(fleet.run(planned.tiles)) == here
    finally:
        fleet.close()


def test_founders_of_two_layers_can_be_told_apart(host: TransformersHost, tmp_path: Path) -> None:
    """Each layer says something else."""
    (reply,) = asked(host, [Score((), (3, 4), ((6,),), States((0, 1, 2), (-1,)))])
    rows = reply.hidden.array[0, :, 0]
    assert len({row.tobytes() for row in rows}) == 3
