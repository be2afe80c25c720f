"""What clusters are made from: one image, one Ray, a token, no root, commands that there are."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

import mgptn
from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import load_config
from tests.rooms import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
FILES = sorted(path.name for path in KUBERNETES.glob("*.yaml"))


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((KUBERNETES / name).read_text(encoding="utf-8")))


def within(plain: Any, key: str) -> Iterator[Any]:
    """All that stands under a key, however deep."""
    if isinstance(plain, dict):
        for name, value in plain.items():
            if name == key:
                yield value
            yield from within(value, key)
    elif isinstance(plain, list):
        for value in plain:
            yield from within(value, key)


@pytest.mark.parametrize("name", FILES)
def test_pods_are_of_one_image_and_never_root(name: str) -> None:
    for document in documents(name):
        assert set(within(document, "image")) <= {f"registry.example/mgptn:{mgptn.__version__}"}
        pods = [spec for spec in within(document, "spec") if "containers" in spec]
        assert all(spec["securityContext"]["runAsNonRoot"] is True for spec in pods)
        assert all(spec["securityContext"]["runAsUser"] == 1000 for spec in pods)
        assert not list(within(document, "privileged"))


@pytest.mark.parametrize("name", ["run.yaml", "cluster.yaml"])
def test_a_cluster_asks_for_a_token_and_has_the_tested_version_of_ray(name: str) -> None:
    pinned = re.search(r"^ray==(.+)$", (ROOT / "constraints.txt").read_text("utf-8"), flags=re.M)
    assert pinned is not None
    (document,) = documents(name)
    assert list(within(document, "rayVersion")) == [pinned[1]]
    assert list(within(document, "authOptions")) == [{"mode": "token"}]
    (claim,) = documents("storage.yaml")
    claims = list(within(document, "persistentVolumeClaim"))
    assert claims == [{"claimName": claim["metadata"]["name"]}]


def test_a_job_runs_and_goes_on_by_commands_that_there_are() -> None:
    (document,) = documents("run.yaml")
    shell, flag, script = shlex.split(document["spec"]["entrypoint"])
    assert (shell, flag) == ("bash", "-c")
    resumed, begun = re.findall(r"exec (mgptn .+?); (?:else|fi)", script)
    assert resumed.split()[:2] == ["mgptn", "resume"]
    _, run, config, *options = begun.split()
    parsed = main.commands[run].make_context("run", [config, *options])
    assert f"{parsed.params['out']}" == resumed.split()[2]
    settings = load_config(config, parsed.params["overrides"])
    (workers,) = document["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert settings.hosts.count == workers["maxReplicas"]
    assert f"[ -e {parsed.params['out']}/journal.msgpack ]" in script
    ports = [port["containerPort"] for port in next(within(document, "ports"))]
    assert 9464 in ports


def test_the_image_holds_all_that_is_installed_and_has_no_root() -> None:
    image = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    kept = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    copied = {
        source for line in re.findall(r"^COPY (.+)$", image, flags=re.M)
        for source in line.split()[:-1]
    }  # fmt: skip
    assert {"src", "population", "protocols", "agents", "experiments"} <= copied
    assert {"constraints.txt", "pyproject.toml"} <= copied
    assert copied == set(re.findall(r"^!(.+)$", kept, flags=re.M))
    assert all((ROOT / source).exists() for source in copied)
    assert re.findall(r"^USER (.+)$", image, flags=re.M)[-1] == "1000"
    assert "-c constraints.txt" in image
