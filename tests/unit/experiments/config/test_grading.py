"""Topology, aggregation and selector in a configuration: shorthands, and what is refused."""

# SPDX-License-Identifier: Apache-2.0

import pytest

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import ConfigError, RunConfig, check_config, load_config
from mgptn.experiments.config.sections.grading import AggregationConfig, TopologyConfig
from mgptn.experiments.loop.founding import found_tournament
from mgptn.population.judging.aggregation import AGGREGATIONS
from mgptn.population.judging.selectors import SELECTORS
from mgptn.population.judging.topology import TOPOLOGIES


def configured(protocol, size=12, model="scripted", **more):
    return check_config(
        {
            "name": "run",
            "population": {"size": size},
            "agents": {"model": model},
            "protocol": protocol,
            **more,
        }
    )


def names(section):
    return set(section.model_fields["name"].annotation.__args__)


def test_the_configuration_knows_every_name():
    assert names(TopologyConfig) == set(TOPOLOGIES)
    assert names(AggregationConfig) == set(AGGREGATIONS)
    for name in SELECTORS:
        configured({"self_grading": "also"}, selector=name)


@pytest.mark.parametrize("topology", ["ring", {"name": "ring"}])
def test_a_name_stands_for_its_section(topology):
    config = configured({"topology": topology, "aggregation": "majority"})
    assert config.protocol.topology == TopologyConfig(name="ring")
    settings = found_tournament(config, SELECTED).settings
    assert (settings.topology.name, settings.aggregation) == ("ring", "majority")


def test_set_reaches_under_a_name(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("name: run\nagents: {model: scripted}\nprotocol: {topology: small-world}\n")
    config = load_config(
        file,
        (
            "protocol.topology.neighbours=6",
            "protocol.graders=3",
            "selector={peers: 3, human: 1}",
            "protocol.aggregation=trimmed-mean",
            "protocol.aggregation.trim=0.1",
        ),
    )
    assert config.protocol.topology == TopologyConfig(name="small-world", neighbours=6)
    assert config.protocol.aggregation == AggregationConfig(name="trimmed-mean", trim=0.1)
    assert config.selector == (("peers", 3.0), ("human", 1.0))


@pytest.mark.parametrize("selector", ["oracle", {"peers": 0.5, "oracle": 0.5}])
def test_a_configuration_comes_back_from_its_own_json(selector):
    config = configured({"topology": "torus"}, selector=selector)
    assert RunConfig.model_validate_json(config.model_dump_json()) == config
    assert RunConfig.model_validate(config.model_dump(mode="json")) == config
    hash(config)


@pytest.mark.parametrize(
    ("protocol", "size", "said"),
    [
        ({"topology": "grid"}, 12, r"protocol\.graders: expected at most 2.*slot 0.*grid, got 4"),
        ({"aggregation": {"name": "quorum", "least": 5}}, 12, r"protocol\.aggregation\.least: .*4"),
        ({"topology": "ring", "graders": 5}, 12, r"protocol\.graders: expected at most 4.*got 5"),
        ({"topology": "torus", "graders": 5}, 12, r"protocol\.graders: expected at most 4.*got 5"),
        ({"topology": "all-pairs"}, 12, r"protocol\.graders: expected population.size − 1 = 11"),
        ({"topology": "islands", "graders": 6}, 12, r"expected at most 5.*got 6"),
        ({"topology": "islands"}, 13, r"population\.islands\.count: expected a divisor"),
        ({"topology": "small-world"}, 30, r"protocol\.graders: expected at most"),
        ({"topology": "star"}, 12, r"protocol\.topology\.name: expected .*'ring'.*got 'star'"),
        ({"topology": {"neighbours": 3}}, 12, r"protocol\.topology\.neighbours: .*multiple of 2"),
        ({"topology": {"rewiring": 2}}, 12, r"protocol\.topology\.rewiring: expected .*1, got 2"),
        ({"aggregation": "median"}, 12, r"protocol\.aggregation\.name: expected 'mean'"),
        ({"aggregation": {"trim": 0.5}}, 12, r"protocol\.aggregation\.trim: expected less than"),
        ({"self_grading": True}, 12, r"protocol\.self_grading: expected .*got True"),
        ({"self_grading": "only"}, 12, r"protocol\.self_grading: expected 'none' or 'also'"),
    ],
)
def test_what_cannot_be_is_refused_by_field(protocol, size, said):
    with pytest.raises(ConfigError, match=said):
        configured(protocol, size)


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        ("self", r"selector: expected protocol\.self_grading = also.*got 'none'"),
        ({"peers": 1, "self": 1}, r"selector: expected protocol\.self_grading = also"),
        ("pears", r"selector: expected .*'peers'.*got 'pears'; did you mean peers\?"),
        ({"peers": -1}, r"selector: expected weights ≥ 0"),
        ({}, r"selector: expected weights ≥ 0"),
        ({"peers": "much"}, r"selector: expected a number as the weight of peers, got 'much'"),
        ([1], r"selector: expected a name, or a mapping of names to weights, got \[1\]"),
    ],
)
def test_a_selector_that_is_none_is_refused(selector, said):
    with pytest.raises(ConfigError, match=said):
        configured({}, selector=selector)


