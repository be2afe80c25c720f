"""`mgptn bench engine --model`: a population's work, ours beside what else one would use.

Every way runs in a process of its own; Ray is not needed.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from mgptn.agents.hosts.fleet import LocalFleet
from mgptn.agents.requests import Generate, Generated
from mgptn.agents.tiles import plan
from mgptn.experiments.bench.engine.ceiling import fastest
from mgptn.experiments.bench.real.contest import contest
from mgptn.experiments.bench.real.gguf import NotConverted, write_gguf
from mgptn.experiments.bench.real.llama import HOW, PACKAGE, find_library
from mgptn.experiments.bench.real.tables import as_plain, rate_table, ratio_table, where_table
from mgptn.experiments.bench.real.worker import CONTINUOUS, GENERATE, LLAMA, OURS
from mgptn.experiments.bench.real.workload import (
    QUICK,
    Size,
    Workload,
    configured,
    make_workload,
)
from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.record.manifest import library_versions
from mgptn.experiments.setting.stage import Stage
from mgptn.experiments.views.doing import doing

BESIDE = {"float32": ("float32", "float16"), "bfloat16": ("bfloat16",)}
"""What llama.cpp is given beside a dtype of ours: the same, and the half of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is measured, and on what.

    Attributes
    ----------
    gguf
        The model as llama.cpp reads it; None to write it here.
    beside
        Beginnings of the names of those who are to be compared; empty for all.
    """

    model: str
    device: str
    dtype: str
    threads: int
    repeats: int
    size: Size
    gguf: Path | None = None
    beside: tuple[str, ...] = ()


def asked_of(
    model: str, device: str, dtype: str | None, threads: int, repeats: int, size: Size | None,
    gguf: Path | None, beside: tuple[str, ...],
) -> Asked:  # fmt: skip
    """What the command line asks for; without a size, hardly anything of it.

    Raises
    ------
    ConfigError
        If nobody of that name could be compared.
    """
    for name in beside:
        if not name.startswith((GENERATE[:-2], CONTINUOUS.split()[0], LLAMA)):
            raise ConfigError(
                f"--beside: expected {GENERATE}, {CONTINUOUS} or {LLAMA}, got {name!r}"
            )
    usual = "float32" if device == "cpu" else "bfloat16"
    times = 1 if size is None else repeats
    return Asked(model, device, dtype or usual, threads, times, size or QUICK, gguf, beside)


def real_model(console: Console, asked: Asked, out: Path | None) -> None:
    """Measure, print the tables, and write JSON if asked to.

    Raises
    ------
    mgptn.agents.checkpoints.CheckpointError
        If the model cannot be used.
    mgptn.experiments.bench.real.contest.WayError
        If the host's own process fails.
    """
    with doing("what the machine does with each dtype"):
        speeds = {name: _layer_speed(asked.device, name) for name in BESIDE}
    with doing(f"{asked.model}: what agents are asked"):
        workload, folder, name = _workload(asked)
    remarks: list[str] = []
    with tempfile.TemporaryDirectory(prefix="mgptn-bench-") as scratch:
        spec = Path(scratch) / "spec.json"
        files = _files(asked, folder, Path(scratch), remarks)
        told = {
            "workload": workload.as_plain(),
            "model": name,
            "folder": str(folder),
            "device": asked.device,
            "dtype": asked.dtype,
            "threads": asked.threads,
            "files": files,
            "library": find_library() or "",
            "scratch": scratch,
        }
        spec.write_text(json.dumps(told), encoding="utf-8")
        others = (GENERATE, CONTINUOUS, *files)
        names = (OURS, *(one for one in others if one.startswith(asked.beside or "")))
        found, failed, parts = contest(names, spec, asked.threads, asked.repeats)
    said = workload.said()
    title = f"{asked.model}: {asked.device}, {asked.dtype}, {asked.threads} threads"
    for table in (ratio_table(found, title), rate_table(found), where_table(parts)):
        console.print(table)
    faster = speeds["bfloat16"] / speeds["float32"]
    remarks += [f"Left out: {why}" for why in failed.values()]
    remarks += [
        f"{asked.size.agents} agents, {asked.size.graders} graders an answer: "
        f"{said['answers']:.0f} answers after {said['answer_prompt']:.0f} tokens, of which "
        f"{said['answer_prefix']:.0f} are an agent's own; {said['grades']:.0f} grades after "
        f"{said['grade_prompt']:.0f}, of which {said['grade_prefix']:.0f} are a grader's own.",
        f"Products of matrices in bfloat16 are {faster:.2f} times as fast as in float32 here.",
    ]
    console.print("\n".join(remarks), highlight=False)
    if out is not None:
        plain: dict[str, Any] = {
            "asked": {**asdict(asked), "gguf": None if asked.gguf is None else str(asked.gguf)},
            "workload": said,
            "matmul": speeds,
            **as_plain(found),
            "left_out": failed,
            "where": parts,
            "versions": library_versions((PACKAGE,)),
        }
        out.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")


def _layer_speed(device: str, dtype: str) -> float:
    """Floating-point operations a second of a layer that reads a block's tokens."""
    import torch

    tokens, width = (64, 1024) if device == "cpu" else (4096, 4096)
    kind = getattr(torch, dtype)
    given = torch.randn(tokens, width, device=device, dtype=kind)
    weight = torch.randn(width, width, device=device, dtype=kind)
    work = fastest(lambda: torch.nn.functional.linear(given, weight), device)
    return 2 * tokens * width**2 / work


def _workload(asked: Asked) -> tuple[Workload, Path, str]:
    """What is asked, and the model's folder and name."""
    stage = Stage(configured(asked.model, asked.size, asked.device, asked.dtype, asked.threads))
    fleet = LocalFleet(stage.host_settings(asked.device))
    (checkpoint,) = stage.checkpoints.values()

    def answering(requests: list[Generate]) -> list[Generated]:
        planned = plan(requests, checkpoint.weights, asked.size.problems)
        return planned.collect(fleet.run(planned.tiles))

    return make_workload(stage, asked.size, answering), checkpoint.folder, checkpoint.name


def _files(asked: Asked, folder: Path, scratch: Path, remarks: list[str]) -> dict[str, str]:
    """Contestant → file of each llama.cpp that can be had; what cannot is remarked."""
    if asked.device != "cpu":
        remarks.append(f"Left out: {LLAMA}, which {PACKAGE} has for a CPU alone.")
        return {}
    if asked.beside and not any(one.startswith(LLAMA) for one in asked.beside):
        return {}
    if find_library() is None:
        remarks.append(f"Left out: {LLAMA}, for {PACKAGE} is not installed; {HOW}.")
        return {}
    if asked.gguf is not None:
        return {f"{LLAMA} {asked.gguf.name}": str(asked.gguf)}
    made = {}
    for dtype in BESIDE[asked.dtype]:
        if not f"{LLAMA} {dtype}".startswith(asked.beside or ""):
            continue
        with doing(f"{LLAMA}: writing its {dtype} file"):
            try:
                file = write_gguf(folder, scratch / f"{dtype}.gguf", dtype)
            except NotConverted as error:
                remarks.append(
                    f"Left out: {LLAMA}, for its file is not written here: {error}; --gguf names "
                    "one that llama.cpp's own convert_hf_to_gguf.py has made."
                )
                return {}
            made[f"{LLAMA} {dtype}"] = str(file)
    return made
