"""Pictures of the pages for the documentation: ``python -m tests.screenshots RUN docs/figures``."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import queue
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from mgptn.experiments.watching.serving import serve
from tests import site
from tests.integration.picking.conftest import put, served

SHOTS = {
    "watch-overview": ("tab=overview", 900),
    "watch-answers": ("tab=answers&generation=1&right=no&order=disputed&answer={answer}", 560),
}
WIDTH = 1100


QUESTION = (
    "A train leaves at 9:40 and arrives at 13:05. How long does it take?",
    ("3 hours 25 minutes, since 9:40 to 12:40 is three hours, and 25 minutes are left.",
     "It takes 4 hours and 25 minutes.",
     "From 9:40 to 13:05 it is 205 minutes.",
     "3 hours 35 minutes"),
)  # fmt: skip


def pick(browser: Browser, out: Path) -> None:
    """Serve a page on which people pick, and take its picture."""
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder), [QUESTION, *((str(i), ("a", "b")) for i in range(23))])
        with served(Path(folder), ["ann"], note="Any right answer will do.") as (link,):
            tab = browser.new_page(viewport={"width": 860, "height": 560})
            tab.goto(link)
            while QUESTION[0] not in tab.locator("main").inner_text():
                tab.wait_for_timeout(100)
                if tab.locator(".choices").count() and QUESTION[0] not in tab.content():
                    tab.keyboard.press("1")
            tab.screenshot(path=out / "pick.png")


def report(browser: Browser, run: Path, out: Path) -> None:
    """The beginning of a run's report."""
    tab = browser.new_page(viewport={"width": WIDTH, "height": 900})
    tab.goto((run / "report.html").absolute().as_uri())
    tab.screenshot(path=out / "report.png")


def documentation(browser: Browser, out: Path) -> None:
    """Build the site, and take a picture of a page of it."""
    with tempfile.TemporaryDirectory() as folder:
        site.build(Path(folder)).check_returncode()
        with site.served(Path(folder)) as address:
            tab = browser.new_page(viewport={"width": 1300, "height": 800})
            tab.goto(f"{address}how-to/watching.html")
            tab.wait_for_timeout(500)
            tab.screenshot(path=out / "site.png")


def watch(browser: Browser, run: Path, out: Path) -> None:
    """Serve a run's page, and take its pictures."""
    told, until = queue.Queue[str](), threading.Event()
    arguments = {"until": until}
    thread = threading.Thread(target=serve, args=((run,), 0, told.put), kwargs=arguments)
    thread.start()
    address = told.get()
    try:
        for name, (place, height) in SHOTS.items():
            tab = browser.new_page(viewport={"width": WIDTH, "height": height})
            tab.goto(address)
            tab.get_by_text("ended", exact=True).wait_for()
            tab.goto(f"{address}#{place.partition('&answer')[0]}")
            if "answer=" in place:
                tab.reload()
                tab.locator("tbody button").first.click()
                tab.locator("aside .bars").first.wait_for()
            tab.wait_for_timeout(500)
            tab.screenshot(path=out / f"{name}.png")
    finally:
        until.set()
        thread.join()


def main(run: Path, out: Path) -> None:
    """All of them."""
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        watch(browser, run, out)
        report(browser, run, out)
        documentation(browser, out)
        pick(browser, out)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
