"""A jury's agreement and descent, worked out by hand and against the plain version."""

# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgptn.population.judging import agreeing
from mgptn.population.measures import jury
from mgptn.population.measures.answer_errors import majority_errors
from mgptn.population.measures.generation_measures import measure
from mgptn.population.records.agents import Agent, AgentId, Birth, Genome
from mgptn.population.records.generation import Generation
from mgptn.population.records.matches import Match
from mgptn.population.records.outcomes import Outcome
from mgptn.population.records.population import population_digest
from tests.columns import columns
from tests.reference.population.measures import jury as plain

GENOME = Genome("gpt-1", 1.0)


def answered(*problems, right, unfinished=()):
    """Outcomes of agents whose answers are the letters of each problem's word."""
    outcomes = []
    for author in range(len(problems[0])):
        for problem, (word, truth) in enumerate(zip(problems, right, strict=True)):
            match = Match(AgentId(author), problem, ())
            cut = (author, problem) in unfinished
            verdict = word[author] == truth and not cut
            outcomes.append(
                Outcome(match, f"{problem}?", word[author], not cut, 1, -1.0, (), verdict)
            )
    return columns(outcomes)


def talked(outcomes):
    """The same answers as sentences that no two agents word alike."""
    return columns(
        [
            replace(one, answer=f"I, {i}, say {one.answer}", part=one.answer)
            for i, one in enumerate(outcomes)
        ]
    )


def test_who_says_the_same_in_other_words_agrees():
    bare = answered("aab", "abc", right="aa", unfinished={(2, 0)})
    said = talked(bare)
    assert len(set(said.texts[i] for i in said.answers)) == 6
    assert agreeing.largest_agreements(said).tolist() == [2, 1]
    assert agreeing.largest_agreements(said).tolist() == agreeing.largest_agreements(bare).tolist()
    assert jury.agreed_error(said, 2) == jury.agreed_error(bare, 2)
    assert majority_errors(lived(living(0, 1, 2), [1.0] * 3, outcomes=said)).tolist() == (
        majority_errors(lived(living(0, 1, 2), [1.0] * 3, outcomes=bare)).tolist()
    )


def living(*founders):
    return tuple(Agent(AgentId(i), GENOME, None, AgentId(f), -1) for i, f in enumerate(founders))


def lived(agents, rates, births=0, index=0, outcomes=None):
    size = len(agents)
    return Generation(
        index=index,
        agents=agents,
        outcomes=answered("a" * size, right="a") if outcomes is None else outcomes,
        scores=np.full(size if outcomes is None else len(outcomes), np.nan),
        accepted=np.zeros(0, dtype=np.int64),
        fitness=np.full(size, np.nan),
        rates=np.array(rates, dtype=np.float64),
        births=tuple(Birth(AgentId(100 + i), AgentId(0), ()) for i in range(births)),
        deaths=(),
        survivors=agents,
        digest=population_digest(agents, index),
    )


# Four agents, three problems: the first right but for one, who is alone; three meet on what is
# wrong; two pairs meet on what is wrong.
BY_HAND = answered("aaab", "xxyx", "uvuv", right="ay.")


def test_a_jury_worked_out_by_hand():
    assert jury.accuracy(BY_HAND) == 4 / 12
    assert jury.collision(BY_HAND) == (3 + 2) / (3 + 6)
    assert agreeing.largest_agreements(BY_HAND).tolist() == [3, 3, 2]
    assert [agreeing.agreed_share(BY_HAND, least) for least in (2, 3, 4)] == [1, 2 / 3, 0]
    assert agreeing.agreed_share(BY_HAND) == 0
    assert jury.agreed_error(BY_HAND, 2) == 2 / 3
    assert jury.agreed_error(BY_HAND, 3) == 1 / 2
    assert math.isnan(jury.agreed_error(BY_HAND))
    assert jury.peer_rates(BY_HAND) == (6 / 12, 10 / 24)
    assert jury.expected_peer_rates(BY_HAND) == pytest.approx((1 / 3, 2 / 3 * 5 / 9))


def test_an_unfinished_answer_agrees_with_nothing():
    cut = answered("aaab", "xxyx", "uvuv", right="ay.", unfinished={(3, 1), (0, 0)})
    # Who is cut off is wrong, and still of as many pairs.
    assert jury.collision(cut) == (0 + 1 + 2) / (1 + 3 + 6)
    assert agreeing.largest_agreements(cut).tolist() == [2, 2, 2]
    assert jury.peer_rates(cut) == (2 / (3 * 3), (2 + 4) / (9 * 3))
    nobody = answered("aa", right="b", unfinished={(0, 0), (1, 0)})
    assert agreeing.largest_agreements(nobody).tolist() == [0]
    assert agreeing.agreed_share(nobody, 1) == 0


def test_equally_common_answers_count_by_their_share():
    assert jury.agreed_error(answered("aabb", right="a"), 2) == 1 / 2
    assert jury.agreed_error(answered("aabbc", right="c"), 2) == 1


def test_clones_agree_on_everything_and_agreement_is_worth_what_they_are():
    clones = answered("aaa", "xxx", "bbb", right="aab")
    assert jury.collision(clones) == 1
    assert agreeing.agreed_share(clones) == 1
    assert jury.agreed_error(clones) == pytest.approx(1 - jury.accuracy(clones))
    assert jury.peer_rates(clones) == (1, 1)


