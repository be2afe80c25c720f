"""The documentation as a site, as it is built: for anybody, in a browser, from nowhere else."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.site import ROOT, build, served
from tests.unit.test_docs import SITE, pages

pytest.importorskip("material")
playwright = pytest.importorskip("playwright.sync_api")
axe_core = pytest.importorskip("axe_playwright_python.sync_playwright")

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
HOOKS = "hooks: [docs/hooks.py, docs/notebooks.py]"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder; it is built without a word."""
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_there_and_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in pages(SITE["nav"]):
        name = re.sub(r"README$", "index", page.removesuffix(".md"))
        text = (site / f"{name}.html").read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|link|img)[^>]*?(?:src|href)=\"?([^\" >]+)", text)
        assert not [one for one in loaded if "://" in one], page
    found = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))
    assert any(one["location"].startswith("how-to/sweep") for one in found["docs"])


def test_the_notebook_shows_what_its_cells_gave(site: Path) -> None:
    text = (site / "tutorials" / "notebook.html").read_text(encoding="utf-8")
    assert "Generation 3" in text
    assert "<progress value='4' max='4'" in text.replace('"', "'")
    assert len(list((site / "tutorials").glob("notebook-*.png"))) == 1
    assert "Traceback" not in text


def test_a_broken_link_ends_it(tmp_path: Path) -> None:
    broken = tmp_path / "copy"
    shutil.copytree(ROOT / "docs", broken)
    (broken / "how-to" / "sweep.md").write_text("# Sweep\n\n[nowhere](nowhere.md)\n")
    plain = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert HOOKS in plain
    plain = plain.replace(HOOKS, HOOKS.replace("docs/", f"{ROOT}/docs/"))
    plain = plain.replace("docs_dir: docs", f"docs_dir: {broken}")
    (tmp_path / "mkdocs.yml").write_text(plain, encoding="utf-8")
    refused = build(tmp_path / "site", tmp_path / "mkdocs.yml")
    assert refused.returncode
    assert "nowhere.md" in refused.stderr


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if BROWSER is None:
        pytest.skip("needs Chromium (Debian's chromium)")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (1200, True), (390, True)])
def test_anybody_can_use_it(site: Path, browser: Any, width: int, dark: bool) -> None:
    """Axe finds nothing, no page is wider than a phone, and none asks elsewhere or complains."""
    scheme = "dark" if dark else "light"
    wrong: list[tuple[str, Any]] = []
    with served(site) as address:
        tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        own = (address, "data:", "blob:")
        tab.on("request", lambda r: r.url.startswith(own) or wrong.append((tab.url, r.url)))
        tab.on("pageerror", lambda error: wrong.append((tab.url, str(error))))
        for path in sorted(site.rglob("*.html")):
            tab.goto(f"{address}{path.relative_to(site).as_posix()}")
            tab.wait_for_timeout(100)
            found = axe_core.Axe().run(tab).response["violations"]
            said = [(one["id"], one["nodes"][0]["target"]) for one in found]
            inner = tab.evaluate("document.documentElement.scrollWidth")
            if said or inner > width:
                wrong.append((path.name, (said, inner)))
        tab.close()
    assert not wrong


def test_a_search_leads_to_a_page(site: Path, browser: Any) -> None:
    with served(site) as address:
        tab = browser.new_page(viewport={"width": 1200, "height": 900})
        tab.goto(address)
        tab.get_by_role("textbox", name="Search").press_sequentially("watching runs", delay=40)
        tab.locator(".md-search-result a", has_text="Watching runs").first.click()
        tab.wait_for_url("**/how-to/watching.html*")
        tab.close()
