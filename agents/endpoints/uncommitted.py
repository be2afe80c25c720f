"""Replies of endpoints that no generation was committed with yet, kept on disk as they come.

So a run that is stopped in the middle of a generation asks nothing again that was answered. Written
a line at a time; a line that was cut off is as if it had not come.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from mgptn.agents.texts import TextReply, TextRequest, Usage, Weighed, Written

Answered = tuple[TextReply, Usage]


class Uncommitted:
    """Replies by what was asked, in a file of a run's folder; one process at a time writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Answered] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                self._recall(line)
        self._file: TextIOWrapper | None = None

    def get(self, weights: str, asked: TextRequest) -> Answered | None:
        """What was answered; None for nothing."""
        return self._known.get(_digest(weights, asked))

    def add(self, weights: str, asked: TextRequest, answered: Answered) -> None:
        """Keep an answer."""
        reply, usage = answered
        digest = _digest(weights, asked)
        self._known[digest] = answered
        if self._file is None:
            self._file = self.path.open("a", encoding="utf-8")
            self._file.write("\n")  # after a line that was cut off
        kind = type(reply).__name__
        record = {"of": digest, "kind": kind, "reply": asdict(reply), "usage": asdict(usage)}
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()

    def forget(self) -> None:
        """All is committed."""
        self.close()
        self._known.clear()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, and leave it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _recall(self, line: str) -> None:
        try:
            record: dict[str, Any] = json.loads(line)
            told, usage = record["reply"], Usage(**record["usage"])
            reply: TextReply = (
                Weighed(tuple(told["log_probabilities"]))
                if record["kind"] == "Weighed"
                else Written(**told)
            )
            self._known[record["of"]] = (reply, usage)
        except (ValueError, KeyError, TypeError):
            return


def _digest(weights: str, asked: TextRequest) -> str:
    plain = json.dumps([weights, type(asked).__name__, asdict(asked)])
    return hashlib.blake2b(plain.encode(), digest_size=16).hexdigest()
