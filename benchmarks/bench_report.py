"""What a page of many runs costs: time and memory to make it, its size, and what a browser needs for it.

    python benchmarks/bench_report.py [--logs FOLDER …] [--copies N …] [--json FILE] [--page FILE]

Each folder of `--logs` makes one page; `--copies 1 4` makes one of each folder and one of four copies of it. Without
folders, copies of the example submission are taken. The page is made by `mlperf report` with one process and with two;
time is wall-clock, from the start of the process to its end, memory the most that the process held.

Then an installed Chromium without a window opens the page from the disk; without one, only the rest is measured. It is
readable when the first text is painted, usable when its scripts have run, so that tables sort and links work, and
complete when all charts are drawn, also those far below. Memory is what scripts hold after a collection of garbage.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import PROJECT, describe_machine, format_table

from mlperf_logging.runs.folders import find_result_folders

sys.path.insert(0, str(PROJECT / "tests" / "browser"))
from installed_browser import find_browser, launch_browser

EXAMPLE = PROJECT / "examples" / "submission"
FIGURES = re.compile(r"(?s)(<!-- figures -->\n).*?(\n<!-- end -->)")
MEGABYTE = 1e6
_PATIENCE_MS = 600_000


def gather_logs(source: Path, copies: int, place: Path) -> int:
    """Put copies of a folder below one folder, as links where the disk allows; how many logs there are."""
    for number in range(copies):
        try:
            shutil.copytree(source, place / f"copy_{number + 1}", copy_function=os.link)
        except (OSError, shutil.Error):
            shutil.rmtree(place / f"copy_{number + 1}", ignore_errors=True)
            shutil.copytree(source, place / f"copy_{number + 1}")
    return sum(len(folder.logs) for folder in find_result_folders(place))


def make_page(logs: Path, jobs: int, target: Path) -> tuple[float, float]:
    """Make the page; seconds, and megabytes of memory at most in one process."""
    command = [sys.executable, "-m", "mlperf_logging.cli.main", "report", str(logs), "-o", str(target)]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--jobs", str(jobs), "--quiet"], cwd=PROJECT, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if not target.is_file():
        raise RuntimeError(f"mlperf report ended with {process.returncode} and made no page")
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MEGABYTE


def read_heap(page: Any) -> float:
    """Megabytes that the page's scripts hold."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["JSHeapUsedSize"]) / MEGABYTE


def open_page(target: Path) -> dict[str, float]:
    """What a browser needs for a page: seconds since it began to load it, and memory."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launch_browser(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(_PATIENCE_MS)
        page.goto(target.as_uri())
        painted, ready = page.evaluate(
            """() => [performance.getEntriesByName("first-contentful-paint")[0].startTime,
                      performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd]"""
        )
        heap = read_heap(page)
        undrawn = page.locator("figure.chart .drawing:not([data-drawn])")
        while undrawn.count():
            page.wait_for_timeout(100)
        complete = page.evaluate("performance.now()")
        figures = {
            "readable s": painted / 1000,
            "usable s": ready / 1000,
            "complete s": complete / 1000,
            "heap MB": heap,
            "heap when complete MB": read_heap(page),
        }
        browser.close()
    return figures


def measure(source: Path | None, copies: int) -> dict[str, Any]:
    """The figures of one page."""
    with tempfile.TemporaryDirectory() as folder:
        logs, target = Path(folder, "logs"), Path(folder, "report.html")
        count = gather_logs(source or EXAMPLE, copies, logs)
        figures: dict[str, Any] = {"runs": count}
        figures["made in s"], figures["with 1 process, memory MB"] = make_page(logs, 1, target)
        figures["with --jobs 2 in s"], _ = make_page(logs, 2, target)
        figures["page MB"] = target.stat().st_size / MEGABYTE
        if find_browser() is not None:
            figures |= open_page(target)
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and put the figures where they are asked for."""
    parser = argparse.ArgumentParser(description="What a page of many runs costs.")
    parser.add_argument("--logs", type=Path, nargs="+", help="folders of logs, each for a page of its own")
    parser.add_argument("--copies", type=int, nargs="+", help="how often each folder is taken")
    parser.add_argument("--peer", help="ignored: the public package makes no pages")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    parser.add_argument("--page", type=Path, help="put the figures between the marks on this page")
    options = parser.parse_args(arguments)
    measured = {}
    for source in options.logs or [None]:
        for copies in options.copies or ([1] if source else [20]):
            name = source.name if source else "example submission"
            measured[name if copies == 1 else f"{name} ×{copies}"] = measure(source, copies)
    columns = list(next(iter(measured.values())))
    rows = [[name, *[figures[column] for column in columns]] for name, figures in measured.items()]
    browser = find_browser()
    lines = [describe_machine(), "", format_table(["logs", *columns], rows)]
    if browser is None:
        lines += ["", "No browser is installed, so how the page opens is not measured."]
    text = "\n".join(lines)
    print(text)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=2) + "\n")
    if options.page:
        page = options.page.read_text("utf-8")
        options.page.write_text(FIGURES.sub(lambda found: found[1] + text + found[2], page, count=1), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
