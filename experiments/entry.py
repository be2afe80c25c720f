"""Where the command begins: Ctrl-C is answered from here on, before anything else is imported."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import atexit
import gc

from mgptn.experiments.commands.interrupts import leaving_at_once


def main() -> None:
    """The command `mgptn`."""
    # Else Python looks, at its end, for circles among all that goes with the process anyway.
    atexit.register(gc.freeze)
    with leaving_at_once():
        from mgptn.experiments.cli import main as command

        command(prog_name="mgptn")
