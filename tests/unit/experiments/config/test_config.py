"""Configuration: everything that cannot be run is refused, by field, with what was got."""

# SPDX-License-Identifier: Apache-2.0

import json
import math
import re

import numpy as np
import pytest

from mgptn.experiments.config.arms import SELECTED
from mgptn.experiments.config.run_config import (
    ConfigError,
    RunConfig,
    check_config,
    known_keys,
    load_config,
)
from mgptn.experiments.loop.founding import found_tournament
from mgptn.experiments.setting.problems import draw_problems
from mgptn.protocols.tasks.arithmetic import Addition


def nested(path, value):
    data = value
    for part in reversed(path.split(".")):
        data = {part: data}
    return {"name": "run", **data}


def fault(path, value):
    with pytest.raises(ConfigError) as caught:
        check_config(nested(path, value))
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("population.size", 0, "greater than or equal to 2"),
        ("population.size", 1, "greater than or equal to 2"),
        ("population.size", -3, "greater than or equal to 2"),
        ("population.size", "many", "valid integer"),
        ("population.size", 2.5, "valid integer"),
        ("population.size", None, "valid integer"),
        ("population.size", [8], "valid integer"),
        ("population.generations", 0, "greater than or equal to 1"),
        ("population.selection.temperature", 0, "greater than 0"),
        ("population.selection.temperature", -0.1, "greater than 0"),
        ("population.selection.temperature", -math.inf, "greater than 0"),
        ("population.selection.temperature", math.nan, "greater than 0"),
        ("population.selection.temperature", "warm", "valid number"),
        ("population.selection.process", "moron", "'moran'"),
        ("population.selection.operator", "roulette", "'proportional'"),
        ("population.selection", "moran", "mapping|dictionary|object"),
        ("population.selection.resampling", "stratified", "'systematic'"),
        ("population.islands.count", 0, "greater than or equal to 1"),
        ("population.islands.migration", 1.5, "less than or equal to 1"),
        ("population.mutation.recombination", -0.1, "greater than or equal to 0"),
        ("population.mutation.drop", 1.1, "less than or equal to 1"),
        ("population.mutation.drop", math.nan, "(finite|greater)"),
        ("population.mutation.jitter_scale", 0, "greater than 0"),
        ("agents.sampling_temperature", 0, "greater than 0"),
        ("agents.sampling_temperature", -1, "greater than 0"),
        ("agents.sampling_temperature", math.nan, "(finite|greater)"),
        ("agents.sampling_temperature", math.inf, "(finite|less)"),
        ("agents.context_capacity", -1, "greater than or equal to 0"),
        ("agents.model", "", "at least 1 character"),
        ("agents.interface", "html", "'ladder'"),
        ("protocol.threshold", 1.01, "less than or equal to 1"),
        ("protocol.threshold", -0.01, "greater than or equal to 0"),
        ("protocol.threshold", math.nan, "(finite|greater)"),
        ("protocol.graders", 0, "greater than or equal to 1"),
        ("protocol.name", "quarrel", "'survey'"),
        ("task.size", 0, "1 to 48"),
        ("task.size", 49, "1 to 48"),
        ("task.size", 2.5, "valid integer"),
        ("task.name", "billiards", "'addition'"),
        ("hosts.count", 0, "greater than or equal to 1"),
        ("hosts.count", "some", "'auto'"),
        ("hosts.device", "tpu", "'cuda'"),
        ("hosts.dtype", "float16", "'bfloat16'"),
        ("hosts.slots", 0, "greater than or equal to 1"),
        ("metrics.port", 65536, "less than or equal to 65535"),
        ("selector", "gut", "'oracle'"),
        ("seed", -1, "greater than or equal to 0"),
        ("seed", 2**63, "less than"),
        ("problems_per_generation", 0, "greater than or equal to 1"),
        ("name", "a/b", "letters, digits"),
        ("name", "../up", "letters, digits"),
        ("name", "run\n", "letters, digits"),
        ("name", "", "letters, digits"),
        ("name", 5, "text .in quotes, a number is"),
    ],
)
def test_a_value_outside_its_range_is_named_with_what_was_got(path, value, expected):
    message = fault(path, value)
    lines = message.splitlines()
    assert lines[0] == "configuration:"
    assert all(line.startswith(f"  {path}: expected ") for line in lines[1:])
    assert re.search(expected, message)
    assert message.endswith(f", got {value!r}")


