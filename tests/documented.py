"""The commands that the documentation has, and how each of them is run by a test.

What needs a cluster, a card or a network, or is run by another test, is in `ELSEWHERE`. Of all
others, ``python -m tests.documented ARGUMENTS`` is the `mgptn` that the pages' blocks find: the
same command, on fewer problems for fewer generations.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mgptn.agents.checkpoints import INSTRUCT
from mgptn.experiments.config.run_config import load_config

ROOT = Path(__file__).parents[1]

PROGRAMS = (
    *("mgptn", "make", "pip", "python", "pytest", "ray", "docker", "kubectl", "prometheus", "ssh"),
    *("eval", "export", "cd", "for", "rsync", "git"),
)
"""What a line of a block may begin with to be one of commands."""

GENERATED = ("docs/results/", "docs/reference/commands.md")
"""Pages whose commands are written by code: by the very run they are of, or from help."""

ELSEWHERE = {
    "make ": "what tests are run by",
    "pytest ": "what tests are run by",
    "MGPTN_CRDS=": "needs schemas from elsewhere; tests/unit/test_deploy_schemas.py",
    "pip install": "the network; a cluster's machines",
    "export RAY_": "a cluster",
    "ray ": "a cluster; tests/integration/monitoring/test_ray_cluster_yaml.py holds its file",
    "docker ": "Docker; tests/unit/test_deploy.py holds what is built",
    "kubectl ": "Kubernetes; tests/unit/test_deploy_schemas.py holds its files",
    "cd monitoring && prometheus": "run by tests/integration/monitoring/test_prometheus.py",
    "ssh ": "another machine",
    "mgptn models fetch": "the network; asked for by tests/real_model.py",
    "mgptn run CONFIG --log-to": "trackers, which are not installed; "
    "tests/integration/sharing/test_readers.py logs to those that are",
    "mgptn run CONFIG --set protocol.name=second-opinion": "run by "
    "tests/integration/commands/test_extending.py",
    "mgptn run my.yaml --no-controls": "waits for people; "
    "tests/integration/picking/test_runs.py has some",
    "mgptn run words --out runs/served": "a server; "
    "tests/integration/running/test_endpoints.py has one",
}
"""Beginning of a command that the blocks are run without → why, and what holds it instead."""

QUICK = ("mgptn tasks walks", "mgptn list", "mgptn replay")
"""Beginning of commands that take no second, and are run as they stand by the quick tests, too."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of commands: its page, and its lines with continued ones joined."""

    page: str
    lines: tuple[str, ...]

    @property
    def here(self) -> tuple[str, ...]:
        """Lines that can be run here."""
        return tuple(line for line in self.lines if elsewhere(line) is None)


def blocks() -> Iterator[Block]:
    """All blocks of commands that somebody wrote."""
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "monitoring" / "README.md"]
    for path in sorted(texts):
        page = path.relative_to(ROOT).as_posix()
        if page.startswith(GENERATED):
            continue
        for text in _code(path.read_text(encoding="utf-8")):
            lines = tuple(line for line in _joined(text).splitlines() if line.strip())
            if lines and _program(lines[0]) in PROGRAMS:
                yield Block(page, lines)


def elsewhere(line: str) -> str | None:
    """Why a line is not run; None where it is."""
    return next((why for begin, why in ELSEWHERE.items() if line.startswith(begin)), None)


def _code(text: str) -> Iterator[str]:
    """What is indented, or fenced without a language or with that of a shell."""
    for language, inner in re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.M | re.S):
        if language in ("", "sh", "bash", "console"):
            yield inner
    rest = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for inner in re.findall(r"(?<=\n\n)(?:    .*(?:\n|$))+", rest):
        yield re.sub(r"(?m)^    ", "", inner)


def _joined(text: str) -> str:
    """With lines that go on, by a backslash or within quotes, in one."""
    text = re.sub(r"\\\n\s*", "", text)
    return re.sub(r"(?m)^(mgptn [^\n'#]*(?:'[^\n']*'[^\n'#]*)*'[^\n']*)\n *", r"\1 ", text)


def _program(line: str) -> str:
    words = [word for word in line.split() if not re.match(r"[A-Z_]+=", word)]
    return words[0] if words else ""


def smaller(arguments: list[str]) -> list[str]:
    """The same command on less: fewer generations, problems, arms, steps and seeds."""
    command, *rest = arguments
    if command in ("run", "sweep", "compare-protocols", "robustness"):
        sizes = {"population.generations": 2, "problems_per_generation": 4, "metrics.port": 0}
        agents = load_config(rest[0]).agents
        if agents.model.startswith(INSTRUCT):
            sizes |= {"population.generations": 1, "problems_per_generation": 2}
        if agents.founders is not None:
            sizes |= {"agents.founders.steps": 10, "agents.learning.steps": 2}
        varied = {word.partition("=")[0] for word in rest}
        words = [_less(word, sizes) for word in rest]
        given = {word.partition("=")[0] for word in words}
        further = [f"--set={key}={n}" for key, n in sizes.items() if key not in given | varied]
        if command in ("run", "sweep"):
            further += ["--no-controls"]
        if command == "sweep":
            further += ["--seeds", "1"]
        return [command, *words, *further]
    if command == "ask":
        return [*arguments, "--items", "2"]
    if arguments[:2] == ["experiment", "run"]:
        return [word for word in arguments if word != "laptop"] + ["--scale", "smoke"]
    if command == "pretrain":
        return [*arguments, "--steps", "2", "--no-compile", "--set", "documents=4"]
    if arguments[:2] == ["bench", "faults"]:
        return [*("10" if word == "10000" else word for word in arguments)]
    return arguments


def _less(word: str, sizes: dict[str, int]) -> str:
    """A setting with its value made as small as all others'."""
    key, equals, _ = word.partition("=")
    return f"{key}={sizes[key]}" if equals and key in sizes else word


def ask_the_page(command: list[str]) -> int:
    """Start a page's server, ask for the page once, and end it."""
    server = subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        address = re.search(r"http://\S+", server.stdout.readline())
        if address is None:
            return 1
        with urllib.request.urlopen(address[0]) as reply:
            return 0 if b"<title>" in reply.read() else 1
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    made = smaller(sys.argv[1:])
    program = [sys.executable, "-m", "mgptn.experiments", *made]
    if made[0] == "watch":
        sys.exit(ask_the_page(program))
    os.execv(sys.executable, program)
