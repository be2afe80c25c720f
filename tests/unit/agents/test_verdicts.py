"""Verdicts in batches: each pair once, the same wherever it is found; what fails is not known."""

# SPDX-License-Identifier: Apache-2.0

import os
import pickle
import signal
import sys
import time
from collections.abc import Sequence

import pytest

from mgptn.agents.verdicts import verifier as verifier_module
from mgptn.agents.verdicts.judging import judge
from mgptn.agents.verdicts.processes import Processes
from mgptn.agents.verdicts.verifier import Verifier
from mgptn.protocols.answers.extraction import WHOLE
from mgptn.protocols.tasks.arithmetic import Addition
from mgptn.protocols.tasks.questions import Questions
from mgptn.protocols.tasks.task import Problem
from mgptn.protocols.tasks.trials import Program, Ran


class Strange:
    """Right is what is as long as the question. Some answers it does not take well."""

    name = "strange"

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.asked: list[tuple[str, str]] = []

    def verify(self, query: str, answer: str) -> bool | None:
        """Raises, ends its process, or does not know, as it is told."""
        self.asked.append((query, answer))
        time.sleep(self.seconds)
        if answer == "raise":
            raise KeyError("nothing like that")
        if answer == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if answer == "print":
            print("right")  # noqa: T201
        return None if answer == "?" else len(answer) == len(query)


class Tried(Strange):
    """Its verdicts need a program."""

    def programs(self, query: str, answer: str) -> Sequence[Program]:
        """The answer itself."""
        if answer == "raise":
            raise KeyError("nothing like that")
        return [Program(answer)]

    def judge(self, query: str, answer: str, ran: Sequence[Ran]) -> bool | None:
        """As it ended."""
        if answer == "lose":
            raise ZeroDivisionError("lost")
        return ran[0].status == "ended"


def test_what_a_task_raises_of_is_not_known_and_the_others_are():
    found = judge(Strange(), [("ab", "12"), ("ab", "raise"), ("ab", "?"), ("ab", "1")])
    assert found.verdicts == (True, None, None, False)
    assert found.fault.startswith("KeyError: 'nothing like that' (of the answer 'raise' to 'ab')")


def test_so_it_is_where_programs_are_run():
    def run(programs: Sequence[Program]) -> list[Ran]:
        return [Ran("unknown" if p.source == "slow" else "ended") for p in programs]

    found = judge(Tried(), [("q", a) for a in ("x", "raise", "slow", "lose")], run)
    assert found.verdicts == (True, None, None, None)
    assert "nothing like that" in found.fault


def test_each_pair_is_asked_once_and_remembered():
    told: list[str] = []
    task, verifier = Strange(), Verifier(tell=told.append)
    pairs = [("ab", "12"), ("ab", "?"), ("a", "12"), ("ab", "12"), ("ab", "\ud800")]
    assert verifier(task, pairs) == [True, None, False, True, False]
    assert verifier(task, pairs[::-1]) == [False, True, False, None, True]
    assert task.asked == list(dict.fromkeys(pairs))
    assert verifier.asked == 4
    assert verifier.seconds > 0
    assert verifier(Strange(), pairs[:1]) == [True]  # another task is another matter
    assert verifier.asked == 5
    assert told == []


def test_a_task_that_raises_is_told_of_once():
    told: list[str] = []
    verifier = Verifier(tell=told.append)
    for query in ("a", "ab"):
        assert verifier(Strange(), [(query, "raise")]) == [None]
    (line,) = told
    assert line.startswith("task strange: expected a verdict on any answer, got KeyError")
    assert line.endswith("the verdict on such answers is unknown")


def test_what_a_sandbox_could_not_tell_is_asked_again():
    statuses = iter(["unknown", "ended"])
    task, verifier = Tried(), Verifier(lambda programs: [Ran(next(statuses)) for _ in programs])
    assert verifier(task, [("q", "x")]) == [None]
    assert verifier(task, [("q", "x")]) == [True]
    assert verifier(task, [("q", "x")]) == [True]
    assert verifier.asked == 2


