"""Files of JSON lines that one process appends to and others read."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mgptn.agents.disk import sync_folder

Line = dict[str, Any]


class LinesError(ValueError):
    """A line that nobody here writes: names file, line and what was expected."""


class Reader:
    """What is new in a file of lines, each once; one that is still being written is waited for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = self._number = 0

    def new(self) -> list[Line]:
        """Lines that were added since the last call.

        Raises
        ------
        LinesError
            If one is no JSON object.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [self._line(text) for text in whole.splitlines()]

    def _line(self, text: bytes) -> Line:
        self._number += 1
        try:
            line = json.loads(text)
        except ValueError as error:
            raise LinesError(
                f"{self.path}, line {self._number}: expected JSON, got: {error}"
            ) from None
        if not isinstance(line, dict):
            raise LinesError(f"{self.path}, line {self._number}: expected an object, got others")
        return line


class Writer:
    """Appends lines to a file; what a kill left of a last one is cut off first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            file.seek(0)
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)
        sync_folder(path.parent)

    def add(self, lines: Iterable[Line]) -> None:
        """Write lines, and wait until they are on the disk."""
        said = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        if not said:
            return
        with self._path.open("ab") as file:
            file.write(said)
            file.flush()
            os.fsync(file.fileno())
