"""One way to run the model, in a process of its own: begun cold, then asked phase by phase.

`python -m mgptn.experiments.bench.real.worker WAY SPEC`; a line of JSON in, a line of JSON out.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from mgptn.experiments.bench.real.workload import Workload, workload_of

OURS, GENERATE, CONTINUOUS, LLAMA = "ours", "generate()", "continuous batching", "llama.cpp"


def main(name: str, spec: Path) -> None:
    """Load the model, give a first answer, say so; then do as asked until there is no more."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries print
    told = json.loads(spec.read_text(encoding="utf-8"))
    workload = workload_of(told["workload"])
    way = _made(name, told, workload)
    way.answer(workload.answers[:1])
    _say(out, {"peak": _peak(told["device"])})
    for line in sys.stdin:
        _say(out, _done(way, json.loads(line), workload, told["device"]))


def _made(name: str, told: dict[str, Any], workload: Workload) -> Any:
    if name.startswith(LLAMA):
        from mgptn.experiments.bench.real.llama import LlamaCpp

        file, scratch = Path(told["files"][name]), Path(told["scratch"])
        exact = name.endswith("float32")
        return LlamaCpp(told["library"], file, workload, told["threads"], scratch, exact=exact)
    import torch

    from mgptn.agents.hosts.host import HostSettings
    from mgptn.experiments.bench.real.ways import Continuous, Generating, Ours

    torch.set_num_threads(told["threads"])
    device, dtype = told["device"], told["dtype"]
    if name == OURS:
        settings = HostSettings(
            told["model"], workload.weights, device, dtype, threads=told["threads"]
        )
        return Ours(settings, workload.slots)
    made = Generating if name == GENERATE else Continuous
    return made(Path(told["folder"]), device, dtype)


def _done(way: Any, asked: str, workload: Workload, device: str) -> dict[str, Any]:
    if asked == "where":
        from mgptn.experiments.bench.real.where import where

        return {"where": where(way, workload)}
    if asked == "forget":
        way.forget()
        return {}
    began = time.perf_counter()
    said = way.answer(workload.answers) if asked == "answer" else way.grade(workload.grades)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "said": said, "peak": _peak(device)}


def _peak(device: str) -> int:
    """Bytes that were resident at the most, or taken of a GPU."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    if status.exists():  # what a process began as, a copy of its parent, does not count here
        (line,) = (
            x for x in status.read_text(encoding="utf-8").splitlines() if x.startswith("VmHWM")
        )
        return int(line.split()[1]) * 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _say(out: Any, what: dict[str, Any]) -> None:
    out.write(json.dumps(what) + "\n")
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
