"""`python -m mgptn.experiments` is the command `mgptn`."""

# SPDX-License-Identifier: Apache-2.0

from mgptn.experiments.cli import main

main(prog_name="mgptn")
