"""`mgptn bench run`: where a whole run's time and memory go, its processes watched from outside."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
import psutil
from rich.console import Console
from rich.table import Table

INTERVAL = 0.1
"""Seconds between looks at the processes."""


def whole_run(console: Console, config: Path, overrides: tuple[str, ...]) -> int:
    """Run a configuration in a process of its own, and print what it cost; its exit status.

    Memory is resident set size, summed over processes, so that pages they share count more than
    once. Ray's own processes (its servers, agents and idle workers) are told apart from the driver
    and the hosts.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        command = [
            sys.executable,
            "-m",
            "mgptn.experiments",
            "run",
            str(config),
            "--out",
            str(folder),
        ]
        for override in overrides:
            command += ["--set", override]
        began = time.perf_counter()
        driver = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        peaks = _watch(driver)
        wall = time.perf_counter() - began
        if driver.returncode != 0:
            return driver.returncode
        generations = pl.read_parquet(folder / "generations.parquet")
        hosts = peaks.pop("hosts at once")
    table = Table("what", "figure")
    total = float(generations["seconds_total"].sum())
    forward = sum(float(generations[f"seconds_{name}"].sum()) for name in ("forward", "sampling"))
    table.add_row("whole command", f"{wall:.1f} s")
    table.add_row("of it in generations, all arms", f"{total:.1f} s")
    table.add_row("forward passes and sampling, summed over hosts", f"{forward:.1f} s")
    table.add_row("hosts", f"{hosts:.0f}")
    table.add_row(
        "share of the hosts' time in generations outside forward passes",
        f"{1 - forward / (total * hosts):.1%}",
    )
    for name, size in peaks.items():
        table.add_row(f"peak memory, {name}", f"{size / 2**30:.2f} GiB")
    console.print(table)
    return 0


def _watch(driver: subprocess.Popen[bytes]) -> dict[str, float]:
    """Peak bytes of each kind of process while the driver lives, and how many hosts there were."""
    root = psutil.Process(driver.pid)
    peaks = {"driver": 0.0, "hosts": 0.0, "driver and hosts": 0.0, "Ray's own": 0.0}
    hosts_at_once = 0
    while driver.poll() is None:
        now = dict.fromkeys(peaks, 0.0)
        hosts = 0
        try:
            family = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            break
        for process in family:
            try:
                size = process.memory_info().rss
                command = " ".join(process.cmdline()[:1])
            except psutil.Error:
                continue
            if process.pid == driver.pid:
                kind = "driver"
            else:
                kind = "hosts" if command.startswith("ray::HostActor") else "Ray's own"
            hosts += kind == "hosts"
            now[kind] += size
        now["driver and hosts"] = now["driver"] + now["hosts"]
        peaks = {name: max(peaks[name], now[name]) for name in peaks}
        hosts_at_once = max(hosts_at_once, hosts)
        time.sleep(INTERVAL)
    return {**peaks, "hosts at once": float(hosts_at_once)}
