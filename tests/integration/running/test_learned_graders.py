"""What is learned of graders comes from recorded outcomes: resume and replay learn the same."""

# SPDX-License-Identifier: Apache-2.0

import pytest

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.loop.founding import found_tournament
from mgptn.experiments.loop.simulation import Simulation
from mgptn.experiments.record.committed import Committed


@pytest.mark.parametrize("aggregation", ["reputation", "dawid-skene"])
@pytest.mark.parametrize("process", ["wright-fisher", "moran"])
def test_a_tournament_told_what_was_recorded_learns_the_same(aggregation, process):
    config = check_config(
        {
            "name": "learn",
            "population": {
                "size": 12,
                "generations": 4,
                "selection": {"process": process},
            },
            "agents": {"model": "scripted", "scripted": {"adaptation": "none"}},
            "protocol": {"aggregation": aggregation, "self_grading": "also", "topology": "torus"},
            "problems_per_generation": 10,
        }
    )
    simulation = Simulation(config)
    again = found_tournament(config, SELECTED)
    for generation in simulation:
        plain = Committed(SELECTED, generation, {}, {}).to_plain()
        recorded = Committed.from_plain(plain).generation
        assert again.tell(recorded.outcomes).digest == generation.digest
        assert again._known.tobytes() == simulation.tournament._known.tobytes()
    assert again._known.any()