def test_programs_that_nobody_judges_are_run_once_and_what_is_unknown_again():
    came = {"x": iter(["unknown", "ended"]), "y": iter(["time"])}
    asked: list[list[str]] = []

    def run(programs: Sequence[Program]) -> list[Ran]:
        asked.append([one.source for one in programs])
        return [Ran(next(came[one.source])) for one in programs]

    verifier = Verifier(run)
    wanted = [Program("x"), Program("y"), Program("x")]
    assert [ran.status for ran in verifier.run(wanted)] == ["unknown", "time", "unknown"]
    assert [ran.status for ran in verifier.run(wanted)] == ["ended", "time", "ended"]
    assert [ran.status for ran in verifier.run(wanted)] == ["ended", "time", "ended"]
    assert asked == [["x", "y"], ["x"]]
    assert verifier.asked == 0
    with pytest.raises(RuntimeError, match="expected a sandbox to run them in, got none"):
        Verifier().run(wanted)


def test_memory_has_an_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(verifier_module, "KNOWN", 2)
    task, verifier = Strange(), Verifier()
    pairs = [("a", str(i)) for i in range(5)]
    assert verifier(task, pairs) == [True] * 5
    verifier(task, pairs[-2:])
    assert verifier.asked == 5
    verifier(task, pairs[:1])
    assert verifier.asked == 6


def test_processes_say_what_is_said_here():
    answers = ["12", "raise", "?", "1", "print", *(str(i) for i in range(60))]
    pairs = [("ab", answer) for answer in answers]
    processes = Processes(2)
    found = processes(Strange(), pairs)
    assert found.verdicts == judge(Strange(), pairs).verdicts
    assert "nothing like that" in found.fault
    dying = processes(Strange(), [("ab", "12"), ("ab", "die"), ("ab", "34")])
    assert dying.verdicts == (True, None, True)
    assert "died" in dying.fault
    processes.close()


def test_a_task_that_reads_mathematics_can_be_sent():
    pytest.importorskip("math_verify")
    problems = [Problem("half", r"\frac{1}{2}"), Problem("q", "2", also=("3",))]
    task = pickle.loads(pickle.dumps(Questions(problems, match="math", extraction=WHOLE)))
    pairs = [("half", "0.5"), ("half", "9^{9^{9}}"), ("q", "3"), ("q", "4"), ("none", "2")]
    assert judge(task, pairs).verdicts == (True, None, True, False, False)


@pytest.mark.parametrize("sent", [True, False], ids=["can be sent", "cannot"])
def test_what_is_slow_is_done_elsewhere_where_it_can_be(
    monkeypatch: pytest.MonkeyPatch, sent: bool
):
    monkeypatch.setattr(verifier_module, "TRIED", 0.05)
    monkeypatch.setattr(verifier_module, "WORTH", 0.1)
    task, verifier = Strange(seconds=0.005), Verifier()
    if not sent:
        task.here = lambda: None  # no pickle of this
    pairs = [("ab", str(i)) for i in range(100)]
    assert verifier(task, pairs) == [len(answer) == 2 for _, answer in pairs]
    assert len(task.asked) < 100 if sent else task.asked == pairs


def test_what_is_quick_stays_here():
    """No process is started for what costs microseconds."""
    verifier = Verifier()
    assert verifier(Addition(2), [("17+25=", f"{i:03}") for i in range(1000)]).count(True) == 1
    assert verifier._processes is None
    assert verifier.asked == 1000


def test_a_module_that_only_runs_as_a_script_is_no_obstacle():
    """A class of the main module cannot be read elsewhere: it is told, and nothing dies."""
    kind = type("Local", (Strange,), {"__module__": "__main__"})
    sys.modules["__main__"].Local = kind
    try:
        with pytest.raises(TypeError, match="Local"):
            Processes(1)(kind(), [("a", "b")])
        assert Verifier()(kind(), [("a", "b")]) == [True]
    finally:
        del sys.modules["__main__"].Local


def test_who_waits_long_for_a_task_is_told_once(monkeypatch):
    monkeypatch.setattr(verifier_module, "LONG", 0.05)
    told: list[str] = []
    task, verifier = Strange(seconds=0.3), Verifier(tell=told.append)
    assert verifier(task, [("ab", "no")]) == [True]
    assert verifier(task, [("ab", "nay")]) == [False]
    (sentence,) = told
    assert "task strange: still waiting for verdicts (of 1) after 0.05 s" in sentence
    assert Verifier(tell=told.append)(Strange(), [("ab", "no")]) == [True]
    assert len(told) == 1
