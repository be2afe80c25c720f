"""The cluster `ray up` would start: valid for Ray itself, closed to strangers, GPUs on demand."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import copy
import fnmatch
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import ValidationError
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parents[3]
FILES = ("ray_cluster.yaml", "deploy/gcp.yaml")
CONFIGS = {name: yaml.safe_load((ROOT / name).read_text(encoding="utf-8")) for name in FILES}
CONFIG = CONFIGS[FILES[0]]


@pytest.fixture(params=FILES)
def config(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What `ray up` makes of a file: with Ray's defaults, validated by Ray."""
    prepared: dict[str, Any] = prepare_config(copy.deepcopy(CONFIGS[request.param]))
    validate_config(prepared)
    return prepared


def test_another_cloud_differs_in_provider_nodes_and_its_client_alone() -> None:
    first, second = CONFIGS.values()
    assert first.keys() == second.keys()
    differing = {key for key in first if first[key] != second[key]}
    assert differing == {"provider", "available_node_types", "head_setup_commands"}
    (_, *ours), (_, *theirs) = first["head_setup_commands"], second["head_setup_commands"]
    assert ours == theirs
    for nodes in (first["available_node_types"], second["available_node_types"]):
        assert nodes.keys() == {"head", "gpu_worker"}


def test_ray_refuses_an_unknown_key() -> None:
    with pytest.raises(ValidationError):
        validate_config(prepare_config({**copy.deepcopy(CONFIG), "maximum_workers": 3}))


def test_gpu_workers_start_at_none_and_scale(config: dict[str, Any]) -> None:
    worker = config["available_node_types"]["gpu_worker"]
    assert worker["min_workers"] == 0
    assert 0 < worker["max_workers"] <= config["max_workers"]
    head = config["available_node_types"][config["head_node_type"]]
    assert head["max_workers"] == 0


@pytest.mark.parametrize("node", ["head", "worker"])
def test_every_node_requires_the_token(config: dict[str, Any], node: str) -> None:
    stop, start = config[f"{node}_start_ray_commands"]
    assert stop.endswith("ray stop")
    assert "export RAY_AUTH_MODE=token " in start
    assert start.index("RAY_AUTH_MODE") < start.index("ray start")
    assert config["file_mounts"]["/home/ubuntu/.ray/auth_token"] == "~/.ray/auth_token"


def test_the_dashboard_is_on_loopback_only(config: dict[str, Any]) -> None:
    head, worker = config["head_start_ray_commands"][1], config["worker_start_ray_commands"][1]
    assert "--dashboard-host=127.0.0.1" in head
    assert "0.0.0.0" not in head + worker


def test_every_node_installs_under_constraints(config: dict[str, Any]) -> None:
    for node in ("head", "worker"):
        assert any(
            "pip install -c constraints.txt -e ." in command
            for command in config[f"{node}_setup_commands"]
        )


def test_what_is_copied_is_here_and_small(config: dict[str, Any]) -> None:
    sources = {
        remote: local
        for remote, local in config["file_mounts"].items()
        if not remote.endswith("auth_token")
    }
    assert all((ROOT / local).exists() for local in sources.values())
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert {Path(local).name for local in sources.values()} >= packages | {
        "src",
        "pyproject.toml",
        "constraints.txt",
    }
    for name in (".venv", "runs", ".git"):
        assert name not in {Path(local).name for local in sources.values()}
        assert any(fnmatch.fnmatch(f"x/{name}", pattern) for pattern in config["rsync_exclude"])


def test_links_lead_to_what_is_copied_too(config: dict[str, Any]) -> None:
    """Ray copies with `rsync -a`, which keeps links as they are."""
    mounts = {Path(there): ROOT / here for there, here in config["file_mounts"].items()}
    links = [
        (there / link.relative_to(here), link)
        for there, here in mounts.items()
        for link in here.rglob("*")
        if link.is_symlink()
    ]
    assert {link.name for _, link in links} == {"agents", "experiments", "population", "protocols"}
    for there, link in links:
        target = Path(os.path.normpath(there.parent / link.readlink()))
        assert mounts[target].resolve() == link.resolve()


@pytest.mark.parametrize("name", FILES)
def test_no_secret_is_in_the_file(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"RAY_AUTH_TOKEN=|AKIA[0-9A-Z]{16}|ami-[0-9a-f]{8}", text)
