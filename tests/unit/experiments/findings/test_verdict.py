"""The verdict claims amplification when, and only when, its controls allow it."""

# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace
from functools import cache
from io import StringIO
from itertools import product

import pytest
from rich.console import Console

from mgptn.experiments.config.arms import CONTEXT_ARMS as ARMS
from mgptn.experiments.config.arms import (
    GREEDY,
    NEUTRAL,
    RANDOM,
    SELECTED,
    SHUFFLED,
    TEMPERATURES,
    UNSELECTED,
)
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.findings.differences import Difference
from mgptn.experiments.findings.heading import (
    NEUTRAL_NAME,
    RANDOM_NAME,
    drift_said,
    heading_of,
    random_said,
)
from mgptn.experiments.findings.verdict import judge
from mgptn.experiments.record.committed import Committed
from mgptn.experiments.record.rounds import Round
from mgptn.experiments.views.live import LiveTable
from mgptn.experiments.views.measured import measured
from mgptn.population.draws.streams import stream
from tests.synthetic import synthetic_run

CONFIG = check_config({"name": "judged", "population": {"size": 6}})
Errors = dict[str, tuple[float, float]]


def rounds(errors: Errors) -> list[Round]:
    """Rounds in which each arm errs at its two rates in its first and last generation."""
    return list(_rounds(tuple(errors.items())))


@cache
def _run(arms: tuple[str, ...]) -> list[Committed]:
    return synthetic_run(arms, generations=2, agents=6, problems=40, graders=2, seed=0)[0]


@cache
def _rounds(of: tuple[tuple[str, tuple[float, float]], ...]) -> tuple[Round, ...]:
    errors = dict(of)
    committed = _run(tuple(errors))
    found: list[Round] = []
    for index in range(2):
        together = []
        for c in committed:
            if c.generation.index != index:
                continue
            rate = errors[c.arm][0 if index == 0 else 1]
            rng = stream(0, "verdicts", c.arm, index)
            said = c.generation.outcomes
            outcomes = replace(said, verdicts=rng.random(len(said)) >= rate)
            together.append(replace(c, generation=replace(c.generation, outcomes=outcomes)))
        found.append(Round(tuple(together)))
    return tuple(measured(found, CONFIG))


AMPLIFIED: Errors = {
    SELECTED: (0.5, 0.1),
    NEUTRAL: (0.5, 0.3),
    RANDOM: (0.5, 0.55),
    UNSELECTED: (0.5, 0.5),
}


def test_an_error_that_falls_below_its_controls_is_amplified():
    verdict = judge(rounds(AMPLIFIED))
    assert verdict.heading.startswith("Amplified beyond ")
    text = " ".join(verdict.sentences)
    assert "The random-selector control changed by" in text
    assert "Replication by fitness lowered the error beyond" in text


@pytest.mark.parametrize(
    ("changed", "heading"),
    [
        ({SELECTED: (0.5, 0.5)}, "Not amplified: gold error was not shown to fall"),
        ({SELECTED: (0.2, 0.5)}, "Not amplified: gold error rose"),
        ({RANDOM: (0.5, 0.1)}, "Not amplified: gold error fell, but was not shown to be below"),
        ({RANDOM: (0.8, 0.4)}, "Undecided: gold error fell, but that of the random-selector"),
    ],
)
def test_without_what_it_takes_nothing_is_claimed(changed: Errors, heading: str):
    assert judge(rounds(AMPLIFIED | changed)).heading.startswith(heading)


def test_where_weights_learn_the_coin_at_the_peers_rate_is_the_random_selector():
    learned = {arm: of for arm, of in AMPLIFIED.items() if arm != RANDOM}
    further = judge(rounds(learned | {SHUFFLED: (0.5, 0.55)})).heading
    assert further.startswith("Amplified beyond ")
    no_further = judge(rounds(learned | {SHUFFLED: (0.5, 0.1)})).heading
    assert no_further.startswith("Not amplified: gold error fell, but was not shown to be below")
    assert "no claim of amplification" in " ".join(judge(rounds(learned)).sentences)


def test_a_random_selector_that_improves_is_said_plainly():
    sentences = judge(rounds(AMPLIFIED | {RANDOM: (0.8, 0.4)})).sentences
    assert any("IT IMPROVED" in sentence for sentence in sentences)


def test_selection_that_adds_nothing_to_acceptance_is_said_plainly():
    sentences = judge(rounds(AMPLIFIED | {NEUTRAL: (0.5, 0.1)})).sentences
    assert any("added nothing that could be shown" in sentence for sentence in sentences)


def test_a_better_control_stands_in_the_heading():
    heading = judge(rounds(AMPLIFIED | {UNSELECTED: (0.0, 0.0)})).heading
    assert heading.startswith(
        "Not amplified: outdone by no feedback (and by best of 6 unselected, "
    )
    assert "though gold error fell below that of a random selector; replication helped" in heading


def test_a_control_that_may_be_better_leaves_it_undecided():
    heading = judge(rounds(AMPLIFIED | {UNSELECTED: (0.1, 0.1)})).heading
    assert heading.startswith("Undecided: not shown to be better than ")


