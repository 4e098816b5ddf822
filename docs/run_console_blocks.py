"""Run the commands in the console blocks of pages and compare, or renew, what they print.

    python docs/run_console_blocks.py README.md            exit with 1 when an output is stale
    python docs/run_console_blocks.py --write README.md    put the real output into the page

A console block is fenced by three backticks and the word `console`. Its lines that begin with `$ ` are
commands, run by bash from the root of the checkout with the installed commands at hand; the lines
after a command are what it prints, errors included. A line of three dots stands for any number of lines and
is kept when a page is renewed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
DOTS = "..."
LONGEST_SECONDS = 120


def split_block(block: str) -> Iterator[tuple[str, list[str]]]:
    """The commands of a block, each with the lines that it shows.

    Raises:
        ValueError: the block begins with something else than a command.
    """
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    if parts[0].strip():
        raise ValueError(f"a console block begins with a command, not with {parts[0]!r}")
    for command, shown in zip(parts[1::2], parts[2::2], strict=True):
        yield command, shown.splitlines()


def run_command(command: str) -> list[str]:
    """The lines that a command prints."""
    hidden = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "COLUMNS", "FORCE_COLOR")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    answer = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment,
        check=False,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LONGEST_SECONDS,
    )
    return [line.rstrip() for line in answer.stdout.splitlines()]


def matches(shown: list[str], printed: list[str]) -> bool:
    """Whether lines are those printed; dots stand for any number of lines."""
    pattern = "".join(r"(?:.*\n)*" if line == DOTS else re.escape(line.rstrip()) + r"\n" for line in shown)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def renew(shown: list[str], printed: list[str]) -> list[str]:
    """What a page should show: the printed lines, cut where the page has dots at its end."""
    if matches(shown, printed):
        return shown
    if shown and shown[-1] == DOTS:
        return [*printed[: len(shown) - 1], DOTS]
    return printed


def renew_page(text: str) -> tuple[str, list[str]]:
    """A page with real output, and a sentence on each command whose output was another."""
    complaints: list[str] = []

    def renew_block(found: re.Match[str]) -> str:
        lines: list[str] = []
        for command, shown in split_block(found[0]):
            printed = run_command(command)
            lines += [f"$ {command}", *renew(shown, printed)]
            if not matches(shown, printed):
                wanted, got = "\n".join(shown), "\n".join(printed)
                complaints.append(f"$ {command}\nshown:\n{wanted}\nprinted:\n{got}\n")
        return "".join(f"{line}\n" for line in lines)

    return BLOCK.sub(renew_block, text), complaints


def main() -> int:
    """Compare or renew pages."""
    parser = argparse.ArgumentParser(description="Run the commands in the console blocks of pages.")
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="put the real output into the pages")
    options = parser.parse_args()
    stale = False
    for page in options.pages:
        text, complaints = renew_page(page.read_text("utf-8"))
        if options.write:
            page.write_text(text, "utf-8")
            continue
        for complaint in complaints:
            stale = True
            sys.stdout.write(f"{page}: the output of this command is stale\n{complaint}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
