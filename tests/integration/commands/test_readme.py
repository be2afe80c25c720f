"""The README's Python runs as it stands, and its configuration table is the configuration."""

# SPDX-License-Identifier: Apache-2.0

import re
import subprocess
import sys
from pathlib import Path

import mgptn
from mgptn.experiments.cli import main
from mgptn.experiments.config.plugins import protocols
from mgptn.experiments.config.run_config import RunConfig, known_keys

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()


def test_the_python_of_the_readme_runs_a_population():
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [str(i) for i in range(6)]


def test_the_python_of_its_page_runs_from_top_to_bottom(tmp_path):
    page = (ROOT / "docs" / "python.md").read_text()
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
    table = (ROOT / "docs" / "python.md").read_text().partition("## ")[0]
    named = [
        name
        for row in re.findall(r"^\| (`.*?`) \|", table, flags=re.M)
        for name in re.findall(r"`(\w+)`", row)
    ]
    assert sorted(named) == sorted(mgptn.__all__)


def test_every_key_is_in_the_readme():
    table = README[README.index("## Configuration") : README.index("## Protocols")]
    leaves = [k for k in known_keys() if not any(o.startswith(k + ".") for o in known_keys())]
    missing = [
        key for key in leaves if f"`{key}`" not in table and f"`.{key.split('.')[-1]}`" not in table
    ]
    assert not missing
    assert set(re.findall(r"^\| `([\w.]+)`", table, flags=re.M)) <= set(known_keys())


def test_every_protocol_is_in_the_readme_with_its_summary():
    table = README[README.index("## Protocols") : README.index("## Arms")]
    for name, protocol in protocols().items():
        assert f"| `{name}` | {protocol.summary.rstrip('.')}" in table


def test_every_command_is_in_the_readme():
    table = README[README.index("## Commands") : README.index("## Configuration")]
    assert all(f"`mgptn {name}" in table for name in main.commands)


def test_the_quickstart_says_every_default_or_departs_from_it_knowingly():
    from mgptn.experiments.config.run_config import load_config

    quickstart = load_config(ROOT / "experiments" / "configs" / "quickstart.yaml")
    assert quickstart == RunConfig(name="quickstart")
