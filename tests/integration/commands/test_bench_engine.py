"""`mgptn bench engine`, hardly anything of it: it runs without Ray, and says what it measured."""

# SPDX-License-Identifier: Apache-2.0

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import transformers
from torch.utils.flop_counter import FlopCounterMode

from mgptn.agents.hosts.fleet import run_tile
from mgptn.agents.requests import Generate, HostReply, Score
from mgptn.agents.tiles import plan, rows_of
from mgptn.experiments.bench.engine.models import OPTIONS, WEIGHTS, Shape, Subject, texts
from mgptn.experiments.bench.engine.tile_packing import FreeHost, pack_freely
from mgptn.experiments.bench.engine.ways import products
from mgptn.experiments.bench.real.llama import find_library
from tests.random_models import TINY as TINY_LLAMA
from tests.random_models import chatting, qwen_like_tokenizer, random_weights

WITHOUT_RAY = """
import sys
sys.modules["ray"] = None
from mgptn.experiments.cli import main
main(sys.argv[1:])
"""

TINY = Shape(
    "tiny",
    "Llama",
    {
        "num_hidden_layers": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 41,
        "max_position_embeddings": 256,
    },
)


@pytest.fixture(scope="module")
def subject():
    return Subject(TINY, "cpu", "float32")


def asked():
    """Greedy answers and scorings of all lengths, after contexts of all lengths and none."""
    rng = np.random.default_rng(0)
    contexts = [(), *(texts(rng, 1, int(n))[0] for n in (3, 64, 90))]
    options = (*OPTIONS, (9, 10), (9, 11, 12))
    requests = []
    for i in range(60):
        (suffix,) = texts(rng, 1, int(rng.integers(1, 30)))
        prefix = contexts[i % 4]
        requests.append(Generate(prefix, suffix, (), 1 + i % 7, 1.0, (0, i), top_k=1))
        requests.append(Score(prefix, suffix, options))
    return requests


def test_freely_packed_tiles_hold_every_request_once_and_nothing_but_them(subject):
    requests = asked()
    free = FreeHost.of_model(subject.another(), WEIGHTS)
    found: dict[object, HostReply] = {}
    tiles = pack_freely(requests, WEIGHTS, 8)
    for tile in tiles:
        work = run_tile(free, tile)
        found.update(zip(tile.requests, work.replies, strict=True))
        rows = [row for request in tile.requests for row in rows_of(request)]
        if isinstance(tile.requests[0], Score):  # no spare row, and no padded prefix
            assert tile.width == max(map(len, rows))
            assert tile.rows == len(rows)
            own = sum(map(len, rows))
            assert work.work.tokens_padded == tile.rows * tile.width - own
    assert sum(len(tile.requests) for tile in tiles) == len(requests)
    planned = plan(requests, WEIGHTS, 8)
    ours = planned.collect([run_tile(subject.host, tile) for tile in planned.tiles])
    for request, reply in zip(requests, ours, strict=True):
        if isinstance(request, Score):
            assert found[request].log_probabilities == pytest.approx(
                reply.log_probabilities, rel=1e-5
            )
        else:
            assert found[request].tokens == reply.tokens


@pytest.mark.parametrize("fused", [False, True])
def test_products_alone_are_all_of_a_decodes_products_with_weights(subject, fused):
    """Counted by torch: 2 operations a weight and position, the head for each token written."""
    rows, count = 3, 5
    run = products(subject, rows, count, fused)
    with FlopCounterMode(display=False) as counter:
        run()
    head = subject.host.forward.model.get_output_embeddings().weight.numel()
    layers = 2 * (32 * 32 * 2 + 32 * 16 * 2 + 3 * 32 * 64)
    assert counter.get_total_flops() == 2 * rows * ((8 + count - 1) * layers + count * head)


