"""The doctor under real conditions: taken ports, broken models, missing libraries."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from mgptn.agents.allowance import available_memory
from mgptn.agents.hosts.ray_address import Joining
from mgptn.experiments.machine import checks
from mgptn.experiments.machine.checks import Check
from mgptn.experiments.machine.doctor import diagnose, exit_status, render
from mgptn.experiments.views.metrics_server import USUAL
from tests.greeting import SETTINGS, listening
from tests.ports import free_port


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with one whole, tiny model."""
    folder = tmp_path / "models" / "gpt-1" / "0"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    Tokenizer(WordLevel({"a": 0}, unk_token="a")).save(str(folder / "tokenizer.json"))
    save_file({"weight": np.zeros((8, 8), np.float32)}, folder / "model.safetensors")
    return folder.parent.parent


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Something that listens on a port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def row(checks: list[Check], name: str) -> Check:
    (found,) = [check for check in checks if check.name == name]
    return found


def test_a_sound_machine_can_run(models: Path, tmp_path: Path) -> None:
    checks = diagnose(metrics_port=free_port(), runs=tmp_path / "not" / "yet", models=models)
    faults = [check for check in checks if check.status == "fail"]
    assert [check.name for check in faults if check.name not in {"memory", "disk"}] == []
    assert row(checks, "model gpt-1/0").status == "ok"
    assert not (tmp_path / "not").exists()


def test_every_fault_comes_with_its_mend(tmp_path: Path) -> None:
    checks = diagnose("127.0.0.1:1", runs=tmp_path, models=tmp_path)
    assert exit_status(checks) == 1
    assert all(check.mend for check in checks if check.status != "ok")
    assert not any(check.mend for check in checks if check.status == "ok")


def test_it_is_quick(models: Path) -> None:
    diagnose(models=models)  # the first call pays for imports
    start = time.perf_counter()
    diagnose(models=models)
    assert time.perf_counter() - start < 5


def test_a_taken_port_is_named(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    check = checks.check_port(port)
    assert (check.status, check.found) == ("fail", f"{port} is taken")
    assert "--set metrics.port=" in check.mend


def test_the_usual_port_being_taken_stops_no_run() -> None:
    with ExitStack() as stack:
        with suppress(OSError):  # another's, and so taken already
            stack.enter_context(socket.create_server(("127.0.0.1", USUAL)))
        check = checks.check_port(USUAL)
    assert (check.status, check.found) == ("warn", f"{USUAL} is taken")


def test_a_free_port_and_no_port_are_fine() -> None:
    assert checks.check_port(free_port()).status == "ok"
    assert checks.check_port(0).found == "turned off"


def test_no_models_is_a_failure(tmp_path: Path) -> None:
    (check,) = checks.check_models(tmp_path)
    assert check.status == "fail"
    assert str(tmp_path) in check.found
    assert "mgptn pretrain" in check.mend


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_model_file_is_named(models: Path, name: str) -> None:
    (models / "gpt-1/0" / name).unlink()
    (check,) = checks.check_models(models)
    assert check.status == "fail"
    assert name in check.found


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_truncated_model_file_is_a_failure(models: Path, name: str) -> None:
    path = models / "gpt-1/0" / name
    path.write_bytes(path.read_bytes()[:-9])
    (check,) = checks.check_models(models)
    assert check.status == "fail"
    assert "cannot be read" in check.found


def test_one_broken_model_does_not_hide_another(models: Path) -> None:
    shutil.copytree(models / "gpt-1", models / "gpt-2")
    (models / "gpt-1/0" / "config.json").unlink()
    assert [check.status for check in checks.check_models(models)] == ["fail", "ok"]


def test_weights_that_differ_have_another_hash(models: Path) -> None:
    (before,) = checks.check_models(models)
    save_file({"weight": np.ones((8, 8), np.float32)}, models / "gpt-1/0" / "model.safetensors")
    (after,) = checks.check_models(models)
    assert before.status == after.status == "ok"
    assert before.found != after.found


def given(address: str) -> Joining:
    return Joining(address, inherited=False)


def test_a_cluster_that_greets_is_reachable() -> None:
    with listening(SETTINGS) as address:
        for written in (address, f"ray://{address}"):
            assert checks.check_cluster(given(written)).status == "ok"


def test_a_cluster_that_does_not_listen_is_not() -> None:
    check = checks.check_cluster(given(f"127.0.0.1:{free_port()}"))
    assert check.status == "fail"
    assert "does not answer" in check.found


def test_auto_finds_what_ray_last_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert checks.check_cluster(given("auto")).status == "fail"
    (tmp_path / "ray").mkdir()
    with listening(SETTINGS) as address:
        (tmp_path / "ray" / "ray_current_cluster").write_text(f"{address}\n")
        assert checks.check_cluster(given("auto")).status == "ok"


@pytest.mark.parametrize("address", ["", "host:port", "ray://", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_a_failure(address: str) -> None:
    assert checks.check_cluster(given(address)).status == "fail"


def test_a_cluster_that_only_the_environment_names_is_looked_at_and_said(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{free_port()}")
    check = row(diagnose(models=models), "Ray cluster")
    assert check.status == "fail"
    assert "RAY_ADDRESS names 127.0.0.1" in check.found
    assert check.mend.startswith("unset RAY_ADDRESS to start Ray on this machine")


def test_a_library_that_is_not_there_is_a_failure() -> None:
    check = checks.check_import("no_such_library")
    assert check.status == "fail"
    assert "ModuleNotFoundError" in check.found


def test_a_library_that_breaks_on_import_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_library.py").write_text("raise RuntimeError('built for another NumPy')")
    monkeypatch.syspath_prepend(tmp_path)
    assert "built for another NumPy" in checks.check_import("broken_library").found


def test_an_old_python_is_a_failure() -> None:
    assert checks.check_python((3, 10, 12)).status == "fail"
    assert checks.check_python((3, 11, 0)).status == "ok"


def test_scarce_resources_are_seen(tmp_path: Path) -> None:
    assert checks.check_memory(checks.MEMORY_NEEDED - 1).status == "fail"
    assert checks.check_memory(checks.MEMORY_NEEDED).status == "ok"
    assert checks.check_cores(1).status == "warn"
    assert checks.check_gpu_memory("GPU 0", 10**9, 24 * 10**9).status == "warn"
    assert checks.check_shared_memory(tmp_path / "absent").status == "ok"
    assert available_memory() > 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_a_failure(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert checks.check_disk(tmp_path / "runs").status == "fail"


def test_a_file_where_runs_should_go_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    assert checks.check_disk(tmp_path / "runs").status == "fail"


def test_no_prometheus_is_only_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert checks.check_prometheus().status == "warn"


def test_gpus_are_read_from_the_drivers_report() -> None:
    report = "0, NVIDIA A10G, 22500, 23028\n1, NVIDIA A10G, [N/A], [N/A]\n"
    assert checks.parse_gpus(report) == [("GPU 0, NVIDIA A10G", 22500 * 2**20, 23028 * 2**20)]
    assert checks.parse_gpus("NVIDIA-SMI has failed") == []


def test_the_table_shows_every_word_as_it_is() -> None:
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(render([Check("disk", "fail", "no room in /data[red]/runs", "free some")]))
    text = console.export_text()
    for word in ("disk", "fail", "/data[red]/runs", "free some"):
        assert word in text
