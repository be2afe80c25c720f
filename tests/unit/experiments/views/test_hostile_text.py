"""What models said is shown on a terminal, and never obeyed by it."""

# SPDX-License-Identifier: Apache-2.0

import io
from dataclasses import replace

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import check_config
from mgptn.experiments.record.rounds import Round
from mgptn.experiments.views.live import LiveTable
from mgptn.experiments.views.measured import Measuring
from mgptn.experiments.views.printable import visible
from mgptn.population.records.turns import Turn
from tests.columns import with_outcomes
from tests.shared_run import CONFIG, write_made_up
from tests.synthetic import synthetic_run

ATTACK = "\x1b]0;title\x07\x1b[2J\x1b[31m4\x1b[0m\r\x08\x9b5n\u202e\u2066\u200b\u2028\ufeff4"
OBEYED = set("\x1b\x07\r\x08\x9b\u202e\u2066\u200b\u2028\ufeff")


@given(st.text())
def test_nothing_that_is_shown_is_obeyed_and_plain_text_stays(text):
    shown = visible(text)
    assert not {c for c in shown if ord(c) < 32 or 127 <= ord(c) < 160} - {"\n"}
    assert not set(shown) & OBEYED
    assert visible("4 é ✓ 東\n") == "4 é ✓ 東\n"


def test_a_transcript_shows_what_was_said(tmp_path):
    committed, _ = synthetic_run(("selected",), generations=1)
    first, *others = committed[0].generation.outcomes
    turn = Turn("draft", ATTACK, True, False, None)
    said = replace(first, query=ATTACK, answer=f"<think>{ATTACK}</think>{ATTACK}", turns=(turn,))
    generation = with_outcomes(committed[0].generation, [said, *others])
    run = write_made_up(tmp_path / "run", [replace(committed[0], generation=generation)])
    done = CliRunner().invoke(main, ["transcript", str(run)])
    assert done.exit_code == 0, done.output
    assert not set(done.output) & OBEYED
    assert done.output.count(r"\x1b]0;title\x07\x1b[2J\x1b[31m4") == 4
    assert r"\u202e\u2066\u200b" in done.output


@pytest.mark.parametrize("terminal", [True, False])
def test_the_live_table_shows_names_and_faults(terminal):
    committed, _ = synthetic_run(("selected",), generations=1)
    done = Measuring(check_config(CONFIG))(Round((committed[0],)))
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=200, color_system=None)
    with LiveTable(console, f"a model called {ATTACK}", 1) as table:
        table.add(replace(done, faults=(f"what it said: {ATTACK}",)))
    # Rich's own controls move the cursor, and do nothing else.
    assert "\x1b]0;title" not in file.getvalue()
    assert not set(file.getvalue()) & (OBEYED - {"\x1b", "\r"})
    assert r"a model called \x1b]0;title\x07" in file.getvalue()
    assert r"what it said: \x1b]0;title\x07" in file.getvalue()


def test_an_error_shows_what_it_is_about(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text('name: "\\e[31m"\nagents: {model: "./\\e]0;title\\a"}\n')
    done = CliRunner().invoke(main, ["run", str(path), "--set", "metrics.port=0"])
    assert done.exit_code == 1
    assert not set(done.output) & OBEYED
