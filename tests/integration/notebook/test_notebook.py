"""The tutorial's notebook is run as it stands; records show themselves, and text stays text."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mgptn import Simulation, check_config, read_tables, shown
from mgptn.experiments.findings.verdict import Verdict
from tests.synthetic import synthetic_run

NOTEBOOK = Path(__file__).parents[3] / "docs" / "tutorials" / "notebook.ipynb"
HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e</td>"
SCRIPTED: dict[str, Any] = {
    "name": "noted",
    "population": {"size": 6, "generations": 3},
    "agents": {"model": "scripted", "scripted": {"error": 0.4}},
    "metrics": {"port": 0},
}


class Tags(HTMLParser):
    """What tags HTML has, and whether each that is opened is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_generation_shows_itself_and_text_stays_text() -> None:
    committed, _ = synthetic_run(generations=1)
    generation = committed[0].generation
    outcomes = replace(
        generation.outcomes,
        texts=tuple(HOSTILE + text for text in generation.outcomes.texts),
        queries=tuple(HOSTILE + query for query in generation.outcomes.queries),
    )
    page = Tags(replace(generation, outcomes=outcomes)._repr_html_())
    assert "script" not in page.seen
    assert page.seen.count("table") == 2
    assert any("<script>alert(1)</script>\\x1b[2J\\u202e</td>" in text for text in page.texts)
    known = generation.outcomes.known
    assert f"{generation.outcomes.wrong[known].mean():.3f}" in page.texts


def test_a_configuration_shows_what_is_set() -> None:
    page = check_config(SCRIPTED)._repr_html_()
    changed, _, everything = page.partition("<details>")
    assert "population.size" in changed
    assert "protocol.graders" not in changed
    assert "protocol.graders" in everything
    assert "agents.scripted.error" in changed
    Tags(page)


def test_a_finding_shows_itself() -> None:
    page = Tags(Verdict(HOSTILE, ("one & two", "three"))._repr_html_())
    assert page.seen.count("li") == 2
    assert "one & two" in page.texts
    assert "script" not in page.seen


def test_a_frame_has_what_the_table_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from io import StringIO

    from rich.console import Console

    from mgptn import run

    config = check_config(SCRIPTED)
    simulation = Simulation(config)
    assert simulation.to_frame().shape[0] == 0
    lengths = [len(simulation.to_frame()) for _ in shown(simulation)]
    assert lengths == [1, 2, 3]
    assert capsys.readouterr().out.splitlines()[-1].startswith("generation 3 of 3: fitness 0.")
    run(config, tmp_path / "run", Console(file=StringIO()), controls=False)
    table = read_tables(tmp_path / "run")["generations"]
    frame = simulation.to_frame()
    assert frame.equals(table.select(frame.columns), null_equal=True)


def test_the_notebook_is_kept_without_outputs() -> None:
    told = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert NOTEBOOK.stat().st_size < 20_000
    for cell in told["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"]
            assert cell["execution_count"] is None
            ast.parse("".join(cell["source"]))


@pytest.mark.slow
def test_the_notebook_runs_and_shows_progress() -> None:
    """Needs nbclient and ipykernel: the extra `dev` has them."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    pages = {
        i: "".join(output.get("data", {}).get("text/html", "") for output in cell["outputs"])
        for i, cell in enumerate(notebook.cells)
        if cell["cell_type"] == "code"
    }
    assert "<progress value='4' max='4'" in pages[3]
    assert pages[3].count("<progress") == 1  # drawn anew, not once more
    assert "Generation 3" in pages[4]
    assert [i for i, page in pages.items() if not page] == [8]  # the figure is a picture
    assert any("image/png" in output.get("data", {}) for output in notebook.cells[8]["outputs"])


@pytest.mark.slow
def test_the_first_generation_is_there_within_ten_seconds() -> None:
    """Of a processor, from the import on: what other work takes of this machine is not counted."""
    code = (
        "from mgptn import Simulation, load_config\n"
        "import resource\n"
        "next(iter(Simulation(load_config('quickstart'))))\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 10.0
