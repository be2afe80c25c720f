import math
import re
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from mgptn.experiments.commands.theory import theory
from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.theory.closed_forms import compare_chaining, compare_fixation, fixation_curve
from mgptn.experiments.theory.threshold import (
    compare_threshold,
    infinite_distance,
    nearly_stationary,
)
from mgptn.population.breeding import moran, wright_fisher
from mgptn.population.theory import classification
from mgptn.population.theory.quasispecies import error_threshold, hamming_stationary

BOOTSTRAP = ["bootstrap", "--error", ".7", "--tpr", ".8", "--fpr", ".3"]
SMALL = ["--agents", "40", "--problems", "8"]
PNG = b"\x89PNG\r\n\x1a\n"


def run(*arguments):
    result = CliRunner().invoke(theory, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments):
    result = CliRunner().invoke(theory, [str(argument) for argument in arguments])
    assert isinstance(result.exception, ConfigError), result.output
    return str(result.exception)


def rows(output):
    """The table's rows, as cells."""
    return [
        line.split()
        for line in output.splitlines()
        if re.match(r" *[\d.]+ ", line) and "yes" in line
    ]


def test_the_recurrence_is_printed_as_it_is():
    printed = rows(run(*BOOTSTRAP))
    errors = classification.error_trajectory(0.7, 0.8, 0.3, 12)
    assert [int(row[0]) for row in printed] == list(range(13))
    np.testing.assert_allclose([float(row[1]) for row in printed], errors, rtol=0.03)
    np.testing.assert_allclose(
        [float(row[2]) for row in printed], errors / (1 - errors), rtol=0.005
    )
    appended = [classification.append_rate(error, 0.8, 0.3) for error in errors]
    np.testing.assert_allclose([float(row[3]) for row in printed], appended, atol=6e-5)


def test_rounds_to_the_target_are_theory_s_and_the_simulation_s():
    needed = classification.rounds_to_error(0.7, 0.01, 0.8, 0.3)
    output = run(*BOOTSTRAP)
    assert f"{needed:.2f} by theory, so 6; 6 simulated" in output
    assert "never by theory; not within the 4" in run(
        "bootstrap", "--error", 0.7, "--tpr", 0.5, "--fpr", 0.5, "--rounds", 4
    )


def test_graders_are_unanimous():
    three = compare_chaining(0.7, 0.8, 0.3, 5, 0.01, 50, 8, graders=3, seed=0)
    assert three.rates == pytest.approx((0.8**3, 0.3**3))
    np.testing.assert_allclose(
        three.errors, classification.error_trajectory(0.7, 0.8**3, 0.3**3, 5), rtol=1e-12
    )
    assert three.needed == pytest.approx(classification.rounds_to_error(0.7, 0.01, 0.8, 0.3) / 3)


def test_what_is_simulated_follows_the_seed_alone():
    assert run(*BOOTSTRAP, *SMALL, "--seed", 5) == run(*BOOTSTRAP, *SMALL, "--seed", 5)
    assert run(*BOOTSTRAP, *SMALL, "--seed", 5) != run(*BOOTSTRAP, *SMALL, "--seed", 6)


def test_bands_of_many_answers_are_narrow():
    found = compare_chaining(0.4, 0.9, 0.2, 6, 0.01, 200, 20, 1, seed=3)
    shared, own = found.shared, found.own
    assert np.all((shared.low <= shared.middle) & (shared.middle <= shared.high))
    assert np.all(shared.high - shared.low <= own.high - own.low + 0.01)
    assert found.within[0]
    assert found.all_right + found.all_wrong <= 1


@pytest.mark.parametrize(
    ("error", "tpr", "fpr"), [(0, 0.5, 0.2), (1, 0.5, 0.2), (0.5, 0, 0), (0.5, 1, 0), (0.5, 0, 1)]
)
def test_degenerate_rates(error, tpr, fpr, tmp_path):
    output = run(
        "bootstrap", "--error", error, "--tpr", tpr, "--fpr", fpr, *SMALL, "--rounds", 2,
        "--out", tmp_path,
    )  # fmt: skip
    assert "nan" not in output
    assert (tmp_path / "bootstrap.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("process", "exact"),
    [
        ("moran", moran.fixation_probability),
        ("wright-fisher", wright_fisher.fixation_probability),
        ("death-birth", moran.death_birth_fixation_probability),
    ],
)
def test_fixation_is_printed_for_all_processes_and_simulated_for_one(process, exact):
    output = run("fixation", "--fitness", 1.2, "--size", 20, "--process", process, "--trials", 500)
    assert f"{moran.fixation_probability(1.2, 20):.6g}" in output
    assert f"{wright_fisher.fixation_probability(1.2, 20):.6g}" in output
    assert f"{moran.death_birth_fixation_probability(1.2, 20):.6g}" in output
    found = compare_fixation(process, 1.2, 20, 500, seed=0)
    assert found.exact == exact(1.2, 20)
    assert 0 <= found.low <= found.share <= found.high <= 1
    (row,) = [line for line in output.splitlines() if re.search(" (yes|no) *$", line)]
    assert row.split()[:3] == [process, f"{found.exact:.6g}", f"{found.share:.6g}"]


def test_wilson_s_interval():
    """Against its formula."""
    found = compare_fixation("moran", 1.5, 10, 300, seed=1)
    z, n, p = 1.959964, found.trials, found.share
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), rel=1e-6)


