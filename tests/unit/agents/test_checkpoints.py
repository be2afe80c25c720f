"""Checkpoints: what is found, what is refused and why, and what the hash covers."""

# SPDX-License-Identifier: Apache-2.0

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from mgptn.agents.checkpoints import CheckpointError, bundled_models, expand_models, find_checkpoint
from mgptn.agents.training.rungs import ladder_tokenizer


@pytest.fixture
def folder(tmp_path):
    """A folder with all that a checkpoint has; the weights are those of no model."""
    path = tmp_path / "model"
    path.mkdir()
    config = {"model_type": "llama", "max_position_embeddings": 64, "vocab_size": 22}
    (path / "config.json").write_text(json.dumps(config))
    save_file({"weight": np.arange(4.0)}, path / "model.safetensors")
    ladder_tokenizer().save_pretrained(path)
    return path


def edit(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refused(name):
    with pytest.raises(CheckpointError) as caught:
        find_checkpoint(str(name))
    assert str(caught.value).startswith("agents.model: expected ")
    return str(caught.value)


def test_a_folder_is_found(folder):
    found = find_checkpoint(str(folder))
    assert (found.name, found.folder) == (str(folder), folder)
    assert found.context_tokens == 64
    assert found.config["model_type"] == "llama"
    assert len(found.weights) == 64


def test_weights_are_read_once_and_again_when_they_have_changed(folder):
    """Counted by Python's own audit of what is opened."""
    opened, counting = [], True

    def note(event, arguments):
        if counting and event == "open" and isinstance(arguments[0], str | os.PathLike):
            opened.append(os.path.basename(arguments[0]))

    sys.addaudithook(note)
    weights = folder / "model.safetensors"
    try:
        first = find_checkpoint(str(folder))
        assert opened.count(weights.name) == 1
        assert find_checkpoint(str(folder)) == first
        assert opened.count(weights.name) == 1
        os.utime(weights, ns=(0, 0))
        assert find_checkpoint(str(folder)) == first
        assert opened.count(weights.name) == 2
        save_file({"weight": np.arange(4.0) + 1.0}, weights)  # of the same size
        assert find_checkpoint(str(folder)).weights != first.weights
        # A file put in another's place, with the other's size and time.
        before = weights.stat()
        save_file({"weight": np.arange(4.0)}, folder / "other")
        os.utime(folder / "other", ns=(before.st_atime_ns, before.st_mtime_ns))
        os.replace(folder / "other", weights)
        assert find_checkpoint(str(folder)).weights == first.weights
        # A tokenizer's file that was not there before.
        (folder / "vocab.json").write_text("{}")
        assert find_checkpoint(str(folder)).weights != first.weights
        assert opened.count("vocab.json") >= 1
    finally:
        counting = False


def test_a_model_without_a_stated_length_may_read_anything(folder):
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    assert find_checkpoint(str(folder)).context_tokens >= 2**31
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2", "n_positions": 32}))
    assert find_checkpoint(str(folder)).context_tokens == 32


def test_every_bundled_model_is_found_by_name():
    for name in bundled_models():
        assert find_checkpoint(name).name == name


def test_a_rung_alone_is_its_first_seed():
    assert find_checkpoint("gpt-3").folder == find_checkpoint("gpt-3/0").folder


def test_patterns_stand_for_bundled_models_and_other_names_for_themselves(folder):
    rung = [name for name in bundled_models() if name.startswith("gpt-3/")]
    assert expand_models("gpt-3/*") == tuple(rung)
    assert expand_models("*") == tuple(bundled_models())
    assert expand_models("org/name") == ("org/name",)
    assert expand_models(f"{folder}, gpt-3/0,gpt-3/*") == (str(folder), *rung)
    with pytest.raises(CheckpointError, match=r"that fits a bundled model \(.*gpt-3/0.*'gpt-0/\*'"):
        expand_models("gpt-0/*")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    missing = tmp_path / "missing"
    assert repr(str(missing)) in refused(missing)
    assert "'gpt-0'" in refused("gpt-0")
    assert all(name in refused("gpt-0") for name in bundled_models())
    assert "'a/b/c'" in refused("a/b/c")


def test_a_folder_without_configuration_is_refused(folder):
    (folder / "config.json").unlink()
    message = refused(folder)
    assert "config.json" in message
    assert str(folder) in message


def test_a_broken_configuration_is_refused(folder):
    (folder / "config.json").write_text("{")
    assert f"expected JSON in {folder / 'config.json'}, got" in refused(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth"])
def test_pickled_weights_are_never_loaded(folder, name):
    (folder / "model.safetensors").unlink()
    assert "got no weights" in refused(folder)
    (folder / name).write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    message = refused(folder)
    assert f"got only pickled weights ({name})" in message
    assert "pickles can run code" in message


def test_an_encoder_decoder_is_refused(folder):
    edit(folder, is_encoder_decoder=True)
    assert "expected a decoder-only model, got an encoder–decoder" in refused(folder)


def test_a_model_that_draws_at_random_is_refused(folder):
    edit(folder, model_type="reformer")
    assert "says the same of a text each time, got reformer in" in refused(folder)


def test_limits_and_ends_are_those_of_the_part_that_reads_text(folder):
    part = {"vocab_size": 30, "max_position_embeddings": 99, "eos_token_id": 7}
    edit(folder, eos_token_id=[5, 6], text_config=part)
    found = find_checkpoint(str(folder))
    assert (found.rows, found.context_tokens, found.ends) == (30, 99, (5, 6, 7))


def test_the_hash_is_of_the_content_alone(folder, tmp_path):
    before = find_checkpoint(str(folder)).weights
    (folder / "README.md").write_text("notes")
    (folder / "checkpoint.pt").write_bytes(b"state of the optimizer")
    moved = folder.rename(tmp_path / "elsewhere")
    os.utime(moved / "model.safetensors", (1, 1))
    assert find_checkpoint(str(moved)).weights == before


@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"]
)
def test_the_hash_changes_with_whatever_decides_replies(folder, name):
    before = find_checkpoint(str(folder)).weights
    path = folder / name
    if name == "model.safetensors":
        save_file({"weight": np.arange(4.0) + 1e-9}, path)
    else:
        plain = json.loads(path.read_text())
        if name == "tokenizer_config.json":
            plain["bos_token"] = "<pad>"  # what every prompt begins with
        path.write_text(json.dumps(plain | {"added": 1}))
    assert find_checkpoint(str(folder)).weights != before


def test_the_hash_covers_every_shard(folder):
    save_file({"other": np.arange(2.0)}, folder / "model-00002.safetensors")
    before = find_checkpoint(str(folder)).weights
    save_file({"other": np.arange(2.0) + 1}, folder / "model-00002.safetensors")
    assert find_checkpoint(str(folder)).weights != before


def test_a_hub_model_without_network_is_named(tmp_path):
    script = (
        "from mgptn.agents.checkpoints import *\n"
        "try:\n    find_checkpoint('nobody/no-such-model')\n"
        "except CheckpointError as error:\n    print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.startswith("agents.model: expected a bundled model")
    assert "got 'nobody/no-such-model': LocalEntryNotFoundError: " in run.stdout


@pytest.mark.parametrize(
    "file",
    [
        "chat_template.jinja",
        "chat_template.json",
        "additional_chat_templates/tool.jinja",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.txt",
        "spiece.model",
    ],
)
def test_whatever_decides_what_is_read_is_part_of_the_hash(folder, file):
    before = find_checkpoint(str(folder)).weights
    path = folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_text('{"chat_template": "{{ messages }}"}')
    changed = find_checkpoint(str(folder)).weights
    assert changed != before
    path.write_text('{"chat_template": "{{ messages[0] }}"}')
    assert find_checkpoint(str(folder)).weights not in (before, changed)


def test_generation_config_counts_where_it_says_more_than_the_configuration(folder):
    before = find_checkpoint(str(folder)).weights
    said = folder / "generation_config.json"
    said.write_text(json.dumps({"transformers_version": "5.1", "use_cache": True}))
    assert find_checkpoint(str(folder)).weights == before
    said.write_text(json.dumps({"eos_token_id": [2, 3]}))
    found = find_checkpoint(str(folder))
    assert found.weights != before
    assert found.ends == (2, 3)
    edit(folder, eos_token_id=[2, 3])
    both = find_checkpoint(str(folder)).weights
    said.unlink()
    assert find_checkpoint(str(folder)).weights == both


def test_a_fetched_model_is_named_by_the_cache(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MGPTN_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError, match=r"got nothing there; mgptn models fetch brings"):
        find_checkpoint("instruct/tiny")
    (tmp_path / "instruct").mkdir()
    folder.rename(tmp_path / "instruct" / "tiny")
    assert find_checkpoint("instruct/tiny").folder == tmp_path / "instruct" / "tiny"


DEEP = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", "[]", "expected an object in .*config.json"),
        ("config.json", DEEP, "expected JSON in .*config.json"),
        ("generation_config.json", DEEP, "expected JSON in .*generation_config.json"),
        ("config.json", '{"n_layer": 1000000000}', "expected at most 10000 as n_layer"),
        ("config.json", '{"t": {"num_experts": 1e12}}', "expected at most 10000 as num_experts"),
    ],
)
def test_files_that_say_nothing_that_can_be_are_refused_by_name(folder, file, content, message):
    (folder / file).write_text(content)
    with pytest.raises(CheckpointError, match=message):
        find_checkpoint(str(folder))


