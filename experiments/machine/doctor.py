"""Can a run work on this machine? Looks without starting anything, and says what to mend."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

import mgptn
from mgptn.agents.allowance import available_memory, usable_cpus
from mgptn.agents.checkpoints import BUNDLED
from mgptn.agents.hosts.ray_address import Joining, cluster_to_join
from mgptn.experiments.config.sections.plugins import interfaces, protocols, tasks
from mgptn.experiments.machine.checks import (
    Check,
    Status,
    check_cluster,
    check_cores,
    check_disk,
    check_gpu_memory,
    check_import,
    check_libraries,
    check_memory,
    check_models,
    check_plugins,
    check_port,
    check_prometheus,
    check_python,
    check_sandbox,
    check_shared_memory,
    check_torch,
    installed_gpus,
)
from mgptn.experiments.machine.installation import check_installation

STYLES: dict[Status, str] = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def diagnose(
    ray_address: str | None = None,
    metrics_port: int = 9464,
    runs: Path = Path("runs"),
    models: Path = BUNDLED,
) -> list[Check]:
    """Look at everything a run needs, in some two seconds; nothing stays started or written.

    Parameters
    ----------
    ray_address
        ``host:port`` or ``ray://host:port`` of a cluster that runs shall join; None if each run
        starts Ray itself, or joins what ``RAY_ADDRESS`` names; ``"auto"`` for what this machine's
        Ray last started.
    metrics_port
        Where the run would answer Prometheus, on loopback; 0 for nowhere.
    runs
        Folder that runs are written to; need not exist.
    models
        Folder of the bundled models.
    """
    gpus = installed_gpus()
    checks = [
        check_python(sys.version_info[:3]),
        check_installation(Path(mgptn.__file__).parent),
        check_libraries(),
        check_torch(bool(gpus)),
        check_import("transformers"),
        check_import("ray"),
    ]
    joining = Joining(ray_address, False) if ray_address is not None else cluster_to_join()
    if joining is not None:
        checks.append(check_cluster(joining))
    checks += [
        check_memory(available_memory()),
        check_disk(runs),
        check_cores(usable_cpus()),
        check_shared_memory(Path("/dev/shm")),
    ]
    checks += [check_gpu_memory(name, free, total) for name, free, total in gpus]
    checks += check_models(models)
    checks += check_plugins([protocols(), tasks(), interfaces()])
    checks += [check_port(metrics_port), check_prometheus(), check_sandbox()]
    return checks


def render(checks: Sequence[Check]) -> Table:
    """The diagnosis as a table for a rich console."""
    table = Table(title="mgptn doctor", title_justify="left")
    for heading in ("check", "status", "found", "mend"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        # As Text: a path may look like markup.
        table.add_row(
            Text(check.name),
            Text(check.status, STYLES[check.status]),
            Text(check.found),
            Text(check.mend),
        )
    return table


def exit_status(checks: Sequence[Check]) -> int:
    """1 if a run could not work, or else 0."""
    return int(any(check.status == "fail" for check in checks))
