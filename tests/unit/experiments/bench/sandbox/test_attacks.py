"""Programs that attack: contained in every kind of sandbox, and told where nothing holds them."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from mgptn.agents.sandbox.kinds import make_sandbox
from mgptn.agents.sandbox.pool import Sandbox
from mgptn.agents.sandbox.programs import Kind
from mgptn.experiments.bench.sandbox import benchmark
from mgptn.experiments.bench.sandbox.attacks import attempt_all, read_attacks
from mgptn.experiments.bench.sandbox.benchmark import ATTACKED
from tests.sandboxes import SMALL, Unprotected, kinds

ATTACKS = read_attacks()
QUICK = ATTACKS[::5]
HARMLESS = (
    "read a file of the run",
    "write into the run's folder",
    "write over a file of the run",
    "read the environment",
    "signal one outside",
    "a socket",
)
"""Which may succeed: they do no harm but to what is put out for them."""


def test_attacks_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len({(one.group, one.name) for one in ATTACKS}) == len(ATTACKS) >= 60
    assert all("unknown" not in one.expected and one.expected for one in ATTACKS)
    for one in ATTACKS:
        compile(one.source.replace("@P", "1+").replace("@", ""), one.name, "exec")


@pytest.mark.parametrize("kind", kinds())
def test_some_attacks_are_contained(kind: Kind) -> None:
    with make_sandbox(kind, SMALL, workers=1) as sandbox:
        made = list(attempt_all(sandbox, QUICK))
    assert len(made) == len(QUICK)
    assert [(one.attack.name, one.breach) for one in made if one.breach] == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", kinds())
def test_all_attacks_are_contained(kind: Kind) -> None:
    with make_sandbox(kind, ATTACKED, workers=1) as sandbox:
        made = list(attempt_all(sandbox, ATTACKS))
    assert len(made) == len(ATTACKS)
    assert [(one.attack.name, one.breach) for one in made if one.breach] == []


@pytest.mark.parametrize("name", HARMLESS)
def test_where_nothing_contains_an_attack_it_is_told(name: str) -> None:
    (attack,) = [one for one in ATTACKS if one.name == name]
    with Sandbox("none", Unprotected, SMALL, workers=1) as sandbox:
        (made,) = attempt_all(sandbox, [attack])
    assert made.breach


@pytest.mark.parametrize("kind", kinds())
def test_the_command_prints_what_it_writes(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "KINDS", {kind: None})
    monkeypatch.setattr(benchmark, "PROGRAMS", {kind: 20})
    out = io.StringIO()
    console = Console(file=out, width=80)
    assert benchmark.sandbox(console, 2, attacks=False, out=tmp_path / "speed.json") == 0
    monkeypatch.setattr(benchmark, "read_attacks", lambda: ATTACKS[80:83])
    assert benchmark.sandbox(console, 2, attacks=True, out=tmp_path / "attacks.json") == 0
    speeds = json.loads((tmp_path / "speed.json").read_text())["speeds"]
    assert all(one["right"] == 40 and min(one["rates"]) > 0 for one in speeds)
    assert len(json.loads((tmp_path / "attacks.json").read_text())["attacks"][kind]) == 3
    assert "40 of 40" in out.getvalue()
    assert all(len(line) <= 80 for line in out.getvalue().splitlines())
