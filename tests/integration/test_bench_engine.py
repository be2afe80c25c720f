"""`mgptn bench engine`, hardly anything of it: it runs without Ray, and says what it measured."""

# SPDX-License-Identifier: Apache-2.0

import json
import subprocess
import sys

import pytest

WITHOUT_RAY = """
import sys
sys.modules["ray"] = None
from experiments.cli import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_the_bench_runs_without_ray_and_writes_its_figures(tmp_path):
    out = tmp_path / "figures.json"
    command = [sys.executable, "-c", WITHOUT_RAY, "bench", "engine", "--quick", "--out", str(out)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "GFLOP/s of matrix products" in run.stdout
    figures = json.loads(out.read_text())
    names = [c["name"] for c in figures["comparisons"]]
    assert names == [
        "1 M: decode, no prefix",
        "1 M: answers, 24-token context",
        "1 M: 2 grades an answer",
    ]
    decode, answers, grades = figures["comparisons"]
    assert set(decode["ratios"]) == {"generate()", "continuous batching"}
    for comparison in figures["comparisons"]:
        for ratios in comparison["ratios"].values():
            assert len(ratios) == 5
            assert min(ratios) > 0
    for comparison in (answers, grades):
        assert comparison["prefill"] == pytest.approx(1.0, abs=0.02)
    assert 0 < figures["generation"]["inside"][0] <= 1
    assert figures["ceiling"]["matmul"] > figures["ceiling"]["bandwidth"] > 1e8
