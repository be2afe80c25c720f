"""The verdicts of a round: asked for all arms together, each pair of problem and answer once."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mgptn.agents.verdicts.judging import Pair
from mgptn.agents.verdicts.verifier import Verifier
from mgptn.experiments.loop.hosted_step import HostedPlay
from mgptn.experiments.seats.verdicts import to_be_judged
from mgptn.protocols.tasks.task import Task


def verify_together(plays: Sequence[HostedPlay]) -> None:
    """Have all plays judged whose conversations have ended and that are not yet.

    What it takes is booked on the play that is the first to need a verdict.
    """
    batches: dict[tuple[int, int], list[HostedPlay]] = {}
    for play in plays:
        if not play.judged:
            batches.setdefault((id(play.stage.verifier), id(play.task)), []).append(play)
    for asking in batches.values():
        _verify(asking[0].stage.verifier, asking[0].task, asking)


def _verify(verifier: Verifier, task: Task, asking: Sequence[HostedPlay]) -> None:
    """One batch of verdicts on one task."""
    first: dict[Pair, HostedPlay] = {}
    for play in asking:
        for pair in to_be_judged(play.gathered()):
            first.setdefault(pair, play)
    seconds, asked = verifier.seconds, verifier.asked
    verdicts = dict(zip(first, verifier(task, list(first)), strict=True))
    seconds, asked = verifier.seconds - seconds, verifier.asked - asked
    needed = Counter(first.values())
    for place, play in enumerate(asking):
        play.seconds["verify"] += seconds * needed[play] / max(1, len(first))
        play.counters["verdicts_asked"] += asked if place == 0 else 0
        play.settle(verdicts)
