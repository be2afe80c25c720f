"""`import mgptn`: cheap, whole, and the same to a type checker as to Python."""

# SPDX-License-Identifier: Apache-2.0

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mgptn

SOURCE = Path(mgptn.__file__)
HEAVY = ("numpy", "torch", "ray", "transformers", "pydantic", "polars", "mgptn.experiments")


def test_importing_it_imports_nothing_heavy():
    code = f"import sys, mgptn; print([n for n in {HEAVY!r} if n in sys.modules], len(dir(mgptn)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(SOURCE.parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("[] ")


def test_every_name_is_what_its_module_has():
    assert mgptn._HOME.keys() == set(mgptn.__all__) <= set(dir(mgptn))
    for name, home in mgptn._HOME.items():
        assert getattr(mgptn, name) is getattr(import_module(f"mgptn.{home}"), name)


def test_a_type_checker_reads_the_same_names_of_the_same_modules():
    tree = ast.parse(SOURCE.read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imported = {
        alias.asname or alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {name: f"mgptn.{home}" for name, home in mgptn._HOME.items()}


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'mgptn' has no attribute 'Simulacrum'"):
        mgptn.Simulacrum  # noqa: B018


@pytest.mark.parametrize("as_text", [True, False])
def test_a_checkout_without_links_says_what_to_do(tmp_path: Path, as_text: bool):
    """As git makes it where links are turned off: files that hold a path; or nothing at all."""
    folder = tmp_path / "mgptn"
    folder.mkdir()
    (folder / "__init__.py").write_text(SOURCE.read_text())
    for wing in ("agents", "experiments", "protocols"):
        (folder / wing).mkdir()
    if as_text:
        (folder / "population").write_text("../../population")
    done = subprocess.run(
        [sys.executable, "-c", "import mgptn.experiments.cli"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{folder}: expected a folder, or a link to one, for each of population" in done.stderr
    assert "git config core.symlinks true" in done.stderr
