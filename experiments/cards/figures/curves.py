"""How training went: loss of survey levels, and adaptation, against tokens, for several models."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mgptn.agents.checkpoints import find_checkpoint
from mgptn.experiments.cards.card import CardError
from mgptn.experiments.figures.style import (
    FOUNDERS,
    MARKERS,
    REFERENCE,
    WIDE,
    Style,
    styled,
    two_panels,
    write_figure,
)

SMOOTHED = 5
"""Reports whose median is shown."""

Log = list[dict[str, Any]]


def write_curves(names: Sequence[str], path: Path) -> None:
    """Draw models' training as one figure; SVG or PNG by the path's ending.

    Raises
    ------
    CheckpointError
        If there is no such model.
    CardError
        If a model has no log of its training, or one that cannot be read.
    """
    folders = [find_checkpoint(name).folder for name in names]
    logs = {name: _read(folder) for name, folder in zip(names, folders, strict=True)}
    with styled():
        write_figure(training_curves(logs), path, dots=100)


def training_curves(logs: dict[str, tuple[Log, float]]) -> Figure:
    """Two panels, a line for each model; seeds of a rung have one colour and different markers.

    Parameters
    ----------
    logs
        Model → reports of `training.jsonl`, and tokens of a step.
    """
    figure, judging, adapting = two_panels(WIDE)
    rungs = list(dict.fromkeys(name.split("/")[0] for name in logs))
    for name, (log, tokens) in logs.items():
        rung, _, seed = name.partition("/")
        look: Style = {"color": FOUNDERS[rungs.index(rung) % len(FOUNDERS)], "linewidth": 1.3}
        marker = MARKERS[int(seed) % len(MARKERS)] if seed.isdigit() else MARKERS[0]
        millions = np.array([report["step"] for report in log]) * tokens / 1e6
        levels = _median([report["level_loss"] for report in log])
        judging.plot(
            millions, levels, label=name, marker=marker, markevery=max(1, len(log) // 6), **look
        )
        at = [(m, _told(r.get("adaptation"))) for m, r in zip(millions, log, strict=True)]
        known = [(m, value) for m, value in at if value is not None]
        adapting.plot([m for m, _ in known], [value for _, value in known], marker=marker, **look)
    adapting.axhline(0.0, **REFERENCE)
    shown = np.concatenate(
        [_median([r["level_loss"] for r in log[10:]]) for log, _ in logs.values()]
    )
    if shown.size:
        judging.set_ylim(shown.min() - 0.02, shown.max() + 0.02)
    judging.set(
        xlabel="tokens of training, millions", ylabel="nats", title="Loss of a survey level"
    )
    adapting.set(xlabel="tokens of training, millions", title="P(right): good writer less bad one")
    figure.legend(loc="outside lower center", ncols=5)
    return figure


def _told(curve: dict[str, dict[str, list[float]]] | None) -> float | None:
    """How much more probable the right answer is after a good writer's examples, over tasks."""
    if not curve:
        return None
    return float(np.mean([task["good"][-1] - task["bad"][-1] for task in curve.values()]))


def _median(values: Sequence[float]) -> np.ndarray:
    """Of each value and those about it, as many as there are."""
    half = SMOOTHED // 2
    return np.array(
        [np.median(values[max(0, i - half) : i + half + 1]) for i in range(len(values))]
    )


def _read(folder: Path) -> tuple[Log, float]:
    path = folder / "training.jsonl"
    try:
        log = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        wanted = {"step", "level_loss"}
        if not log or not all(wanted <= set(report) for report in log):
            raise ValueError("a report lacks step or level_loss")
        made = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        tokens = made["tokens"] / made["recipe"]["steps"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        got = f"no {error}" if isinstance(error, KeyError) else error
        raise CardError(f"{path}: expected a log of training, got: {got}") from None
    return log, tokens
