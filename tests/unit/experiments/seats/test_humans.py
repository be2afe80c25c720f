"""Who picks: simulated humans repeat themselves, real ones are asked once and never guessed for."""

# SPDX-License-Identifier: Apache-2.0

import json
import threading

import pytest

from mgptn.experiments.config.run_config import ConfigError
from mgptn.experiments.seats.humans import AskedPicks, Choice, FilePicks, SimulatedPicks
from mgptn.population.judging.human import Human
from mgptn.protocols.tasks.arithmetic import Addition

RIGHT, WRONG = "240", "250"


def choice(candidates, author=0, query="17+25="):
    return Choice(0, author, 0, query, tuple(candidates))


def verdicts(pairs):
    """By the task; of an answer that is a question nothing is known."""
    return [None if "?" in answer else Addition(2).verify(query, answer) for query, answer in pairs]


def test_a_human_without_noise_picks_the_right_answer_or_none():
    picks = SimulatedPicks(Human(noise=0.0, lapse=0.0), verdicts, seed=0)
    asked = [choice([WRONG, RIGHT]), choice([WRONG, WRONG]), choice([RIGHT, WRONG], author=1)]
    assert picks(asked) == [1, None, 0]


def test_nobody_picks_what_is_not_known_to_be_right():
    eager = Human(noise=5.0, lapse=0.9, bias=1.0, reserve=-5.0)
    picks = SimulatedPicks(eager, verdicts, seed=0)
    picked = picks([choice(["2?", WRONG, "4?"], author=i) for i in range(40)])
    assert set(picked) <= {1, None}
    assert picks([choice(["2?", "4?"], author=i) for i in range(40)]) == [None] * 40


def test_a_lapsing_human_is_the_same_one_each_time():
    picks = SimulatedPicks(Human(lapse=1.0), verdicts, seed=3)
    asked = [choice([WRONG, RIGHT, "1"], author=i) for i in range(60)]
    first = picks(asked)
    assert first == picks(list(reversed(asked)))[::-1]
    assert set(first) == {0, 1, 2}  # each missed with probability (2/3)^60


def test_you_are_asked_once_and_again_after_nonsense(capsys):
    said = iter(["five", "9", "-1", "2", "0"])
    picks = AskedPicks(lambda prompt: next(said))
    other = choice([RIGHT], author=1)
    assert picks([choice([WRONG, RIGHT]), choice([WRONG, RIGHT]), other]) == [1, 1, None]
    shown = capsys.readouterr().out
    assert shown.count("expected a number from 0 to 2") == 3
    assert shown.count("17+25=") == 2
    assert picks([other]) == [None]


def test_without_a_terminal_nobody_is_guessed_for():
    def ended(prompt):
        raise EOFError

    with pytest.raises(ConfigError, match="got the end of the input"):
        AskedPicks(ended)([choice([WRONG, RIGHT])])


def written(folder):
    return [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]


def test_files_are_waited_for_and_found_again(tmp_path, monkeypatch):
    monkeypatch.setattr("mgptn.experiments.seats.humans.POLL_SECONDS", 0.01)
    picks, asked = FilePicks(tmp_path), [choice([WRONG, RIGHT]), choice([WRONG], author=1)]
    got = []
    waiting = threading.Thread(target=lambda: got.append(picks(asked)))
    waiting.start()
    while not (tmp_path / "questions.jsonl").exists() or len(written(tmp_path)) < 2:
        pass
    first, second = written(tmp_path)
    assert first["candidates"] == [WRONG, RIGHT]
    with (tmp_path / "answers.jsonl").open("a") as file:
        file.write(json.dumps({"key": first["key"], "pick": 2}) + "\n")
        file.write(json.dumps({"key": second["key"], "pick": 0}))  # not yet a whole line
        file.flush()
        waiting.join(0.1)
        assert waiting.is_alive()
        file.write("\n")
    waiting.join(5)
    assert got == [[1, None]]
    assert FilePicks(tmp_path)(asked) == [1, None]  # a run that is resumed
    assert len(written(tmp_path)) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not json", "line 1: expected JSON"),
        ("[]", "line 1: expected an object"),
        ('{"key": "KEY", "pick": 3}', "line 1: expected a pick from 0 to 2, got 3"),
        ('{"key": "KEY"}', "line 1: expected a pick from 0 to 2, got None"),
        ('{"key": "KEY", "pick": "2"}', "line 1: expected a pick from 0 to 2, got '2'"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path, line, message):
    asked = choice([WRONG, RIGHT])
    (tmp_path / "answers.jsonl").write_text(line.replace("KEY", asked.key) + "\n")
    with pytest.raises(ConfigError, match=message):
        FilePicks(tmp_path)([asked])