def test_a_fixation_curve_holds_its_point():
    point = compare_fixation("moran", 0.9, 10, 100, seed=0)
    curve = fixation_curve(point, seed=0, points=4)
    fitness = [each.relative_fitness for each in curve]
    assert fitness == sorted(fitness)
    assert point in curve
    assert fitness[0] < 1 < fitness[-1]


def test_the_threshold_is_printed_as_it_is():
    output = run("threshold", "--superiority", 10, "--length", 30, "--sizes", "20,100")
    critical = error_threshold(10, 30)
    assert f"{critical:.6g}" in output
    printed = [line.split() for line in output.splitlines() if re.match(r" +[\d.]+ +0\.\d", line)]
    assert len(printed) == 9
    for scale, rate, exact, one_way, *simulated in printed:
        assert float(rate) == pytest.approx(float(scale) * critical, rel=1e-3)
        master = hamming_stationary(10, 30, float(scale) * critical).master
        assert float(exact) == pytest.approx(master, rel=0.05)
        assert float(one_way) == pytest.approx(
            float(nearly_stationary(10, 30, np.array(float(scale) * critical))), rel=0.05, abs=1e-9
        )
        assert len(simulated) == 2


def test_simulated_clouds_change_at_the_threshold():
    found = compare_threshold(8.0, 20, (3000,), seed=0)
    master, distance = found.masters[3000].middle, found.distances[3000].middle
    below, above = found.error_rates < 0.6 * found.threshold, found.error_rates > found.threshold
    np.testing.assert_allclose(master[below], found.exact[below], rtol=0.05)
    assert np.all(master[found.error_rates > 1.2 * found.threshold] < 0.003)
    assert np.all(distance[below] < 0.1)
    assert np.all(distance[above] > 0.3)
    assert infinite_distance(8.0, 20, 0.0) == pytest.approx(0.0, abs=1e-12)
    assert infinite_distance(8.0, 20, 0.5) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([*BOOTSTRAP, *SMALL], "bootstrap.png"),
        (["fixation", "--fitness", 1.1, "--size", 10, "--trials", 200], "fixation.png"),
        (["threshold", "--superiority", 5, "--length", 8, "--sizes", "50"], "threshold.png"),
    ],
)
def test_figures_are_written(arguments, name, tmp_path):
    folder = tmp_path / "new" / "folder"
    assert f"Written: {folder / name}" in run(*arguments, "--out", folder)
    assert (folder / name).read_bytes().startswith(PNG)
    assert [path.name for path in folder.iterdir()] == [name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*BOOTSTRAP, "--error", 1.3], "--error: expected a probability in [0, 1], got 1.3"),
        ([*BOOTSTRAP, "--tpr", -0.1], "--tpr: expected a probability in [0, 1], got -0.1"),
        ([*BOOTSTRAP, "--fpr", "nan"], "--fpr: expected a probability in [0, 1], got nan"),
        ([*BOOTSTRAP, "--target", "inf"], "--target: expected a probability in [0, 1], got inf"),
        ([*BOOTSTRAP, "--rounds", 0], "--rounds: expected 1 to 10000, got 0"),
        ([*BOOTSTRAP, "--agents", 0], "--agents: expected 1 to 1000000, got 0"),
        ([*BOOTSTRAP, "--problems", 0], "--problems: expected 1 to 1000000, got 0"),
        ([*BOOTSTRAP, "--graders", 0], "--graders: expected 1 to 10000, got 0"),
        ([*BOOTSTRAP, "--seed", -1], "--seed: expected at least 0, got -1"),
        (
            ["fixation", "--fitness", 0, "--size", 5],
            "--fitness: expected a number from 0.001 to 1000, got 0.0",
        ),
        (["fixation", "--fitness", 1, "--size", 1], "--size: expected 2 to 1000, got 1"),
        (
            ["fixation", "--fitness", 1, "--size", 5, "--trials", 0],
            "--trials: expected 1 to 10000000, got 0",
        ),
        (
            ["threshold", "--superiority", 1, "--length", 5],
            "--superiority: expected above 1, up to 1e6, got 1.0",
        ),
        (
            ["threshold", "--superiority", 5, "--length", 0],
            "--length: expected 1 to 200, got 0",
        ),
        (
            ["threshold", "--superiority", 1.01, "--length", 200],
            "--superiority, --length: expected an error threshold of at least 0.002, got 4.98e-05 "
            "of 1.01 and 200",
        ),
        (
            ["threshold", "--superiority", 5, "--length", 5, "--sizes", "9,0"],
            "--sizes: expected 1 to 1000000000, got 0",
        ),
    ],
)
def test_bad_options_are_named(arguments, message):
    assert refused(*arguments) == message


def test_a_process_of_another_name():
    with pytest.raises(ConfigError, match=r"--process: expected one of moran, .* got 'other'"):
        compare_fixation("other", 1.0, 5, 10, 0)
    result = CliRunner().invoke(
        theory, ["fixation", "--fitness", "1", "--size", "5", "--process", "other"]
    )
    assert result.exit_code == 2
    assert "'other' is not one of" in result.output


def test_sizes_that_are_no_numbers():
    result = CliRunner().invoke(
        theory, ["threshold", "--superiority", "5", "--length", "5", "--sizes", "9,x"]
    )
    assert result.exit_code == 2
    assert "'--sizes': expected whole numbers separated by commas, got '9,x'" in result.output


def test_help_imports_nothing_heavy():
    heavy = ["numpy", "scipy", "rich", "matplotlib", "polars", "torch", "ray"]
    module = "mgptn.experiments.commands.theory"
    code = f"import {module}, sys; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
