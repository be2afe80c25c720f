"""Hosts without a model: their layout can be read back, and their replies follow from keys."""

# SPDX-License-Identifier: Apache-2.0

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.behaviour import Behaviour
from agents.fleet import LocalFleet
from agents.host import HostSettings
from agents.requests import Score
from agents.scripted_host import CharacterEncoder, ScriptedHost
from agents.tiles import plan
from experiments.casting import read_levels
from experiments.config import ConfigError, check_config
from experiments.simulation import Simulation
from protocols.interfaces.scripted import ScriptedInterface, parse

TEXT = st.text(st.characters(exclude_characters="\x1e\x1f"), max_size=12)
RUN = {
    "name": "scripted",
    "task": {"name": "addition", "size": 3},
    "population": {"size": 4, "generations": 3},
    "agents": {"model": "scripted"},
    "protocol": {"graders": 2},
    "problems_per_generation": 5,
}


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4), TEXT, TEXT)
def test_a_prompt_is_read_back(examples, query, answer):
    layout = ScriptedInterface()
    asked = layout.answer_prompt(examples, query)
    assert parse(asked.prefix + asked.suffix).pairs == tuple(examples)
    assert parse(asked.prefix + asked.suffix).asked == query
    graded = layout.grade_prompt(examples, query, answer)
    assert parse(graded.prefix + graded.suffix).pairs == (*examples, (query, answer))


def test_an_answer_cannot_forge_an_item():
    layout = ScriptedInterface()
    prompt = layout.grade_prompt((), "1+1=", "20\x1e1+1=\x1f20")
    assert len(parse(prompt.prefix + prompt.suffix).pairs) == 1


def test_the_same_run_twice_ends_in_the_same_population():
    config = check_config(RUN)
    first, second = ([g.digest for g in Simulation(config)] for _ in range(2))
    assert first == second
    other = [g.digest for g in Simulation(check_config(RUN | {"seed": 1}))]
    assert other != first


def test_perfect_graders_leave_nothing_wrong_in_a_context():
    scripted = {"error": 0.5, "tpr": 1.0, "fpr": 0.0}
    config = check_config(RUN | {"agents": {"model": "scripted", "scripted": scripted}})
    *_, last = Simulation(config)
    for generation in (last,):
        assert all(generation.outcomes[i].verdict for i in generation.accepted)
    assert all(outcome.verdict for outcome in last.outcomes)


def test_a_grading_without_a_key_is_refused():
    encoder = CharacterEncoder()
    prompt = ScriptedInterface().grade_prompt((), "001+001=", "2000")
    request = Score((), encoder.suffix(prompt.suffix), (encoder.suffix("0"),))
    host = ScriptedHost(Behaviour("addition", 3))
    with pytest.raises(ValueError, match="expected a key"):
        host.score(plan([request], "w", 4).tiles[0])


def test_a_grade_is_the_top_level_or_the_bottom_one():
    encoder = CharacterEncoder()
    options = tuple(encoder.suffix(str(i)) for i in range(5))
    settings = HostSettings("scripted", "w", behaviour=Behaviour("addition", 3, fpr=0.0, tpr=1.0))
    requests = [
        Score((), encoder.suffix(ScriptedInterface().grade_prompt((), "001+001=", a).suffix),
              options, (0, i))
        for i, a in enumerate(("2000", "3000"))
    ]  # fmt: skip
    planned = plan(requests, "w", 4)
    right, wrong = planned.collect(LocalFleet(settings).run(planned.tiles))
    assert read_levels(right) == (0, 0, 0, 0, 1)
    assert read_levels(wrong) == (1, 0, 0, 0, 0)
    assert min(right.log_probabilities) == -math.inf


def test_a_prior_that_is_none_is_refused():
    scripted = {"skills": [0.1, 0.9], "prior": [0.5, 0.6]}
    with pytest.raises(ConfigError, match=r"agents\.scripted.*prior: expected 2 probabilities"):
        check_config(RUN | {"agents": {"model": "bayes", "scripted": scripted}})
