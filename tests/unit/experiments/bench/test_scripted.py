"""The bench of the whole simulator: every generation but the first, in a process of its own."""

# SPDX-License-Identifier: Apache-2.0

from io import StringIO

from rich.console import Console

from mgptn.experiments.bench.scripted import simulated, simulated_table


def test_a_small_population_is_timed_without_and_with_controls():
    alone, together = simulated((10,), generations=2)
    assert (alone.size, alone.arms, together.size, together.arms) == (10, 1, 10, 4)
    for one in (alone, together):
        assert len(one.seconds) == len(one.processor_seconds) == 2
        assert min(one.seconds) > 0.0
        assert 2**24 < one.peak_bytes < 2**31
    assert together.journal_bytes > 2 * alone.journal_bytes
    out = StringIO()
    Console(file=out, width=200).print(simulated_table([alone, together]))
    assert [line.split()[1] for line in out.getvalue().splitlines() if line.startswith("│")] == [
        "10",
        "10",
    ]
