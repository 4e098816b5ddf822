"""Ask the questions of a page of a store of real logs, and compare, or renew, the answers that it shows.

    python docs/answer_questions.py docs/store_questions.md ../shared/corpus/logs            exit with 1 when an answer is stale
    python docs/answer_questions.py --write docs/store_questions.md ../shared/corpus/logs    put the real answers into the page

A question is a block fenced by three backticks and the word `sql`; the block behind it, with the word `text`, is its answer.
The folder of logs has one folder for each round: 0.5, 5.1 or hpc-3.0; logs are judged by the round of their folder.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = (sys.executable, "-m", "mlperf_logging", "store")
QUESTION = re.compile(r"```sql\n(?P<sql>.*?)```\n\n```text\n(?P<answer>.*?)```", re.DOTALL)
USAGE = "training"
WIDTH = "132"


def ingest_rounds(logs: Path, store: Path) -> None:
    """Put the logs of each round into a store, judged by that round."""
    for folder in sorted(logs.iterdir()):
        *usage, version = folder.name.split("-")
        rules = ["--usage", usage[0] if usage else USAGE, "--ruleset", version]
        run(["ingest", "-q", "--no-config", *rules, "--into", str(store), str(folder)])


def ask(store: Path, sql: str) -> str:
    """What the store answers, as people read it."""
    return run(["query", str(store), sql])


def run(arguments: list[str]) -> str:
    """What `mlperf store` prints."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        env={"COLUMNS": WIDTH, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return done.stdout


def renew_page(text: str, store: Path) -> tuple[str, list[str]]:
    """A page with real answers, and the questions whose answers were others."""
    stale: list[str] = []

    def renew(found: re.Match[str]) -> str:
        sql = found["sql"]
        answer = ask(store, sql)
        if answer != found["answer"]:
            stale.append(sql)
        return f"```sql\n{sql}```\n\n```text\n{answer}```"

    return QUESTION.sub(renew, text), stale


def main() -> int:
    """Compare or renew a page."""
    parser = argparse.ArgumentParser(description="Ask the questions of a page.")
    parser.add_argument("page", type=Path)
    parser.add_argument("logs", type=Path)
    parser.add_argument("--write", action="store_true", help="put the real answers into the page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store.duckdb"
        ingest_rounds(options.logs, store)
        text, stale = renew_page(options.page.read_text("utf-8"), store)
    if options.write:
        options.page.write_text(text, "utf-8")
        return 0
    for sql in stale:
        sys.stdout.write(f"{options.page}: the answer to this question is stale\n{sql}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
