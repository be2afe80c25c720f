"""Weights that are lost, learned again from what a journal holds of the run."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mgptn.agents.hosts.fleet import Fleet
from mgptn.agents.learning.numbers import Numbers, NumbersError
from mgptn.experiments.config.run_config import RunConfig
from mgptn.experiments.loop.founding import found_tournament
from mgptn.experiments.loop.hosted_step import HostedPlay
from mgptn.experiments.loop.side_by_side import learn_together
from mgptn.experiments.record.rounds import Round
from mgptn.experiments.setting.stage import Stage


def relearn(
    config: RunConfig,
    arms: Sequence[str],
    rounds: Iterable[Round],
    stage: Stage,
    fleet: Fleet,
) -> Numbers:
    """All that was learned in some arms of recorded rounds, learned again from the founders on.

    Raises
    ------
    NumbersError
        If what is learned is not what was: another machine or other libraries round otherwise.
    """
    numbers = Numbers()
    tournaments = {arm: found_tournament(config, arm) for arm in arms}
    for done in rounds:
        plays = []
        for arm in arms:
            one = done.of(arm)
            if one is not None:
                play = HostedPlay(arm, tournaments[arm], stage, numbers)
                play.recall(one.generation.outcomes)
                plays.append((play, one.generation.learned))
        learn_together([play for play, _ in plays], fleet)
        for play, recorded in plays:
            if play.learned != recorded:
                raise NumbersError(
                    f"weights: expected to learn in generation {done.index} of arm {play.arm} "
                    "what is recorded, got others: this machine or its libraries round otherwise"
                )
            play.finish()
    return numbers
