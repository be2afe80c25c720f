"""The sections `hosts` and `metrics` of a configuration: what no result depends on, but bits."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mgptn.experiments.config.sections.section import Section


class HostsConfig(Section):
    """The fleet: ``auto`` is one host a GPU, or one a CPU core where there is none."""

    count: Literal["auto", "per-agent"] | Annotated[int, Field(ge=1)] = "auto"
    """Processes with a model: `auto` is one a GPU, or one a CPU core, as far as memory goes;
    `per-agent`; or a number. No result depends on it."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where they compute."""
    gpus_per_host: Annotated[float, Field(gt=0, le=8, allow_inf_nan=False)] = 1.0
    """Share of a GPU that each host reserves."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Of weights and arithmetic."""
    slots: Annotated[int, Field(ge=1, le=1024)] = 32
    """Answers written together at most, computed by fours."""
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    """CPU threads of a host; with more than 2, last bits may depend on what else is asked."""
    patience: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] = 60.0
    """Seconds that a host may at least take, for a tile or to come up where none is left; then it
    is replaced, or the run given up. Always at least 30 times the longest that the same took before
    in this run, and 20 times this where nobody has done it yet. A host is told of before. No result
    depends on it."""
    watts: Annotated[float | None, Field(gt=0, le=1e6, allow_inf_nan=False)] = None
    """Watts of a host while it works, by which the energy of a right answer is estimated; without,
    the cards' own counters are read (NVML, where `nvidia-ml-py` is installed), and of processors
    nothing is known. No result depends on it."""


class MetricsConfig(Section):
    """Where Prometheus finds the run, and for how long after its end.

    Port 0 turns it off; ``auto`` is 9464, or where that is taken any other that is free.
    """

    host: str = "127.0.0.1"
    """Address on which Prometheus finds the run. On loopback it answers whoever asks for
    `localhost`, an address, or this."""
    port: Literal["auto"] | Annotated[int, Field(ge=0, le=65535)] = "auto"
    """`auto` is 9464, or, where that is taken, any other, which is said; a port that is given must
    be free; 0 turns it off."""
    linger_seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 0.0
    """How long it is still found after its end, so that a last scrape sees all."""
