"""Elo's expected score."""

# SPDX-License-Identifier: Apache-2.0


def elo_expected(difference):
    """Of a player rated higher by some points."""
    return 1.0 / (1.0 + 10.0 ** (-difference / 400.0))
