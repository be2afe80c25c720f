"""Pictures of the page for the documentation: ``python -m tests.screenshots RUN docs/figures``."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import queue
import shutil
import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

from mgptn.experiments.watching.serving import serve

SHOTS = {
    "watch-overview": ("tab=overview", 900),
    "watch-answers": ("tab=answers&generation=1&right=no&order=disputed&answer={answer}", 560),
}
WIDTH = 1100


def main(run: Path, out: Path) -> None:
    """Serve a run's page, and take its pictures."""
    told, until = queue.Queue[str](), threading.Event()
    arguments = {"until": until}
    thread = threading.Thread(target=serve, args=((run,), 0, told.put), kwargs=arguments)
    thread.start()
    address = told.get()
    try:
        with sync_playwright() as started:
            browser = started.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
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
            browser.close()
    finally:
        until.set()
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
