"""Registered claims at smoke scale: run, resumed, judged, written up; and whether they can tell."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from rich.console import Console

from mgptn.agents.hosts.fleet import Fleet, Rounds
from mgptn.agents.requests import Tile, TileReply
from mgptn.experiments.claims.method.claim import claim_names, load_claim
from mgptn.experiments.claims.method.journals import Results
from mgptn.experiments.claims.page import page, write_pages
from mgptn.experiments.claims.readme import front
from mgptn.experiments.claims.running import (
    FIGURE,
    FINDING,
    TABLE,
    Recorded,
    read_recorded,
    run_claim,
)
from mgptn.experiments.cli import main
from mgptn.experiments.record.rounds import JOURNAL
from mgptn.experiments.running.fleets import fleet_here
from mgptn.experiments.setting.stage import Stage
from mgptn.population.measures.answer_errors import majority_errors
from mgptn.population.records.generation import Generation

DOCS = Path(__file__).parents[3] / "docs"
Run = Callable[..., tuple[Recorded, Path]]


@pytest.fixture(scope="session")
def all_models(small: Any) -> Fleet:
    """One host in this process for whatever the smoke runs of all claims ask."""
    models = "gpt-1/*,gpt-2/*,gpt-3/*"
    config = small({"agents.model": models, "population.size": 16, "hosts.count": 1})
    return fleet_here([Stage(config)])


@pytest.fixture(scope="session")
def smoke(all_models: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a claim at smoke scale, each once: ``smoke("chaining", selector="shuffled")``."""
    done: dict[Any, tuple[Recorded, Path]] = {}

    def run(name: str, **changes: Any) -> tuple[Recorded, Path]:
        key = name, tuple(changes.items())
        if key not in done:
            folder = tmp_path_factory.mktemp(name)
            claim, console = load_claim(name), Console(quiet=True)
            fleet = None if name in WITH_FOUNDERS else all_models
            found = run_claim(claim, "smoke", folder, console, changes=changes, fleet=fleet)
            done[key] = found, folder
        return done[key]

    return run


WITH_FOUNDERS = (
    "beyond-the-founders",
    "independent-judges",
    "one-cannot",
    "elicit-or-create",
    "simulacra",
    "plausibility",
    "frozen-internals",
    "tests-beat-votes",
    "mutual-code-and-tests",
    "collusion",
    "checking-easier-than-proving",
    "extinction",
    "self-training",
    "imitation-then-selection",
)
"""Claims whose models are trained for them, tiny ones at this scale."""

UNSELECTED = ("survey-trick", "tests-beat-votes", "checking-easier-than-proving")
"""Claims in which nothing is selected."""


LONG = ("phase-diagram",)
"""Claims that are long even at smoke scale,"""
LONG_BROKEN = (*LONG, "elicit-or-create", "mutual-code-and-tests", "collusion")
"""or with a broken selector, which they are run with anew."""


def but_slow(names: Sequence[str], long: Sequence[str]) -> list[Any]:
    return [pytest.param(n, marks=pytest.mark.slow) if n in long else n for n in names]


@pytest.mark.parametrize("name", but_slow(claim_names(), LONG))
def test_a_claim_is_run_and_judged(name: str, smoke: Run) -> None:
    recorded, folder = smoke(name)
    assert recorded.finding.verdict in ("holds", "fails", "undecided")
    assert recorded.finding.why
    assert read_recorded(folder / FINDING).finding.to_plain() == recorded.finding.to_plain()
    assert (folder / FIGURE).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    table = pl.read_parquet(folder / TABLE)
    cells = [cell.name for cell in load_claim(name).cells("smoke")]
    assert table["cell"].to_list()[: len(cells)] == cells
    assert len(table) == len(cells) + recorded.measured > 0
    assert recorded.cost.tokens == table["tokens"].sum() > 0
    # The smallest rung has 134,016 parameters.
    least = 5_000 if name in WITH_FOUNDERS else 130_000
    assert recorded.cost.flops == table["flops"].sum() > 2.0 * least * recorded.cost.tokens
    for number in (n for rows in recorded.finding.numbers.values() for n in rows):
        assert not number.low >= number.high, number


SELECTED = [
    name for name in claim_names() if load_claim(name).registered.arms and name not in UNSELECTED
]


