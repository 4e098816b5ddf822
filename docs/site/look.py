"""Look at the built site in the installed Chromium: `python docs/site/look.py` opens every page of docs/_build.

Each page is opened at the width of a phone and of a desktop, from a server on this machine. A page that scrolls sideways, an
error of a script, a request that fails or leaves the machine, a link to a page or place that is not there, and a word
that the search does not find are printed, and end with exit code 1.
"""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "docs" / "_build"
WIDTHS = {"phone": 390, "desktop": 1280}
SOUGHT = {"RCP": "rounds.html", "seed": "analysis.html", "MLP304": "rules/codes.html"}
"""Words, and a page that the search for each must find."""
PATIENCE_MS = 20_000
MEASURE_OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
READ_PAGE = """() => ({
    ids: [...document.querySelectorAll("[id]")].map(each => each.id),
    links: [...document.querySelectorAll("a[href]")].map(each => each.href),
})"""

sys.path.insert(0, str(ROOT / "tests" / "browser"))
from installed_browser import find_browser, launch_browser  # noqa: E402 - from the tests, which know where the browser is


class QuietServer(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> int:
    """Look at all pages; 1 where something is wrong."""
    if find_browser() is None:
        sys.stdout.write("docs/site/look.py: no Chromium is installed, so nobody has looked at the pages\n")
        return 0
    handler = functools.partial(QuietServer, directory=str(SITE))
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        sync_playwright() as playwright,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = launch_browser(playwright)
        wrong = look_at(browser, f"http://127.0.0.1:{server.server_address[1]}/")
        browser.close()
        server.shutdown()
    for each in wrong:
        sys.stdout.write(f"{each}\n")
    sys.stdout.write(f"{len(list_pages())} pages looked at in {len(WIDTHS)} widths: {len(wrong)} faults\n")
    return 1 if wrong else 0


def list_pages() -> list[str]:
    """The pages of the site, by their path."""
    return sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))


def look_at(browser: Any, root: str) -> list[str]:
    """What is wrong with the pages below an address."""
    wrong: list[str] = []
    ids: dict[str, set[str]] = {}
    links: dict[str, list[str]] = {}
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on("requestfailed", lambda request: wrong.append(f"{request.url}: failed"))
    page.on(
        "response",
        lambda response: (
            None if response.status < 400 else wrong.append(f"{response.url}: {response.status}")
        ),
    )
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((root, "data:")) else wrong.append(f"{request.url}: is elsewhere")
        ),
    )
    for path in list_pages():
        page.goto(root + path)
        for name, width in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": 844})
            if overflow := page.evaluate(MEASURE_OVERFLOW):
                wrong.append(f"{path}: {overflow} pixels wider than a {name}")
        read = page.evaluate(READ_PAGE)
        ids[path], links[path] = set(read["ids"]), read["links"]
    wrong += [fault for path, found in links.items() for fault in find_broken_links(path, found, root, ids)]
    for word, path in SOUGHT.items():
        wrong += search_for(page, root, word, path)
    return wrong


def find_broken_links(path: str, links: list[str], root: str, ids: dict[str, set[str]]) -> list[str]:
    """The links of a page that lead to a page, place or file that the site does not have."""
    wrong = []
    for link in links:
        if not link.startswith(root):
            continue
        target, place = urldefrag(link.removeprefix(root))
        target = unquote(target).partition("?")[0] or "index.html"
        if not (SITE / target).is_file():
            wrong.append(f"{path}: {target} does not exist")
        elif place and target in ids and unquote(place) not in ids[target]:
            wrong.append(f"{path}: {target} has no place {place}")
    return wrong


def search_for(page: Any, root: str, word: str, wanted: str) -> list[str]:
    """What is wrong with the search for a word: a page that it must find is not among the results."""
    page.goto(f"{root}search.html?q={word}")
    page.locator("#search-results .search-summary:not(:empty)").wait_for()
    page.wait_for_function(
        "() => /finished|did not match|matching/.test(document.querySelector('.search-summary').innerText)"
    )
    found = page.locator("#search-results ul.search a").evaluate_all("each => each.map(link => link.href)")
    if any(link.removeprefix(root).startswith(wanted) for link in found):
        return []
    return [f"the search for {word} does not find {wanted} among {len(found)} results"]


if __name__ == "__main__":
    sys.exit(main())
