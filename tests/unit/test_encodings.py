"""Text is read and written as UTF-8, whatever the locale of whoever runs this says."""

# SPDX-License-Identifier: Apache-2.0

import ast
from pathlib import Path

import pytest

from tests.rooms import ROOT, modules


def opens(module: Path) -> list[ast.Call]:
    """Calls that open a file as text without naming its encoding."""
    found = []
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or any(word.arg == "encoding" for word in node.keywords):
            continue
        told = node.func
        name = told.attr if isinstance(told, ast.Attribute) else getattr(told, "id", "")
        of = ast.unparse(told.value) if isinstance(told, ast.Attribute) else ""
        modes = [a.value for a in node.args if isinstance(a, ast.Constant) and a.value != ""]
        # A distribution's files are read by name; and not all that is opened is a file.
        if (name == "read_text" and not node.args) or name == "write_text":
            found.append(node)
        binary = any(isinstance(mode, str) and "b" in mode for mode in modes)
        if name == "open" and of not in ("os", "gzip", "answers", "disk()") and not binary:
            found.append(node)
    return found


@pytest.mark.parametrize("module", modules(), ids=str)
def test_no_module_opens_text_by_the_locales_encoding(module):
    assert [f"line {call.lineno}" for call in opens(module)] == []
