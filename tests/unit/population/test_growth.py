from dataclasses import replace
from typing import Any

import pytest

from mgptn.population.breeding.memory import (
    LearningSettings,
    Lesson,
    new_lessons,
    remembering,
)
from mgptn.population.judging.growth import Growth, next_size
from mgptn.population.records.agents import Example, Genome
from mgptn.population.records.matches import Match
from mgptn.population.records.outcomes import Grade, Outcome, Outcomes
from mgptn.population.settings import TournamentSettings
from mgptn.population.tournament import Tournament
from tests.columns import columns


def outcomes_of(said: list[list[str]], finished: Any = None, right: str = "7") -> Outcomes:
    """Outcomes of authors who said something to each problem; nobody grades."""
    ended = [
        Outcome(
            match=Match(author, problem, ()),
            query=f"q{problem}",
            answer=text,
            finished=True if finished is None else finished[author][problem],
            tokens=1,
            log_probability=0.0,
            grades=(),
            verdict=text == right,
        )
        for author, texts in enumerate(said)
        for problem, text in enumerate(texts)
    ]
    return columns(ended)


class Unseen:
    """Verdicts that nobody may look at."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a verdict was looked at: {name}")

    def __getitem__(self, places: Any) -> Any:
        raise AssertionError("a verdict was looked at")


def answered(matches: Any) -> list[Outcome]:
    """Outcomes of a tournament's matches: everybody is right, and graded as such."""
    return [
        Outcome(
            match, f"q{match.problem}", "7", True, 1, 0.0,
            tuple(Grade(grader, (0.0, 0.0, 0.0, 0.0, 1.0), 1.0) for grader in match.graders), True,
        )
        for match in matches
    ]  # fmt: skip


def test_a_tournament_learns_and_grows_without_a_verdict():
    settings = TournamentSettings(
        2, 1, 0.6, 0, process="none", growth=Growth(6, 9), learning=LearningSettings()
    )
    tournament = Tournament(settings, [Genome("m", 1.0)] * 3, seed=0)
    unseen = replace(columns(answered(tournament.ask())), verdicts=Unseen())
    judged = tournament.judge(unseen)
    assert judged.taught == (True, True, True)
    assert [len(memory[-1].examples) for memory in judged.memories] == [2, 2, 2]
    told = tournament.tell(unseen, ("a", None, "c"))
    assert (told.size, tournament.size) == (6, 7)
    assert [a.genome.weights and a.genome.weights.content for a in told.survivors] == [
        "a", None, "c",
    ]  # fmt: skip


@pytest.mark.parametrize("learned", [("a",), ("a", "b", "c", "d")])
def test_what_others_learned_is_refused(learned):
    settings = TournamentSettings(2, 1, 0.6, 0, process="none", learning=LearningSettings())
    tournament = Tournament(settings, [Genome("m", 1.0)] * 3, seed=0)
    outcomes = columns(answered(tournament.ask()))
    with pytest.raises(ValueError, match="learned: expected what 3 agents learned"):
        tournament.tell(outcomes, learned)
    assert tournament.generation == 0
    plain = Tournament(replace(settings, learning=None), [Genome("m", 1.0)] * 3, seed=0)
    with pytest.raises(ValueError, match="learned: expected nothing where weights do not learn"):
        plain.tell(outcomes, ("a", "b", "c"))


def test_a_size_grows_by_agreement_without_a_verdict():
    growth = Growth(6, 9, gate=0.5)
    split = replace(outcomes_of([["7", "8"], ["7", "9"]]), verdicts=Unseen())
    assert next_size(growth, 6, 0, split) == 7
    assert next_size(replace(growth, gate=0.6), 6, 0, split) == 6
    assert next_size(growth, 9, 0, split) == 9
    with pytest.raises(AssertionError, match="a verdict was looked at"):
        next_size(replace(growth, by="gold"), 6, 0, split)


def test_a_size_grows_by_as_many_as_have_to_agree():
    two_of_three = outcomes_of([["7", "8"], ["7", "9"], ["6", "5"]])
    assert next_size(Growth(6, 9, gate=0.5, agree=2), 6, 0, two_of_three) == 7
    assert next_size(Growth(6, 9, gate=0.6, agree=2), 6, 0, two_of_three) == 6
    assert next_size(Growth(6, 9, gate=0.5), 6, 0, two_of_three) == 6
    with pytest.raises(ValueError, match="agree: expected at least 1, got 0"):
        Growth(6, 9, agree=0)
    with pytest.raises(ValueError, match="least: expected 1 to 3"):
        next_size(Growth(6, 9, agree=4), 6, 0, two_of_three)


def test_a_size_grows_by_verdicts_or_by_time():
    half = outcomes_of([["7", "8"], ["8", "7"]])
    assert next_size(Growth(1, 9, by="gold", gate=0.5, step=2), 1, 0, half) == 3
    assert next_size(Growth(1, 9, by="gold", gate=0.6), 1, 0, half) == 1
    by_time = Growth(1, 9, by="schedule", every=3)
    assert [next_size(by_time, 1, g, half) for g in range(6)] == [1, 1, 2, 1, 1, 2]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"by": "votes"}, "by: expected one of agreement, gold, schedule, got 'votes'"),
        ({"gate": 1.5}, r"gate: expected a probability in \[0, 1\], got 1.5"),
        ({"step": 0}, "step: expected at least 1, got 0"),
        ({"largest": 3}, "largest: expected at least 4, got 3"),
    ],
)
def test_impossible_growth_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        Growth(**{"start": 4, "largest": 9, **wrong})


