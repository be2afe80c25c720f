"""`python -m mgptn.experiments` is the command `mgptn`."""

# SPDX-License-Identifier: Apache-2.0

from mgptn.experiments.entry import main

main()
