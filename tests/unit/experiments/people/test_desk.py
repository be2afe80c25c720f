"""What each person is shown, and what becomes of what they say; a run's side with the page's."""

# SPDX-License-Identifier: Apache-2.0

import json
import threading

import pytest

from mgptn.experiments.config.sections.grading import HumanConfig
from mgptn.experiments.people.exchange import PEOPLE, PICKED, PICKS, QUESTIONS, invite, invited
from mgptn.experiments.people.lines import LinesError, Reader, Writer
from mgptn.experiments.people.waiting import PagePicks
from mgptn.experiments.picking.desk import Desk, DeskError, StrangerError
from mgptn.experiments.record.fields import Fields
from mgptn.experiments.record.picked import Picked
from mgptn.experiments.seats.humans import Choice, Opinion, columns_of

PEOPLE3 = ("ann", "ben", "cleo")


def choices(count, candidates=("red", "green", "blue", "red")):
    return [Choice(0, 0, i, f"question {i}", tuple(candidates)) for i in range(count)]


def put(folder, asked):
    """Have questions stand in a run's folder as the run writes them."""
    Writer(folder / PICKS / QUESTIONS).add(
        {"kind": "asked", "key": c.key, "query": c.query, "candidates": c.candidates} for c in asked
    )


@pytest.fixture
def quick(monkeypatch):
    for name, seconds in (("POLL", 0.01), ("SETTLE", 0.05), ("REST", 0.0)):
        monkeypatch.setattr(f"mgptn.experiments.people.waiting.{name}_SECONDS", seconds)


def waiting(folder, human, asked, **more):
    """A run that waits for people in a thread of its own: its picks, and what it said."""
    said, done = [], []
    picks = PagePicks(folder, human, 0, said.append)
    thread = threading.Thread(
        target=lambda: (picks.ready(asked, **more), done.append(picks(asked))), daemon=True
    )
    thread.start()
    while not said:
        pass
    return picks, thread, done, said


def pick_all(desk, person, text):
    """Have a person pick a text wherever it is offered."""
    told = desk.next(person.token)
    while told["question"]:
        question = told["question"]
        shown = question["candidates"].index(text) if text else None
        told = desk.pick(person.token, {"key": question["key"], "shown": shown, "seconds": 1.5})


def test_most_of_three_people_decide(tmp_path, quick):
    asked, rested = choices(3), []
    human = HumanConfig(source="page", people=PEOPLE3)
    picks, thread, done, _ = waiting(tmp_path, human, asked, rest=lambda: rested.append(True))
    desk = Desk(tmp_path)
    for person, text in zip(desk.people, ("green", "green", "blue"), strict=True):
        pick_all(desk, person, text)
    thread.join(10)
    assert done == [[1, 1, 1]]
    assert rested == [True]
    opinions = picks.opinions(asked[0])
    assert [(one.who, one.picked, one.seconds) for one in opinions] == [
        ("ann", 1, 1.5), ("ben", 1, 1.5), ("cleo", 2, 1.5),
    ]  # fmt: skip
    again = PagePicks(tmp_path, human, 0, print)  # a run that was killed and is resumed
    assert again(asked) == [1, 1, 1]
    assert again.opinions(asked[0]) == opinions
    with pytest.raises(DeskError, match="expected a question that is open"):
        desk.pick(desk.people[0].token, {"key": asked[0].key, "shown": 0, "seconds": 1})
    with pytest.raises(DeskError, match="expected a pick that counts for nothing yet"):
        desk.undo(desk.people[0].token)


def test_equal_votes_are_drawn_by_the_seed(tmp_path, quick):
    decided = set()
    for seed in range(12):  # all alike with probability 2^-11
        folder = tmp_path / str(seed)
        human = HumanConfig(people=("ann", "ben"), source="page")
        picks = PagePicks(folder, human, seed, lambda line: None)
        thread = threading.Thread(target=picks.ready, args=(choices(1),))
        thread.start()
        desk = Desk(folder)
        while not desk.next(desk.people[0].token)["total"]:
            pass
        pick_all(desk, desk.people[0], "red")
        pick_all(desk, desk.people[1], None)
        thread.join(10)
        decided.add(picks(choices(1))[0])
    assert decided == {0, None}


def test_a_run_goes_on_without_who_does_not_come(tmp_path, quick):
    human = HumanConfig(source="page", people=3, quorum=2, patience=0.2)
    _, thread, done, said = waiting(tmp_path, human, choices(2))
    desk = Desk(tmp_path)
    thread.join(0.5)
    assert thread.is_alive()  # nobody is guessed for
    pick_all(desk, desk.people[0], "red")
    thread.join(0.5)
    assert thread.is_alive()
    pick_all(desk, desk.people[2], "red")
    thread.join(10)
    assert done == [[0, 0]]
    assert "Going on without 2 picks of 2 questions" in said[-1]
    assert "person 1 2, person 2 0, person 3 2" in said[-1]


