"""Memory is planned: what a host says it needs covers what it takes, and a shortage is said."""

# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import pytest

from mgptn.agents.checkpoints import (
    Checkpoint,
    CheckpointError,
    count_parameters,
    find_checkpoint,
)
from mgptn.agents.engine.memory import (
    CONTEXT_BYTES,
    KEPT,
    PREFIX_CACHE_BYTES,
    Lengths,
    MemoryShortageError,
    check_memory,
    needed_bytes,
    together,
)
from mgptn.agents.engine.shapes import Shape, shape_of
from mgptn.agents.hosts import counting
from mgptn.agents.hosts.counting import fitting, hosts_on_cards, planned
from mgptn.agents.learning.memory import HELD_BYTES, Lesson, learning_bytes
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.running.fleets import hosts, joint_settings
from mgptn.experiments.setting.stage import Stage
from tests.architectures import ALONE, ENGINE

LENGTHS = Lengths(prefix=200, row=16, answer=8)


def test_what_is_needed_covers_slots_columns_layers_and_prefixes():
    """gpt-3: 4 layers of 4 heads, 32 wide, so that a token's keys and values take 4 kB."""
    checkpoint = find_checkpoint("gpt-3")
    state = 4 * 2 * 4 * 32 * 4
    base, doubled = (
        together([needed_bytes(checkpoint, "float32", slots, LENGTHS, "cpu")])
        for slots in (64, 128)
    )
    assert base > PREFIX_CACHE_BYTES + 1_054_000 * 4 + 64 * (16 + 8) * state + 200 * state
    assert doubled - base > 64 * (16 + 8) * state
    assert doubled < 2 * base
    half = together([needed_bytes(checkpoint, "bfloat16", 64, LENGTHS, "cpu")])
    assert half < base


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("llama", Shape(2, 32, 4, 2, 8, 260)),
        ("gpt2", Shape(2, 32, 4, 4, 8, 260)),
        ("gemma2", Shape(2, 32, 4, 2, 16, 260)),
        ("gemma3_images", Shape(6, 32, 4, 2, 16, 260)),  # its part that reads text
        ("gemma4", Shape(4, 32, 4, 2, 16, 260)),  # heads of two widths
        ("deepseek_v3", Shape(2, 32, 4, 4, 24, 260)),  # keys are wider than values
        ("falcon", Shape(2, 32, 4, 4, 8, 260)),
        ("gpt_neo", Shape(2, 32, 4, 4, 8, 260)),
        ("mpt", Shape(2, 32, 4, 4, 8, 260)),
        ("jetmoe", Shape(2, 32, 4, 2, 8, 260)),
        ("mamba", Shape(2, 32, 1, 1, 32, 260)),
    ],
)
def test_shapes_are_known_by_whatever_names_a_configuration_has(tmp_path, name, expected):
    config = {**ENGINE, **ALONE}[name]().to_dict()
    assert shape_of(Checkpoint(name, tmp_path, "", config)) == expected


