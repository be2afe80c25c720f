"""The bench of large runs, on small ones; and that what a run costs grows with it and no faster."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from mgptn.experiments.bench.scale import VIEWS, _growth_table, _views_table, grow, look


def test_a_run_and_every_view_of_it_are_measured(tmp_path: Path) -> None:
    grown = grow(tmp_path / "run", 60, 4)
    assert (grown.size, grown.arms, len(grown.seconds), len(grown.memory)) == (60, 4, 3, 3)
    assert 100 < grown.series <= 2000
    views = [view for view in VIEWS if view != "report"]
    seen = {view: look(tmp_path / "run", view) for view in views}
    assert seen["compact"].size < seen["journal read"].size == grown.journal_bytes
    assert seen["compact journal read"].size == seen["compact"].size
    out = StringIO()
    Console(file=out, width=120).print(_growth_table(grown), _views_table(list(seen.values())))
    assert "60 agents in each of 4 arms" in out.getvalue()
    assert all(view in out.getvalue() for view in views)


@pytest.mark.slow
def test_memory_is_flat_and_time_linear_at_ten_thousand_agents(tmp_path: Path) -> None:
    grown = grow(tmp_path / "run", 10_000, 13)
    first, last = grown.seconds[:4], grown.seconds[-4:]
    # A busy machine takes longer at times; twice as long in the least of four is no accident.
    assert min(last) < 2 * min(first)
    # Forty bytes a birth: 10⁴ births in each of 9 generations are 4 MB.
    assert grown.memory[-1] - grown.memory[3] < 60 * 2**20
    assert grown.series <= 2000
    assert look(tmp_path / "run", "report").size < 2 * 2**20
