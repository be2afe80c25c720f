"""The README's Python runs as it stands, and its configuration table is the configuration."""

# SPDX-License-Identifier: Apache-2.0

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest

import mgptn
from mgptn.experiments.cli import main
from mgptn.experiments.config.run_config import RunConfig, known_keys
from mgptn.experiments.config.sections.plugins import protocols
from mgptn.experiments.record.rounds import joint_hash
from tests.reference_commands import all_commands

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
DECIDING = ("torch", "transformers", "tokenizers", "numpy", "scipy", "networkx")
"""Packages that take part in a population's bits."""
QUICKSTART_HASH = "658ff5d813c032440de3e446873bcdb70130906f40926ac45cba8305c4a49103"
"""Of the selected arm: its controls change nothing in it."""


@pytest.fixture(scope="module")
def quickstart() -> list[list[str]]:
    """What the README's Python prints: the quickstart without controls, a line a generation."""
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_the_python_of_the_readme_runs_a_population(quickstart: list[list[str]]):
    assert [words[0] for words in quickstart] == [str(i) for i in range(6)]


def test_the_sample_of_the_readme_has_the_errors_that_are_printed(quickstart: list[list[str]]):
    sample = re.findall(r"^ +(\d+) +0\.\d{3} +(0\.\d{3}) \[", README, flags=re.M)
    assert [index for index, _ in sample] == ["0", "5"]
    for index, error in sample:
        assert abs(float(error) - float(quickstart[int(index)][3])) < 0.0051
        assert error in README.partition("What it finds:")[2]


def test_the_quickstart_ends_with_the_hash_that_the_readme_tells(quickstart: list[list[str]]):
    (short,) = re.findall(r"hash is `([0-9a-f]+)…`", README)
    assert len(short) == 16
    assert QUICKSTART_HASH.startswith(short)
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M))
    here = {name: version(name).partition("+")[0] for name in DECIDING}
    if here != {name: pinned[name] for name in DECIDING}:
        pytest.skip(f"the hash is told for the versions of constraints.txt, not for {here}")
    assert joint_hash(words[-1] for words in quickstart) == QUICKSTART_HASH


def test_the_python_of_its_page_runs_from_top_to_bottom(tmp_path):
    page = (ROOT / "docs" / "tutorials" / "python.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert len(blocks) == page.count("```") // 2
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "mine" / "report.html").is_file()
    assert [line.split()[1] for line in done.stdout.splitlines()[-3:]] == ["0.5", "1.0", "1.0"]


def test_its_page_names_all_that_mgptn_offers():
    table = (ROOT / "docs" / "tutorials" / "python.md").read_text().partition("## ")[0]
    named = [
        name
        for row in re.findall(r"^\| (`.*?`) \|", table, flags=re.M)
        for name in re.findall(r"`(\w+)`", row)
    ]
    assert sorted(named) == sorted(mgptn.__all__)


def test_every_key_has_its_row_with_a_meaning():
    table = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| (.+) \| (.+) \| (.+) \|$", table, flags=re.M)
    sections = re.findall(r"^##+ ([\w.]+)$", table, flags=re.M)
    assert set(known_keys()) <= {key for key, *_ in rows} | set(sections)
    assert len(rows) == table.count("\n| `")
    assert not [key for key, form, default, meaning in rows if not (form and default and meaning)]


def test_every_option_says_what_it_is():
    silent = [
        f"{' '.join(path)} {option.opts[-1]}"
        for path, command in all_commands(main, ("mgptn",))
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden and not option.help
    ]
    assert not silent


def test_every_protocol_is_in_its_table_with_its_summary():
    table = (
        (ROOT / "docs" / "reference" / "protocols.md")
        .read_text(encoding="utf-8")
        .partition("## ")[0]
    )
    for name, protocol in protocols().items():
        assert f"| `{name}` | {protocol.summary.rstrip('.')}" in table


def test_every_command_is_in_the_documentation():
    table = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert all(f"`mgptn {name}" in table for name in main.commands)


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 120


def test_what_is_linked_to_is_there():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    missing = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert not missing


def test_the_quickstart_says_every_default_or_departs_from_it_knowingly():
    from mgptn.experiments.config.run_config import load_config

    quickstart = load_config(ROOT / "experiments" / "configs" / "quickstart.yaml")
    assert quickstart == RunConfig(name="quickstart")
