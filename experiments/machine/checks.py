"""What a run needs of a machine, one question a function; nothing is started."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from packaging.requirements import Requirement

from mgptn.agents.checkpoints import CheckpointError, find_checkpoint
from mgptn.agents.hosts.ray_address import (
    VARIABLE,
    Joining,
    check_answers,
    cluster_endpoint,
)
from mgptn.agents.sandbox.kinds import KINDS, MEND, fault_of
from mgptn.agents.training.command import made_by
from mgptn.experiments.config.sections.plugins import Known
from mgptn.experiments.views import metrics_server

GB = 10**9
PYTHON_NEEDED = (3, 11)
MEMORY_NEEDED = 3 * GB
DISK_NEEDED = 1 * GB
SHARED_MEMORY_WANTED = 1 * GB
GPU_MEMORY_WANTED = 2 * GB
PROBE_SECONDS = 2.0

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the diagnosis.

    Attributes
    ----------
    name
        What was looked at.
    status
        ``"ok"``; ``"warn"`` where a run works, but not at its best; ``"fail"`` where none can.
    found
        What was found, in words.
    mend
        What to do about it; empty where all is well.
    """

    name: str
    status: Status
    found: str
    mend: str = ""


def check_python(version: tuple[int, ...]) -> Check:
    """Is the interpreter new enough?"""
    found = f"{platform.python_implementation()} {'.'.join(map(str, version))}"
    if version[:2] >= PYTHON_NEEDED:
        return Check("Python", "ok", found)
    wanted = ".".join(map(str, PYTHON_NEEDED))
    mend = f"install Python {wanted} or newer, then `make PYTHON=python{wanted} test`"
    return Check("Python", "fail", found, mend)