def test_what_has_no_pairs_is_undefined():
    right = answered("aa", right="a")
    assert math.isnan(jury.collision(right))
    assert jury.peer_rates(right).tpr == 1
    assert math.isnan(jury.peer_rates(right).fpr)
    assert math.isnan(jury.expected_peer_rates(right).fpr)
    alone = answered("a", right="a")
    assert math.isnan(jury.peer_rates(alone).tpr)
    assert agreeing.agreed_share(alone) == 1
    assert math.isnan(jury.shared_founders(living(0)))


@pytest.mark.parametrize("least", [0, 5])
def test_more_than_all_or_nobody_cannot_agree(least):
    for function in (agreeing.agreed_share, jury.agreed_error):
        with pytest.raises(ValueError, match=rf"least: expected 1 to 4 \(agents\), got {least}"):
            function(BY_HAND, least)


class Sealed:
    """Verdicts that nobody may look at."""

    def __getattribute__(self, name):
        raise AssertionError(f"a verdict was read: {name}")

    def __invert__(self):
        raise AssertionError("a verdict was read")

    def __getitem__(self, places):
        raise AssertionError("a verdict was read")

    def __len__(self):
        raise AssertionError("a verdict was read")


def test_what_selection_may_ask_reads_no_verdict():
    sealed = replace(BY_HAND, verdicts=Sealed())
    assert agreeing.agreed_share(sealed, 3) == agreeing.agreed_share(BY_HAND, 3)
    assert agreeing.largest_agreements(sealed).tolist() == [3, 3, 2]
    one = lived(living(0, 0, 1, 2), [1, 1, 1, 1], births=4, outcomes=sealed)
    assert jury.coalescence(one) == 1 / 4
    assert jury.shared_founders(one.agents) == 1 / 6
    for function in (jury.accuracy, jury.collision, jury.peer_rates, jury.expected_peer_rates):
        with pytest.raises(AssertionError, match="a verdict was read"):
            function(sealed)
    with pytest.raises(AssertionError, match="a verdict was read"):
        jury.agreed_error(sealed, 2)


def test_founders_in_common_and_what_drift_expects_of_them():
    assert jury.shared_founders(living(0, 1, 2, 3)) == 0
    assert jury.shared_founders(living(0, 0, 0, 3)) == 3 / 6
    assert jury.shared_founders(living(5, 5, 5)) == 1
    assert jury.expected_identity([]) == 0
    assert jury.expected_identity([0.25, 0.5]) == pytest.approx(1 - 0.75 * 0.5)
    assert jury.expected_identity([0.25, 1.0]) == 1


def test_a_generation_without_births_brings_nobody_together():
    agents = living(0, 1, 2, 3)
    assert jury.coalescence(lived(agents, [2, 1, 1, 0], births=4)) == 0.375
    assert jury.coalescence(lived(agents, [2, 1, 1, 0])) == 0


def test_they_are_measured_of_a_generation():
    one = lived(living(0, 0, 1, 2), [1, 1, 1, 1], index=1, outcomes=BY_HAND)
    measured = measure(one, None, 0.6, [0.3])
    assert measured.collision == jury.collision(BY_HAND)
    assert measured.agreed_share == 0
    assert math.isnan(measured.agreed_error)
    assert measured.identity_by_descent == 1 / 6
    assert measured.identity_expected == pytest.approx(0.3)
    # Not known without all generations before.
    assert math.isnan(measure(one, None, 0.6).identity_expected)
    assert math.isnan(measure(one, None, 0.6, [0.3, 0.3]).identity_expected)


@st.composite
def juries(draw):
    agents, problems = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    word = st.text("abc", min_size=agents, max_size=agents)
    words = draw(st.lists(word, min_size=problems, max_size=problems))
    right = draw(st.text("ab-", min_size=problems, max_size=problems))
    seats = st.tuples(st.integers(0, agents - 1), st.integers(0, problems - 1))
    return words, right, draw(st.sets(seats, max_size=4)), draw(st.integers(1, agents))


@settings(deadline=None, max_examples=150)
@given(juries())
def test_it_is_as_counted_pair_by_pair(drawn):
    words, right, unfinished, least = drawn
    outcomes = answered(*words, right=right, unfinished=unfinished)
    for fast, slow in (
        (jury.collision(outcomes), plain.collision(outcomes)),
        (agreeing.agreed_share(outcomes, least), plain.agreed_share(outcomes, least)),
        (jury.agreed_error(outcomes, least), plain.agreed_error(outcomes, least)),
        (jury.peer_rates(outcomes), plain.peer_rates(outcomes)),
    ):
        assert fast == pytest.approx(slow, nan_ok=True)
    # Smallest types, as they come from a journal, and relabelled agents, change nothing.
    small = replace(outcomes, answers=outcomes.answers.astype(np.uint8))
    assert agreeing.agreed_share(small, least) == agreeing.agreed_share(outcomes, least)
    turned = answered(*(w[::-1] for w in words), right=right, unfinished={
        (len(words[0]) - 1 - author, problem) for author, problem in unfinished
    })  # fmt: skip
    assert jury.peer_rates(turned) == pytest.approx(jury.peer_rates(outcomes), nan_ok=True)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=7))
def test_founders_are_as_counted_pair_by_pair(founders):
    agents = living(*founders)
    assert jury.shared_founders(agents) == pytest.approx(plain.shared_founders(agents), nan_ok=True)
