"""Take the screenshots of `mlperf report` and `mlperf watch` in `docs/pictures`, from the examples, with the installed Chromium.

    python docs/take_screenshots.py

The pictures depend on the fonts of the machine, so no test compares them.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
RUNNING = ROOT / "examples" / "logs" / "trained" / "resnet.txt"
SHOWN_LINES = 68
"""Of the running job's log: up to its fourth evaluation."""
COLUMNS = 84
FONT_FACES = re.compile(r"@font-face \{.*?\}", re.DOTALL)
"""They would be loaded from the network."""
DESKTOP = {"width": 1180, "height": 860}
CURVES_HEIGHT = 600
"""Of the section on convergence: its first chart."""

sys.path.insert(0, str(ROOT / "tests" / "browser"))
from installed_browser import launch_browser  # noqa: E402 - from the tests, which know where the browser is


def main() -> None:
    """Take both."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launch_browser(playwright)
        take_report(browser, Path(folder, "report.html"))
        take_watch(browser, Path(folder))
        browser.close()


def take_report(browser: Any, path: Path) -> None:
    """The top of the report on the example submission, and its curves."""
    run_mlperf(
        "report", "examples/submission", "--public", "--title", "Example Lab, round 6.1", "-o", str(path)
    )
    page = browser.new_page(viewport=DESKTOP, color_scheme="light")
    page.goto(path.as_uri())
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / "report.png", clip={"x": 0, "y": 0, "width": 1180, "height": 720})
    curves = page.locator("section", has=page.get_by_role("heading", name="Convergence", exact=True)).first
    curves.scroll_into_view_if_needed()
    box = curves.bounding_box()
    page.screenshot(path=PICTURES / "report_curves.png", clip=box | {"height": CURVES_HEIGHT})


def take_watch(browser: Any, folder: Path) -> None:
    """The view of a run that goes on."""
    shown = "".join(RUNNING.read_text("utf-8").splitlines(keepends=True)[:SHOWN_LINES])
    (folder / "result_0.txt").write_text(shown, "utf-8")
    printed = run_mlperf("watch", "--once", "--usage", "mini", "result_0.txt", folder=folder)
    console = Console(file=io.StringIO(), record=True, width=COLUMNS)
    console.print(Text.from_ansi(printed), end="")
    drawn = console.export_svg(
        title="mlperf watch result_0.txt"
    )  # which puts each piece of text at its column
    page = browser.new_page(viewport=DESKTOP)
    page.set_content(f"<style>body{{margin:0}} svg{{width:860px}}</style>{FONT_FACES.sub('', drawn)}")
    page.locator("svg").first.screenshot(path=PICTURES / "watch.png", omit_background=True)


def run_mlperf(*arguments: str, folder: Path = ROOT) -> str:
    """What a command prints on a terminal with colors."""
    hidden = {"COLUMNS": str(COLUMNS), "FORCE_COLOR": "1", "TZ": "UTC"}
    command = [sys.executable, "-m", "mlperf_logging", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | hidden, capture_output=True, text=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    main()
