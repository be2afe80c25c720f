"""What is being done is said on standard error, in place on a terminal, and ends no command."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import sys
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.console import Console

from mgptn.experiments.views.doing import ERASE, doing
from mgptn.experiments.views.live import LiveTable
from mgptn.experiments.views.printable import plainer, print_anything


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_than_on_a_terminal_a_line_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    said = StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    with doing("loading"):
        assert said.getvalue() == "loading …\n"
    assert said.getvalue() == "loading …\n"


def test_on_a_terminal_it_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Terminal()
    monkeypatch.setattr(sys, "stderr", said)
    monkeypatch.setenv("TERM", "xterm")
    with doing("loading"):
        assert said.getvalue() == "loading …"
    assert said.getvalue() == f"loading …{ERASE}"


def test_without_a_standard_error_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = StringIO()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stderr", stream)
        with doing("loading"):
            pass


@pytest.mark.parametrize(
    ("encoding", "text", "printed"),
    [
        ("ascii", "8 × gpt-3 … é ∞ ☃", b"8 x gpt-3 ... e inf ?"),
        ("latin-1", "8 × gpt-3 …", b"8 \xd7 gpt-3 ..."),
        ("utf-8", "runs/\udcff ×", b"runs/\xff \xc3\x97"),
    ],
)
def test_what_cannot_be_printed_is_printed_plainer(
    monkeypatch: pytest.MonkeyPatch, encoding: str, text: str, printed: bytes
) -> None:
    written = BytesIO()
    stream = TextIOWrapper(written, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    print_anything()
    stream.write(text)
    stream.flush()
    assert written.getvalue() == printed


def test_a_live_table_is_printed_as_its_stream_can() -> None:
    written = BytesIO()
    console = Console(file=TextIOWrapper(written, encoding="ascii"), width=120)
    print_anything(console.file)
    with LiveTable(console, "quickstart: 8 × gpt-3", 1):
        pass
    console.file.flush()
    assert written.getvalue().startswith(b"quickstart: 8 x gpt-3")


def test_it_is_for_what_is_printed_alone() -> None:
    with pytest.raises(UnicodeDecodeError):
        plainer(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"))