def test_what_a_configuration_leaves_out_is_what_transformers_takes_for_granted(tmp_path):
    """As the files of Gemma 3 leave out heads, their width, and the vocabulary."""
    said = {"model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 34}
    config = {"model_type": "gemma3", "text_config": said}
    found = shape_of(Checkpoint("", tmp_path, "", config))
    assert (found.layers, found.width, found.heads, found.head) == (34, 2560, 8, 256)
    assert found.vocabulary > 250_000
    with pytest.raises(CheckpointError, match="expected a configuration that says hidden_size"):
        shape_of(Checkpoint("", tmp_path, "", {"model_type": "unheard-of"}))


def test_a_shortage_names_the_setting_to_lower():
    check_memory(10**9, 10**9, "here")
    with pytest.raises(MemoryShortageError, match=r"hosts\.slots: expected at least 2\.0 GB free "):
        check_memory(2 * 10**9, 10**9, "here")
    with pytest.raises(MemoryShortageError, match=r"got 1\.0 GB; lower hosts\.slots, hosts\.count"):
        check_memory(10**9, 10**9, "here", hosts=2)


def test_a_gpus_buffers_are_all_counted():
    """Of slots and prefixes as many as are kept for the shapes that take turns."""
    checkpoint = find_checkpoint("gpt-3")
    state = 4 * 2 * 4 * 32 * 4
    here, there = (
        needed_bytes(checkpoint, "float32", 64, LENGTHS, device).kept for device in ("cpu", "cuda")
    )
    more = KEPT["cuda"] - KEPT["cpu"]
    assert there - here > more * (64 * (16 + 8) + LENGTHS.prefix) * state


def test_hosts_are_planned_together():
    assert planned("auto", 8, 10**9, [9 * 10**9]) == 8
    assert planned(4, 4, 10**9, [4 * 10**9]) == 4
    with pytest.raises(MemoryShortageError, match=r"for 2 hosts of 1\.0 GB each, got 2\.0 GB"):
        planned(2, 2, 10**9, [2 * 10**9 - 1])
    with pytest.raises(MemoryShortageError, match="for 5 hosts of"):
        planned("per-agent", 5, 10**9, [4 * 10**9])


def test_where_nobody_gave_a_number_fewer_hosts_are_started_and_it_is_said(caplog):
    assert planned("auto", 8, 10**9, [9 * 10**9, 3 * 10**9 + 1]) == 3
    assert "of 8 hosts of 1.0 GB each, 3 fit into the 3.0 GB that are free" in caplog.text
    with pytest.raises(MemoryShortageError, match="free on this machine for a host"):
        planned("auto", 8, 10**9, [10**9 - 1])


@pytest.mark.parametrize(
    ("gpus", "free", "expected"),
    [
        (0.25, [8, 8], (8, 0.25)),
        (0.25, [8, 3], (6, 0.3333)),
        (0.25, [1, 8], (2, 1.0)),
        (1.0, [0, 0], (2, 1.0)),  # each looks on its own card
    ],
)
def test_hosts_that_share_a_gpu_share_its_memory(monkeypatch, gpus, free, expected):
    each = 10**9
    monkeypatch.setattr(
        counting, "free_on_cards", lambda: [number * (each + CONTEXT_BYTES) for number in free]
    )
    count = hosts_on_cards(len(free), gpus)
    assert fitting("auto", count, each, "cuda", gpus) == expected


@pytest.mark.parametrize(
    ("cards", "gpus", "hosts"), [(2, 0.4, 4), (1, 0.3, 3), (3, 0.1, 30), (4, 2.0, 2), (4, 1.0, 4)]
)
def test_a_host_takes_its_part_of_one_card(cards, gpus, hosts):
    assert hosts_on_cards(cards, gpus) == hosts


def test_a_run_that_cannot_fit_is_refused_before_a_host_is_started(monkeypatch):
    config = check_config({"name": "large", "hosts": {"device": "cpu", "count": 2}})
    stage = Stage(config)
    needed = together(stage.memory("cpu").values())
    assert stage.host_settings("cpu").memory == needed > PREFIX_CACHE_BYTES
    assert stage.host_settings("cuda").memory > needed
    monkeypatch.setattr(counting, "available_memory", lambda: 2 * needed - 1)
    # As of a Ray that was started for this run, on this machine.
    monkeypatch.setattr("mgptn.agents.hosts.ray.beginning.start_ray", lambda *_, **__: True)
    monkeypatch.setattr("mgptn.agents.hosts.ray.beginning.stop_ray", lambda: None)
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 2.0})
    with (
        pytest.raises(MemoryShortageError, match="for 2 hosts of"),
        hosts(stage, None),
    ):
        pass
    monkeypatch.setattr("mgptn.agents.hosts.make_host.free_memory", lambda device: needed - 1)
    with pytest.raises(MemoryShortageError, match="GB free on cpu for a host"):
        stage.local_fleet()


def test_hosts_of_several_runs_have_the_memory_of_the_greatest():
    base = {"name": "small", "hosts": {"device": "cpu", "count": 1}}
    small = Stage(check_config(base))
    large = Stage(check_config({**base, "agents": {"context_capacity": 20}}))
    other = Stage(check_config({**base, "agents": {"model": "gpt-1"}}))
    (one,), (more,), (further,) = (s.memory("cpu").values() for s in (small, large, other))
    assert one.kept < more.kept
    assert one.passing <= more.passing
    assert joint_settings([small, large], "cpu").memory == together([more])
    # Models are all kept, but work one at a time, and share the cache of prefixes.
    joint = joint_settings([small, large, other], "cpu").memory
    assert joint == together([more, further]) == together([more]) + further.kept
    assert further.passing < more.passing
    assert together([]) == 0


def learnt(*what):
    """Bytes of learning in all."""
    needed = learning_bytes(*what)
    return needed.kept + needed.passing


def test_what_learning_takes_is_weights_moments_and_a_steps_documents():
    """gpt-3 has 1.05 million numbers, four layers 128 wide."""
    checkpoint = find_checkpoint("gpt-3")
    parameters = count_parameters(checkpoint.folder)
    base = Lesson(trained=parameters, documents=8, tokens=32, agents=1)
    factors = replace(base, trained=parameters // 50)
    whole, few = (learnt(checkpoint, "float32", one) for one in (base, factors))
    # The learner's model and the founder's numbers twice; of what is trained its gradient, two
    # moments, and what is remembered of it on both sides.
    assert whole > 3 * 4 * parameters + 5 * 4 * parameters
    assert 3 * 4 * parameters < few < whole - 5 * 4 * parameters
    longer = learnt(checkpoint, "float32", replace(base, tokens=64))
    more = learnt(checkpoint, "float32", replace(base, documents=16))
    assert longer - whole > more - whole > 8 * 32 * 4 * 4 * 10 * 128
    crowd, all_of_them = (
        learnt(checkpoint, "float32", replace(base, agents=agents)) for agents in (1000, 10**6)
    )
    assert whole < crowd == all_of_them < whole + 3 * HELD_BYTES
    assert learnt(checkpoint, "bfloat16", base) < whole