@pytest.mark.slow
def test_the_bench_runs_without_ray_and_writes_its_figures(tmp_path):
    out = tmp_path / "figures.json"
    command = [sys.executable, "-c", WITHOUT_RAY, "bench", "engine", "--quick", "--out", str(out)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "GFLOP/s of matrix products" in run.stdout
    figures = json.loads(out.read_text())
    names = [c["name"] for c in figures["comparisons"]]
    assert names == [
        "1 M: decode, no prefix",
        "1 M: answers, 24-token context",
        "1 M: 2 grades an answer",
        "gpt-3: generation of 4 problems",
        "1 M: answers and grades of any length",
        "1 M: answers of 8 tokens with 5 grades",
        "1 M: answers of 64 tokens with 5 grades",
    ]
    decode, answers, grades, *packed = figures["comparisons"][:5]
    assert set(decode["ratios"]) == {
        "generate()",
        "continuous batching",
        "products alone",
        "products alone, fused",
    }
    assert all(set(comparison["ratios"]) == {"freely packed"} for comparison in packed)
    for comparison in figures["comparisons"]:
        for ratios in comparison["ratios"].values():
            assert len(ratios) == 5
            assert min(ratios) > 0
    for comparison in (answers, grades):
        assert comparison["prefill"] == pytest.approx(1.0, abs=0.02)
    for generation in figures["generations"]:
        assert 0 < min(generation["inside"]) <= max(generation["inside"]) <= 1
        assert 0 < min(generation["outside"]) <= max(generation["outside"]) < 1
    for driver in figures["driver"]:
        assert {kind: len(taken) for kind, taken in driver["seconds"].items()} == {
            "conversations": 5,
            "columns": 5,
        }
        assert all(least > 0 for taken in driver["seconds"].values() for least in taken)
    assert len(figures["driver"]) == 2
    assert [len(looks) for looks in figures["cost_against_agents"]["seconds"]] == [5, 5]
    assert figures["ceiling"]["matmul"] > figures["ceiling"]["bandwidth"] > 1e8


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_populations_work_on_a_model_runs_without_ray_and_all_ways_say_the_same(tmp_path):
    """A model of random weights; every contestant in a process of its own that has no Ray."""
    (tmp_path / "ray.py").write_text("raise ImportError('no Ray here')")
    texts = ["What is it? The answer is this."] * 9
    tokenizer = qwen_like_tokenizer(texts, 256, 2048)
    shape = {**TINY_LLAMA, "max_position_embeddings": 2048, "vocab_size": len(tokenizer)}
    shape |= {"eos_token_id": 0, "bos_token_id": None}
    config = transformers.LlamaConfig(**shape, tie_word_embeddings=True)
    random_weights(tmp_path / "plain", config)
    tokenizer.save_pretrained(tmp_path / "plain")
    model, out = chatting(tmp_path / "plain", tmp_path / "chat"), tmp_path / "figures.json"
    command = [sys.executable, "-m", "mgptn.experiments", "bench", "engine", "--model", str(model)]
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    run = subprocess.run(
        [*command, "--quick", "--out", str(out)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    figures = json.loads(out.read_text())
    against = figures["against"]
    assert {"generate()", "continuous batching"} <= set(against)
    assert not figures["left_out"]
    if find_library() is None:
        assert "pip install" in run.stdout
    else:
        # llama.cpp rounds otherwise; most answers are the same nevertheless.
        assert against["llama.cpp float32"]["greatest_difference"] < 1e-3
        assert {"llama.cpp float32", "llama.cpp float16"} <= set(against)
    for name in ("generate()", "continuous batching"):
        assert against[name]["equal_answers"] == 1.0
    assert against["generate()"]["greatest_difference"] < 1e-4
    assert against["continuous batching"]["greatest_difference"] is None
    for one in against.values():
        assert all(len(ratios) == 1 and ratios[0] > 0 for ratios in one["ratios"].values())
    for way in figures["ways"].values():
        assert way["cold"][0] > way["starts"][0] > 0
        assert way["peak_bytes"] > 2**24
    assert set(figures["where"]) == {"answers", "grades"}
    assert figures["workload"]["answers"] == 2