MIXED = "gpt-1/0, gpt-3/0"


def test_the_strong_grade_the_weak_by_the_rung_in_a_models_name():
    config = configured({"topology": "strong-grades-weak"}, model=MIXED)
    tournament = found_tournament(config, SELECTED)
    models = [agent.genome.model for agent in tournament.agents]
    for answer, graders in enumerate(tournament.ask().graders.tolist()):
        if models[answer // config.problems_per_generation] == "gpt-3/0":
            assert {models[slot] for slot in graders} == {"gpt-3/0"}


def test_strength_needs_a_rung_or_an_order():
    with pytest.raises(ConfigError, match=r"weakest_first: expected the models .* 'my/model' does"):
        configured({"topology": "strong-grades-weak"}, model="my/model, gpt-3/0")
    topology = {"name": "weak-grades-strong", "weakest_first": ["my/model"]}
    with pytest.raises(ConfigError, match=r"weakest_first: expected every model .* 'gpt-3/0'"):
        configured({"topology": topology}, model="my/model, gpt-3/0")
    topology = {"name": "weak-grades-strong", "weakest_first": ["my/model", "gpt-3/0"]}
    config = configured({"topology": topology}, model="my/model, gpt-3/0")
    strengths = found_tournament(config, SELECTED).settings.topology.strengths
    assert strengths == {"my/model": 0.0, "gpt-3/0": 1.0}


def test_too_few_strong_founders_are_refused():
    with pytest.raises(ConfigError, match=r"at most 2.*founder in slot 1 \(a gpt-3/0\).*got 4"):
        configured({"topology": "strong-grades-weak"}, size=6, model=MIXED)


@pytest.mark.parametrize("name", ["self-survey", "best-of-n"])
def test_who_grades_itself_anyway_is_not_asked_twice(name):
    picker = {"picker": "self"} if name == "best-of-n" else {}
    configured({"name": name, **picker}, selector="self", model="gpt-3")
    with pytest.raises(ConfigError, match=r"protocol\.self_grading: expected none .*got 'also'"):
        configured({"name": name, "self_grading": "also", **picker}, model="gpt-3")


def test_a_share_that_is_none_is_refused_by_its_key():
    with pytest.raises(ConfigError) as caught:
        check_config({"name": "t", "protocol": {"accept": {"share": 0}}})
    assert "protocol.accept.share: expected greater than 0, got 0" in str(caught.value)
    accepted = check_config({"name": "t", "protocol": {"accept": {"share": 0.25}}}).protocol
    assert (accepted.acceptance.by, accepted.acceptance.share) == ("share", 0.25)
