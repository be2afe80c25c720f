"""Settings are checked as they are made: every name that is looked up later, and every range."""

# SPDX-License-Identifier: Apache-2.0

import math

import pytest

from mgptn.agents.behaviour import Behaviour
from mgptn.agents.hosts.host import HostSettings
from mgptn.population.breeding.memory import FEEDS, LESSONS, LearningSettings
from mgptn.population.breeding.mutation import MutationRates
from mgptn.population.breeding.operators import OPERATORS
from mgptn.population.breeding.processes import PROCESSES, ProcessOptions
from mgptn.population.judging.aggregation import AGGREGATIONS, Rule
from mgptn.population.judging.selectors import SELECTORS
from mgptn.population.judging.topology import TOPOLOGIES, Topology
from mgptn.population.records.agents import Genome
from mgptn.population.settings import ENTRIES, FITNESSES, SEATINGS, TournamentSettings
from mgptn.population.tournament import Tournament


def tournament(**changes):
    return TournamentSettings(1, 1, 0.5, 2, **changes)


def behaviour(**changes):
    return Behaviour("addition", 2, **changes)


def host(**changes):
    return HostSettings("gpt-3", "w", **changes)


NAMES = [
    (tournament, "operator", list(OPERATORS)),
    (tournament, "process", list(PROCESSES)),
    (tournament, "aggregation", list(AGGREGATIONS)),
    (tournament, "seating", list(SEATINGS)),
    (tournament, "feeds", list(FEEDS)),
    (tournament, "entry", list(ENTRIES)),
    (LearningSettings, "feeds", list(FEEDS)),
    (LearningSettings, "entry", list(LESSONS)),
    (tournament, "fitness", list(FITNESSES)),
    (ProcessOptions, "resampling", ["multinomial", "systematic"]),
    (behaviour, "adaptation", ["none", "copy", "bayes"]),
    (behaviour, "spots", ["shared", "disjoint"]),
    (host, "device", ["cpu", "cuda"]),
    (host, "dtype", ["float32", "bfloat16"]),
]


@pytest.mark.parametrize(("make", "field", "known"), NAMES)
def test_an_unknown_name_is_refused_at_once_with_those_known(make, field, known):
    for name in known:
        make(**{field: name}, **({"partners": 1} if name == "bradley-terry" else {}))
    expected = f"^{field}: expected one of {', '.join(known)}, got 'softmx'$"
    with pytest.raises(ValueError, match=expected):
        make(**{field: "softmx"})


def test_a_rules_a_topologys_and_a_selectors_name_too():
    with pytest.raises(ValueError, match=f"aggregation: expected one of {', '.join(AGGREGATIONS)}"):
        Rule("median")
    with pytest.raises(ValueError, match=f"topology.name: expected one of {', '.join(TOPOLOGIES)}"):
        Topology("star")
    for selector in ("critic", {"peers": 0.5, "critic": 0.5}):
        with pytest.raises(ValueError, match=f"selector: expected some of {', '.join(SELECTORS)}"):
            tournament(selector=selector)
    founders = [Genome("gpt-1", 1.0), Genome("gpt-1", 1.0, role="traitor")]
    with pytest.raises(ValueError, match=r"role: expected one of ordinary, .*, got 'traitor'"):
        Tournament(tournament(), founders, 0)


@pytest.mark.parametrize(
    ("make", "changes", "told"),
    [
        (
            tournament,
            {"selection_temperature": 0.0},
            "selection_temperature: expected a number > 0",
        ),
        (tournament, {"selection_temperature": math.nan}, "selection_temperature"),
        (tournament, {"recombination": 1.5}, r"recombination: expected a probability in \[0, 1\]"),
        (tournament, {"partners": -1}, "partners: expected at least 0, got -1"),
        (tournament, {"trim": 0.5}, r"trim: expected in \[0, 1/2\), got 0.5"),
        (tournament, {"fitness": "bradley-terry"}, "partners: expected at least 1"),
        (tournament, {"selector": {"peers": -1.0}}, "selector: expected weights"),
        (MutationRates, {"drop": 2.0}, "drop: expected a probability"),
        (MutationRates, {"jitter_scale": math.nan}, "jitter_scale: expected at least 0"),
        (ProcessOptions, {"migration": -0.1}, "migration: expected a probability"),
        (Topology, {"rewiring": 1.1}, "rewiring: expected a probability"),
        (Topology, {"islands": 0}, "islands: expected at least 1"),
        (Rule, {"threshold": math.nan}, "threshold: expected a number"),
        (behaviour, {"tpr": 1.5}, "tpr: expected a probability"),
        (behaviour, {"prior": (1.0,)}, "prior: expected 4 probabilities"),
        (host, {"threads": 0}, "threads: expected at least 1"),
        (host, {"memory": -1}, "memory: expected at least 0"),
    ],
)
def test_a_number_out_of_its_range_is_refused_at_once(make, changes, told):
    with pytest.raises(ValueError, match=told):
        make(**changes)
