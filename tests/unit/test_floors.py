"""Imports go down, never up and never between the wings; every module says what lives there."""

# SPDX-License-Identifier: Apache-2.0

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "population": {"population"},
    "protocols": {"protocols"},
    "agents": {"agents", "population", "protocols"},
    "experiments": {"experiments", "agents", "population", "protocols"},
}
TRAINING = (
    *("adaptation", "attention", "forward", "growth", "own_answers", "pretrain", "saving"),
    "trainer",
)
HEAVY = {"torch", "ray", "transformers"}
MODULES = [path.relative_to(ROOT) for wing in MAY_IMPORT for path in (ROOT / wing).rglob("*.py")]


def imported(tree: ast.AST) -> set[str]:
    """Top-level names of every module that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_imports_only_downward(module: Path):
    tree = ast.parse((ROOT / module).read_text())
    wing = module.parts[0]
    names = imported(tree)
    assert names & set(MAY_IMPORT) <= MAY_IMPORT[wing]
    if wing in ("population", "protocols"):
        assert not names & (HEAVY | {"os", "time", "pathlib", "socket"})
    assert ast.get_docstring(tree)


def test_torch_is_imported_where_models_run_and_nowhere_else():
    """At the top of a module; a function may ask torch what devices there are."""
    top = {
        str(module)
        for module in MODULES
        if "torch" in imported(ast.Module([*_top(ROOT / module)], []))
    }
    training = {f"agents/training/{name}.py" for name in TRAINING}
    engine = {
        f"agents/engine/{name}.py"
        for name in (
            "answers", "attention", "decoding", "forward", "prefixes", "reading", "recording",
            "sampling", "scoring",
        )
    }  # fmt: skip
    assert top == {"agents/transformers_host.py"} | engine | training


def test_ray_is_imported_at_the_top_of_the_actor_alone():
    top = {
        str(module)
        for module in MODULES
        if "ray" in imported(ast.Module([*_top(ROOT / module)], []))
    }
    assert top == {"agents/ray_host.py"}


def _top(path: Path) -> list[ast.stmt]:
    tree = ast.parse(path.read_text())
    return [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