@pytest.mark.parametrize("name", but_slow(SELECTED, LONG_BROKEN))
def test_a_broken_selector_lets_no_claim_hold(name: str, smoke: Run) -> None:
    assert smoke(name, selector="shuffled")[0].finding.verdict != "holds"


REFUTED = {
    "chaining": 4,
    "evaluation-easier": 4,
    "one-cannot": 4,
    "elicit-or-create": 4,
    "gaming": 4,
    "beyond-the-founders": 8,
    "independent-judges": 8,
}
"""Claims that a shuffled selector refutes → seeds that it takes at smoke scale."""

LEFT_OPEN = {
    "selectors": "who selects is its axis: with one selector everywhere nothing varies",
    "phase-diagram": "its bound is no gain over a coin, which a coin is not beyond",
    "mutual-code-and-tests": "likewise: a difference of nothing lies at its bound",
    "collusion": "likewise",
    "self-training": "likewise",
    "extinction": "it is about votes, whose theory knows a coin too",
}
"""Those that it can only leave undecided, and why: an interval of nothing is never beyond 0."""


def shuffled(name: str, seeds: int, folder: Path) -> Recorded:
    """A claim at smoke scale, of so many seeds, its selector's grades dealt out anew."""
    claim = load_claim(name)
    smoke = claim.registered.scales["smoke"].model_copy(update={"seeds": seeds})
    scales = {**claim.registered.scales, "smoke": smoke}
    claim = replace(claim, registered=claim.registered.model_copy(update={"scales": scales}))
    return run_claim(claim, "smoke", folder, Console(quiet=True), changes={"selector": "shuffled"})


def test_what_is_said_of_a_broken_selector_is_of_claims_that_select() -> None:
    assert {*REFUTED, *LEFT_OPEN} <= set(SELECTED)
    assert not set(REFUTED) & set(LEFT_OPEN)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seeds"), REFUTED.items())
def test_a_shuffled_selector_makes_a_claim_fail(name: str, seeds: int, tmp_path: Path) -> None:
    assert shuffled(name, seeds, tmp_path).finding.verdict == "fails"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SELECTED if name not in REFUTED])
def test_where_it_cannot_fail_it_does_not_hold(name: str, tmp_path: Path) -> None:
    assert shuffled(name, 1 if name in LONG else 4, tmp_path).finding.verdict != "holds"


def test_a_whole_selector_does_not_make_chaining_fail(smoke: Run) -> None:
    assert smoke("chaining")[0].finding.verdict != "fails"


def test_what_a_broken_selector_takes_away_from_a_population(smoke: Run) -> None:
    group, name = "Gain beyond the random-selector twin", "diverse: less than its twin's"
    whole, broken = smoke("one-cannot")[0], smoke("one-cannot", selector="shuffled")[0]
    assert whole.finding.number(group, name).value > 0.1
    assert broken.finding.number(group, name).value < whole.finding.number(group, name).value - 0.1


@pytest.mark.slow
def test_an_amplified_collective_is_one_by_a_plain_count(smoke: Run) -> None:
    recorded, folder = smoke("phase-diagram")
    cells = {cell.name: cell for cell in load_claim("phase-diagram").cells("smoke")}
    results = Results(folder, tuple(cells.values()))
    votes = {
        rung: list(results.generations(cells[f"unselected-task_subset_sum-rung_{rung}-seed0"]))
        for rung in ("gpt_1", "gpt_2")
    }
    for size, name in ((4, "m_4"), (8, "m_8")):
        own = results.generations(cells[f"clones-task_subset_sum-rung_gpt_2-{name}-seed0"])
        bars = [float(np.mean([majority_errors(g, m) for g in votes["gpt_2"]])) for m in (4, 8)]
        error = np.mean([_best_scored(generation) for generation in own])
        told = recorded.finding.number(
            "Error of the collective less that of its lowest bar",
            f"clones, subset-sum, gpt-2, m = {size}",
        )
        assert told.value == pytest.approx(error - min(bars[-1 if size == 8 else 0 :]))
    asked = [generation.outcomes.queries for generation in votes["gpt_1"]]
    assert asked == [generation.outcomes.queries for generation in votes["gpt_2"]]


def _best_scored(generation: Generation) -> float:
    """Error of the answer with the highest score, ties even, problem by problem."""
    size = len(generation.agents)
    problems = len(generation.scores) // size
    errors = []
    for problem in range(problems):
        own = [agent * problems + problem for agent in range(size)]
        best = max(generation.scores[answer] for answer in own)
        chosen = [answer for answer in own if generation.scores[answer] == best]
        errors.append(np.mean([not generation.outcomes.verdicts[answer] for answer in chosen]))
    return float(np.mean(errors))


