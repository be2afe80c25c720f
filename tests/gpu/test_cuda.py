"""On a CUDA device: the same bits twice, and the same scores as on a CPU up to rounding."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
import torch

from mgptn.agents.engine.memory import KEPT
from mgptn.agents.engine.recording import GRAPHS
from mgptn.agents.hosts.fleet import LocalFleet, run_tile
from mgptn.agents.hosts.transformers_host import TransformersHost
from mgptn.agents.hosts.ways import Together
from mgptn.agents.requests import Generate, HostReply, Score
from mgptn.agents.tiles import plan
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.setting.stage import Stage
from mgptn.protocols.interfaces.interface import Asked

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

SMALL = {
    "name": "gpu",
    "population": {"size": 3, "generations": 2},
    "protocol": {"graders": 2, "grader_context": "own"},
    "problems_per_generation": 6,
}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_run_ends_in_the_same_population_twice(dtype: str):
    config = check_config({**SMALL, "hosts": {"device": "cuda", "dtype": dtype}})
    first, second = ([g.digest for g in Simulation(config)] for _ in range(2))
    assert first == second


def test_scores_are_those_of_the_cpu():
    config = check_config(SMALL)
    stage = Stage(config)
    encoder, interface = stage.script.encoder, stage.script.interface
    requests = [
        Score(
            encoder.prefix(prompt.prefix),
            encoder.suffix(prompt.suffix),
            tuple(encoder.suffix(option) for option in interface.level_options),
        )
        for problem in stage.problems[0]
        for prompt in [interface.grade_prompt(Asked(problem.query, problem.reference))]
    ]
    planned = plan(requests, stage.script.weights, 8)
    scores = {
        device: np.array(
            [
                reply.log_probabilities
                for reply in planned.collect(
                    LocalFleet(stage.host_settings(device)).run(planned.tiles)
                )
            ]
        )
        for device in ("cpu", "cuda")
    }
    np.testing.assert_allclose(scores["cuda"], scores["cpu"], atol=1e-3)


def test_buffers_and_graphs_of_many_shapes_are_few():
    """Answers of many lengths, after prefixes of many: what is kept is bounded, bits are equal."""
    stage = Stage(check_config(SMALL))
    host = TransformersHost(stage.host_settings("cuda"))

    def tile(prefix: int, longest: int) -> tuple[HostReply, ...]:
        request = Generate((1,) * prefix, (1,) * 4, (0,), longest, 1.0, key=(prefix, longest))
        return run_tile(host, plan([request], stage.script.weights, 4).tiles[0]).replies

    shapes = [(prefix, longest) for prefix in (0, 100, 200, 300, 500, 700) for longest in (8, 200)]
    first = [tile(*shape) for shape in shapes]
    assert [tile(*shape) for shape in shapes] == first
    assert isinstance(host.way, Together)
    decoder = host.way.decoder
    assert len(decoder._own) <= KEPT["cuda"]
    assert len(decoder._shared) <= KEPT["cuda"]
    assert len(host.forward._step._graphs) <= GRAPHS