def test_islands_of_unequal_size_are_refused_and_only_where_there_are_islands():
    population = {"size": 8, "islands": {"count": 3}, "selection": {"process": "islands"}}
    with pytest.raises(ConfigError) as caught:
        check_config({"name": "run", "population": population})
    assert str(caught.value).endswith(
        "  population.islands.count: expected a divisor of population.size = 8 "
        "(islands are of equal size), got 3"
    )
    check_config({"name": "run", "population": {**population, "size": 9}})
    check_config({"name": "run", "population": {"size": 8, "islands": {"count": 3}}})


@pytest.mark.parametrize("path", ["population.size", "agents.sampling_temperature", "seed"])
def test_a_truth_value_is_no_number(path):
    assert ", got True" in fault(path, True)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("population.sise", "population.size"),
        ("poplation", "population"),
        ("seeds", "seed"),
        ("size", "population.size"),
        ("agents.temperature", "population.selection.temperature"),
        ("population.selection.proces", "population.selection.process"),
        ("protocol.treshold", "protocol.threshold"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(path, meant):
    assert fault(path, 1).endswith(f"  {path}: unknown key; did you mean {meant}?")


def test_a_key_like_none_is_named_alone():
    assert fault("zzzzqqqq", 1) == "configuration:\n  zzzzqqqq: unknown key"


def test_every_fault_is_named_at_once():
    with pytest.raises(ConfigError) as caught:
        check_config(
            {
                "population": {"size": 1, "mutation": {"drop": 2}},
                "agents": {"sampling_temperature": 0},
                "colour": "red",
            }
        )
    assert [line.split(":")[0] for line in str(caught.value).splitlines()[1:]] == [
        "  name",
        "  population.size",
        "  population.mutation.drop",
        "  agents.sampling_temperature",
        "  colour",
    ]


def test_more_graders_than_peers_are_refused():
    with pytest.raises(ConfigError) as caught:
        check_config({"name": "run", "population": {"size": 4}, "protocol": {"graders": 4}})
    assert str(caught.value).splitlines()[1:] == [
        "  protocol.graders: expected at most population.size − 1 = 3 (nobody grades itself), got 4"
    ]
    check_config({"name": "run", "population": {"size": 5}, "protocol": {"graders": 4}})


def test_an_exhausted_task_is_refused_with_what_it_has():
    task = Addition(1)
    held_out = sum(
        bool(task.held_out(np.array([[a, b]]))[0]) for a in range(10) for b in range(a, 10)
    )
    config = check_config(
        {
            "name": "run",
            "task": {"size": 1},
            "population": {"generations": 2},
            "problems_per_generation": held_out,
        }
    )
    with pytest.raises(ConfigError) as caught:
        draw_problems(task, config)
    assert f"problems_per_generation: expected a task with {2 * held_out} held-out" in str(
        caught.value
    )
    assert f"got addition with about {held_out};" in str(caught.value)
    everything = config.model_copy(
        update={"population": config.population.model_copy(update={"generations": 1})}
    )
    (drawn,) = draw_problems(task, everything)
    assert len({task.canonical(p.query) for p in drawn}) == held_out


def test_problems_are_held_out_never_repeated_and_the_seeds_alone():
    config = check_config({"name": "run", "task": "addition", "seed": 3})
    drawn = draw_problems(Addition(2), config)
    assert drawn == draw_problems(Addition(2), config)
    assert drawn != draw_problems(Addition(2), config.model_copy(update={"seed": 4}))
    assert [len(each) for each in drawn] == [24] * 6
    queries = [p.query for each in drawn for p in each]
    assert len({Addition(2).canonical(q) for q in queries}) == len(queries)
    digits = np.array([[int(digit) for digit in q[:2] + q[3:5]] for q in queries])
    assert Addition(2).held_out(digits).all()


def test_the_defaults_are_a_run_and_survive_their_own_dump():
    config = check_config({"name": "run"})
    assert config == RunConfig(name="run")
    assert check_config(config.model_dump()) == config
    assert check_config(config.model_dump(mode="json")) == config
    neutral = check_config(nested("population.selection.temperature", math.inf))
    assert check_config(neutral.model_dump()) == neutral


def test_a_neutral_run_survives_its_manifest():
    """A manifest is JSON; infinity must come back from it."""

    neutral = check_config(nested("population.selection.temperature", math.inf))
    again = check_config(json.loads(json.dumps(neutral.model_dump(mode="json"))))
    assert again == neutral


def test_known_keys_are_the_ones_accepted():
    keys = known_keys()
    assert "population.selection.temperature" in keys
    assert len(set(keys)) == len(keys)
    endpoint = {"url": "http://127.0.0.1/v1", "model": "any"}
    examples = [{"question": "1+1=", "answer": "2"}]
    agents = {"founders": {}, "endpoint": endpoint, "examples": examples}
    whole = {"name": "run", "agents": agents, "task": {"growth": {"from": 2}}}
    plain = check_config(whole).model_dump()
    assert check_config(plain) == check_config(whole)
    for key in keys:
        here = plain
        for part in key.split("."):
            here = here[part]
            here = here[0] if isinstance(here, tuple) and here else here  # one of several


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "run.yaml"
        path.write_text(text)
        return path

    return write


def test_a_file_is_read_with_its_overrides(file):
    path = file("name: run\ntask: addition\npopulation: {size: 3}\nprotocol: {graders: 2}\n")
    config = load_config(
        path,
        (
            "population.size=5",
            "population.selection.temperature=.inf",
            "task.size=3",
            "agents.sampling_temperature=1e-1",
            "hosts.count=per-agent",
        ),
    )
    assert (config.population.size, config.task.size, config.protocol.graders) == (5, 3, 2)
    assert config.population.selection.temperature == math.inf
    assert config.agents.sampling_temperature == 0.1
    assert config.hosts.count == "per-agent"
    assert load_config(path).population.size == 3


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("population.size", "expected key=value"),
        ("=5", "expected key=value"),
        ("population.size.deep=5", "expected 'size' to be a section, got a value"),
        ("name.deep=5", "expected 'name' to be a section, got a value"),
        ("population.size=[", "expected YAML, got: "),
        ("population.size=", "population.size: expected a valid integer, got None"),
        ("population.sise=5", "population.sise: unknown key; did you mean population.size?"),
        ("population=5", "population: expected"),
        ("population..size=5", "unknown key"),
    ],
)
def test_a_faulty_override_is_refused(file, override, complaint):
    with pytest.raises(ConfigError) as caught:
        load_config(file("name: run\npopulation: {size: 8}\n"), (override,))
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- name: run\n", "expected a mapping of configuration keys, got list"),
        ("", "expected a mapping of configuration keys, got NoneType"),
        ("run", "expected a mapping of configuration keys, got str"),
        ("name: [", "expected YAML, got"),
        ("name: run\n1: 2\n", "1"),
        ("name: run\npopulation:\n", "population: expected"),
        ("name: !!python/object:os.system {}\n", "expected YAML, got"),
        ("{}", "name: expected a value, got nothing"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(file, text, complaint):
    path = file(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value).removeprefix(str(path))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    missing = tmp_path / "nowhere.yaml"
    with pytest.raises(ConfigError, match=r"nowhere.yaml: expected a YAML file, got nothing"):
        load_config(missing)
    with pytest.raises(ConfigError, match="expected YAML, got"):
        load_config(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(ConfigError, match="expected YAML, got"):
        load_config(tmp_path / "binary.yaml")


def test_no_more_can_have_to_agree_than_there_are():
    growing = {
        "name": "run",
        "population": {"size": 3},
        "protocol": {"graders": 2},
        "task": {"growth": {"from": 2, "agree": 3}},
    }
    assert found_tournament(check_config(growing), SELECTED).settings.growth.agree == 3
    assert check_config(growing).task.growth.grows
    growing["task"]["growth"]["largest"] = 2
    assert not check_config(growing).task.growth.grows
    growing["task"]["growth"]["agree"] = 4
    with pytest.raises(ConfigError, match=r"task\.growth\.agree: expected at most .* = 3, got 4"):
        check_config(growing)
