"""Profile all trainers at mini scale and put the tables and the picture into the documentation: `make profile`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks" / "profile.md"
PICTURE = ROOT / "docs" / "pictures" / "profile.png"
BEGIN, END = "<!-- measured profile -->", "<!-- end of measured profile -->"
COMMAND = "mlperf train all --profile"


def profile(data: Path, picture: Path) -> str:
    """Profile every trainer, draw the picture, and give the tables as text.

    Raises:
        SystemExit: a trainer could not be profiled.
    """
    program = [sys.executable, "-m", "mlperf_logging.cli.main", *COMMAND.split()[1:]]
    options = ["--data", str(data), "--plot", str(picture)]
    done = subprocess.run(
        [*program, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise SystemExit(f"{COMMAND}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def write_page(page: Path, tables: str, day: str) -> None:
    """Put the tables between the page's two marks; the rest of the page stays.

    Raises:
        SystemExit: the page lacks the marks.
    """
    text = page.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page} lacks the marks {BEGIN} and {END}")
    measured = f"\nMeasured on {day} with `{COMMAND}`:\n\n```text\n{tables.rstrip()}\n```\n"
    page.write_text(f"{before}{BEGIN}{measured}{END}{after}", "utf-8")


def main() -> int:
    """Profile and write."""
    parser = argparse.ArgumentParser(description="Profile all trainers and write page and picture.")
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="folder of all data (default: data)")
    options = parser.parse_args()
    tables = profile(options.data.resolve(), PICTURE)
    write_page(PAGE, tables, datetime.now(timezone.utc).date().isoformat())
    return 0


if __name__ == "__main__":
    sys.exit(main())