class Killed(Rounds):
    """A fleet that is gone after some calls."""

    restarts, alive = 0, 1

    def __init__(self, fleet: Fleet, calls: int) -> None:
        self.settings, self._fleet, self._left = fleet.settings, fleet, calls

    def run(self, tiles: Sequence[Tile]) -> list[TileReply]:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return self._fleet.run(tiles)

    def close(self) -> None:
        """Nothing to end."""


def test_a_killed_experiment_is_carried_on_and_nothing_run_twice(
    all_models: Fleet, smoke: Run, tmp_path: Path
) -> None:
    name, folder = "evaluation-easier", tmp_path / "experiment"
    claim, console = load_claim(name), Console(quiet=True)
    with pytest.raises(KeyboardInterrupt):
        run_claim(claim, "smoke", folder, console, fleet=Killed(all_models, 3), parallel=2)
    begun = {path.parent.name for path in folder.glob(f"*/{JOURNAL}")}
    assert begun
    assert not (folder / FINDING).exists()
    again = run_claim(claim, "smoke", folder, console, fleet=all_models)
    undisturbed, _ = smoke(name)
    assert again.joint_hash == undisturbed.joint_hash
    assert again.finding.to_plain() == undisturbed.finding.to_plain()
    written = {path: path.stat().st_mtime_ns for path in folder.glob(f"*/{JOURNAL}")}
    run_claim(claim, "smoke", folder, console, fleet=Killed(all_models, 0))
    assert {path: path.stat().st_mtime_ns for path in folder.glob(f"*/{JOURNAL}")} == written


def test_hosts_of_a_ray_cluster_find_the_same(ray_address: str, smoke: Run, tmp_path: Path) -> None:
    claim, console = load_claim("evaluation-easier"), Console(quiet=True)
    found = run_claim(claim, "smoke", tmp_path, console, ray_address=ray_address)
    here, _ = smoke("evaluation-easier")
    assert found.joint_hash == here.joint_hash
    assert found.finding.to_plain() == here.finding.to_plain()


def test_pages_are_made_of_findings(smoke: Run, tmp_path: Path) -> None:
    recorded, folder = smoke("evaluation-easier")
    claim = load_claim("evaluation-easier")
    paths = write_pages({folder: claim}, tmp_path)
    text = (tmp_path / "results" / "evaluation-easier.md").read_text()
    assert claim.registered.quote in text
    assert claim.registered.fails_if in text
    assert recorded.joint_hash in text
    for number in (n for rows in recorded.finding.numbers.values() for n in rows):
        assert f"| {number.name} |" in text
    assert (tmp_path / "figures" / "results" / "evaluation-easier.png") in paths
    assert f"| {recorded.finding.verdict} |" in (tmp_path / "results" / "README.md").read_text()


@pytest.mark.parametrize("name", claim_names())
def test_the_page_in_the_documentation_is_what_its_finding_says(name: str) -> None:
    kept = DOCS / "results" / f"{name}.json"
    if not kept.exists():
        pytest.skip(f"{name} has not been run at laptop scale yet")
    recorded = read_recorded(kept)
    assert kept.with_suffix(".md").read_text() == page(load_claim(name), recorded)


def test_the_readmes_first_picture_is_what_its_finding_says() -> None:
    recorded = read_recorded(DOCS / "results" / "phase-diagram.json")
    assert front(recorded) in (DOCS.parent / "README.md").read_text()


def test_the_command_lists_runs_what_is_left_and_reports(smoke: Run, tmp_path: Path) -> None:
    _, folder = smoke("evaluation-easier")
    runner = CliRunner()
    listed = runner.invoke(main, ["experiment", "list"])
    assert listed.exit_code == 0
    assert all(name in listed.output for name in claim_names())
    command = ["experiment", "report", "evaluation-easier", "--out", str(folder)]
    reported = runner.invoke(main, [*command, "--docs", str(tmp_path)])
    assert reported.exit_code == 0, reported.output
    assert "evaluation-easier.md" in reported.output
    unknown = runner.invoke(main, ["experiment", "run", "phase-diagramm"])
    assert unknown.exit_code == 1
    assert "expected 'chaining'" in unknown.output
