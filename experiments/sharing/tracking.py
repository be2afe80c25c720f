"""`--log-to`: the figures of rounds as they are committed, for a tracker of experiments.

An observer beside the journal: what it is told is the table of generations. A tracker's library is
imported only when it is asked for. If it fails while a run goes on, that is said once, and the
run goes on: the journal has everything, and `mgptn resume` tells a tracker all rounds anew.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.tables.frames import generation_frame
from mgptn.experiments.views.measured import MeasuredRound

Show = Callable[[MeasuredRound], None]


class TrackingError(ValueError):
    """Figures that cannot be logged where they are to be: says what was expected and got."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """The run that is logged.

    Attributes
    ----------
    folder
        The run's; it need not be there yet.
    resumed
        Whether it was begun before.
    """

    folder: Path
    config: RunConfig
    resumed: bool = False

    @property
    def name(self) -> str:
        """What the run is called among others."""
        return self.folder.resolve().name


class Log(Protocol):
    """Where a run's figures go.

    Attributes
    ----------
    faults
        What logging may raise for reasons that are not the run's.
    """

    faults: tuple[type[Exception], ...]

    def write(self, arm: str, generation: int, figures: dict[str, float]) -> None:
        """Take the figures of an arm's generation."""
        ...

    def flush(self) -> None:
        """Make durable what was taken, after each round."""
        ...

    def close(self) -> None:
        """Take nothing more."""
        ...


Open = Callable[[str, Tracked], Log]
"""Begins a log at a target, which is what stands after ``KIND:``."""


def parse_target(text: str, kinds: Sequence[str]) -> tuple[str, str]:
    """A kind and its target, of ``KIND:TARGET``.

    Raises
    ------
    TrackingError
        If there is no such kind, or no target.
    """
    kind, _, target = text.partition(":")
    if kind not in kinds or not target:
        known = " or ".join(f"{name}:…" for name in kinds)
        raise TrackingError(f"--log-to: expected {known}, got {text!r}")
    return kind, target


def figures_of(done: MeasuredRound) -> Iterator[tuple[str, dict[str, float]]]:
    """Each arm of a round with its row of the table of generations, those that are numbers."""
    for one in done.committed:
        row = generation_frame(one, done.measures[one.arm]).row(0, named=True)
        figures = {
            name: float(value)
            for name, value in row.items()
            if name not in ("arm", "generation") and value is not None and math.isfinite(value)
        }
        yield one.arm, figures


@contextmanager
def tracking(kind: str, open_log: Callable[[], Log], tell: Callable[[str], None]) -> Iterator[Show]:
    """What shows rounds to a log, which is begun on entry and ended with it.

    Parameters
    ----------
    open_log
        Raises `TrackingError` if there is nothing to log to; then nothing is begun.
    tell
        Says a sentence, once, if logging fails.
    """
    log = open_log()
    broken: list[Exception] = []

    def failed(error: Exception) -> None:
        broken.append(error)
        tell(
            f"--log-to {kind}: no more figures are logged: {type(error).__name__}: {error}. The "
            "run goes on, and its journal has them."
        )

    def show(done: MeasuredRound) -> None:
        if broken:
            return
        try:
            for arm, figures in figures_of(done):
                log.write(arm, done.index, figures)
            log.flush()
        except log.faults as error:
            failed(error)

    try:
        yield show
    finally:
        try:
            log.close()
        except log.faults as error:
            if not broken:
                failed(error)
