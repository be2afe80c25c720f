"""Adversaries among copies of a real model: what they say differs from the honest run just so."""

# SPDX-License-Identifier: Apache-2.0

import numpy as np

from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.loop.simulation import Simulation


def first_generation(adversaries):
    config = check_config(
        {
            "name": "run",
            "population": {"size": 6, "generations": 1, "adversaries": adversaries},
            "protocol": {"graders": 2, "self_grading": "also"},
            "problems_per_generation": 4,
        }
    )
    return next(iter(Simulation(config)))


def test_saboteurs_turn_their_grades_round_and_flatterers_err():
    honest = first_generation({})
    mixed = first_generation({"saboteur": 0.5})
    roles = np.array([agent.genome.role for agent in mixed.agents])
    assert sorted(roles.tolist()) == ["ordinary"] * 3 + ["saboteur"] * 3
    turned = (roles == "saboteur")[mixed.outcomes.matches.graders]
    assert turned.any()
    plain, said = honest.outcomes.grade_values(), mixed.outcomes.grade_values()
    assert said[~turned].tolist() == plain[~turned].tolist()
    assert np.allclose(said[turned], 1.0 - plain[turned])
    generation = first_generation({"flatterer": 0.5})
    flattered = generation.outcomes
    flatters = np.array([agent.genome.role == "flatterer" for agent in generation.agents])
    by_them = flatters[flattered.matches.slots]
    assert not flattered.verdicts[by_them].any()
    assert flattered.verdicts[~by_them].tolist() == honest.outcomes.verdicts[~by_them].tolist()
