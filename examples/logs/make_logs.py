"""Write the example logs, their index (README.md) and what judging them must say (expected.json).

    python examples/logs/make_logs.py            write everything anew
    python examples/logs/make_logs.py --check    exit with 1 when a file differs from what would be written

Plain Python, no packages, no randomness that is not seeded: the files come out the same everywhere.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from catalogue import ExampleLog, list_broken_logs, list_compliant_logs, list_logs

HERE = Path(__file__).resolve().parent

INTRODUCTION = """\
# Example logs

Made by `python examples/logs/make_logs.py`; edit `runs.py`, `mistakes.py` or `catalogue.py`, not the logs.
Every run, figure and name is invented. The compliant logs keep the strict rules of their round too.

`expected.json` says the same for programs: for each log and ruleset the verdict, the keys that errors blame
and the codes of all findings. `make demo` and the tests judge every log and compare.
"""


def render_expectations(logs: list[ExampleLog]) -> str:
    """The text of expected.json."""
    checks = [
        {
            "path": log.path,
            "usage": check.ruleset.partition("/")[0],
            "ruleset": check.ruleset.partition("/")[2],
            "strict": check.strict,
            "verdict": check.verdict,
            "keys": sorted(check.keys) if check.keys is not None else None,
            "codes": sorted(check.codes),
        }
        for log in logs
        for check in log.checks
    ]
    rows = ",\n".join(f"    {json.dumps(check)}" for check in checks)
    return f'{{\n  "checks": [\n{rows}\n  ]\n}}\n'


def render_index() -> str:
    """The text of README.md."""
    parts = [INTRODUCTION, "\n## Compliant\n\n| log | judged by | what it shows |\n|---|---|---|\n"]
    parts += [
        f"| [`{log.path.partition('/')[2]}`]({log.path}) | {log.checks[0].ruleset} | {log.shows} |\n"
        for log in list_compliant_logs()
    ]
    parts.append("\n## Broken\n\n| log | judged by | findings | what it shows |\n|---|---|---|---|\n")
    for log in list_broken_logs():
        check = log.checks[0]
        judged = f"{check.ruleset}, strict" if check.strict else check.ruleset
        parts.append(
            f"| [`{log.path.partition('/')[2]}`]({log.path}) | {judged} "
            f"| {', '.join(check.codes)} | {log.shows} |\n"
        )
    return "".join(parts)


def render_files() -> dict[str, bytes]:
    """Every file that this script makes: path below this folder to content."""
    logs = list_logs()
    files = {log.path: log.encode() for log in logs}
    files["expected.json"] = render_expectations(logs).encode()
    files["README.md"] = render_index().encode()
    return files


def main() -> int:
    """Write the files, or compare them with what is there."""
    parser = argparse.ArgumentParser(description="Write the example logs.")
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    options = parser.parse_args()
    files = render_files()
    there = {
        path.relative_to(HERE).as_posix()
        for folder in ("compliant", "broken")
        for path in (HERE / folder).glob("*")
    }
    extra = sorted(there - set(files))
    stale = [path for path, content in files.items() if not _holds(HERE / path, content)]
    if options.check:
        for path in [*stale, *extra]:
            print(f"examples/logs/{path} is not what make_logs.py makes; run it")
        return 1 if stale or extra else 0
    for path in stale:
        (HERE / path).parent.mkdir(exist_ok=True)
        (HERE / path).write_bytes(files[path])
    for path in extra:
        (HERE / path).unlink()
    return 0


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


if __name__ == "__main__":
    sys.exit(main())