def test_what_is_shown_is_blind_shuffled_and_the_same_again(tmp_path):
    asked = [Choice(0, 0, i, f"question {i}", ("a", "b", "c", "d", "b")) for i in range(8)]
    people = invite(tmp_path, ("ann", "ben"), "As a child would say it.").people
    put(tmp_path, asked)
    desk = Desk(tmp_path)

    def course(one):
        shown = []
        while (told := desk.next(people[one].token))["question"]:
            question = told["question"]
            assert set(told) == {"label", "done", "total", "undo", "note", "question"}
            assert set(question) == {"key", "query", "candidates"}
            assert sorted(question["candidates"]) == ["a", "b", "c", "d"]  # equal ones once
            assert Desk(tmp_path).next(people[one].token) == told  # as who comes back has it
            shown.append((question["query"], *question["candidates"]))
            desk.pick(people[one].token, {"key": question["key"], "shown": 0, "seconds": 1})
        return shown

    first, second = course(0), course(1)
    assert {line[0] for line in first} == {line[0] for line in second}
    assert [line[0] for line in first] != [line[0] for line in second]  # 1 in 40,320
    assert len({line[1:] for line in first}) > 1  # 24^-7
    lines = [json.loads(line) for line in (tmp_path / PICKS / PICKED).read_text().splitlines()]
    for line, shown in zip(lines, first + second, strict=True):
        own = next(choice for choice in asked if choice.key == line["key"])
        assert own.candidates[line["pick"]] == shown[1]


def test_undo_brings_the_question_back(tmp_path):
    (ann,) = invite(tmp_path, ["ann"]).people
    put(tmp_path, choices(4))
    desk = Desk(tmp_path)
    keys = []
    for _ in range(3):
        keys.append(desk.next(ann.token)["question"]["key"])
        desk.pick(ann.token, {"key": keys[-1], "shown": 0, "seconds": 1})
    for key in reversed(keys[1:]):
        told = desk.undo(ann.token)
        assert told["question"]["key"] == key
    assert told["done"] == 1
    desk.pick(ann.token, {"key": keys[1], "shown": None, "seconds": 1})
    assert desk.next(ann.token)["question"]["key"] == keys[2]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"shown": 3, "seconds": 1}, "expected null or 0 to 2, got 3"),
        ({"shown": -1, "seconds": 1}, "expected null or 0 to 2, got -1"),
        ({"shown": True, "seconds": 1}, "expected null or 0 to 2, got True"),
        ({"shown": 0, "seconds": float("nan")}, "seconds: expected a number"),
        ({"shown": 0, "seconds": "2"}, "seconds: expected a number"),
        ({"shown": 0, "seconds": True}, "seconds: expected a number"),
        ({"shown": 0, "seconds": 1, "key": "another"}, "expected a question that is open"),
        ({"shown": 0, "seconds": 1, "key": None}, "expected a question that is open"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, said, why):
    (ann,) = invite(tmp_path, ["ann"]).people
    put(tmp_path, choices(1))
    desk = Desk(tmp_path)
    with pytest.raises(DeskError, match=why):
        desk.pick(ann.token, {"key": choices(1)[0].key, **said})
    with pytest.raises(StrangerError):
        desk.pick(ann.token[:-1], {"key": choices(1)[0].key, "shown": 0, "seconds": 1})
    assert (tmp_path / PICKS / PICKED).read_text() == ""


def test_tokens_are_kept_and_nobody_elses(tmp_path):
    first = invite(tmp_path, ("ann", "ben"))
    assert invite(tmp_path, ("ben", "cleo")).people[0] == first.people[1]
    assert len({one.token for one in invite(tmp_path, PEOPLE3).people}) == 3
    assert (tmp_path / PICKS / PEOPLE).stat().st_mode & 0o077 == 0
    (tmp_path / PICKS / PEOPLE).write_text("[]")
    with pytest.raises(LinesError, match="expected people and their tokens"):
        invited(tmp_path)


def test_half_a_line_is_none_and_is_cut_off(tmp_path):
    path = tmp_path / "lines"
    Writer(path).add([{"a": 1}])
    with path.open("a") as file:
        file.write('{"b": ')  # as a kill leaves it
    reader = Reader(path)
    assert reader.new() == [{"a": 1}]
    Writer(path).add([{"c": 3}])
    assert reader.new() == [{"c": 3}]
    path.write_text(path.read_text() + "nonsense\n")
    with pytest.raises(LinesError, match="line 3: expected JSON"):
        reader.new()


def test_what_no_page_writes_is_named(tmp_path):
    (ann,) = invite(tmp_path, ["ann"]).people
    folder = tmp_path / PICKS
    Writer(folder / QUESTIONS).add(
        [{"kind": "asked", "key": "k", "query": "q", "candidates": ["a"]}]
    )
    Writer(folder / PICKED).add([{"key": "k", "who": "ann", "pick": 1, "shown": 0, "seconds": 1}])
    with pytest.raises(LinesError, match="expected one of 1 candidates of k, got 1"):
        Desk(tmp_path).next(ann.token)


def test_columns_are_packed_and_found_again():
    asked = choices(2)
    made = columns_of(
        [
            (3, asked[0], 1, [Opinion("ann", 1, 0, 2.5), Opinion("ben", None, None, 1.0)]),
            (7, asked[1], None, [Opinion("ben", None, None, 4.0)]),
        ]
    )
    assert made.people == ("ann", "ben")
    assert made.who.tolist() == [0, 1, 1]
    assert made.picked.tolist() == [1, -1, -1]
    assert Picked.from_plain(Fields(made.to_plain()), answers=8) == made
    with pytest.raises(ValueError, match=r"answers: expected whole numbers from 0 to 6, got 7"):
        Picked.from_plain(Fields(made.to_plain()), answers=7)
    with pytest.raises(ValueError, match=r"quorum: expected at most 2"):
        HumanConfig(people=2, quorum=3)
    with pytest.raises(ValueError, match="expected every label once"):
        HumanConfig(people=("ann", "ann"))
