"""The whole simulator, with agents whose behaviour is known, measures what was put in.

Every bound is `LIMIT` standard errors: a false alarm of 1e-6 or less each, two-sided, by the normal
approximation (counts are in the hundreds at least). Seeds are fixed.
"""

# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest

from mgptn.experiments.config.run_config import RunConfig, check_config
from mgptn.experiments.loop.simulation import Simulation
from mgptn.population.measures.generation_measures import measure
from mgptn.population.records.generation import Generation
from mgptn.population.theory.classification import append_rate, filtered_error, posterior_error

LIMIT = 5.0


def config(model: str = "scripted", **changes) -> RunConfig:
    scripted = {"error": 0.7, "tpr": 0.8, "fpr": 0.3} | changes.pop("scripted", {})
    data = {
        "name": "scripted",
        "seed": 3,
        "task": {"name": "addition", "size": 4},
        "population": {
            "size": 24,
            "generations": 1,
            "selection": {"temperature": math.inf},
            "mutation": dict.fromkeys(("drop", "swap", "duplicate", "jitter"), 0.0),
        },
        "agents": {"model": model, "context_capacity": 64, "scripted": scripted},
        "protocol": {"graders": 3, "threshold": 0.6},
        "problems_per_generation": 60,
    }
    return check_config(data | changes)


def first(chosen: RunConfig) -> Generation:
    return next(iter(Simulation(chosen)))


def close(share: float, expected: float, count: int) -> bool:
    return abs(share - expected) <= LIMIT * math.sqrt(expected * (1 - expected) / count)


def test_error_tpr_and_fpr_are_those_that_were_put_in():
    """4,320 grades of 1,440 answers."""
    generation = first(config())
    measured = measure(generation, None, 0.6)
    assert close(measured.gold_error, 0.7, 1440)
    wrong = round(1440 * measured.gold_error)
    assert close(measured.grader_tpr, 0.8, 3 * (1440 - wrong))
    assert close(measured.grader_fpr, 0.3, 3 * wrong)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_graders_correlate_as_they_were_told_to(correlation: float):
    """Pearson's r over some 3,000 pairs has a standard error of at most (1 − ρ²)/√1000."""
    generation = first(config(scripted={"correlation": correlation}))
    measured = measure(generation, None, 0.6)
    bound = LIMIT * (1 - correlation**2) / math.sqrt(1000) + 1e-9
    assert abs(measured.grader_correlation - correlation) <= bound
    if correlation == 1.0:
        assert measured.effective_graders == pytest.approx(1.0)


def test_a_blind_spot_passes_every_wrong_answer_to_its_problems():
    """Some 42 wrong-answer kinds a problem; 60 problems, a share of which nobody can grade."""
    generation = first(config(scripted={"blind_spot": 0.25, "fpr": 0.0}))
    fooled = {
        outcome.match.problem
        for outcome in generation.outcomes
        if not outcome.verdict and any(grade.value == 1.0 for grade in outcome.grades)
    }
    assert close(len(fooled) / 60, 0.25, 60)
    for outcome in generation.outcomes:
        if outcome.match.problem in fooled and not outcome.verdict:
            assert all(grade.value == 1.0 for grade in outcome.grades)


def test_a_round_of_chaining_follows_the_recurrence():
    """One grader; the context holds all that was accepted, so that the next error is its share."""
    chosen = config(
        protocol={"graders": 1, "threshold": 0.6},
        population={
            "size": 24,
            "generations": 2,
            "selection": {"process": "none"},
        },
    )
    zeroth, then = list(Simulation(chosen))
    accepted = [zeroth.outcomes[i] for i in zeroth.accepted]
    assert close(len(accepted) / 1440, append_rate(0.7, 0.8, 0.3), 1440)
    expected = filtered_error(0.7, 0.8, 0.3)
    share = np.mean([not outcome.verdict for outcome in accepted])
    assert close(float(share), expected, len(accepted))
    error = np.mean([not outcome.verdict for outcome in then.outcomes])
    # The next error is drawn around the shares in 24 contexts of some 27 examples each.
    spread = math.sqrt(expected * (1 - expected) * (1 / 1440 + 1 / len(accepted)))
    assert abs(float(error) - expected) <= LIMIT * spread


def test_bayes_agents_err_as_their_posterior_says():
    """Agents that share a number of errors in 8 examples share an error; 60 answers each."""
    chosen = config(
        "bayes",
        agents={"model": "bayes", "context_capacity": 8, "scripted": {"tpr": 1.0, "fpr": 1.0}},
        population={"size": 24, "generations": 2, "selection": {"process": "none"}},
    )
    skills, prior = chosen.agents.scripted.skills, (0.25,) * 4
    zeroth, then = list(Simulation(chosen))
    mean = posterior_error(skills, prior, 0, 0)
    assert close(np.mean([not o.verdict for o in zeroth.outcomes]), mean, 1440)
    verdicts = {(o.query, o.answer): o.verdict for o in zeroth.outcomes}
    expected, counted = 0.0, 0
    for agent in then.agents:
        shown = [verdicts[e.query, e.answer] for e in agent.genome.context]
        expected += posterior_error(skills, prior, len(shown), shown.count(False)) * 60
        counted += 60
    error = np.mean([not o.verdict for o in then.outcomes])
    assert close(float(error), expected / counted, counted)


def test_infinite_selection_temperature_is_neutral_drift():
    """Offspring numbers are then those of even draws: their variance is 1 − 1/M in the mean."""
    sizes = []
    for seed in range(20):
        generation = first(config(seed=seed, problems_per_generation=2))
        assert set(generation.rates) == {1.0}
        counts = np.bincount([b.parent for b in generation.births], minlength=24)
        sizes.append(counts.var())
    standard_error = math.sqrt(2 / 23) / math.sqrt(20)
    assert abs(np.mean(sizes) - (1 - 1 / 24)) <= LIMIT * standard_error
