"""What the pages of the reference say alike."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations


def made_by() -> str:
    """How a page says that nobody wrote it."""
    return "Made by `python -m tests.reference_pages`"


def cell(text: str) -> str:
    """A text within a table."""
    return text.replace("|", "\\|")
