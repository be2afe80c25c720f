"""The section `sandbox` of a configuration: where programs run, and what one may take."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mgptn.agents.sandbox.programs import MIB, Limits
from mgptn.experiments.config.sections.section import Section

KIB = 1024


class SandboxConfig(Section):
    """Heeded by tasks whose verdicts need programs to be run, and by no other."""

    kind: Literal["auto", "bubblewrap", "interpreter"] = "auto"
    """The sandbox that programs run in (docs/trust/sandbox.md): `auto` is the strongest that works
    here and on all machines of the cluster. Where none does, the task is refused before any
    work."""
    seconds: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 1.0
    """Of a processor that one program may take."""
    wall: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 30.0
    """Of a clock, after which a program that was not given its `seconds` has no verdict."""
    memory: Annotated[int, Field(ge=64, le=1 << 20)] = 256
    """MiB of memory of one program."""
    output: Annotated[int, Field(ge=1, le=1 << 20)] = 64
    """KiB of what it says, on each of its channels."""
    source: Annotated[int, Field(ge=1, le=1 << 20)] = 1024
    """KiB of its text."""
    programs: Literal["auto"] | Annotated[int, Field(ge=1, le=4096)] = "auto"
    """Programs at a time on each machine; `auto` is as many as it has CPUs."""

    @model_validator(mode="after")
    def _time_to_use(self) -> SandboxConfig:
        if self.wall < self.seconds:
            raise ValueError(
                f"wall: expected at least sandbox.seconds = {self.seconds:g}, got {self.wall:g}"
            )
        return self

    @property
    def limits(self) -> Limits:
        """What one program may take."""
        memory, output, source = self.memory * MIB, self.output * KIB, self.source * KIB
        return Limits(self.seconds, self.wall, memory, output, source)

    @property
    def workers(self) -> int | None:
        """Programs at a time; None for as many as there are CPUs."""
        return None if self.programs == "auto" else self.programs
