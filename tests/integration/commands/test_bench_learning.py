"""`mgptn bench learning`, hardly anything of it: without Ray, and the same steps either way."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, load_file

from mgptn.agents.hosts.fleet import run_tile
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.learning.learner import Learner
from mgptn.agents.learning.training import LARGEST_NORM
from mgptn.agents.tiles import plan_mixed
from mgptn.experiments.bench.learning.outside import PARTS, time_of_a_lesson
from mgptn.experiments.bench.learning.scale import QUICK
from mgptn.experiments.bench.learning.stacked import learn_stacked, shorten
from mgptn.experiments.bench.learning.subject import Subject

WITHOUT_RAY = """
import sys
sys.modules["ray"] = None
from mgptn.experiments.cli import main
main(sys.argv[1:])
"""
SCALE = replace(QUICK, agents=3, steps=5)


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Subject(tmp_path_factory.mktemp("bench") / "founder", SCALE, "cpu")
    torch.set_num_threads(threads)


def test_stacked_steps_lead_to_what_single_ones_do(subject: Subject):
    asked = [subject.learn(agent, 4) for agent in range(3)]
    assert len({one.tokens for one in asked}) == len({one.worn for one in asked}) == 3
    learner = Learner(subject.checkpoint.folder, torch.device("cpu"))
    singly = [learner.learn(one, subject.numbers).numbers for one in asked]
    founder = subject.model("eager").requires_grad_(False)
    stacked = learn_stacked(founder, asked, subject.numbers)
    own = load_file(subject.checkpoint.folder / "model.safetensors")
    for one, alone, together in zip(asked, singly, stacked, strict=True):
        assert alone is not None
        assert one.worn is not None
        # What is equal to the founder's own number is not written.
        expected, found = {**own, **load(alone)}, load(together)
        before = load(subject.numbers(one.worn.content))
        assert set(found) == set(expected)
        for name, tensor in expected.items():
            torch.testing.assert_close(found[name], tensor, rtol=1e-3, atol=2e-5)
            if name.endswith("weight"):
                assert (tensor - before[name]).abs().max() > 1e-3


def test_each_agents_gradient_is_shortened_by_itself():
    """One that is too long, one much too long, and one that is not."""
    generator = torch.Generator().manual_seed(0)
    scales = torch.tensor([0.01, 1.0, 100.0])
    stacks = [
        torch.randn(3, *shape, generator=generator) * scales.view(-1, *[1] * len(shape))
        for shape in ((4, 5), (7,))
    ]
    expected = [[stack[agent].clone() for stack in stacks] for agent in range(3)]
    for gradients in expected:
        parameters = [torch.nn.Parameter(torch.zeros_like(one)) for one in gradients]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        torch.nn.utils.clip_grad_norm_(parameters, LARGEST_NORM)
    shorten(stacks)
    for agent, gradients in enumerate(expected):
        for stack, gradient in zip(stacks, gradients, strict=True):
            torch.testing.assert_close(stack[agent], gradient)
    assert [sum(s[agent].norm() ** 2 for s in stacks) > 0.99 for agent in range(3)] == [
        False, True, True,
    ]  # fmt: skip


def test_answers_are_of_one_length_whatever_weights_are(subject: Subject):
    """So that what is compared is the wearing of weights alone."""
    host = TransformersHost(subject.host_settings())
    lengths, drawn = set(), set()
    for weights in (None, *subject.weights, subject.anew(0, 1)):
        asked = [((subject.checkpoint.weights, weights), r) for r in subject.questions(0)]
        for tile in plan_mixed(asked, SCALE.answers, subject.numbers).tiles:
            replies = run_tile(host, tile).replies
            lengths |= {len(reply.tokens) for reply in replies}
            drawn.add(tuple(reply.log_probabilities for reply in replies))
    assert len(lengths) == 1
    assert len(drawn) == 1 + SCALE.agents


def test_a_lesson_is_learned_and_kept_and_every_part_timed(subject: Subject, tmp_path: Path):
    found = time_of_a_lesson(subject, tmp_path / "weights", 5)
    assert tuple(found.seconds) == PARTS
    assert all(len(looks) == 5 and min(looks) > 0 for looks in found.seconds.values())
    assert all(0 < share < 1 for share in found.outside)
    assert len(list((tmp_path / "weights").iterdir())) == 6


def test_the_bench_runs_without_ray_and_writes_its_figures(tmp_path: Path):
    out = tmp_path / "figures.json"
    command = [sys.executable, "-c", WITHOUT_RAY, "bench", "learning", "--quick", "--out", str(out)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "A change of weights by itself takes" in run.stdout
    assert "outside of forward, backward and optimizer" in " ".join(run.stdout.split())
    figures = json.loads(out.read_text())
    assert {c["name"]: list(c["ratios"]) for c in figures["comparisons"]} == {
        "2 agents learn, 2 documents a step": ["stacked", "plain transformers"],
        "2 agents learn, 4 documents a step": ["stacked", "plain transformers"],
        "2 agents answer": [
            "numbers held by the host",
            "bare founder",
            "bare founder, all at once",
        ],
    }
    for comparison in figures["comparisons"]:
        assert all(len(r) == 5 and min(r) > 0 for r in comparison["ratios"].values())
    assert len(figures["lesson"]["outside"]) == 5
    assert all(len(spent) == 5 and min(spent) > 0 for spent in figures["change"].values())
