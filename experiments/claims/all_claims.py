"""All claims one after another: what is done is left out, one that fails stops no other."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgptn.experiments.claims.method.claim import Claim, Scale
from mgptn.experiments.claims.running import FINDING, Recorded, read_recorded
from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.record.manifest import library_versions

Run = Callable[[Claim, Path], Recorded]
"""Runs what is left of a claim in its folder."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one claim: what was found, or else what went wrong.

    Attributes
    ----------
    left_out
        It was done already.
    """

    claim: Claim
    folder: Path
    recorded: Recorded | None
    fault: str = ""
    left_out: bool = False


def run_all(
    claims: Sequence[Claim],
    scale: Scale,
    folder_of: Callable[[str], Path],
    run: Run,
    tell: Callable[[str], None],
    *,
    changes: Mapping[str, Any] | None = None,
    before: Path | None = None,
) -> Iterator[Ended]:
    """Run every claim that is not done; what is known of costs says how long is left.

    Parameters
    ----------
    folder_of
        Of a claim's name.
    tell
        Says a line.
    before
        Folder with findings of an earlier time, ``NAME.json``, whose seconds count as known where
        a claim has none of this scale.
    """
    pace = Pace()
    todo = [
        claim for claim in claims if done_in(claim, scale, folder_of(claim.name), changes) is None
    ]
    known = {
        claim.name: known_seconds(claim, scale, folder_of(claim.name), before) for claim in todo
    }
    for place, claim in enumerate(claims, start=1):
        folder = folder_of(claim.name)
        found = done_in(claim, scale, folder, changes)
        if found is not None:
            tell(f"{place}/{len(claims)} {claim.name}: done before, {found.finding.verdict}")
            yield Ended(claim, folder, found, left_out=True)
            continue
        left = [known[one.name] for one in claims[place - 1 :] if one.name in known]
        tell(f"{place}/{len(claims)} {claim.name}: {pace.told(left)}")
        began = time.perf_counter()
        try:
            recorded = run(claim, folder)
        except Exception as fault:  # noqa: BLE001 - told, here and at the end; others can be run
            tell(f"{claim.name}: {type(fault).__name__}: {fault}")
            yield Ended(claim, folder, None, f"{type(fault).__name__}: {fault}")
            continue
        pace.add(time.perf_counter() - began, known[claim.name])
        yield Ended(claim, folder, recorded)


def done_in(
    claim: Claim, scale: Scale, folder: Path, changes: Mapping[str, Any] | None = None
) -> Recorded | None:
    """The finding in a folder, if it is of this registration, scale, changes and versions."""
    if not (folder / FINDING).exists():
        return None
    found = read_recorded(folder / FINDING)
    same = (found.scale, found.changes, found.registered, found.versions) == (
        scale,
        dict(changes or {}),
        claim.digest,
        library_versions(),
    )
    return found if same else None


def known_seconds(claim: Claim, scale: Scale, folder: Path, before: Path | None = None) -> float:
    """What a claim took at a scale when it was run last; NaN if nobody knows."""
    places = [folder / FINDING, *([before / f"{claim.name}.json"] if before else [])]
    for path in places:
        try:
            found = read_recorded(path)
        except ConfigError:
            continue
        if found.scale == scale:
            return found.cost.seconds
    return math.nan


class Pace:
    """How the time that claims take goes with what they took before."""

    def __init__(self) -> None:
        self._took, self._known = 0.0, 0.0

    def add(self, took: float, known: float) -> None:
        """A claim ended."""
        if not math.isnan(known):
            self._took, self._known = self._took + took, self._known + known

    def told(self, known: Sequence[float]) -> str:
        """How long claims will take that took so long before."""
        ratio = self._took / self._known if self._known > 0.0 else 1.0
        unknown = sum(map(math.isnan, known))
        told = clock(ratio * sum(seconds for seconds in known if not math.isnan(seconds)))
        if unknown == len(known):
            return f"{unknown} left, and nobody knows for how long"
        more = f", and {unknown} of which nobody knows" if unknown else ""
        return f"about {told} left for {len(known) - unknown}{more}"


def clock(seconds: float) -> str:
    """``1:02:03``."""
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}"