VALUES = ((1.0, 0.9), (0.1, 0.45), (0.7, 0.3))
"""Mean grades of three agents' two answers."""


def graded(matches: Any) -> list[Outcome]:
    """Outcomes of a tournament's matches, with one grade each; the last answer is cut off."""
    return [
        replace(
            one,
            answer=f"{one.match.author}",
            finished=(one.match.author, one.match.problem) != (2, 1),
            grades=tuple(
                Grade(g, (1.0 - value, 0.0, 0.0, 0.0, value), value) for g in one.match.graders
            ),
        )
        for one in answered(matches)
        for value in [VALUES[one.match.author][one.match.problem]]
    ]


def lessons_of(**changes: Any) -> list[list[int | None]]:
    """Levels of what each of three agents is to learn."""
    learning = LearningSettings(**changes.pop("learning", {}))
    settings = TournamentSettings(2, 1, 0.6, 0, process="none", learning=learning, **changes)
    tournament = Tournament(settings, [Genome("m", 1.0)] * 3, seed=0)
    judged = tournament.judge(columns(graded(tournament.ask())))
    for memory, taught in zip(judged.memories, judged.taught, strict=True):
        assert bool(memory) == taught
    return [[e.level for lesson in memory for e in lesson.examples] for memory in judged.memories]


def test_lessons_have_their_answers_levels_and_rejected_ones_if_asked():
    assert lessons_of() == [[None, None], [], [None]]
    assert lessons_of(entry="stamped") == [[4, 4], [], [4]]
    assert lessons_of(entry="stamped", learning={"entry": "plain"}) == [[None, None], [], [None]]
    assert lessons_of(learning={"entry": "scored"}) == [[4, 4], [], [3]]
    everything = {"entry": "scored", "feeds": "all"}
    assert lessons_of(learning=everything) == [[4, 4], [0, 2], [3]]
    assert lessons_of(learning=everything, aggregation="unanimity") == [[4, 4], [0, 0], [4]]


def test_levels_of_lessons_are_the_selectors_word():
    """Where scores are dealt out anew, levels are too: a control of all that was said."""
    dealt = lessons_of(selector="shuffled", learning={"entry": "scored", "feeds": "all"})
    levels = [level for own in dealt for level in own]
    assert levels != [4, 4, 0, 2, 3]
    assert sorted(levels) in [sorted([4, 4, 0, 2, 3, 1][:i] + [4, 4, 0, 2, 3, 1][i + 1 :])
                              for i in range(6)]  # fmt: skip
    assert lessons_of(selector="oracle", learning={"entry": "scored"}) == [[4, 4], [4, 4], [4]]
    assert lessons_of(selector="none", learning={"entry": "scored", "feeds": "all"}) == [[], [], []]


def lesson(size: int, *texts: str) -> Lesson:
    """A lesson of a size."""
    return Lesson(size, tuple(Example(text, text) for text in texts))


def test_lessons_are_ones_own_or_everybodys():
    own = [[Example("a", "1"), Example("b", "2")], [Example("a", "1")], []]
    assert [len(x.examples) for x in new_lessons(own, 6, LearningSettings())] == [2, 1, 0]
    shared = new_lessons(own, 6, LearningSettings(source="shared"))
    assert shared == [Lesson(6, (Example("a", "1"), Example("b", "2")))] * 3


def test_a_deme_shares_its_lessons_alone():
    own = [[Example("a", "1")], [Example("b", "2")], [Example("c", "3")], []]
    first = Lesson(6, (Example("a", "1"), Example("b", "2")))
    second = Lesson(6, (Example("c", "3"),))
    two = LearningSettings(source="deme", demes=2)
    assert new_lessons(own, 6, two) == [first, first, second, second]
    one = LearningSettings(source="deme", demes=1)
    assert new_lessons(own, 6, one) == new_lessons(own, 6, LearningSettings(source="shared"))
    with pytest.raises(ValueError, match="demes: expected a number that divides 3 agents, got 2"):
        new_lessons(own[:3], 6, two)


def test_a_memory_forgets_whole_lessons_oldest_first():
    settings = LearningSettings(capacity=3)
    memory = remembering((), lesson(6, "a", "b"), settings)
    memory = remembering(memory, lesson(7, "c"), settings)
    assert [one.size for one in memory] == [6, 7]
    memory = remembering(memory, lesson(8, "d"), settings)
    assert [one.size for one in memory] == [7, 8]
    assert remembering(memory, lesson(9), settings) == memory
    too_much = lesson(9, *"abcdefg")
    assert remembering(memory, too_much, settings) == (too_much,)
    assert remembering(memory, lesson(9, "z"), LearningSettings(memory="replace")) == (
        lesson(9, "z"),
    )
