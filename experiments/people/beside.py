"""The process that serves a run's page of picks: beside the run, and as long as that goes on."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

END_SECONDS = 5.0


@contextmanager
def page_beside(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Serve the page on which people pick, whose links are told.

    Parameters
    ----------
    tell
        Called with a line for each person, as soon as the page can be opened.
    """
    command = [sys.executable, "-m", "mgptn.experiments", "pick", str(folder), "--beside"]
    page = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert page.stdin is not None
    assert page.stdout is not None
    threading.Thread(target=_relay, args=(page.stdout, tell), daemon=True).start()
    try:
        yield
    finally:
        page.stdin.close()  # by which it ends, as it does where the run is killed
        try:
            page.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            page.kill()
            page.wait()


def _relay(lines: IO[str], tell: Callable[[str], None]) -> None:
    for line in lines:
        tell(line.rstrip("\n"))
