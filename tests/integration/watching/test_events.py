"""A browser that listens is told every round, whatever breaks between it and the page."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mgptn.experiments.record.rounds import JOURNAL, RunRecord
from tests.integration.watching.conftest import Page, ask_until, served


class Stream:
    """Events of a page, as a browser reads them."""

    def __init__(self, page: Page, last: str = "", again: str | None = None) -> None:
        request = urllib.request.Request(page.url("events", last=last))
        if again is not None:
            request.add_header("Last-Event-ID", again)
        self._reply = urllib.request.urlopen(request, timeout=20)
        assert self._reply.headers["content-type"].startswith("text/event-stream")
        self.last = last

    def __iter__(self) -> Iterator[Any]:
        for line in self._reply:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                self.last = value
            elif name == "data":
                yield json.loads(value)

    def rounds(self, count: int, known: int) -> list[int]:
        """Generations of the next rounds that are told, beyond those that the browser has."""
        found: list[int] = []
        for event in self:
            if event["kind"] == "round" and event["row"]["generation"] >= known:
                found.append(event["row"]["generation"])
                if len(found) == count:
                    break
        return found

    def close(self) -> None:
        """As a browser that goes away."""
        self._reply.close()


def growing(looked_at: Path, folder: Path) -> list[int]:
    """A copy of a run without its journal; where the records of that end, in bytes."""
    folder.mkdir()
    shutil.copy(looked_at / "manifest.json", folder)
    record = RunRecord(looked_at)
    list(record.rounds())
    size = (looked_at / JOURNAL).stat().st_size
    return [*(start - 4 for start, _ in record.spans[1:]), size]


def write(looked_at: Path, folder: Path, end: int) -> None:
    """The journal up to there; appended to, as a run does."""
    path = folder / JOURNAL
    known = path.stat().st_size if path.exists() else 0
    with path.open("ab") as file:
        file.write((looked_at / JOURNAL).read_bytes()[known:end])


def test_rounds_are_told_as_they_are_committed(looked_at: Path, tmp_path: Path) -> None:
    folder = tmp_path / "growing"
    first, second, third, _, last, *_ = [*growing(looked_at, folder), 0]
    write(looked_at, folder, first)
    with served(folder) as page:
        run = ask_until(
            lambda: page.ask("run", run="growing"), lambda run: run["series"]["count"] == 1
        )
        assert not run["ended"]
        stream = Stream(page, f"{run['boot']}-{run['last']}")
        write(looked_at, folder, second)
        assert stream.rounds(1, 1) == [1]
        write(looked_at, folder, third - 7)  # a record that is being written is none yet
        write(looked_at, folder, third)
        assert stream.rounds(1, 2) == [2]
        stream.close()

        # While the browser is away the run goes on; it comes back, and is told what it missed.
        write(looked_at, folder, last)
        ask_until(lambda: page.ask("run", run="growing"), lambda run: run["ended"])
        back = Stream(page, f"{run['boot']}-{run['last']}", again=stream.last)
        assert back.rounds(2, 3) == [3, 4]
        assert next(event for event in back if event["kind"] == "ended")["finding"]["heading"]
        known = back.last
        back.close()

        # One that was told all of it is told nothing again, and one of another page all anew.
        other = Stream(page, f"{'0' * 8}-3")
        assert next(iter(other)) == {"kind": "anew"}
        other.close()
        boot, _, number = known.rpartition("-")
        ahead = Stream(page, f"{boot}-{int(number) + 99}")
        assert next(iter(ahead)) == {"kind": "anew"}
        ahead.close()


def test_a_journal_that_is_altered_is_told(looked_at: Path, tmp_path: Path) -> None:
    folder = tmp_path / "altered"
    ends = growing(looked_at, folder)
    write(looked_at, folder, ends[0])
    with served(folder) as page:
        run = ask_until(
            lambda: page.ask("run", run="altered"), lambda run: run["series"]["count"] == 1
        )
        stream = Stream(page, f"{run['boot']}-{run['last']}")
        whole = bytearray((looked_at / JOURNAL).read_bytes()[: ends[1]])
        whole[ends[0] + 200] ^= 1
        with (folder / JOURNAL).open("ab") as file:
            file.write(whole[ends[0] :])
        fault = next(event for event in stream if event["kind"] == "fault")
        assert f"at byte {ends[0]}: record 2 was altered" in fault["fault"]
        stream.close()
        told = page.ask("run", run="altered")
        assert told["series"]["count"] == 1  # what stands before is shown
        assert told["fault"] == fault["fault"]


def test_runs_that_come_are_listed(looked_at: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    shutil.copytree(looked_at, runs / "a")
    with served(runs) as page:
        assert [run["name"] for run in page.ask("runs")["runs"]] == ["a"]
        shutil.copytree(looked_at, runs / "b")
        found = ask_until(lambda: page.ask("runs"), lambda told: len(told["runs"]) == 2)
        assert [(run["done"], run["planned"], run["ended"]) for run in found["runs"]] == [
            (5, 5, True), (5, 5, True),
        ]  # fmt: skip