def check_libraries() -> Check:
    """Is every library that the distribution asks for here, at a version that it accepts?"""
    install = "`make test`, or `pip install -c constraints.txt -e .`, from the repository's root"
    try:
        lines = importlib.metadata.requires("mgptn") or []
    except importlib.metadata.PackageNotFoundError:
        return Check("libraries", "warn", "mgptn is not installed, only imported", install)
    wanted = [Requirement(line) for line in lines]
    wanted = [r for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    faults = [fault for fault in map(_library_fault, wanted) if fault]
    if faults:
        return Check("libraries", "fail", "; ".join(faults), install)
    return Check("libraries", "ok", f"all {len(wanted)}, at versions that fit")


def check_torch(gpu_present: bool) -> Check:
    """Does PyTorch import, and which devices does it see?"""
    imported = check_import("torch")
    if imported.status == "fail":
        return imported
    import torch

    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        names = sorted({torch.cuda.get_device_name(i) for i in range(count)})
        return Check("torch", "ok", f"{torch.__version__}; {count} × {', '.join(names)}")
    found = f"{torch.__version__}; CPU only"
    if gpu_present:
        mend = "install a CUDA build of torch that suits the driver: https://pytorch.org"
        return Check("torch", "warn", f"{found}, though there is a GPU", mend)
    return Check("torch", "ok", found)


def check_import(name: str) -> Check:
    """Does a library import?"""
    try:
        module = importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 (a broken installation may raise anything)
        return _broken(name, error)
    return Check(name, "ok", str(module.__version__))


def check_plugins(groups: Sequence[Known[Any]]) -> list[Check]:
    """Can protocols, tasks and interfaces of other packages be used? A row for each that cannot."""
    broken = [fault for group in groups for _, fault in group.faults()]
    if broken:
        return [
            Check("plugin", "warn", str(fault), "mend or remove the package; only runs need it "
                  "that name it")
            for fault in broken
        ]  # fmt: skip
    names = [name for group in groups for name in group.plugins]
    return [Check("plugins", "ok", ", ".join(names))] if names else []


def check_cluster(joining: Joining) -> Check:
    """Does a cluster answer where a run would join one? Its version and token are not tried."""
    name, where = "Ray cluster", f"{VARIABLE} names " if joining.inherited else ""
    instead = f"unset {VARIABLE} to start Ray on this machine; or " if joining.inherited else ""
    host, port = cluster_endpoint(joining.address)
    if host is None:
        mend = "`ray start --head` here, or give the address of a running cluster as host:port"
        found = f"{where}{joining.address!r}, for which no cluster is to be found"
        return Check(name, "fail", found, f"{instead}{mend}")
    try:
        check_answers(host, port, PROBE_SECONDS)
    except OSError as error:
        mend = "is the cluster up, and its port open from here? `ray status --address` says more"
        found = f"{where}{host}:{port}, which does not answer: {error}"
        return Check(name, "fail", found, f"{instead}{mend}")
    return Check(name, "ok", f"{where}{host}:{port}, which answers")


def check_memory(available: int) -> Check:
    """Is there memory for Ray, a driver and a host or two?"""
    found = f"{_gigabytes(available)} free"
    if available >= MEMORY_NEEDED:
        return Check("memory", "ok", found)
    mend = f"free some: a run needs {_gigabytes(MEMORY_NEEDED)}"
    return Check("memory", "fail", found, mend)


def check_disk(runs: Path) -> Check:
    """Is there room where runs are written, and may we write there?"""
    folder = runs.absolute()
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        mend = "choose a folder that you may write to, with --out"
        return Check("disk", "fail", f"{folder} cannot be written to", mend)
    free = shutil.disk_usage(folder).free
    found = f"{_gigabytes(free)} free in {folder}"
    if free >= DISK_NEEDED:
        return Check("disk", "ok", found)
    mend = f"a run needs {_gigabytes(DISK_NEEDED)}: free some, or write elsewhere with --out"
    return Check("disk", "fail", found, mend)


def check_cores(cores: int) -> Check:
    """How many CPU cores may this process use?"""
    found = f"{cores} usable"
    if cores >= 2:
        return Check("CPU cores", "ok", found)
    return Check("CPU cores", "warn", found, "a run works, slowly; give it two cores or more")


def check_shared_memory(folder: Path) -> Check:
    """Is there shared memory enough for Ray's object store?"""
    name = str(folder)
    if not folder.is_dir():
        return Check(name, "ok", "none; Ray uses files")
    total = shutil.disk_usage(folder).total
    if total >= SHARED_MEMORY_WANTED:
        return Check(name, "ok", _gigabytes(total))
    mend = "Ray falls back to slower files; in a container, start it with --shm-size=2g"
    return Check(name, "warn", _gigabytes(total), mend)


def check_gpu_memory(name: str, free: int, total: int) -> Check:
    """Is there room on a GPU for a host?"""
    found = f"{_gigabytes(free)} of {_gigabytes(total)} free"
    if free >= GPU_MEMORY_WANTED:
        return Check(name, "ok", found)
    mend = "`nvidia-smi` shows who holds it; or run with --set hosts.device=cpu"
    return Check(name, "warn", found, mend)


def check_models(folder: Path) -> list[Check]:
    """A row for each bundled model: are its files whole?"""
    found = sorted(path for path in folder.glob("*/*") if path.is_dir())
    if not found:
        train = f"`mgptn pretrain --rung gpt-3 --out {folder / 'gpt-3' / '0'}`"
        mend = f"install mgptn again, with its models; or train one: {train}"
        return [Check("bundled models", "fail", f"none in {folder}", mend)]
    return [_check_model(path) for path in found]


def check_port(port: int) -> Check:
    """Could a run open its metrics port on loopback?"""
    name = "metrics port"
    if port == 0:
        return Check(name, "ok", "turned off")
    mend = "run with --set metrics.port=PORT, another one, or 0 for none"
    try:
        metrics_server.check_port("127.0.0.1", port)
    except metrics_server.PortTaken:
        if port == metrics_server.USUAL:
            mend = f"a run that names none takes another, and says which; or {mend}"
            return Check(name, "warn", f"{port} is taken", mend)
        return Check(name, "fail", f"{port} is taken", mend)
    except metrics_server.EndpointError as error:
        return Check(name, "fail", f"{port} cannot be opened: {error}", mend)
    return Check(name, "ok", f"{port} is free")


def check_prometheus() -> Check:
    """Is Prometheus here? Runs do without."""
    path = shutil.which("prometheus")
    if path:
        return Check("Prometheus", "ok", path)
    mend = "only to watch runs live: `apt-get install prometheus`, or see monitoring/README.md"
    return Check("Prometheus", "warn", "not on PATH", mend)


def check_sandbox() -> Check:
    """Which sandboxes work, for tasks whose answers are programs? Each is tried with one."""
    name, faults = "sandbox", {kind: fault_of(kind) for kind in KINDS}
    working = [kind for kind, fault in faults.items() if not fault]
    found = "; ".join(f"{kind}: {fault or 'works'}" for kind, fault in faults.items())
    if len(working) == len(KINDS):
        return Check(name, "ok", found)
    mend = f"only for tasks that run programs{'' if working else ', which are refused'}: {MEND}"
    return Check(name, "warn", found, mend)


def parse_gpus(report: str) -> list[tuple[str, int, int]]:
    """Name, free and total bytes of each GPU, from nvidia-smi's CSV of index, name and MiB."""
    gpus: list[tuple[str, int, int]] = []
    for line in report.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 4 and parts[2].isdigit() and parts[3].isdigit():
            index, name, free, total = parts
            gpus.append((f"GPU {index}, {name}", int(free) * 2**20, int(total) * 2**20))
    return gpus


def installed_gpus() -> list[tuple[str, int, int]]:
    """The GPUs of this machine; asked of the driver, so that no memory of theirs is taken."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return []
    query = ["--query-gpu=index,name,memory.free,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(
            [command, *query], capture_output=True, text=True, timeout=PROBE_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):  # a tool without a driver: no GPU to use
        return []
    return parse_gpus(answer.stdout)


def _check_model(folder: Path) -> Check:
    rung, seed = folder.parent.name, folder.name
    name = f"model {rung}/{seed}"
    usual = f"mgptn pretrain --rung {rung} --seed {seed} --out {folder}"
    mend = f"install mgptn again, or train it: `{made_by(folder, folder) or usual}`"
    missing = [
        file
        for file in ("config.json", "tokenizer.json", "model.safetensors")
        if not (folder / file).is_file()
    ]
    if missing:
        return Check(name, "fail", f"no {', '.join(missing)} in {folder}", mend)
    try:
        from safetensors import SafetensorError, safe_open
        from tokenizers import Tokenizer
    except ImportError as error:
        return _broken(name, error)
    try:
        checkpoint = find_checkpoint(str(folder))
        Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8"))
        with safe_open(folder / "model.safetensors", framework="numpy") as weights:
            tensors = len(weights.keys())
    except (CheckpointError, SafetensorError, OSError) as error:
        return Check(name, "fail", f"cannot be read: {error}", mend)
    except Exception as error:  # noqa: BLE001 (what tokenizers raises is a bare Exception)
        return Check(name, "fail", f"tokenizer.json cannot be read: {error}", mend)
    return Check(name, "ok", f"{tensors} tensors, hash {checkpoint.weights[:12]}")


def _library_fault(wanted: Requirement) -> str | None:
    try:
        version = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{wanted.name} is missing"
    if wanted.specifier.contains(version, prereleases=True):
        return None
    return f"{wanted.name}: expected {wanted.specifier}, got {version}"


def _broken(name: str, error: Exception) -> Check:
    found = f"does not import: {type(error).__name__}: {error}"
    return Check(name, "fail", found, "`make clean`, then `make test`, from the repository's root")


def _gigabytes(count: int) -> str:
    return f"{count / GB:.1f} GB"
