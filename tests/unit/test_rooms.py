"""Rooms stand in one order, imports go down it, and every module says what lives there."""

# SPDX-License-Identifier: Apache-2.0

import ast
from pathlib import Path

import pytest

from tests.rooms import ROOT, arrows, circles, imports, modules, ours, room

ORDER = (
    "population/display",
    "population/records",
    "population/draws",
    "population/judging",
    "population/breeding",
    "population/theory",
    "population/intervals",
    "population/measures",
    "population",
    "protocols/answers",
    "protocols/tasks",
    "protocols/tasks/budgeted",
    "protocols/proofs",
    "protocols/games",
    "protocols/tasks/programs",
    "protocols/tasks/python",
    "protocols",
    "protocols/interfaces",
    "agents",
    "agents/sandbox",
    "agents/tokens",
    "agents/layers",
    "agents/ladder",
    "agents/engine",
    "agents/alone",
    "agents/learning",
    "agents/hosts",
    "agents/hosts/ray",
    "agents/verdicts",
    "agents/endpoints",
    "agents/training",
    "agents/founding",
    "experiments/record",
    "experiments/config/sections",
    "experiments/config",
    "experiments/costs",
    "experiments/tables",
    "experiments/seats",
    "experiments/setting",
    "experiments/loop",
    "experiments/notebook",
    "experiments/people",
    "experiments/passing",
    "experiments/figures",
    "experiments/views",
    "experiments/findings",
    "experiments/results",
    "experiments/running",
    "experiments/sharing",
    "experiments/watching",
    "experiments/picking",
    "experiments/theory",
    "experiments/machine",
    "experiments/studies",
    "experiments/bench",
    "experiments/bench/engine",
    "experiments/bench/real",
    "experiments/bench/learning",
    "experiments/bench/faults",
    "experiments/bench/sandbox",
    "experiments/cards",
    "experiments/cards/figures",
    "experiments/claims/method",
    *(
        f"experiments/claims/{claim}"
        for claim in (
            "chaining", "survey_trick", "evaluation_easier", "cherry_picking", "quasispecies",
            "one_cannot", "phase_diagram", "selectors", "elicit_or_create", "gaming",
            "beyond_the_founders", "independent_judges", "plausibility", "frozen_internals",
            "tests_beat_votes", "mutual_code_and_tests", "collusion", "checking_easier",
            "extinction", "self_training", "agency", "simulacra", "imitation_then_selection",
        )
    ),
    "experiments/claims",
    "experiments/commands/listings",
    "experiments/commands",
    "experiments",
)  # fmt: skip
"""Every room, from the ground up: a room imports from rooms that stand before it."""

WINGS = {
    "population": {"population"},
    "protocols": {"protocols"},
    "agents": {"agents", "population", "protocols"},
    "experiments": {"experiments", "agents", "population", "protocols"},
}
"""What a folder at the root may import."""

HEAVY = {"torch", "ray", "transformers"}
COUNTS = {Path("protocols/answers/effort.py"): {"time"}}
"""Who asks for the processor's time all the same: what has taken too much of it is not known."""

WITHOUT_HOSTS = (
    "experiments/record",
    "experiments/config/sections",
    "experiments/config",
    "experiments/costs",
    "experiments/tables",
    "experiments/views",
    "experiments/findings",
    "experiments/results",
    "experiments/sharing",
)
"""Rooms of `experiments/` that reach neither torch nor Ray at the top of any module."""

MODELS_RUN = (
    "agents/layers",
    "agents/ladder",
    "agents/engine",
    "agents/alone",
    "agents/learning",
    "agents/hosts",
    "agents/verdicts",
    "agents/endpoints",
    "agents/training",
    "agents/founding",
)
MAX_FILES = 16
"""Of a room, its `__init__.py` among them."""


def test_every_room_is_in_the_order():
    assert set(arrows()) == set(ORDER)


@pytest.mark.parametrize("one", ORDER)
def test_a_room_imports_only_from_rooms_before_it(one: str):
    assert arrows()[one] <= set(ORDER[: ORDER.index(one)])


def test_rooms_form_no_circle():
    assert circles(arrows()) == []


@pytest.mark.parametrize("one", ORDER)
def test_a_room_is_small(one: str):
    assert len([m for m in modules() if room(m) == one]) <= MAX_FILES


@pytest.mark.parametrize("module", modules(), ids=str)
def test_a_module_keeps_to_its_wing(module: Path):
    wing = module.parts[0]
    assert {other.parts[0] for other in ours(imports(module))} <= WINGS[wing]
    if wing in ("population", "protocols"):
        outside = {name.split(".")[0] for name in imports(module)}
        assert not outside & (
            (HEAVY | {"os", "time", "pathlib", "socket"}) - COUNTS.get(module, set())
        )
    assert ast.get_docstring(ast.parse((ROOT / module).read_text()))


def test_torch_is_imported_where_models_run_and_nowhere_else():
    """At the top of a module; a function may ask torch what devices there are."""
    rooms = {room(m) for m in modules() if "torch" in imports(m, top=True)}
    assert rooms <= set(MODELS_RUN)


def test_ray_is_imported_at_the_top_of_the_actor_alone():
    assert [str(m) for m in modules() if "ray" in imports(m, top=True)] == [
        "agents/hosts/ray_host.py"
    ]


@pytest.mark.parametrize("one", WITHOUT_HOSTS)
def test_what_is_only_read_or_configured_reaches_no_host(one: str):
    reached = {m for m in modules() if room(m) == one}
    waiting = list(reached)
    while waiting:
        for other in ours(imports(waiting.pop(), top=True)):
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    heavy = {str(m): imports(m, top=True) & HEAVY for m in reached}
    assert not {name: found for name, found in heavy.items() if found}
