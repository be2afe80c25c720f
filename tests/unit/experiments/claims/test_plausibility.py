"""Probes of forced digits against made-up states, and the verdicts that follow from outcomes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2, kstest, mannwhitneyu

from mgptn.experiments.claims.plausibility.analysis import MEASURES, analyse, area
from mgptn.experiments.claims.plausibility.measures import FORCED, RIGHT, SAMPLED
from mgptn.experiments.claims.plausibility.probing import LINEAR, QUADRATIC, Marked, Probe
from mgptn.population.draws.streams import stream
from tests.measured import measured

LAYERS, SEEDS = 3, 8


def marked(values: np.ndarray, places: int = 3) -> Marked:
    """States of some digits, each place of which lies elsewhere."""
    at = np.arange(len(values)) % places
    return Marked(values + 5.0 * at[:, None], at, np.arange(len(values)))


def test_an_area_is_mann_and_whitneys() -> None:
    rng = stream(0, "areas")
    own, other = rng.integers(0, 9, 40).astype(float), rng.integers(3, 12, 50).astype(float)
    expected = mannwhitneyu(other, own).statistic / (len(own) * len(other))
    assert area(own, other) == pytest.approx(expected, abs=1e-12)
    assert area(own, own) == pytest.approx(0.5)


def test_a_linear_probe_sees_a_shift_and_only_a_quadratic_one_whether_two_things_agree() -> None:
    """1,500 states of six numbers; of no difference the area is beyond .5 ± .06 once in a thousand
    (deviation .018)."""
    rng = stream(1, "probes")

    def states(agree: float, shift: float = 0.0) -> Marked:
        said, due = rng.choice([-1.0, 1.0], size=(2, 1500))
        due = np.where(rng.random(1500) < agree, said, due)
        rows = rng.normal(0.0, 0.3, size=(1500, 6))
        rows[:, 0] += said + shift
        rows[:, 1] += due
        return marked(rows)

    def told(kind: str, own: float, other: float, shift: float = 0.0) -> float:
        probe = Probe(states(own), states(other, shift), kind)
        return area(probe.score(states(own)), probe.score(states(other, shift)))

    assert told(LINEAR, 0.0, 0.0, 1.0) > 0.7
    assert abs(told(LINEAR, 1.0, -1.0) - 0.5) < 0.06
    assert told(QUADRATIC, 1.0, -1.0) > 0.7
    assert abs(told(QUADRATIC, 0.3, 0.3) - 0.5) < 0.06


def test_scores_are_0_and_1_on_average_and_distances_are_chi_squared_of_normal_states() -> None:
    rng = stream(2, "distances")
    own, other = marked(rng.normal(size=(6000, 4))), marked(rng.normal(1.0, 1.0, size=(6000, 4)))
    probe = Probe(own, other, LINEAR)
    assert probe.score(own).mean() == pytest.approx(0.0, abs=1e-9)
    assert probe.score(other).mean() == pytest.approx(1.0, abs=1e-9)
    found = probe.distance(marked(rng.normal(size=(500, 4))))
    # False alarm 1e-4; that of estimated means and variances of 6,000 is far below.
    assert kstest(found, chi2(4).cdf).pvalue > 1e-4


def table(gap: float, slope: float, broken: float, leak: float = 0.0) -> pl.DataFrame:
    """Scores of forced digits `gap` above those of sampled ones, more by `slope` a decade; of right
    answers the improbable ones are broken with a probability."""
    rng = stream(3, "table")
    frames = []
    for seed in range(SEEDS):
        for probe in (LINEAR, QUADRATIC):
            for layer in range(LAYERS):
                count = 300
                problems = np.arange(count)
                surprisal = rng.uniform(0.0, 9.0, count)
                above = leak if layer == 0 else gap + slope * (surprisal - 6.0)
                ducks = rng.normal(0.0, 1.0, count) + above
                own = rng.normal(0.0, 1.0, count)
                at = {"layer": layer, "probe": probe, "seed": seed, "bound": 3.0}
                for kind, scores, how in (
                    (SAMPLED, own, np.full(count, np.nan)), (FORCED, ducks, surprisal)
                ):  # fmt: skip
                    frames.append(
                        pl.DataFrame(
                            {
                                "what": "digits", "kind": kind, "problem": problems,
                                "score": scores, "distance": scores**2, "surprisal": how,
                                "place": problems % 6,
                            }
                        ).with_columns(**{k: pl.lit(v) for k, v in at.items()})
                    )  # fmt: skip
                for kind, rate in ((SAMPLED, 0.05), (RIGHT, broken)):
                    how = rng.uniform(0.0, 6.0, count)
                    is_broken = rng.random(count) < np.where(how > 2.0, rate, 0.05)
                    frames.append(
                        pl.DataFrame(
                            {
                                "what": "passes", "kind": kind, "problem": problems,
                                "score": own, "surprisal": how, "broken": is_broken,
                            }
                        ).with_columns(**{k: pl.lit(v) for k, v in at.items()})
                    )  # fmt: skip
    return pl.concat(frames, how="diagonal")


@pytest.mark.parametrize(
    ("outcome", "verdict", "why"),
    [
        ({"gap": 2.5, "slope": 0.0, "broken": 0.8}, "holds", "broken among successes"),
        ({"gap": 0.2, "slope": 0.0, "broken": 0.8}, "fails", "area of a quadratic probe, after"),
        ({"gap": 2.5, "slope": 0.0, "broken": 0.8, "leak": 2.0}, "fails", "embeddings"),
        ({"gap": 2.5, "slope": 0.6, "broken": 0.8}, "fails", "rank correlation"),
        ({"gap": 2.5, "slope": 0.0, "broken": 0.05}, "fails", "broken among successes"),
        ({"gap": 0.955, "slope": 0.0, "broken": 0.8}, "undecided", "area of a quadratic probe"),
        ({"gap": 2.5, "slope": 0.19, "broken": 0.8}, "undecided", "rank correlation"),
        ({"gap": 2.5, "slope": 0.0, "broken": 0.435}, "undecided", "broken among successes"),
    ],
)
def test_an_outcome_of_each_kind_has_its_verdict(
    tmp_path: Path, outcome: dict[str, float], verdict: str, why: str
) -> None:
    results = measured(tmp_path, {next(iter(MEASURES)): table(**outcome)})
    found = analyse(results)
    assert found.verdict == verdict, found.why
    assert any(why in line for line in found.why)


def test_successes_are_counted_as_attempts_would_find_them(tmp_path: Path) -> None:
    """Of a plain count: each problem is tried k times."""
    made = table(2.5, 0.0, 0.8)
    found = analyse(measured(tmp_path, {next(iter(MEASURES)): made}))
    rows = made.filter(what="passes", kind=RIGHT, layer=1, probe=QUADRATIC)
    p = 10.0 ** -rows["surprisal"].to_numpy()
    passed = 1.0 - (1.0 - p) ** 100
    numbers = {n.name: n.value for n in found.numbers["Passes"]}
    assert numbers["pass@10^2"] == pytest.approx(passed.mean(), abs=1e-9)
    expected = (passed * rows["broken"].to_numpy()).sum() / passed.sum()
    assert numbers["broken among successes at 10^2"] == pytest.approx(expected, abs=1e-9)
