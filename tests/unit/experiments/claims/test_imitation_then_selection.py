"""Imitation, then selection: verdicts of made-up writing, and who reads what of it."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgptn.experiments.claims.imitation_then_selection.analysis import (
    ARMS,
    decisive_of,
    with_differences,
)
from mgptn.experiments.claims.imitation_then_selection.measures import from_others
from mgptn.experiments.claims.imitation_then_selection.reading import (
    Reader,
    Written,
    hidden,
    likelihoods,
    true_writing,
    valid_steps,
)
from mgptn.experiments.claims.method.calculators import Calculator
from mgptn.experiments.claims.method.claim import load_claim
from mgptn.experiments.claims.method.deciding import conditions_of, decide
from mgptn.population.draws.streams import stream
from mgptn.protocols.tasks.budgeted.walks import ScribbledWalks, Walks
from mgptn.protocols.tasks.bundled import text

SEEDS, GENERATIONS, PROBLEMS = 8, 6, 20
HOLDS = {
    "imitation": {"error": 0.05, "told": 0.9, "valid": 0.95, "likelihood": -0.2},
    "imitation-peers": {"error": 0.1, "told": 0.9, "valid": 0.95, "likelihood": -0.2},
    "imitation-coin": {"error": 0.5, "told": 0.6, "valid": 0.6, "likelihood": -1.0},
    "imitation-likeliest": {"error": 0.25, "told": 0.9, "valid": 0.95, "likelihood": -0.2},
    "imitation-founders": {"error": 0.3, "told": 0.85, "valid": 0.9, "likelihood": -0.3},
    "alone": {"error": 0.2, "told": 0.3, "valid": 0.15, "likelihood": -4.0},
    "alone-peers": {"error": 0.3, "told": 0.3, "valid": 0.15, "likelihood": -4.0},
    "alone-coin": {"error": 0.7, "told": 0.3, "valid": 0.15, "likelihood": -4.0},
    "alone-likeliest": {"error": 0.5, "told": 0.3, "valid": 0.15, "likelihood": -4.0},
    "alone-founders": {"error": 0.6, "told": 0.3, "valid": 0.15, "likelihood": -4.0},
}
BASELINE = 0.3
"""How often another problem's writing tells the answer."""


def readings(changes: dict[str, dict[str, float]]) -> pl.DataFrame:
    """Two answers to each problem; every arm's seeds differ a little."""
    rng = stream(0, "made-up readings")
    shape = (SEEDS, GENERATIONS, PROBLEMS, 2)
    frames = []
    seed, generation, problem, _ = (axis.ravel() for axis in np.indices(shape))
    for arm in ARMS:
        of = HOLDS[arm] | changes.get(arm, {})

        def drawn(share: float) -> Any:
            own = np.clip(share + rng.normal(0.0, 0.01, (SEEDS, 1, 1, 1)), 0.0, 1.0)
            return (rng.random(shape) < own).astype(float).ravel()

        frames.append(
            pl.DataFrame(
                {
                    "seed": seed, "arm": arm, "generation": generation, "problem": problem,
                    "right": drawn(1.0 - of["error"]), "told": drawn(of["told"]),
                    "told by another": drawn(BASELINE), "valid": drawn(of["valid"]),
                    "likelihood": of["likelihood"] + rng.normal(0.0, 0.1, seed.shape),
                    "length": 6,
                }
            )
        )  # fmt: skip
    return pl.concat(frames)


@pytest.mark.parametrize(
    ("changes", "state", "which"),
    [
        ({"alone": {"told": 0.9}}, "refuted", "different: what the writing tells, by verdicts"),
        ({"alone": {"told": 0.7}}, "open", "different: what the writing tells, by verdicts"),
        ({"alone-peers": {"valid": 0.9}}, "refuted", "different: valid steps, by peers"),
        ({"alone-peers": {"valid": 0.75}}, "open", "different: valid steps, by peers"),
        ({"alone": {"likelihood": -0.3}}, "refuted", "different: likelihood, nats a character"),
        ({"alone": {"likelihood": -0.7}}, "open", "different: likelihood, nats a character"),
        ({"imitation-coin": {"error": 0.01}}, "refuted", "selection: error by a coin, beyond imi"),
        ({"imitation-coin": {"error": 0.05}}, "open", "selection: error by a coin, beyond imit"),
        ({"alone-coin": {"error": 0.1}}, "refuted", "selection: error by a coin, beyond alone's"),
        ({"alone-likeliest": {"error": 0.1}}, "refuted", "gain: founders' likeliest answers' err"),
        ({"alone-likeliest": {"error": 0.2}}, "open", "gain: founders' likeliest answers' error"),
        ({"imitation": {"told": 0.65}}, "refuted", "kept"),
        ({"imitation": {"told": 0.75}}, "open", "kept"),
        ({"imitation-coin": {"told": 0.97}}, "refuted", "drift"),
        ({"imitation-coin": {"told": 0.9}}, "open", "drift"),
        ({"alone": {"told": 0.5}}, "refuted", "not found"),
        ({"alone": {"told": 0.4}}, "open", "not found"),
    ],
)
def test_every_condition_can_be_shown_refuted_and_left_open(
    changes: dict[str, dict[str, float]], state: str, which: str
) -> None:
    registered = load_claim("imitation-then-selection").registered.decides
    for made, expected in (({}, "shown"), (changes, state)):
        found = conditions_of(registered, decisive_of(with_differences(readings(made))))
        of = [one.state for one in found if one.number.name.startswith(which)]
        assert expected in of, [one.told for one in found]
        assert decide(found)[0] == "holds" if expected == "shown" else decide(found)[0] != "holds"


