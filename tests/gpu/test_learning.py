"""On a CUDA device: the same lesson gives the same bytes, and answers are of what was learned."""

# SPDX-License-Identifier: Apache-2.0

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from mgptn.agents.hosts.fleet import run_tile
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.learning.learner import Learner
from mgptn.agents.requests import HostReply, Learn, Learned
from mgptn.agents.tiles import plan_learning, plan_mixed
from mgptn.experiments.bench.learning.scale import QUICK
from mgptn.experiments.bench.learning.subject import Subject
from mgptn.population.records.weights import Weights, learned

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return Subject(tmp_path_factory.mktemp("gpu") / "founder", replace(QUICK, steps=8), "cuda")


@pytest.fixture(scope="module")
def host(subject: Subject) -> TransformersHost:
    return TransformersHost(subject.host_settings())


def learn(host: TransformersHost, subject: Subject, asked: Learn) -> Learned:
    (tile,) = plan_learning([(subject.checkpoint.weights, asked)], subject.numbers).tiles
    (reply,) = run_tile(host, tile).replies
    assert isinstance(reply, Learned)
    return reply


def answers(
    host: TransformersHost, subject: Subject, worn: Weights | None
) -> tuple[HostReply | Learned, ...]:
    asked = [((subject.checkpoint.weights, worn), request) for request in subject.questions(0)]
    (tile,) = plan_mixed(asked, subject.scale.answers, subject.numbers).tiles
    return run_tile(host, tile).replies


def test_the_same_lesson_gives_the_same_bytes(host: TransformersHost, subject: Subject):
    """Between two of somebody else's, and on another host."""
    asked, other = subject.learn(0, 4), subject.learn(1, 4)
    first = learn(host, subject, asked)
    assert first.numbers is not None
    assert learn(host, subject, other).numbers != first.numbers
    assert learn(host, subject, asked) == first
    assert learn(TransformersHost(subject.host_settings()), subject, asked) == first


def test_what_is_learned_is_what_a_cpu_learns_up_to_rounding(
    host: TransformersHost, subject: Subject
):
    asked = subject.learn(0, 4)
    found = learn(host, subject, asked).numbers
    expected = Learner(subject.checkpoint.folder, torch.device("cpu")).learn(asked, subject.numbers)
    assert found is not None
    assert expected.numbers is not None
    there = load(expected.numbers)
    for name, tensor in load(found).items():
        torch.testing.assert_close(tensor, there[name], rtol=1e-2, atol=1e-3)


def test_answers_after_learning_differ_from_before(host: TransformersHost, subject: Subject):
    """Answers first: a process's first product is no training's."""
    before = answers(host, subject, None)
    numbers = learn(host, subject, replace(subject.learn(0, 4), worn=None, rate=1e-2)).numbers
    assert numbers is not None
    worn = learned(None, subject.checkpoint.name, subject.numbers.keep(numbers))
    after = answers(host, subject, worn)
    assert after != before
    assert answers(host, subject, worn) == after
    assert answers(host, subject, None) == before


def test_the_bench_runs(tmp_path: Path):
    out = tmp_path / "figures.json"
    words = ["bench", "learning", "--quick", "--device", "cuda", "--out", str(out)]
    # As a command is started: without what this process has set.
    environment = {k: v for k, v in os.environ.items() if k != "CUBLAS_WORKSPACE_CONFIG"}
    command = [sys.executable, "-m", "mgptn.experiments", *words]
    subprocess.run(command, check=True, env=environment)
    assert out.exists()
