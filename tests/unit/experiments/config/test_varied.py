"""Values of a key that a sweep varies: lists and texts too."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import click
import pytest

from mgptn.experiments.commands.parts import axes
from mgptn.experiments.commands.run import sweep
from mgptn.experiments.config.run_config import load_config
from mgptn.experiments.running.grid import plain
from mgptn.experiments.running.sweep import Axes, cells_of


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ("a,b", ("a", "b")),
        ("[],[a, b],c", ("[]", "[a, b]", "c")),
        ("{a: 1, b: [2, 3]},2", ("{a: 1, b: [2, 3]}", "2")),
        ('"a, b",c', ('"a, b"', "c")),
        ("don't,can't", ("don't", "can't")),
        ("[[1, 2], [3]],4", ("[[1, 2], [3]]", "4")),
        ("a,", ("a", "")),
        ("[never closed,b", ("[never closed,b",)),
    ],
)
def test_commas_within_brackets_and_quotes_part_nothing(
    values: str, parts: tuple[str, ...]
) -> None:
    (option,) = (one for one in sweep.params if one.name == "vary")
    with click.Context(sweep) as context:
        assert axes(context, option, (f"key={values}",)) == (("key", parts),)


def test_cells_of_long_values_have_names_that_a_folder_can_have() -> None:
    personas = [f"[You answer as {who} does, {'slowly, ' * 40}and well.]" for who in ("A", "B")]
    varied = Axes(further=(("agents.personas", ("[]", *personas)),))
    names = [cell.name for cell in cells_of(load_config("quickstart"), varied)]
    assert len(set(names)) == 3
    assert all(len(name) < 200 for name in names)
    assert plain("peers") == "peers"
    assert plain("a" * 40) == "a" * 40