def test_writing_that_is_empty_has_no_likelihood_and_counts_for_its_seeds_mean() -> None:
    some = pl.col("problem") == 3
    nothing = pl.when(some).then(float("nan")).otherwise(pl.col("likelihood"))
    numbers = decisive_of(with_differences(readings({}).with_columns(likelihood=nothing)))
    of = {n.name: n.value for n in numbers}["different: likelihood, nats a character, by verdicts"]
    assert of == pytest.approx(3.8, abs=0.05)


def test_a_slip_costs_its_own_step_and_what_is_no_place_costs_two() -> None:
    whole = Written("+aahiae@6=", "103733")
    assert (whole.derivation, whole.answer) == ("10373", "3")
    assert valid_steps(whole) == 1.0
    assert valid_steps(whole._replace(text="203733")) == pytest.approx(4 / 5)
    assert valid_steps(whole._replace(text="3")) == 0.0
    assert valid_steps(whole._replace(text="")) == 0.0
    assert valid_steps(whole._replace(text="1x3733")) == pytest.approx(3 / 5)


@given(st.text("abcdefghi", min_size=6, max_size=6))
def test_true_writing_is_valid_and_a_reader_sees_its_last_step_alone(steps: str) -> None:
    query = f"+{steps}@6="
    assert valid_steps(Written(query, Walks(6).reference(query))) == 1.0
    assert hidden(query) == f"+eeeee{steps[-1]}@6="


def test_scribbled_writing_ends_as_it_should_and_says_nothing_before() -> None:
    task, rng = ScribbledWalks(6, budget=6), stream(0, "scribbled")
    problems = task.draw_batch(rng, 4000, "train")
    queries = [text(query) for query in task.render(problems.fields)]
    answers = [text(answer) for answer in problems.references]
    assert all(Walks(6).verify(q, a) for q, a in zip(queries, answers, strict=True))
    digits = np.array([[int(digit) for digit in answer[:-1]] for answer in answers])
    shares = np.stack([(digits == digit).mean(axis=0) for digit in range(10)])
    # Of 50 shares of 4,000, each .1: further off than .03 with probability below 1e-7.
    assert np.abs(shares - 0.1).max() < 0.03
    valid = np.mean([valid_steps(Written(*one)) for one in zip(queries, answers, strict=True)])
    assert abs(valid - 0.1) < 0.02


def test_others_writing_is_the_same_authors_on_another_problem() -> None:
    writing = [Written(f"+{'abc'[i % 3]}@1=", str(i)) for i in range(6)]
    assert [int(one.text) for one in from_others(writing, 2)] == [1, 2, 0, 4, 5, 3]


def test_a_reader_learns_to_tell_the_answer_and_a_writers_likelihood_is_of_its_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGPTN_CACHE", str(tmp_path))
    options = load_claim("imitation-then-selection").options("smoke")
    bench: Any = SimpleNamespace(seed=0, book=lambda tokens, flops: None)
    founder = Calculator(bench, options["writer"], 0)
    # All that is written is where the walk ends: a lesson that is learned at once.
    plain = [
        Written(query, f"{answer[-1] * 5}{answer[-1]}")
        for query, answer in true_writing(6, 300, stream(0, "reader"))
    ]
    lesson = {"steps": 40, "documents": 16, "rate": 0.01}
    reader = Reader.taught(founder, plain[:200], lesson, 0)
    asked = plain[200:]
    own = reader.tells(asked, [one.derivation for one in asked])
    others = reader.tells(asked, [one.derivation for one in from_others(asked, 1)])
    assert own.mean() > others.mean() + 0.3
    told = likelihoods(founder, [*asked[:3], Written(asked[0].query, "")])
    assert (told[:3] < 0.0).all()
    assert np.isnan(told[3])
