"""Selected again among recorded answers: by closed forms, and as recorded where nothing changes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mgptn.experiments.cli import main
from mgptn.experiments.config.recorded import recorded
from mgptn.experiments.config.run_config import ConfigError, known_keys
from mgptn.experiments.record.rounds import read_rounds
from mgptn.experiments.running.reselecting import (
    KEYS,
    Changes,
    Reselection,
    changed,
    effective_parents,
    reselect,
    reselected,
)
from tests.integration.watching.conftest import Page, made_run

T = "population.selection.temperature"


def again(folder: Path, *settings: str, without: tuple[int, ...] = ()) -> Reselection:
    _, config = recorded(folder)
    return reselected(config, read_rounds(folder), Changes(settings, frozenset(without)))


def test_nothing_changed_is_what_was(looked_at: Path) -> None:
    found, total = reselect(looked_at, Changes())
    assert total == len(found.generations) == 5
    assert found.generations == found.recorded
    assert not found.strangers


@pytest.mark.parametrize("temperature", [0.01, 0.05, 0.3, 2.0, 50.0])
def test_rates_are_exp_of_fitness(looked_at: Path, temperature: float) -> None:
    found = again(looked_at, f"{T}={temperature}")
    one, was = found.generations[0], found.recorded[0]
    assert np.array_equal(one.fitness, was.fitness)
    weights = np.exp((was.fitness - was.fitness.max()) / temperature)
    np.testing.assert_allclose(one.rates, weights / weights.mean(), rtol=1e-12)
    hot = again(looked_at, f"{T}=.inf").generations[0]
    assert effective_parents(hot.rates) == pytest.approx(12.0)
    assert effective_parents(one.rates) <= 12.0 + 1e-9


def test_a_threshold_decides_who_accepts_what(looked_at: Path) -> None:
    for threshold in (0.0, 0.3, 0.8, 1.0):
        one = again(looked_at, f"protocol.threshold={threshold}").generations[0]
        assert one.accepted.tolist() == np.flatnonzero(one.scores >= threshold).tolist()


def test_grades_of_who_is_left_out_count_for_nothing(looked_at: Path) -> None:
    was = again(looked_at).recorded[0]
    one = again(looked_at, without=(0, 5)).generations[0]
    slots = {agent.id: slot for slot, agent in enumerate(was.agents)}
    for outcome, score in zip(was.outcomes, one.scores, strict=True):
        counted = [
            grade.value
            for grade in outcome.grades
            if grade.value is not None
            and slots[grade.grader] not in (0, 5)
            and grade.grader != outcome.match.author
        ]
        assert score == pytest.approx(np.mean(counted), nan_ok=True) if counted else np.isnan(score)
    nobody = again(looked_at, without=tuple(range(12))).generations[0]
    assert np.isnan(nobody.scores).all()
    assert nobody.rates.tolist() == [1.0] * 12


def test_records_are_not_read_beyond_their_reach(looked_at: Path) -> None:
    read: list[int] = []

    def rounds() -> Any:
        for done in read_rounds(looked_at):
            read.append(done.index)
            yield done

    _, config = recorded(looked_at)
    found = reselected(config, rounds(), Changes((f"{T}=0.001", "selector=random")))
    assert found.strangers
    assert read == list(range(len(found.generations) + 1))


@pytest.mark.parametrize("change", ["population.size=3", "seed=2", "protocol.graders=1", "t=1"])
def test_what_would_have_been_answered_otherwise_is_refused(change: str) -> None:
    key = change.partition("=")[0]
    with pytest.raises(ConfigError, match=f"{key}: expected what selection alone reads"):
        Changes((change,))


def test_every_key_that_selection_reads_is_one_of_a_configuration(looked_at: Path) -> None:
    sections = {"protocol.accept.share"}  # within what may be a name, too
    assert set(KEYS) - sections <= set(known_keys())
    for setting in ("protocol.accept=calibrated", "protocol.accept={share: 0.25}"):
        one = again(looked_at, setting).generations[0]
        others = np.setdiff1d(np.arange(len(one.scores)), one.accepted)
        if len(one.accepted):
            assert one.scores[one.accepted].min() > np.nanmax(one.scores[others])
    assert len(one.accepted) <= 0.25 * len(one.scores)


def test_one_key_changes_and_no_other(looked_at: Path) -> None:
    _, config = recorded(looked_at)
    other = changed(config, ["protocol.aggregation.name=majority", f"{T}=3"])
    assert other.protocol.aggregation.name == "majority"
    assert other.population.selection.temperature == 3.0
    plain = other.model_dump()
    plain["protocol"]["aggregation"]["name"] = config.protocol.aggregation.name
    plain["population"]["selection"]["temperature"] = config.population.selection.temperature
    assert plain == config.model_dump()


def test_the_page_and_the_command_say_the_same(page: Page, looked_at: Path) -> None:
    told = page.ask("what-if", run="looked-at", set=f"{T}=0.02\nselector=oracle", without="1")
    found = again(looked_at, f"{T}=0.02", "selector=oracle", without=(1,))
    assert told["reached"] == len(found.generations)
    assert told["strangers"] == found.strangers
    for plain, one in zip(told["generations"], found.generations, strict=True):
        assert plain["again"]["largest"] == pytest.approx(max(one.rates))
    living = [agent["again"]["living"] for agent in told["first"]]
    assert sum(living) == 12
    command = ["replay", str(looked_at), "--what-if", f"{T}=0.02", "--what-if", "selector=oracle"]
    done = CliRunner().invoke(main, [*command, "--without", "1"])
    assert done.exit_code == 0, done.output
    assert f"The records reach {told['reached']} of 5 generations" in done.output
    assert f"{max(found.generations[0].rates):.3f}" in done.output


def test_of_many_agents_few_generations_are_selected_again(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = page.ask("what-if", run="looked-at")
    assert (whole["reached"], whole["more"]) == (5, False)
    monkeypatch.setattr("mgptn.experiments.watching.what_if.WORK", 2 * 12 * 6)
    told = page.ask("what-if", run="looked-at")
    assert (told["reached"], told["total"], told["more"]) == (2, 5, True)
    assert told["generations"] == whole["generations"][:2]
    assert told["first"] == whole["first"]


def test_a_run_that_tosses_coins_reaches_all(tmp_path: Path) -> None:
    folder = made_run(tmp_path / "tossed", selector="random")
    assert again(folder, "protocol.aggregation.name=majority").generations == again(folder).recorded
