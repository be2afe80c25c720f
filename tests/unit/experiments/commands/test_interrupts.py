"""Ctrl-C once is an exception that a command puts things in order after; twice, it is the end."""

# SPDX-License-Identifier: Apache-2.0

import signal
import subprocess
import sys

import pytest

COMMAND = """
import sys, time
from mgptn.experiments.commands.interrupts import going_on, leaving_at_once, raising
with leaving_at_once(), raising(), going_on(lambda: "Carry on with: x"):
    try:
        print("running", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        {then}
with leaving_at_once():
    print("ended", flush=True)
    {last}
"""


def interrupted(then="pass", last="pass", again=signal.SIGINT):
    """Status, output and errors of a command that is interrupted at once, and twice if it lasts."""
    code = COMMAND.format(then=then, last=last)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        said = [process.stdout.readline()]
        process.send_signal(signal.SIGINT)
        for line in process.stdout:
            said.append(line)
            if (line, "pass") in (("interrupted\n", last), ("ended\n", then)) and then != last:
                process.send_signal(again)
        return process.wait(), "".join(said), process.stderr.read()


def test_once_it_is_raised_and_the_command_goes_on():
    assert interrupted() == (0, "running\ninterrupted\nended\n", "")


@pytest.mark.parametrize("again", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"then": "time.sleep(60)"}, "\nInterrupted twice. Carry on with: x\n"),
        ({"last": "time.sleep(60)"}, "\nInterrupted twice.\n"),
    ],
    ids=["while things are put in order", "when that is done"],
)
def test_twice_it_ends_the_process_and_says_how_to_go_on(where, said, again):
    status, _, errors = interrupted(**where, again=again)
    assert (status, errors) == (130, said)
