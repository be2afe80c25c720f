"""The work done by llama.cpp's server, on loopback in this process, by the package xllamacpp.

It is asked as one who knows it would: every agent has a slot of its own, in which the beginning of
a prompt that is there already is not read again, and all agents are asked at once.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import http.client
import importlib
import importlib.util
import json
import math
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mgptn.agents.checkpoints import instruct_folder
from mgptn.agents.requests import Generate, HostRequest, Score, Tokens, common
from mgptn.experiments.bench.real.trimming import trimmed
from mgptn.experiments.bench.real.workload import Workload

PACKAGE = "xllamacpp"
HOW = f"pip install --no-deps {PACKAGE} brings it"
SHOWN = 100
"""Likeliest tokens whose probabilities the server says."""
COLUMN_STEP = 256


def find_library() -> str | None:
    """The folder to import the package from: empty where it is installed, None where it is not.

    It is looked for in the user's cache too, beside the instruct model.
    """
    if importlib.util.find_spec(PACKAGE) is not None:
        return ""
    cached = instruct_folder().parent / "llama.cpp" / "library"
    return str(cached) if (cached / PACKAGE).is_dir() else None


class LlamaCpp:
    """A server of one model.

    Parameters
    ----------
    library
        As of `find_library`.
    file
        The model, as llama.cpp reads it.
    scratch
        A folder that the server may name; without one it does not let go of what it remembers.
    exact
        Attention, keys and values in float32 too, instead of its usual float16.
    """

    def __init__(
        self, library: str, file: Path, workload: Workload, threads: int, scratch: Path,
        *, exact: bool,
    ) -> None:  # fmt: skip
        if library:
            sys.path.insert(0, library)
        made: Any = importlib.import_module(PACKAGE)
        self._prefixes = list(dict.fromkeys(r.prefix for r in workload.answers))
        prompts = [len(r.prefix + r.suffix) + r.max_tokens for r in workload.answers]
        prompts += [len(r.prefix + r.suffix) + 1 for r in workload.grades]
        room = -(-max(prompts) // COLUMN_STEP) * COLUMN_STEP
        settings = made.CommonParams()
        settings.model.path = str(file)
        settings.hostnames, settings.port = ["127.0.0.1"], 0
        settings.n_parallel = len(self._prefixes)
        settings.n_ctx = room * len(self._prefixes)
        settings.warmup, settings.cache_ram_mib = False, 0
        settings.slot_save_path = f"{scratch}/"
        if exact:
            settings.cache_type_k = settings.cache_type_v = made.ggml_type.GGML_TYPE_F32
            # Its flash attention rounds on the way, by more than float32 does.
            kinds = made.llama_flash_attn_type
            settings.flash_attn_type = kinds.LLAMA_FLASH_ATTN_TYPE_DISABLED
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
        self._server = made.Server(settings)
        address = str(self._server.listening_address).rpartition("/")[2]
        self._host, _, port = address.rpartition(":")
        self._port = int(port)

    def answer(self, requests: Sequence[Generate]) -> list[Tokens]:
        """Greedy answers."""

        def one(request: Generate, slot: int) -> Tokens:
            said = self._complete(request, slot, n_predict=request.max_tokens, return_tokens=True)
            return trimmed(said["tokens"], request)

        return self._at_once(requests, one)

    def grade(self, requests: Sequence[Score]) -> tuple[tuple[float, ...], ...]:
        """What options of one token have, as far as they are among the likeliest; NaN of others."""

        def one(request: Score, slot: int) -> tuple[float, ...]:
            said = self._complete(request, slot, n_predict=1, n_probs=SHOWN)
            shown = said["completion_probabilities"][0]["top_logprobs"]
            known: dict[Tokens, float] = {(t["id"],): t["logprob"] for t in shown}
            return tuple(known.get(option, math.nan) for option in request.options)

        return tuple(self._at_once(requests, one))

    def forget(self) -> None:
        """Let every slot's keys and values go."""
        for slot in range(len(self._prefixes)):
            self._post(f"/slots/{slot}?action=erase", {})

    def _at_once(self, requests: Sequence[Any], one: Callable[[Any, int], Any]) -> list[Any]:
        """Each slot's requests one after the other, all slots at once."""
        of_slot: dict[int, list[int]] = {}
        for i, request in enumerate(requests):
            of_slot.setdefault(self._slot(request), []).append(i)
        found: dict[int, Any] = {}

        def all_of(slot: int) -> None:
            for i in of_slot[slot]:
                found[i] = one(requests[i], slot)

        with ThreadPoolExecutor(len(of_slot)) as pool:
            list(pool.map(all_of, of_slot))
        return [found[i] for i in range(len(requests))]

    def _slot(self, request: HostRequest) -> int:
        """That of the agent whose context a prompt begins with."""
        shared = [common(request.prefix, prefix) for prefix in self._prefixes]
        return shared.index(max(shared))

    def _complete(self, request: HostRequest, slot: int, **further: Any) -> dict[str, Any]:
        prompt = list(request.prefix + request.suffix)
        return self._post(
            "/completion",
            {"prompt": prompt, "id_slot": slot, "temperature": 0, "cache_prompt": True, **further},
        )

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self._host, self._port)
        try:
            told = {"Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(body), told)
            reply = connection.getresponse()
            text = reply.read().decode()
        finally:
            connection.close()
        if reply.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path}: expected an answer of llama.cpp's, got {text[:500]}")
        return dict(json.loads(text))
