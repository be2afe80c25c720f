"""Programs that attack a sandbox, and what of the world outside shows whether they succeeded."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast, get_args

import psutil

from mgptn.agents.sandbox.pool import Sandbox
from mgptn.protocols.tasks.trials import Program, Ran, Status

FILE: Final = Path(__file__).parent / "attacks.txt"
"""A line `#### group: name -> statuses` before each program."""

REACHED: Final = "REACHED"
"""What a program prints where it has got what it must not."""

VARIABLE: Final = "MGPTN_CANARY"

NEXT: Final = Program("import math\ndef double(x):\n    return 2 * x", ("double(21)", "left"))
"""What is run after each attack, and its values: nothing is left of the attack."""
NEXT_VALUES: Final = ("42", None)

ASKED: Final = "answer(7)"


@dataclass(frozen=True, slots=True)
class Attack:
    """A program that attacks.

    Attributes
    ----------
    group, name
        What it is after, and how.
    source
        The program, in which ``@FILE@``, ``@FOLDER@``, ``@PID@``, ``@PARENT@`` and ``@PORT@``
        stand for things outside.
    expected
        How it may come out; other ways are no containment.
    """

    group: str
    name: str
    source: str
    expected: frozenset[Status]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attack: how it came out, and what shows that it succeeded; empty if not."""

    attack: Attack
    status: Status
    breach: str


def read_attacks(file: Path = FILE) -> list[Attack]:
    """All attacks, in the order of the file."""
    found = []
    for part in file.read_text(encoding="utf-8").split("#### ")[1:]:
        head, _, source = part.partition("\n")
        called, _, statuses = head.partition(" -> ")
        group, _, name = called.partition(": ")
        known = frozenset(statuses.split(", "))
        if not known <= {*get_args(Status)}:
            raise ValueError(f"{file}: {name}: expected statuses, got {statuses!r}")
        found.append(Attack(group, name, source, cast("frozenset[Status]", known)))
    return found


@dataclass(frozen=True, slots=True)
class Canaries:
    """What stands outside, for attacks to reach: a file, a process, a socket, a secret."""

    folder: Path
    process: subprocess.Popen[bytes]
    listener: socket.socket
    secret: str

    @property
    def file(self) -> Path:
        """The file; the secret is in it, and in the environment."""
        return self.folder / "canary.txt"

    def told(self, source: str) -> str:
        """A program that knows where they are."""
        for name, value in (
            ("FILE", self.file),
            ("FOLDER", self.folder),
            ("PID", self.process.pid),
            ("PARENT", os.getpid()),
            ("PORT", self.listener.getsockname()[1]),
        ):
            source = source.replace(f"@{name}@", str(value))
        return source

    def harmed(self) -> str:
        """What has become of them; empty if nothing has."""
        if sorted(path.name for path in self.folder.iterdir()) != ["canary.txt"]:
            return "files were made or deleted"
        if self.file.read_text(encoding="utf-8") != self.secret:
            return "a file was changed"
        if self.process.poll() is not None:
            return "a process was ended"
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return ""
        return "a connection was made"


@contextmanager
def canaries() -> Iterator[Canaries]:
    """Put them out, and take them in again."""
    secret = secrets.token_hex(16)
    waits = [sys.executable, "-c", "import time; time.sleep(3600)"]
    with (
        tempfile.TemporaryDirectory(prefix="mgptn-canary-") as name,
        socket.create_server(("127.0.0.1", 0)) as listener,
        subprocess.Popen(waits, stdin=subprocess.DEVNULL) as process,
    ):
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "canary.txt").write_text(secret, encoding="utf-8")
        (folder / "canary.txt").chmod(0o666)
        listener.setblocking(False)
        os.environ[VARIABLE] = secret
        try:
            yield Canaries(folder, process, listener, secret)
        finally:
            del os.environ[VARIABLE]
            process.kill()


def attempt(sandbox: Sandbox, attack: Attack, outside: Canaries) -> Attempt:
    """Run an attack, then a harmless program, and look at the world.

    The verdict is made as a task makes it: a value is compared, outside, with what is right, which
    the program was not told.
    """
    hidden = secrets.token_hex(8)
    ran, after = sandbox.run([Program(outside.told(attack.source), (ASKED,)), NEXT])
    return Attempt(attack, ran.status, _breach(attack, ran, after, outside, hidden))


def _breach(attack: Attack, ran: Ran, after: Ran, outside: Canaries, hidden: str) -> str:
    said = "\n".join([ran.stdout, ran.error, *(value or "" for value in ran.values)])
    if ran.status not in attack.expected:
        return f"it came out as {ran.status}: {ran.error.strip()[-200:]}"
    if outside.secret in said:
        return "it read the secret"
    if any(line.startswith(REACHED) or line.endswith(REACHED) for line in ran.stdout.splitlines()):
        return "it got what it must not"
    if ran.status == "ended" and hidden in ran.values:
        return "it was taken for right"
    if after.status != "ended" or after.values != NEXT_VALUES:
        return f"the next program came out as {after.status}, with {after.values}"
    return outside.harmed()


def attempt_all(sandbox: Sandbox, attacks: Sequence[Attack]) -> Iterator[Attempt]:
    """Attack after attack; the last one's breach tells also of processes that have stayed."""
    with canaries() as outside:
        sandbox.run([NEXT])
        before = _descendants()
        for i, attack in enumerate(attacks):
            made = attempt(sandbox, attack, outside)
            stayed = _descendants() - before if i == len(attacks) - 1 else 0
            if stayed > 0 and not made.breach:
                made = Attempt(attack, made.status, f"{stayed} processes have stayed")
            yield made


def _descendants() -> int:
    return len(psutil.Process().children(recursive=True))