def test_the_founders_likeliest_answers_are_a_control():
    def with_founders(first: float, last: float) -> list[Round]:
        """The run's rounds, its unselected founders at four temperatures: the third is best."""
        found = []
        for one, rate in zip(rounds(AMPLIFIED), (first, last), strict=True):
            alone = one.of(UNSELECTED)
            agents = tuple(
                replace(a, genome=replace(a.genome, sampling_temperature=t))
                for a, t in zip(alone.generation.agents, [*TEMPERATURES, 0.3, 0.6], strict=True)
            )
            rng = stream(0, "verdicts", GREEDY, repr(rate))
            wrong = rng.random((len(agents), 40)) < rate
            wrong[[2, 5]] = False
            outcomes = replace(alone.generation.outcomes, verdicts=~wrong.ravel())
            generation = replace(alone.generation, agents=agents, outcomes=outcomes)
            arm = replace(alone, arm=GREEDY, generation=generation)
            found.append(replace(one, committed=(*one.committed, arm)))
        return found

    verdict = judge(with_founders(0.5, 0.5))
    assert verdict.heading.startswith(
        "Not amplified: outdone by the founders at sampling temperature 0.6, though"
    )
    text = " ".join(verdict.sentences)
    assert "Against the founders' likeliest answers (0.5" in text
    assert "The run gave 12 answers for each of a generation's problems: as_many=1" in text


def test_graders_that_would_hardly_say_their_options_are_said_plainly():
    def seen(mass: float, count: int = 2) -> list[Round]:
        found = []
        for one in rounds(AMPLIFIED)[:count]:
            measures = replace(one.measures[SELECTED], option_mass=mass)
            found.append(replace(one, measures={**one.measures, SELECTED: measures}))
        return found

    def told(mass: float, count: int = 2) -> list[str]:
        sentences = judge(seen(mass, count)).sentences
        return [one for one in sentences if "would hardly have said" in one]

    assert told(0.6) == told(math.nan) == []
    for count in (1, 2):
        assert "a probability of 0.031 together" in told(0.031, count)[0]
    out = StringIO()
    with LiveTable(Console(file=out, width=40), "title", 2) as table:
        for one in seen(0.031):
            table.add(one)
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["title", "gen", "0", "Graders", "1"]


def test_no_controls_and_one_generation_claim_nothing():
    alone = rounds({SELECTED: (0.5, 0.1)})
    assert judge(alone).heading == "Error fell, without controls"
    assert judge(rounds(AMPLIFIED)[:1]).heading == "Undecided: one generation"


def test_the_live_table_shows_a_line_a_generation_where_there_is_no_terminal():
    out = StringIO()
    shown = rounds(AMPLIFIED)
    with LiveTable(Console(file=out, width=40), "title", len(shown)) as table:
        for one in shown:
            table.add(one)
    lines = out.getvalue().splitlines()
    assert lines[0] == "title"
    assert [line.split()[0] for line in lines[1:]] == ["gen", "0", "1"]
    assert set(ARMS) == set(AMPLIFIED)


FALLS, RISES = Difference(-0.2, -0.3, -0.1), Difference(0.2, 0.1, 0.3)
OPEN = Difference(0.0, -0.1, 0.1)


@pytest.mark.parametrize("change", [FALLS, OPEN, RISES])
@pytest.mark.parametrize("random_change", [FALLS, OPEN, RISES])
def test_the_heading_agrees_with_its_sentences(change: Difference, random_change: Difference):
    """Whatever each control's sentence says, the heading says nothing else."""
    cheaper = ("likeliest answers", "majority vote")
    for random, neutral, *others in product((FALLS, OPEN, RISES), repeat=4):
        against = {RANDOM_NAME: (0.5, random), NEUTRAL_NAME: (0.4, neutral)}
        against |= {name: (0.3, of) for name, of in zip(cheaper, others, strict=True)}
        heading = heading_of(change, random_change, against)
        for name, of in zip(cheaper, others, strict=True):
            assert (name in heading.partition("outdone by ")[2]) == of.rises
            assert not (of.rises and heading.startswith("Amplified"))
        claimed = all(of.falls for of in (change, random, *others)) and not random_change.falls
        assert heading.startswith("Amplified") == claimed
        assert ("replication helped" in heading) <= drift_said(neutral).startswith(
            "Replication by fitness lowered"
        )
        assert ("replication did harm" in heading) <= neutral.rises
        assert ("gold error rose" in heading) == change.rises
        assert ("control did too" in heading) <= ("IT IMPROVED" in random_said(random_change))


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (Difference(0.1, -0.02, 0.2), "no change could be shown. An error lower by up to 0.020"),
        (Difference(0.1, 0.02, 0.2), "it got worse"),
        (Difference(-0.1, -0.2, -0.02), "IT IMPROVED"),
        (Difference(-0.1, math.nan, math.nan), "too few problems for an interval"),
        (Difference(-0.1, -0.1, -0.1), "all problems alike: no interval"),
    ],
)
def test_an_interval_is_said_as_what_it_is(difference: Difference, said: str):
    assert said in random_said(difference)
