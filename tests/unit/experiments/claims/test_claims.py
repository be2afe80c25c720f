"""Registered claims as cells, and what is said of a faulty registration."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mgptn.experiments.claims.method.claim import FOLDER, SCALES, claim_names, load_claim
from mgptn.experiments.claims.table import ANALYSES
from mgptn.experiments.config.run_config import ConfigError


def registered() -> dict[str, Any]:
    """A small registration, as its file holds it."""
    texts = ("title", "quote", "hypothesis", "metric", "fails_if", "method", "stopping")
    return {
        **dict.fromkeys(texts, "…"),
        "base": {"agents": {"model": "scripted"}},
        "controls": ["random-selector"],
        "arms": {
            "plain": {},
            "small": {
                "set": {"population.size": 4, "protocol.graders": 2},
                "axes": {"agents.context_capacity": [4, 8]},
            },
        },
        "decides": [{"what": "*", "above": 0}],
        "scales": {
            "smoke": {},
            "laptop": {"seeds": 2, "set": {"population.generations": 3}},
            "cluster": {"arms": {"small": {"axes": {"agents.context_capacity": [16]}}}},
        },
    }


def load(data: dict[str, Any], folder: Path) -> Any:
    (folder / "01-little-claim.yaml").write_text(yaml.safe_dump(data))
    return load_claim("little-claim", folder)


def test_every_registered_claim_has_an_analysis_and_cells() -> None:
    assert claim_names() == list(ANALYSES)
    for name in claim_names():
        cells = load_claim(name).cells("smoke")
        assert len({cell.name for cell in cells}) == len(cells)
        assert cells or ANALYSES[name].measures
    assert all(path.stem[:2].isdigit() for path in FOLDER.glob("*.yaml"))


def test_cells_go_along_an_arms_own_axes_seed_by_seed(tmp_path: Path) -> None:
    claim = load(registered(), tmp_path)
    assert claim.arms == ("selected", "random-selector")
    cells = claim.cells("laptop")
    names = ["plain", "small-context_capacity_4", "small-context_capacity_8"]
    assert [cell.name for cell in cells] == [f"{n}-seed{seed}" for seed in (0, 1) for n in names]
    assert [cell.config.agents.context_capacity for cell in cells[:3]] == [16, 4, 8]
    assert {cell.config.population.generations for cell in cells} == {3}
    assert cells[1].labels == (("arm", "small"), ("context_capacity", "4"))
    assert [cell.labels[-1] for cell in claim.cells("cluster")][1:] == [("context_capacity", "16")]


def test_changes_are_made_in_every_cell_last(tmp_path: Path) -> None:
    cells = load(registered(), tmp_path).cells("smoke", {"agents.context_capacity": 2})
    assert {cell.config.agents.context_capacity for cell in cells} == {2}


def placed() -> dict[str, Any]:
    """A registration with an axis of named places."""
    places = {
        "2": {"population.size": 2, "protocol.graders": 1},
        "6": {"population.size": 6, "protocol.graders": 5},
    }
    data = registered()
    data["arms"] = {"plain": {"axes": {"m": places, "agents.context_capacity": [4, 8]}}}
    data["scales"] = {
        "smoke": {"arms": {"plain": {"axes": {"m": ["6"]}}}},
        "laptop": {},
        "cluster": {},
    }
    return data


def test_a_place_on_an_axis_sets_all_its_keys(tmp_path: Path) -> None:
    claim = load(placed(), tmp_path)
    found = [
        (cell.config.population.size, cell.config.protocol.graders, dict(cell.labels))
        for cell in claim.cells("laptop")
    ]
    assert found == [
        (size, graders, {"arm": "plain", "m": str(size), "context_capacity": capacity})
        for capacity in ("4", "8")
        for size, graders in ((2, 1), (6, 5))
    ]
    assert {dict(cell.labels)["m"] for cell in claim.cells("smoke")} == {"6"}


@pytest.mark.parametrize(
    ("along", "message"),
    [(["7"], "axes.m: expected '2' or '6', got '7'"), ({"2": {}}, "expected a list .* a mapping")],
)
def test_a_scale_chooses_among_an_axis_places(along: Any, message: str, tmp_path: Path) -> None:
    data = placed()
    data["scales"]["smoke"] = {"arms": {"plain": {"axes": {"m": along}}}}
    with pytest.raises(ConfigError, match=f"(?s)scales.smoke.arms.plain.{message}|{message}"):
        load(data, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"titel": "x"}, "titel: Extra inputs"),
        ({"controls": ["placebo"]}, r"controls\.0: expected 'neutral-drift'.* got 'placebo'"),
        ({"arms": {}}, "arms: "),
        ({"scales": {"smoke": {}, "laptop": {}}}, "scales: expected .* got none for 'cluster'"),
        (
            {"scales": {scale: {"arms": {"plane": {}}} for scale in SCALES}},
            "scales.smoke.arms: expected 'plain' or 'small', got 'plane'",
        ),
        (
            {"options": {"size": 8}, "scales": {s: {"options": {"sise": 4}} for s in SCALES}},
            "scales.smoke.options: expected 'size', got 'sise'",
        ),
        (
            {"scales": {s: {"arms": {"plain": {"axes": {"seed": [1]}}}} for s in SCALES}},
            "scales.smoke.arms.plain.axes: expected axes of the arm, got 'seed'",
        ),
    ],
)
def test_a_fault_in_a_registration_is_named(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=f"(?s)01-little-claim.yaml:.*{message}"):
        load({**registered(), **change}, tmp_path)


def test_a_fault_in_a_cell_names_the_cell_and_the_field(tmp_path: Path) -> None:
    claim = load(registered(), tmp_path)
    with pytest.raises(ConfigError, match=r"(?s)cell plain-seed0:.*protocol.graders: expected"):
        claim.cells("smoke", {"protocol.graders": 0})


def test_options_are_the_registered_the_scales_and_changed_ones(tmp_path: Path) -> None:
    data = {**registered(), "options": {"size": 8, "rates": [0.1]}}
    data["scales"]["smoke"] = {"options": {"size": 4}}
    claim = load(data, tmp_path)
    assert claim.options("laptop") == {"size": 8, "rates": [0.1]}
    changes = {"options.rates": [0.2], "agents.context_capacity": 2}
    assert claim.options("smoke", changes) == {"size": 4, "rates": [0.2]}
    assert {c.config.agents.context_capacity for c in claim.cells("smoke", changes)} == {2}
    with pytest.raises(ConfigError, match=r"options\.rate: expected 'rates' or 'size'"):
        claim.options("smoke", {"options.rate": 1})


def test_a_claim_that_only_measures_has_no_cells_to_change(tmp_path: Path) -> None:
    data = {**registered(), "arms": {}, "controls": [], "options": {"size": 8}}
    data["scales"] = {scale: {} for scale in SCALES}
    claim = load(data, tmp_path)
    assert claim.cells("smoke", {"options.size": 2}) == []
    with pytest.raises(ConfigError, match=r"expected options\.NAME=VALUE.* got 'selector'"):
        claim.cells("smoke", {"selector": "shuffled"})


def test_a_claim_that_is_not_registered_is_named() -> None:
    with pytest.raises(ConfigError, match=r"expected 'chaining'.* got 'chainign'"):
        load_claim("chainign")
