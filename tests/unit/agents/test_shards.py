"""Files of weights: which are loaded, and what is refused before a number is read."""

# SPDX-License-Identifier: Apache-2.0

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from mgptn.agents.checkpoints import CheckpointError, find_checkpoint
from mgptn.agents.shards import count_parameters, find_shards, read_header

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 123\n"


@pytest.fixture
def folder(tmp_path):
    """Two shards and their index."""
    config = {"model_type": "llama", "vocab_size": 22}
    (tmp_path / "config.json").write_text(json.dumps(config))
    places = {}
    for i in (1, 2):
        name = f"model-0000{i}-of-00002.safetensors"
        save_file({f"w{i}": np.arange(4.0 * i), f"v{i}": np.ones((2, 3))}, tmp_path / name)
        places |= {f"w{i}": name, f"v{i}": name}
    index = {"metadata": {}, "weight_map": places}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    return tmp_path


def refused(folder):
    with pytest.raises(CheckpointError) as caught:
        find_checkpoint(str(folder))
    assert str(caught.value).startswith("agents.model: expected ")
    return str(caught.value)


def shard(folder, number):
    return folder / f"model-0000{number}-of-00002.safetensors"


def test_shards_are_those_of_the_index_and_one_whole_file_goes_before(folder):
    found = find_checkpoint(str(folder)).weights
    assert find_shards(folder) == (shard(folder, 1), shard(folder, 2))
    assert count_parameters(folder) == 4 + 8 + 2 * 6
    save_file({"w": np.ones(5)}, folder / "consolidated.safetensors")
    assert count_parameters(folder) == 24  # transformers does not load it either
    assert find_checkpoint(str(folder)).weights != found
    save_file({"w": np.ones(5)}, folder / "model.safetensors")
    assert find_shards(folder) == (folder / "model.safetensors",)
    assert count_parameters(folder) == 5


def test_a_missing_shard_is_named(folder):
    shard(folder, 2).unlink()
    message = refused(folder)
    assert "got 1 of 2, without model-00002-of-00002.safetensors" in message


@pytest.mark.parametrize("kept", [0, 5, 8, 40, -1])
def test_a_file_that_is_cut_off_is_named(folder, kept):
    path = shard(folder, 2)
    path.write_bytes(path.read_bytes()[:kept])
    message = refused(folder)
    assert str(path) in message
    assert "cut off" in message


def test_a_file_that_is_longer_than_its_header_says_is_named(folder):
    path = shard(folder, 1)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"\0")
    assert f"expected {size} bytes in {path}, as its header says, got {size + 1}" in refused(folder)


def test_a_header_that_is_none_is_named(folder):
    path = shard(folder, 1)
    path.write_bytes((3).to_bytes(8, "little") + b"{x}")
    assert f"expected safetensors in {path}, got a header that cannot be read" in refused(folder)


@pytest.mark.parametrize(
    "name",
    ["model-00001-of-00002.safetensors", "config.json", "tokenizer.json", "generation_config.json"],
)
def test_a_pointer_of_git_lfs_is_refused_by_its_file(folder, name):
    (folder / name).write_text(POINTER)
    message = refused(folder)
    assert f"expected the content of {folder / name}, got a pointer of Git LFS" in message


def test_a_pointer_that_is_not_loaded_is_no_hindrance(folder):
    (folder / "consolidated.safetensors").write_text(POINTER)
    assert find_checkpoint(str(folder)).config["vocab_size"] == 22


def test_a_weight_of_the_index_that_no_file_has_is_named(folder):
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    index["weight_map"]["lost"] = shard(folder, 1).name
    path.write_text(json.dumps(index))
    assert "got files without lost" in refused(folder)


def test_an_index_that_is_none_is_named(folder):
    path = folder / "model.safetensors.index.json"
    path.write_text('{"weights": {}}')
    assert f"expected an index of weights in {path}, got: KeyError" in refused(folder)


def test_files_by_other_names_are_not_taken_for_a_model(folder):
    (folder / "model.safetensors.index.json").unlink()
    message = refused(folder)
    assert "expected model.safetensors or model.safetensors.index.json" in message
    assert shard(folder, 1).name in message


def test_a_header_says_names_and_shapes(folder):
    assert read_header(shard(folder, 1))["v1"]["shape"] == [2, 3]
