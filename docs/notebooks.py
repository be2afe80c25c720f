"""The site's notebooks: run as it is built, and shown as pages with what their cells gave.

A run is kept in `build/notebooks/` under the hash of the notebook and of all code, so that only
what changed is run again.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.structure.files import File, Files
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build" / "notebooks"
CODE = ("agents", "experiments", "population", "protocols", "src")
SECONDS = 600


def on_files(files: Files, config: Any) -> Files:
    """A page, and a picture for each that a cell drew, beside each notebook."""
    for file in [one for one in files if one.src_uri.endswith(".ipynb")]:
        place = file.src_uri.removesuffix(".ipynb")
        told = []
        for i, cell in enumerate(executed(Path(file.abs_src_path)).cells):
            told.append(_source(cell))
            for kind, content in _outputs(cell):
                if kind == "image/png":
                    picture = f"{place}-{i}.png"
                    files.append(File.generated(config, picture, content=content))
                    told.append(f"![What the cell above draws]({Path(picture).name})")
                else:
                    told.append(content)
        files.append(File.generated(config, f"{place}.md", content="\n\n".join(told) + "\n"))
    return files


def executed(path: Path) -> Any:
    """A notebook with the outputs of its cells, in their order.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    kept = KEPT / f"{_hash(path)}.ipynb"
    if kept.is_file():
        return nbformat.read(kept, as_version=4)
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, kernel_name="python3", timeout=SECONDS)
    client.create_kernel_manager().transport = "ipc"  # and not a port that others can reach
    client.execute()
    KEPT.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, kept)
    return notebook


def _hash(path: Path) -> str:
    """Of a notebook, and of all that its cells may call."""
    whole = hashlib.sha256(path.read_bytes())
    for folder in CODE:
        for source in sorted((ROOT / folder).rglob("*.py")):
            whole.update(source.read_bytes())
    return whole.hexdigest()[:24]


def _source(cell: Any) -> str:
    if cell.cell_type == "markdown":
        return str(cell.source)
    return f"```python\n{cell.source}\n```"


def _outputs(cell: Any) -> Iterator[tuple[str, Any]]:
    """The richest form of each output: HTML as it is, a picture's bytes, or text in a block."""
    for output in cell.get("outputs", ()):
        data = output.get("data", {"text/plain": output.get("text", "")})
        if "image/png" in data:
            yield "image/png", base64.b64decode(data["image/png"])
        elif "text/html" in data:
            lines = (line for line in data["text/html"].splitlines() if line.strip())
            yield "text/html", "\n".join(['<div class="output" tabindex="0">', *lines, "</div>"])
        elif data.get("text/plain"):
            yield "text/plain", f"```text\n{data['text/plain']}\n```"
