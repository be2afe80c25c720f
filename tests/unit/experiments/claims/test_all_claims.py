"""All claims one after another: what is done is left out, what fails stops no other, time left."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from mgptn.experiments.claims.all_claims import Ended, Pace, clock, run_all
from mgptn.experiments.claims.method.claim import Claim, claim_names, load_claim
from mgptn.experiments.claims.method.costs import Cost
from mgptn.experiments.claims.method.finding import Finding
from mgptn.experiments.claims.running import Recorded
from mgptn.experiments.claims.telling import ended_lines
from mgptn.experiments.record.manifest import library_versions

CLAIMS = [load_claim(name) for name in claim_names()[:4]]


def recorded(claim: Claim, seconds: float = 10.0) -> Recorded:
    finding = Finding(verdict="holds", why=("so",), p=0.01, numbers={})
    return Recorded(
        name=claim.name,
        scale="smoke",
        changes={},
        cells=1,
        seeds=1,
        command="mgptn",
        joint_hash="0",
        cost=Cost(seconds, 1, 1.0),
        versions=library_versions(),
        finding=finding,
        registered=claim.digest,
    )


def every(folder: Path, told: list[str], failing: str = "") -> tuple[list[Ended], list[str]]:
    """All four, run in a folder; and the names of those that were begun."""
    begun = []

    def run(claim: Claim, where: Path) -> Recorded:
        begun.append(claim.name)
        if claim.name == failing:
            raise RuntimeError("no hosts")
        where.mkdir(parents=True, exist_ok=True)
        recorded(claim).write(where)
        return recorded(claim)

    return list(run_all(CLAIMS, "smoke", lambda name: folder / name, run, told.append)), begun


def test_one_that_fails_stops_no_other_and_is_all_that_is_run_again(tmp_path: Path) -> None:
    told: list[str] = []
    ended, begun = every(tmp_path, told, failing=CLAIMS[1].name)
    assert begun == [claim.name for claim in CLAIMS]
    assert [one.fault for one in ended] == ["", "RuntimeError: no hosts", "", ""]
    assert f"{CLAIMS[1].name}: not run to its end: RuntimeError: no hosts" in ended_lines(ended)
    # p of .01 each, of three that were run.
    assert f"{CLAIMS[0].name}: holds, p 0.03 by Holm, {tmp_path / CLAIMS[0].name}" in (
        ended_lines(ended)
    )
    again, begun = every(tmp_path, told)
    assert begun == [CLAIMS[1].name]
    assert [one.left_out for one in again] == [True, False, True, True]


@pytest.mark.parametrize(
    "changed", [{"registered": "another"}, {"scale": "laptop"}, {"versions": {"torch": "0"}}]
)
def test_what_was_found_otherwise_is_not_done(changed: dict, tmp_path: Path) -> None:
    every(tmp_path, [])
    replace(recorded(CLAIMS[2]), **changed).write(tmp_path / CLAIMS[2].name)
    assert every(tmp_path, [])[1] == [CLAIMS[2].name]


def test_an_interruption_ends_all_and_what_is_left_is_carried_on(tmp_path: Path) -> None:
    def run(claim: Claim, where: Path) -> Recorded:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_all(CLAIMS, "smoke", lambda name: tmp_path / name, run, print))
    assert every(tmp_path, [])[1] == [claim.name for claim in CLAIMS]


def test_time_left_goes_with_the_pace_so_far() -> None:
    pace = Pace()
    assert pace.told([60.0, 40.0, math.nan]) == (
        "about 0:01:40 left for 2, and 1 of which nobody knows"
    )
    pace.add(20.0, 10.0)
    pace.add(5.0, math.nan)
    assert pace.told([60.0, 40.0]) == "about 0:03:20 left for 2"
    assert pace.told([math.nan]) == "1 left, and nobody knows for how long"
    assert clock(3723.4) == "1:02:03"
