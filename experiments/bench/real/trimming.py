"""What of some written tokens is an answer."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence

from mgptn.agents.requests import Generate, Tokens


def trimmed(row: Sequence[int], request: Generate) -> Tokens:
    """An answer of at most so many tokens, up to what ends it."""
    kept: list[int] = []
    for token in row[: request.max_tokens]:
        if token in request.stops:
            break
        kept.append(token)
        if token in request.endings:
            break
    return tuple(kept)
