"""What the site does to the repository's pages, so that they are written for the repository alone.

Links that leave `docs/` lead to the pages that `OUTSIDE` takes in; to what is no page of the site
they become its name.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
OUTSIDE = {
    "README.md": "index.md",
    "monitoring/README.md": "how-to/monitoring.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "trust/security.md",
    "CHANGELOG.md": "changelog.md",
}
"""Page of the repository that stands outside of `docs/` → its place in the site."""

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s]*)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Take in the pages from outside of `docs/`."""
    for path, place in OUTSIDE.items():
        text = (ROOT / path).read_text(encoding="utf-8")
        files.append(File.generated(config, place, content=relinked(text, path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links of a page of `docs/`, as the site has them."""
    if page.file.src_uri in OUTSIDE.values():
        return markdown
    return relinked(markdown, f"docs/{page.file.src_uri}")


def on_post_template(output_content: str, **_: Any) -> str:
    """As a page: the one of what is not there."""
    return on_post_page(output_content)


def on_post_page(output: str, **_: Any) -> str:
    """Names for what the theme leaves without one, by which those who see nothing find it."""
    output = output.replace(
        'data-md-component="search" role="dialog">',
        'data-md-component="search" role="dialog" aria-label="Search">',
    )
    for label in re.findall(
        r'id="(__nav_\d+)_label" tabindex="0">\s*<span[^>]*></span>\s*</label>', output
    ):
        output = output.replace(f'aria-labelledby="{label}_label"', 'aria-label="Below this page"')
    return output


def relinked(text: str, path: str) -> str:
    """A page of the repository with its links as they are in the site."""
    here = posixpath.dirname(_place(path) or path)

    def link(match: re.Match[str]) -> str:
        image, shown, target, part = match.groups(default="")
        if not target or "://" in target or target.startswith("mailto:"):
            return match[0]
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if (ROOT / wanted).is_dir() and (ROOT / wanted / "README.md").is_file():
            wanted += "/README.md"
        place = _place(wanted)
        if place is None:
            return f"{shown} (`{wanted}`)" if wanted not in shown else shown
        return f"{image}[{shown}]({posixpath.relpath(place, here or '.')}{part})"

    return LINK.sub(link, text)


def _place(path: str) -> str | None:
    """Where a file of the repository is in the site; None where it is not in it."""
    if path in OUTSIDE:
        return OUTSIDE[path]
    path = path.removesuffix(".ipynb") + ".md" if path.endswith(".ipynb") else path
    return path.removeprefix("docs/") if path.startswith("docs/") else None
