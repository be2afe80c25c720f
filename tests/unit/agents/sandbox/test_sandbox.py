"""Programs in every kind of sandbox that works here: values, statuses, limits, and nothing kept."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from mgptn.agents.sandbox import kinds as kinds_module
from mgptn.agents.sandbox.kinds import KINDS, choose, fault_of, make_sandbox
from mgptn.agents.sandbox.pool import Sandbox
from mgptn.agents.sandbox.programs import Limits, SandboxError
from mgptn.agents.sandbox.walls import find_bubblewrap
from mgptn.protocols.tasks.trials import Program, Ran
from tests.sandboxes import SMALL, kinds

SQUARE = "def square(x):\n    return x * x\n"


@pytest.fixture(scope="module", params=kinds())
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """One of each kind, with a worker."""
    with make_sandbox(request.param, SMALL, workers=1) as one:
        yield one


def run(sandbox: Sandbox, source: str, *cases: str, stdin: str = "") -> Ran:
    (ran,) = sandbox.run([Program(source, cases, stdin)])
    return ran


def test_values_are_what_repr_says_and_a_case_that_raises_has_none(sandbox: Sandbox) -> None:
    ran = run(sandbox, SQUARE, "square(7)", "square('a')", "'é\\n'", "no such", "[1, None]")
    assert ran.status == "ended"
    assert ran.values == ("49", None, "'é\\n'", None, "[1, None]")


def test_what_is_read_and_printed(sandbox: Sandbox) -> None:
    ran = run(sandbox, "print(input()[::-1])\nprint(input())", stdin="abc\nd é")
    assert (ran.status, ran.stdout) == ("ended", "cba\nd é\n")


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("1 / 0", "error"),
        ("a b", "error"),
        ('x = """', "error"),
        ("while True:\n    pass", "time"),
        ("x = [0] * 10**9", "memory"),
        ("print('x' * 10000)", "output"),
        ("x = 1" + " " * 200_000, "refused"),
        ("x = '\ud800'", "refused"),
        ("raise TimeoutError('feed time limit exceeded: 1ms > 0ms')", "error"),
    ],
)
def test_how_a_program_comes_out(sandbox: Sandbox, source: str, status: str) -> None:
    ran = run(sandbox, source, "1")
    assert ran.status == status, ran
    assert ran.values == ()


def test_a_program_that_sleeps_is_never_unknown(sandbox: Sandbox) -> None:
    """Or a program could choose to be left out of rates."""
    began = time.monotonic()
    ran = run(sandbox, "import time\ntime.sleep(1000)", "1")
    assert ran.status in ("ended", "error")
    assert time.monotonic() - began < 30


def test_nothing_is_left_for_the_next_program(sandbox: Sandbox) -> None:
    run(sandbox, "import math\nmath.pi = 3\nkept = 1\ndef square(x):\n    return 0", "square(1)")
    ran = run(sandbox, "import math\n" + SQUARE, "math.pi > 3.1", "square(3)", "kept")
    assert ran.values == ("True", "9", None)


def test_chance_and_hashes_are_the_same_every_time(sandbox: Sandbox) -> None:
    source = "import random"
    cases = ("random.random()", "random.randrange(10**9)", "list({'a', 'b', 'c', 'd'})")
    assert run(sandbox, source, *cases).values == run(sandbox, source, *cases).values


def test_programs_come_back_in_their_order(sandbox: Sandbox) -> None:
    with Sandbox(sandbox.kind, KINDS[sandbox.kind], SMALL, workers=2) as both:
        ran = both.run([Program(f"x = {i}", ("x",)) for i in range(30)])
    assert [one.values for one in ran] == [(str(i),) for i in range(30)]
    assert sandbox.run([]) == []


def test_a_worker_that_is_killed_is_replaced_and_none_stays(sandbox: Sandbox) -> None:
    def below() -> list[psutil.Process]:
        return psutil.Process().children(recursive=True)

    before = {process.pid for process in below()}
    with Sandbox(sandbox.kind, KINDS[sandbox.kind], SMALL, workers=1) as one:
        run(one, "x = 1")
        ours = [process for process in below() if process.pid not in before]
        os.kill(ours[-1].pid, signal.SIGKILL)
        assert run(one, SQUARE, "square(5)").values == ("25",)
    deadline = time.monotonic() + 20
    while {process.pid for process in below()} - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not {process.pid for process in below()} - before


def test_time_is_the_processors_and_not_the_walls(sandbox: Sandbox) -> None:
    """A program that needs half of what it may have ends, however busy others keep the CPUs."""
    busy = "import time\nend = time.monotonic() + 30\nwhile time.monotonic() < end:\n    pass"
    others = [subprocess.Popen([sys.executable, "-I", "-c", busy]) for _ in range(3)]
    try:
        ran = run(sandbox, "x = 0\nfor i in range(200_000):\n    x += i", "x")
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert ran.values == ("19999900000",), ran


class Failing:
    """A worker that fails as often as it is told to."""

    left = 0

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def run(self, program: Program) -> Ran:
        if Failing.left:
            Failing.left -= 1
            raise SandboxError("it is no more")
        return Ran("ended", ("1",))

    def close(self) -> None: ...


@pytest.mark.parametrize(("failures", "status"), [(0, "ended"), (1, "ended"), (2, "unknown")])
def test_a_sandbox_that_fails_twice_leaves_it_unknown(failures: int, status: str) -> None:
    Failing.left = failures
    with Sandbox("failing", Failing, SMALL, workers=1) as one:
        (ran,) = one.run([Program("x = 1", ("x",))])
    assert ran.status == status
    assert Failing.left == 0


def test_where_none_works_a_sandbox_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds_module, "fault_of", lambda kind: f"{kind} is broken")
    with pytest.raises(SandboxError, match=r"sandbox\.kind: expected one that works.*got auto"):
        make_sandbox()
    with pytest.raises(SandboxError, match="interpreter: interpreter is broken"):
        choose("interpreter")


@pytest.mark.skipif(bool(fault_of("bubblewrap")), reason=fault_of("bubblewrap"))
def test_where_the_kernel_gives_no_namespaces_bubblewrap_is_refused_in_its_words() -> None:
    """Such a kernel is had by bubblewrap itself, which can forbid what is inside to use it."""
    bubblewrap = find_bubblewrap()
    assert bubblewrap is not None
    code = (
        "from mgptn.agents.sandbox.kinds import choose\nprint(choose('auto'))\nchoose('bubblewrap')"
    )
    outer = ["--unshare-user", "--disable-userns", "--dev-bind", "/", "/", "--proc", "/proc"]
    done = subprocess.run(
        [bubblewrap, *outer, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.stdout.strip() == ("" if fault_of("interpreter") else "interpreter"), done.stderr
    assert "sandbox.kind: expected one that works here, got " in done.stderr
    assert "Creating new namespace failed" in done.stderr


def test_auto_takes_the_strongest_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    broken: set[str] = set()
    monkeypatch.setattr(kinds_module, "fault_of", lambda kind: "no" if kind in broken else "")
    assert choose("auto") == "bubblewrap"
    broken.add("bubblewrap")
    assert choose("auto") == "interpreter"


def test_limits_are_counted_in_bytes() -> None:
    limits = dataclasses.replace(SMALL, source=10)
    assert Program("é" * 6).too_long(limits.source)
    assert not Program("é" * 5).too_long(limits.source)
