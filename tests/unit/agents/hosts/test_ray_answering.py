"""SIGTERM is answered though somebody gives it back to the system behind Python's back."""

# SPDX-License-Identifier: Apache-2.0

import signal
import subprocess
import sys

import pytest

CODE = """
import ctypes, os, signal, sys, threading, time
from contextlib import nullcontext
from mgptn.agents.hosts.ray.answering import still_answered
signal.signal(signal.SIGTERM, lambda number, frame: (print("answered"), sys.exit(3)))
def take():
    with {context}():
        ctypes.CDLL(None).signal(int(signal.SIGTERM), None)
        time.sleep(0.3)
taking = threading.Thread(target=take)
taking.start()
{then}
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(10)
"""


@pytest.mark.parametrize("then", ["time.sleep(0.2)", "taking.join()"], ids=["while", "after"])
@pytest.mark.parametrize(
    ("context", "status", "said"),
    [("still_answered", 3, "answered\n"), ("nullcontext", -signal.SIGTERM, "")],
)
def test_sigterm_is_answered_by_who_was_to(then, context, status, said):
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(then=then, context=context)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (status, said), done.stderr