def test_links_out_of_a_folder_and_pipes_are_refused(folder, tmp_path):
    (tmp_path / "elsewhere").write_text("{}")
    (folder / "added_tokens.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match=r"got added_tokens\.json, a link to .*elsewhere"):
        find_checkpoint(str(folder))
    (folder / "added_tokens.json").unlink()
    (folder / "added_tokens.json").symlink_to(folder / "config.json")
    find_checkpoint(str(folder))
    os.mkfifo(folder / "vocab.json")
    with pytest.raises(CheckpointError, match=r"got vocab\.json, which is a pipe or a device"):
        find_checkpoint(str(folder))


def test_a_snapshot_of_the_hub_links_to_its_blobs(folder, tmp_path):
    home = tmp_path / "models--a--b"
    (home / "snapshots").mkdir(parents=True)
    shutil.copytree(folder, home / "blobs")
    snapshot = home / "snapshots" / "abc"
    snapshot.mkdir()
    for path in (home / "blobs").iterdir():
        (snapshot / path.name).symlink_to(Path("../../blobs") / path.name)
    assert find_checkpoint(str(snapshot)).weights == find_checkpoint(str(folder)).weights


def test_an_index_names_files_of_its_folder_alone(folder):
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"w": "../elsewhere.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match=r"expected names of files in .*, got \.\./elsewhere"):
        find_checkpoint(str(folder))
